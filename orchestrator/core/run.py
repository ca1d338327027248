"""The state machine of a run: what is true now, and what must happen next.

    run = evolve(run, event)           an event happened; what is true now?
    action = next_action(run, now)     what is true now; what comes next?

Rules. A change is sent only from PENDING, and PENDING means that nothing is known to be under
way. A change in doubt is never sent again before somebody looked, and nobody looks before the
time is over that a slow command may take. What cannot be explained is held, not repaired:
rolling back by itself would bounce mail again. Undo touches only what this run left behind.

A run that crashed is rebuilt by evolving over its journal, and continued by asking for the next
action. There is no other recovery code.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError, JournalDamaged
from orchestrator.core.events import (
    ChangeApplied,
    ChangeDrifted,
    ChangeFailed,
    ChangeFoundDone,
    ChangeStarted,
    ChangeUndone,
    ChangeVerified,
    ChangeWithheld,
    ContactLost,
    Event,
    GlassBroken,
    Mandate,
    OnFailure,
    Outcome,
    ProofObserved,
    RollbackRequested,
    RunFinished,
    RunInterrupted,
    RunResumed,
    RunStarted,
    UndoDrifted,
    UndoFailed,
    UndoStarted,
    UndoWithheld,
    WhatIfAnswered,
)
from orchestrator.core.plan import Drift, Plan, unseal
from orchestrator.core.proof import Proof, keep, prove


class Status(StrEnum):
    """Where one change stands. IN_DOUBT and UNDO_IN_DOUBT: sent, effect unknown."""

    PENDING = "pending"
    IN_DOUBT = "in-doubt"
    APPLIED = "applied"
    VERIFIED = "verified"
    FOUND_DONE = "found-done"
    FAILED = "failed"
    DRIFTED = "drifted"
    UNDO_IN_DOUBT = "undo-in-doubt"
    UNDONE = "undone"
    UNDO_FAILED = "undo-failed"
    UNDO_DRIFTED = "undo-drifted"


DOUBTFUL = frozenset({Status.IN_DOUBT, Status.UNDO_IN_DOUBT})
_TRIED = frozenset({Status.PENDING, Status.IN_DOUBT, Status.APPLIED})
_LEFT = frozenset({Status.APPLIED, Status.VERIFIED, Status.FOUND_DONE, Status.UNDO_IN_DOUBT})

_FROM: Mapping[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.IN_DOUBT}),
    Status.IN_DOUBT: frozenset({Status.PENDING}),
    Status.APPLIED: DOUBTFUL,
    Status.VERIFIED: frozenset({Status.APPLIED}),
    Status.FOUND_DONE: frozenset({Status.IN_DOUBT}),
    Status.FAILED: _TRIED,
    # From VERIFIED and FOUND_DONE: somebody took it back before the run had ended.
    Status.DRIFTED: _TRIED | {Status.VERIFIED, Status.FOUND_DONE},
    Status.UNDO_IN_DOUBT: _LEFT,
    Status.UNDONE: _LEFT,
    Status.UNDO_FAILED: frozenset({Status.UNDO_IN_DOUBT}),
    Status.UNDO_DRIFTED: _LEFT,
}
"""Where a change may have stood before an event brought it to where it stands."""


class Run(Plain, frozen=True):
    """Everything that is known about a run.

    *sent* tells when the command at a position was last about to be sent; one that the server
    turned away was not. *details* holds the
    latest reason or warning per position. *asked* are positions that Exchange accepted with
    ``-WhatIf``. *break_glass* is why the process at work may pass windows and freezes, if it
    may; *broken* are those that were passed. *proofs* are what stands of
    each proof, and since when.
    """

    id: str
    plan: Plan
    mandate: Mandate
    started: datetime
    settle: float
    on_failure: OnFailure
    whatif: bool
    statuses: tuple[Status, ...]
    sent: Mapping[int, datetime]
    details: Mapping[int, str]
    asked: frozenset[int] = frozenset()
    rolling_back: bool = False
    undo_doubtful: bool = False
    outcome: Outcome | None = None
    interrupted: RunInterrupted | None = None
    ended: datetime | None = None
    break_glass: str = ""
    broken: tuple[GlassBroken, ...] = ()
    proofs: Mapping[str, ProofObserved] = {}

    @property
    def doubtful(self) -> bool:
        """Say whether the effect of anything sent is unknown."""
        return not DOUBTFUL.isdisjoint(self.statuses)

    @property
    def proof(self) -> Proof | None:
        """What is proved of a run that succeeded, as far as its plan asked for it; else None."""
        if self.outcome is not Outcome.SUCCEEDED:
            return None
        found = {name: observed.finding for name, observed in self.proofs.items()}
        return prove(self.plan.proofs or (), found, self.ended)


class AskWhatIf(Plain, frozen=True):
    """Ask Exchange with ``-WhatIf`` whether rights and binding allow the change."""

    position: int


class Apply(Plain, frozen=True):
    """Look; if what the change rests on is still so, send the command."""

    position: int


class Settle(Plain, frozen=True):
    """Look whether a command whose effect is in doubt took effect; then decide."""

    position: int


class Verify(Plain, frozen=True):
    """Look again; the change must be visible."""

    position: int


class Undo(Plain, frozen=True):
    """Look; send the inverse command if the state is still what the run left."""

    position: int


class Finish(Plain, frozen=True):
    """Close the run."""

    outcome: Outcome


class Wait(Plain, frozen=True):
    """Nothing may happen before *until*: a slow command may still be at work."""

    until: datetime


Action: TypeAlias = AskWhatIf | Apply | Settle | Verify | Undo | Finish


def next_action(run: Run, now: datetime) -> Action | Wait | None:
    """Return what must happen next, or None when the run is over."""
    if run.outcome is not None:
        return None
    return _next_backward(run, now) if run.rolling_back else _next_forward(run, now)


def _next_forward(run: Run, now: datetime) -> Action | Wait:
    return _next_question(run) or _next_change(run, now)


def _next_question(run: Run) -> Action | None:
    unasked = (
        position
        for position, status in enumerate(run.statuses)
        if run.whatif and status is Status.PENDING and position not in run.asked
    )
    position = next(unasked, None)
    stopped = {Status.FAILED, Status.DRIFTED, Status.IN_DOUBT}.intersection(run.statuses)
    return None if position is None or stopped else AskWhatIf(position)


def _next_change(run: Run, now: datetime) -> Action | Wait:
    """Return what brings the first change forward; where one failed, no other is begun."""
    for position, status in enumerate(run.statuses):
        match status:
            case Status.IN_DOUBT:
                return _after_settling(run, position, now, Settle(position))
            case Status.APPLIED:
                return Verify(position)
            case _:
                continue
    if Status.FAILED in run.statuses:
        return Finish(Outcome.FAILED)
    if Status.DRIFTED in run.statuses:
        return Finish(Outcome.DRIFTED)
    if Status.PENDING in run.statuses:
        return Apply(run.statuses.index(Status.PENDING))
    return Finish(Outcome.SUCCEEDED)


def _next_backward(run: Run, now: datetime) -> Action | Wait:
    for position in reversed(range(len(run.statuses))):
        match run.statuses[position]:
            case Status.IN_DOUBT:
                return _after_settling(run, position, now, Settle(position))
            case Status.UNDO_IN_DOUBT:
                return _after_settling(run, position, now, Undo(position))
            case Status.APPLIED | Status.VERIFIED:
                return Undo(position)
            case Status.FOUND_DONE if run.undo_doubtful:
                return Undo(position)
            case Status.UNDO_FAILED | Status.UNDO_DRIFTED:
                return Finish(Outcome.ROLLBACK_HELD)
            case _:
                continue
    return Finish(Outcome.ROLLBACK_HELD if _left_behind(run) else Outcome.ROLLED_BACK)


def _left_behind(run: Run) -> bool:
    """Say whether anything stays of which nobody can say that it is as it was before the run."""
    return any(
        status is Status.FOUND_DONE or (status is Status.DRIFTED and position in run.sent)
        for position, status in enumerate(run.statuses)
    )


def _after_settling(run: Run, position: int, now: datetime, action: Action) -> Action | Wait:
    until = run.sent[position] + timedelta(seconds=run.settle)
    return action if now >= until else Wait(until)


def begin(event: RunStarted) -> Run:
    """Return the state of a run of which nothing but the plan is known."""
    plan = unseal(event.sealed)
    return Run(
        id=event.run,
        plan=plan,
        mandate=event.mandate,
        started=event.at,
        settle=event.settle,
        on_failure=event.on_failure,
        whatif=event.whatif,
        statuses=(Status.PENDING,) * len(plan.changes),
        sent={},
        details={},
        break_glass=event.mandate.break_glass or "",
    )


def evolve(run: Run, event: Event) -> Run:  # noqa: C901, PLR0911, PLR0912 - one case per event is the point
    """Return the state after *event*. Raises JournalDamaged for what cannot have happened."""
    match event:
        case RunStarted():
            raise JournalDamaged(f"run {run.id} started twice")
        case RunResumed(break_glass=reason):
            return replace(_take_up(run), break_glass=reason or "")
        case GlassBroken():
            return replace(run, broken=(*run.broken, event))
        case RunInterrupted():
            return replace(run, interrupted=event, ended=event.at)
        case WhatIfAnswered(position=position, lines=lines):
            return _note(replace(run, asked=run.asked | {position}), position, " ".join(lines))
        case ChangeStarted(position=position):
            return _sent(_mark(run, position, Status.IN_DOUBT), position, event.at)
        case ChangeWithheld(position=position, reason=reason):
            return _unsent(_mark(run, position, Status.PENDING, reason), position)
        case ContactLost(position=position, reason=reason):
            return _note(run, position, reason)
        case ChangeApplied(position=position, warnings=warnings):
            return _mark(run, position, Status.APPLIED, " ".join(warnings))
        case ChangeVerified(position=position):
            return _mark(run, position, Status.VERIFIED)
        case ChangeFoundDone(position=position, reason=reason):
            return _mark(run, position, Status.FOUND_DONE, reason)
        case ChangeFailed(position=position, reason=reason):
            return _fail(_mark(run, position, Status.FAILED, reason))
        case ChangeDrifted(position=position):
            return _fail(_mark(run, position, Status.DRIFTED, _drift_words(event.drifts)))
        case RollbackRequested(in_doubt=in_doubt):
            return _turn_back(run, undo_doubtful=in_doubt)
        case UndoStarted(position=position):
            return _sent(_mark(run, position, Status.UNDO_IN_DOUBT), position, event.at)
        case UndoWithheld(position=position, reason=reason):
            return _mark(run, position, Status.APPLIED, reason)
        case ChangeUndone(position=position):
            return _mark(run, position, Status.UNDONE)
        case UndoFailed(position=position, reason=reason):
            return _mark(run, position, Status.UNDO_FAILED, reason)
        case UndoDrifted(position=position):
            return _mark(run, position, Status.UNDO_DRIFTED, _drift_words(event.drifts))
        case RunFinished(outcome=outcome):
            return replace(run, outcome=outcome, ended=event.at, interrupted=None)
        case ProofObserved():
            return _observed(run, event)
        case _:
            assert_never(event)


def rebuild(events: Iterable[Event]) -> Run:
    """Return the state that a journal describes. Raises JournalDamaged where it makes no sense."""
    history = iter(events)
    first = next(history, None)
    if not isinstance(first, RunStarted):
        raise JournalDamaged("a run's journal begins with RunStarted")
    try:
        run = begin(first)
    except ConfigurationError as error:
        raise JournalDamaged(f"run {first.run}: {error}") from error
    for event in history:
        run = evolve(run, event)
    return run


def _mark(run: Run, position: int, status: Status, detail: str = "") -> Run:
    if not 0 <= position < len(run.statuses):
        raise JournalDamaged(f"run {run.id} has no change number {position}")
    stood = run.statuses[position]
    # A server may do at once what it was only asked for with -WhatIf.
    by_asking = status is Status.FOUND_DONE and stood is Status.PENDING and position in run.asked
    if stood not in _FROM[status] and not by_asking:
        raise JournalDamaged(
            f"run {run.id}: change {position}, {run.statuses[position]}, cannot become {status}"
        )
    statuses = (*run.statuses[:position], status, *run.statuses[position + 1 :])
    marked = replace(run, statuses=statuses)
    return _note(marked, position, detail) if detail else marked


def _note(run: Run, position: int, detail: str) -> Run:
    return replace(run, details={**run.details, position: detail})


def _sent(run: Run, position: int, at: datetime) -> Run:
    """Return *run* with a command under way; what an earlier attempt said no longer counts."""
    details = {p: said for p, said in run.details.items() if p != position}
    return replace(run, sent={**run.sent, position: at}, details=details)


def _unsent(run: Run, position: int) -> Run:
    return replace(run, sent={p: at for p, at in run.sent.items() if p != position})


def _fail(run: Run) -> Run:
    return replace(run, rolling_back=True) if run.on_failure is OnFailure.ROLLBACK else run


def _observed(run: Run, event: ProofObserved) -> Run:
    if run.outcome is not Outcome.SUCCEEDED:
        raise JournalDamaged(f"run {run.id} has a proof, and did not succeed")
    known = run.proofs.get(event.proof)
    if known is not None:
        stands = keep(event.proof, known.finding, event.finding)
        # The time is since when it has been so, however often it was looked at.
        same = stands.verdict is known.finding.verdict
        event = replace(event, finding=stands, at=known.at if same else event.at)
    return replace(run, proofs={**run.proofs, event.proof: event})


def _turn_back(run: Run, *, undo_doubtful: bool) -> Run:
    again = {Status.UNDO_FAILED: Status.VERIFIED, Status.UNDO_DRIFTED: Status.VERIFIED}
    return replace(
        run,
        statuses=tuple(again.get(status, status) for status in run.statuses),
        rolling_back=True,
        undo_doubtful=undo_doubtful,
        outcome=None,
        interrupted=None,
        ended=None,
        proofs={},
    )


def _take_up(run: Run) -> Run:
    """Return *run* ready to go on; what failed or had drifted is looked at again."""
    if run.outcome in {Outcome.SUCCEEDED, Outcome.ROLLED_BACK}:
        return run
    if run.rolling_back:
        return _turn_back(run, undo_doubtful=run.undo_doubtful)
    again = {Status.FAILED: Status.PENDING, Status.DRIFTED: Status.PENDING}
    statuses = tuple(again.get(status, status) for status in run.statuses)
    return replace(run, statuses=statuses, outcome=None, interrupted=None, ended=None)


def _drift_words(drifts: Iterable[Drift]) -> str:
    return "; ".join(
        f"{drift.subject}: planned {drift.planned}, now {drift.now}" for drift in drifts
    )
