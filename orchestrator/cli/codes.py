"""Exit codes: how each way in which a command can end is told to whoever called it."""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

from orchestrator.core.errors import (
    CredentialError,
    DriftError,
    HeldError,
    OrchestratorError,
    RefusedError,
    StoreError,
    TransportError,
)

if TYPE_CHECKING:
    from orchestrator.app.execution import Done
    from orchestrator.core.run import Run


class ExitCode(IntEnum):
    """What the number means is said in MEANINGS and docs/exit-codes.md."""

    DONE = 0
    OUR_FAULT = 1
    USAGE = 2
    PENDING = 3
    REFUSED = 4
    DRIFTED = 5
    FAILED = 6
    UNKNOWN = 7
    NO_CONTACT = 8
    HELD = 9
    INTERRUPTED = 130


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.DONE: "done, or nothing to do",
    ExitCode.OUR_FAULT: "our fault, or the store's: nothing can be relied on",
    ExitCode.USAGE: "the command line or a file you wrote cannot be used",
    ExitCode.PENDING: "changes (--detailed-exitcode) or proofs (verify, --wait) are pending",
    ExitCode.REFUSED: "refused by a rule",
    ExitCode.DRIFTED: "the organization is not what the plan rests on",
    ExitCode.FAILED: "a change failed (held, or rolled back as asked), or evidence is against it",
    ExitCode.UNKNOWN: "the outcome is unknown: a person has to look",
    ExitCode.NO_CONTACT: "a server cannot be reached, or does not let us in",
    ExitCode.HELD: "another run holds the organization",
    ExitCode.INTERRUPTED: "interrupted; can be resumed",
}

_ORDER = (7, 1, 6, 5, 8, 9, 130, 4, 2, 3, 0)

# Subclasses are found through their bases; what is not here is a mistake in what was given.
_OF_ERRORS: Mapping[type[OrchestratorError], ExitCode] = {
    RefusedError: ExitCode.REFUSED,
    DriftError: ExitCode.DRIFTED,
    TransportError: ExitCode.NO_CONTACT,
    CredentialError: ExitCode.NO_CONTACT,
    HeldError: ExitCode.HELD,
    StoreError: ExitCode.OUR_FAULT,
}


def gravest(found: Iterable[ExitCode]) -> ExitCode:
    """Return the gravest of several exit codes; DONE where there is none."""
    return min(found, key=_ORDER.index, default=ExitCode.DONE)


def of_error(error: OrchestratorError) -> ExitCode:
    """Return the exit code for an error that ended a command, or the work on one organization."""
    codes = (_OF_ERRORS[kind] for kind in type(error).__mro__ if kind in _OF_ERRORS)
    return next(codes, ExitCode.USAGE)


def of_run(run: "Run", *, undoing: bool = False) -> ExitCode:
    """Return the exit code for how far *run* came.

    *undoing* says that it was to be rolled back: being rolled back is then what was asked.
    """
    if run.outcome is None:
        return _unfinished(run)
    return _finished(run, undoing=undoing)


def _finished(run: "Run", *, undoing: bool) -> ExitCode:
    from orchestrator.core.events import Outcome  # noqa: PLC0415 - msgspec, not for --help
    from orchestrator.core.run import Status  # noqa: PLC0415 - likewise

    asked = undoing or Status.FAILED not in run.statuses
    drifted = Status.DRIFTED in run.statuses and not undoing
    codes = {
        Outcome.SUCCEEDED: ExitCode.DONE,
        Outcome.FAILED: ExitCode.FAILED,
        Outcome.DRIFTED: ExitCode.DRIFTED,
        Outcome.ROLLED_BACK: ExitCode.DONE if asked else ExitCode.FAILED,
        Outcome.ROLLBACK_HELD: ExitCode.FAILED,
    }
    if run.outcome is Outcome.ROLLED_BACK and asked and drifted:
        return ExitCode.DRIFTED
    if run.outcome is Outcome.ROLLBACK_HELD and Status.UNDO_DRIFTED in run.statuses:
        return ExitCode.DRIFTED
    return codes[run.outcome] if run.outcome else ExitCode.UNKNOWN


def _unfinished(run: "Run") -> ExitCode:
    from orchestrator.core.run import Status  # noqa: PLC0415 - msgspec, not for --help

    broken = run.interrupted is None or run.interrupted.unreachable
    if run.doubtful or (broken and Status.APPLIED in run.statuses and not run.rolling_back):
        return ExitCode.UNKNOWN
    if run.interrupted is not None and run.interrupted.brake:
        return ExitCode.REFUSED
    return ExitCode.NO_CONTACT if broken else ExitCode.INTERRUPTED


def of_done(done: "Done", *, undoing: bool = False) -> ExitCode:
    """Return the exit code for how it went in one organization."""
    found = [] if done.error is None else [of_error(done.error)]
    if done.run is not None:
        found.append(of_run(done.run, undoing=undoing))
    return gravest(found)


def of_proved(done: "Done", *, undoing: bool = False) -> ExitCode:
    """Return the exit code for what is proved in one organization, or for how far it came."""
    from orchestrator.core.proof import Standing  # noqa: PLC0415 - msgspec, not for --help

    if done.error is not None or done.run is None or done.run.proof is None:
        return of_done(done, undoing=undoing)
    codes = {
        Standing.PENDING: ExitCode.PENDING,
        Standing.CONTRARY: ExitCode.FAILED,
        Standing.UNKNOWN: ExitCode.UNKNOWN,
    }
    return codes.get(done.run.proof.standing, ExitCode.DONE)
