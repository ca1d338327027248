"""A simulated Exchange organization on loopback, over the real WSMan and PSRP protocols.

``with Lab("default") as lab:`` starts it. Everything else here hangs on that object; the heavy
modules load only when it is made.
"""

from typing import TYPE_CHECKING, Any

from orchestrator.lab.faults import Delay, DropAfter, DropBefore, fault
from orchestrator.lab.scenario import (
    PASSWORD,
    Scenario,
    load_scenario,
    parse_scenario,
    scenarios,
)

if TYPE_CHECKING:
    from orchestrator.lab.laboratory import Lab, Options

__all__ = [
    "PASSWORD",
    "Delay",
    "DropAfter",
    "DropBefore",
    "Lab",
    "Options",
    "Scenario",
    "fault",
    "load_scenario",
    "parse_scenario",
    "scenarios",
]


def __getattr__(name: str) -> Any:
    if name in ("Lab", "Options"):
        from orchestrator.lab import laboratory  # noqa: PLC0415 - brings the protocol's libraries

        return getattr(laboratory, name)
    raise AttributeError(name)
