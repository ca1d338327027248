"""What can happen in a run, in the past tense. A journal is a list of these, each with its time."""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from msgspec import UNSET, UnsetType

from orchestrator.core.calendar import Brake
from orchestrator.core.codec import Codec
from orchestrator.core.command import Plain
from orchestrator.core.plan import Drift, Sealed
from orchestrator.core.proof import Finding


class Outcome(StrEnum):
    """How a run ended, for now: all but the first and the fourth can be taken up again."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DRIFTED = "drifted"
    ROLLED_BACK = "rolled-back"
    ROLLBACK_HELD = "rollback-held"


class OnFailure(StrEnum):
    """What happens to the changes made so far when one fails or has drifted."""

    HOLD = "hold"
    ROLLBACK = "rollback"


class Mandate(Plain, frozen=True):
    """Who wants a run, and why. *review_by* is a date, ``YYYY-MM-DD``.

    *break_glass* is why it may pass windows and freezes; unset where it may not.
    """

    actor: str
    reason: str = ""
    ticket: str = ""
    approved_by: str = ""
    review_by: str = ""
    break_glass: str | UnsetType = UNSET


class _Event(Plain, frozen=True, tag=True, tag_field="event"):
    """Base of events: each is tagged with its name and carries when it happened, in UTC."""

    at: datetime


class RunStarted(_Event, frozen=True):
    """The plan was accepted and the organization is held.

    *settle* is how many seconds a change in doubt is given before it is judged.
    """

    run: str
    sealed: Sealed
    mandate: Mandate
    settle: float
    on_failure: OnFailure = OnFailure.HOLD
    whatif: bool = False


class RunResumed(_Event, frozen=True):
    """A process took up the run again after another one left it.

    *break_glass* is as in a mandate: it holds for one process and has to be said again.
    """

    actor: str
    break_glass: str | UnsetType = UNSET


class RunInterrupted(_Event, frozen=True):
    """The process left the run at a boundary between actions; it can be resumed.

    *brake* is what held it back, if anything did.
    """

    reason: str
    unreachable: bool = False
    brake: Brake | UnsetType = UNSET


class GlassBroken(_Event, frozen=True):
    """A window or freeze is about to be passed, because somebody said so: *reason* is theirs."""

    passed: str
    reason: str


class WhatIfAnswered(_Event, frozen=True):
    """Exchange accepted rights and binding of a change when asked with ``-WhatIf``."""

    position: int
    lines: tuple[str, ...] = ()


class ChangeStarted(_Event, frozen=True):
    """The command is about to be sent. Until another event follows, its effect is in doubt."""

    position: int


class ChangeWithheld(_Event, frozen=True):
    """The server turned the command away before it was carried out; nothing was changed."""

    position: int
    reason: str


class ContactLost(_Event, frozen=True):
    """The wire broke while a command was under way: its effect is unknown until somebody looks."""

    position: int
    reason: str


class ChangeApplied(_Event, frozen=True):
    """The server carried the command out and reported no error."""

    position: int
    warnings: tuple[str, ...] = ()


class ChangeVerified(_Event, frozen=True):
    """A fresh look at the pinned domain controller showed the wanted state."""

    position: int


class ChangeFoundDone(_Event, frozen=True):
    """The wanted state was found where it cannot be said who brought it about.

    It may have been our command in doubt or somebody else's. It is undone only on a person's word.
    """

    position: int
    reason: str


class ChangeFailed(_Event, frozen=True):
    """The change did not take effect: a fresh look showed the state from before."""

    position: int
    reason: str


class ChangeDrifted(_Event, frozen=True):
    """What the change rests on is no longer so. Nothing was sent for it."""

    position: int
    drifts: tuple[Drift, ...]


class RollbackRequested(_Event, frozen=True):
    """Somebody asked for the run to be undone; *in_doubt* includes changes found done."""

    actor: str
    reason: str = ""
    in_doubt: bool = False


class UndoStarted(_Event, frozen=True):
    """The inverse command is about to be sent. Until another event follows, it is in doubt."""

    position: int


class UndoWithheld(_Event, frozen=True):
    """The server turned the inverse command away; nothing was changed."""

    position: int
    reason: str


class ChangeUndone(_Event, frozen=True):
    """A fresh look showed the state from before; *sent* is false where it was so already."""

    position: int
    sent: bool = True


class UndoFailed(_Event, frozen=True):
    """The state from before could not be restored."""

    position: int
    reason: str


class UndoDrifted(_Event, frozen=True):
    """What was found is neither what the run left nor what was before: somebody else's work."""

    position: int
    drifts: tuple[Drift, ...]


class RunFinished(_Event, frozen=True):
    """Nothing is left to do for now."""

    outcome: Outcome


class ProofObserved(_Event, frozen=True):
    """A look after the run had succeeded found something. *proof* is its name in a playbook."""

    proof: str
    finding: Finding


Event: TypeAlias = (
    RunStarted
    | RunResumed
    | RunInterrupted
    | GlassBroken
    | WhatIfAnswered
    | ChangeStarted
    | ChangeWithheld
    | ContactLost
    | ChangeApplied
    | ChangeVerified
    | ChangeFoundDone
    | ChangeFailed
    | ChangeDrifted
    | RollbackRequested
    | UndoStarted
    | UndoWithheld
    | ChangeUndone
    | UndoFailed
    | UndoDrifted
    | RunFinished
    | ProofObserved
)


_CODEC: Codec[Event] = Codec(Event, "an event")

encode = _CODEC.encode
decode = _CODEC.decode
