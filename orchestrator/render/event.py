"""What happens in a run, one sentence for each event."""

from typing import assert_never

from orchestrator.core.command import powershell
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
from orchestrator.core.plan import Plan, label
from orchestrator.core.proof import Finding
from orchestrator.render.proof import VERDICTS
from orchestrator.render.run import OUTCOMES
from orchestrator.render.text import Line, Tone, safe

_TONES: dict[type, Tone] = {
    ChangeVerified: Tone.GOOD,
    ChangeUndone: Tone.GOOD,
    ChangeFailed: Tone.BAD,
    ChangeDrifted: Tone.BAD,
    ContactLost: Tone.BAD,
    UndoFailed: Tone.BAD,
    UndoDrifted: Tone.BAD,
    ChangeFoundDone: Tone.WARNING,
    ChangeWithheld: Tone.WARNING,
    UndoWithheld: Tone.WARNING,
    RunInterrupted: Tone.WARNING,
    GlassBroken: Tone.BAD,
}


def tell(plan: Plan, event: Event) -> Line:
    """Return *event* of a run of *plan* as one line, safe to print."""
    position = getattr(event, "position", None)
    place = "" if position is None else f"{position + 1}/{len(plan.changes)} "
    return Line(safe(place + _words(plan, event)), _TONES.get(type(event), Tone.PLAIN))


def _words(plan: Plan, event: Event) -> str:
    match event:
        case GlassBroken(passed=passed, reason=reason):
            return f"BREAK-GLASS ({reason}): goes on although it is {passed}"
        case ProofObserved(proof=name, finding=finding):
            return f"proof {name}: {VERDICTS[finding.verdict]}{_told(finding)}"
        case RunStarted() | RunResumed() | RunInterrupted() | RollbackRequested() | RunFinished():
            return _of_run(event)
        case UndoStarted() | UndoWithheld() | ChangeUndone() | UndoFailed() | UndoDrifted():
            return _of_undo(plan, event)
        case _:
            return _of_change(plan, event)


def _told(finding: Finding) -> str:
    """Return what weighs in a finding: the evidence against it, or else for it."""
    against = [each.text for each in finding.evidence if each.holds is False]
    told = against or [each.text for each in finding.evidence if each.holds]
    return f"; {'; '.join(told)}" if told else ""


def _of_run(
    event: RunStarted | RunResumed | RunInterrupted | RollbackRequested | RunFinished,
) -> str:
    match event:
        case RunStarted(run=run):
            return f"run {run} begins"
        case RunResumed(actor=actor):
            glass = f"; break-glass: {event.break_glass}" if event.break_glass else ""
            return f"taken up again by {actor}{glass}"
        case RunInterrupted(reason=reason):
            return f"stops here: {reason}"
        case RollbackRequested(actor=actor, reason=reason):
            return f"{actor} asks for the rollback" + (f": {reason}" if reason else "")
        case RunFinished(outcome=outcome):
            return OUTCOMES[outcome]
        case _:
            assert_never(event)


def _of_change(  # noqa: PLR0911 - one sentence for each event is the point
    plan: Plan,
    event: WhatIfAnswered
    | ChangeStarted
    | ChangeWithheld
    | ContactLost
    | ChangeApplied
    | ChangeVerified
    | ChangeFoundDone
    | ChangeFailed
    | ChangeDrifted,
) -> str:
    change = plan.changes[event.position]
    match event:
        case WhatIfAnswered(lines=lines):
            said = f": {' '.join(lines)}" if lines else ""
            return f"Exchange would accept it (-WhatIf){said}"
        case ChangeStarted():
            return f"sends {powershell(change.difference.apply)}"
        case ChangeWithheld(reason=reason):
            return f"not carried out: {reason}"
        case ContactLost(reason=reason):
            return f"the connection broke, its effect is not known: {reason}"
        case ChangeApplied(warnings=warnings):
            warned = f"; the server warns: {' '.join(warnings)}" if warnings else ""
            return f"the server reports success{warned}"
        case ChangeVerified():
            return f"read back: {label(change.setting)} is as wanted"
        case ChangeFoundDone(reason=reason):
            return f"found done: {reason}"
        case ChangeFailed(reason=reason):
            return f"failed: {reason}"
        case ChangeDrifted(drifts=drifts):
            found = "; ".join(f"{one.subject} is {one.now}" for one in drifts)
            return f"held, because of drift: {found}"
        case _:
            assert_never(event)


def _of_undo(
    plan: Plan, event: UndoStarted | UndoWithheld | ChangeUndone | UndoFailed | UndoDrifted
) -> str:
    change = plan.changes[event.position]
    match event:
        case UndoStarted():
            return f"sends {powershell(change.difference.undo)}"
        case UndoWithheld(reason=reason):
            return f"the undo was not carried out: {reason}"
        case ChangeUndone(sent=True):
            return f"read back: {label(change.setting)} is as before the run"
        case ChangeUndone():
            return f"{label(change.setting)} was as before already; nothing was sent"
        case UndoFailed(reason=reason):
            return f"could not be undone: {reason}"
        case UndoDrifted(drifts=drifts):
            found = "; ".join(f"{one.subject} is {one.now}" for one in drifts)
            return f"not undone, somebody changed it since: {found}"
        case _:
            assert_never(event)
