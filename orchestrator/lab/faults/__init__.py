"""Things that go wrong on purpose: ``lab.faults`` lists them, the first that speaks decides.

As data: rows of a scenario, see ``table``. By hand: a frozen dataclass with ``before`` and
``after``; each sees a request and returns what to do to it, or None.
"""

from orchestrator.lab.faults.effect import (
    Cut,
    Deed,
    Drip,
    Drop,
    Effect,
    Fail,
    Kill,
    Reply,
    Seen,
    Trouble,
    Wait,
    World,
    effects,
)
from orchestrator.lab.faults.made import Delay, DropAfter, DropBefore
from orchestrator.lab.faults.row import Live
from orchestrator.lab.faults.table import (
    FAULTS,
    AnyFault,
    active,
    count_call,
    fault,
    hint,
    live,
    read,
)

__all__ = [
    "FAULTS",
    "AnyFault",
    "Cut",
    "Deed",
    "Delay",
    "Drip",
    "Drop",
    "DropAfter",
    "DropBefore",
    "Effect",
    "Fail",
    "Kill",
    "Live",
    "Reply",
    "Seen",
    "Trouble",
    "Wait",
    "World",
    "active",
    "count_call",
    "effects",
    "fault",
    "hint",
    "live",
    "read",
]
