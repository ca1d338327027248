"""A run on the screen: how each change stands, why, and what to type next."""

from collections.abc import Mapping

from orchestrator.core.calendar import Brake
from orchestrator.core.command import powershell
from orchestrator.core.events import Outcome
from orchestrator.core.plan import label
from orchestrator.core.proof import Standing
from orchestrator.core.run import Run, Status
from orchestrator.render.plan import transition
from orchestrator.render.proof import proof_words, show_proof
from orchestrator.render.text import (
    BLANK,
    Line,
    Lines,
    Look,
    Tone,
    command_line,
    wrapped,
)

STATUSES: Mapping[Status, str] = {
    Status.PENDING: "not begun",
    Status.IN_DOUBT: "sent, and its effect is not known",
    Status.APPLIED: "done, not read back yet",
    Status.VERIFIED: "done and read back",
    Status.FOUND_DONE: "found done; who did it cannot be said",
    Status.FAILED: "failed; it is as before",
    Status.DRIFTED: "held; what it rests on has changed",
    Status.UNDO_IN_DOUBT: "its undo was sent, and the effect is not known",
    Status.UNDONE: "undone and read back",
    Status.UNDO_FAILED: "could not be undone",
    Status.UNDO_DRIFTED: "not undone; somebody changed it since",
}

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.SUCCEEDED: "done; every change was read back",
    Outcome.FAILED: "a change failed; what was done before it stays as it is",
    Outcome.DRIFTED: "held; the organization is not what the plan rests on",
    Outcome.ROLLED_BACK: "rolled back; everything is as it was before the run",
    Outcome.ROLLBACK_HELD: "the rollback is held; a person has to look",
}

HELD_BACK: Mapping[Brake, str] = {
    Brake.KILL_SWITCH: "held back by the kill switch; what was done stays as it is",
    Brake.FREEZE: "held back by a freeze; what was done stays as it is",
    Brake.WINDOW: "held back outside of its maintenance window; what was done stays as it is",
}

_GOOD = frozenset({Status.VERIFIED, Status.UNDONE, Status.FOUND_DONE})
_BAD = frozenset(Status) - _GOOD - {Status.PENDING, Status.APPLIED}
_HELD = frozenset({Outcome.FAILED, Outcome.DRIFTED})
_UNDOABLE = frozenset({Status.APPLIED, Status.VERIFIED, Status.FOUND_DONE, Status.IN_DOUBT})
_AUTHORSHIP = (
    "Found done: the wanted state was there, but it cannot be said whether our command or somebody "
    "else brought it about. A rollback leaves it alone unless you add --in-doubt."
)


def state(run: Run) -> str:
    """Return in one sentence how far *run* came."""
    return _unfinished(run) if run.outcome is None else _finished(run, run.outcome)


def _finished(run: Run, outcome: Outcome) -> str:
    if outcome is Outcome.ROLLED_BACK and Status.FOUND_DONE in run.statuses:
        return "rolled back"
    if run.proof is not None and run.proof.standing is not Standing.UNASKED:
        return proof_words(run.proof)
    return OUTCOMES[outcome]


def _unfinished(run: Run) -> str:
    if run.doubtful:
        return "broken off; the effect of a command is not known"
    if run.interrupted is None:
        return "broken off, or still at work"
    if run.interrupted.unreachable:
        return "broken off; the server could not be reached"
    brake = run.interrupted.brake
    return HELD_BACK[brake] if brake else "interrupted at your request"


def show_run(run: Run, look: Look) -> Lines:
    """Yield how *run* went, change by change, and the commands for either way."""
    good = run.outcome in {Outcome.SUCCEEDED, Outcome.ROLLED_BACK} and not _refuted(run)
    name = run.plan.organization.name
    yield from wrapped(f"{name}: {state(run)}", Tone.GOOD if good else Tone.BAD, width=look.width)
    for position in range(len(run.statuses)):
        yield from _change(run, position, look)
    for passed in run.broken:
        text = f"BREAK-GLASS ({passed.reason}): went on although it was {passed.passed}"
        yield from wrapped(text, Tone.BAD, indent=2, width=look.width)
    if run.interrupted is not None:
        yield from wrapped(run.interrupted.reason, indent=2, width=look.width)
    if Status.FOUND_DONE in run.statuses:
        yield from wrapped(_AUTHORSHIP, indent=2, width=look.width)
    yield from show_proof(run, look)
    yield from next_commands(run, look)


def _refuted(run: Run) -> bool:
    return run.proof is not None and run.proof.standing is Standing.CONTRARY


def _change(run: Run, position: int, look: Look) -> Lines:
    change, status = run.plan.changes[position], run.statuses[position]
    holds = True if status in _GOOD else False if status in _BAD else None
    bullet = f"{look.mark(holds=holds)} {position + 1}  "
    tone = Tone.BAD if status in _BAD else Tone.PLAIN
    text = f"{label(change.setting)}: {STATUSES[status]}"
    yield from wrapped(text, tone, indent=2, bullet=bullet, width=look.width)
    if status is not Status.UNDONE:
        yield from wrapped(transition(change, look), Tone.QUIET, indent=8, width=look.width)
    if detail := run.details.get(position, ""):
        yield from wrapped(detail, indent=8, width=look.width)


def next_commands(run: Run, look: Look) -> Lines:
    """Yield what can be typed next, each with what it is for."""
    wide = "    "
    for purpose, words in _ways(run):
        yield Line(f"  {purpose}:")
        yield command_line(f"orchestrator {words} {run.id}{look.options}", indent=len(wide))


def _ways(run: Run) -> list[tuple[str, str]]:
    ways: list[tuple[str, str]] = []
    if run.outcome is None and not run.rolling_back:
        ways.append(("To go on; what is not known is looked at first", "resume"))
    if run.outcome is None and run.rolling_back:
        ways.append(("To go on with the rollback", "resume"))
    if run.proof is not None and run.proof.standing is Standing.PENDING:
        ways.append(("To look whether it is proved by now", "verify"))
    if run.outcome in _HELD:
        ways.append(("To try again from where it stands", "resume"))
    if run.outcome is Outcome.ROLLBACK_HELD:
        ways.append(("To try the rollback again, once you have looked", "rollback"))
    elif run.outcome is not Outcome.ROLLED_BACK and _UNDOABLE.intersection(run.statuses):
        ways.append(("To undo it", "rollback"))
    if run.outcome is Outcome.ROLLBACK_HELD and Status.FOUND_DONE in run.statuses:
        ways.append(("To undo also what was found done", "rollback --in-doubt"))
    ways.append(("Everything that is recorded of it", "runs show"))
    return ways


def show_undo(run: Run, look: Look, *, in_doubt: bool = False) -> Lines:
    """Yield what a rollback of *run* undoes, last change first, with the commands it sends."""
    name = run.plan.organization.name
    yield from wrapped(f"{name}: undo {run.plan.title}", Tone.HEADING, width=look.width)
    yield from wrapped(f"run {run.id}", Tone.QUIET, indent=2, width=look.width)
    for position in reversed(range(len(run.statuses))):
        change, status = run.plan.changes[position], run.statuses[position]
        text = f"{label(change.setting)}: {_undo_words(status, in_doubt=in_doubt)}"
        bullet = f"{position + 1:>2}  "
        yield from wrapped(text, indent=1, bullet=bullet, width=look.width)
        if undoes(status, in_doubt=in_doubt):
            yield command_line(powershell(change.difference.undo), indent=5)
    yield BLANK
    yield from wrapped(
        "Each is undone only where it is still as the run left it.", Tone.QUIET, width=look.width
    )


def undoes(status: Status, *, in_doubt: bool) -> bool:
    """Say whether a rollback does anything about a change that stands at *status*."""
    if status is Status.FOUND_DONE:
        return in_doubt
    return status not in {Status.PENDING, Status.FAILED, Status.DRIFTED, Status.UNDONE}


def _undo_words(status: Status, *, in_doubt: bool) -> str:
    if status is Status.FOUND_DONE and not in_doubt:
        return "left alone, because it cannot be said who did it (--in-doubt includes it)"
    if status in {Status.IN_DOUBT, Status.UNDO_IN_DOUBT}:
        return "looked at first, then undone if it is there"
    if not undoes(status, in_doubt=in_doubt):
        return f"nothing to undo ({STATUSES[status]})"
    return "will be undone"
