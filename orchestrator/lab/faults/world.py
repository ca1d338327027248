"""Faults of the organization around a request: other administrators, the directory."""

from collections.abc import Mapping
from typing import Any

from orchestrator.lab.faults.effect import Deed, Effect
from orchestrator.lab.faults.row import RequestRow


class Edited(RequestRow, frozen=True, kw_only=True, tag="edit"):
    """Another administrator changes properties of an object."""

    identity: str
    properties: Mapping[str, Any]

    def effect(self) -> Effect:
        """Change it."""
        return Deed(lambda world: world.edit(self.identity, **self.properties))


class Vanished(RequestRow, frozen=True, kw_only=True, tag="vanish"):
    """Another administrator removes an object."""

    identity: str

    def effect(self) -> Effect:
        """Remove it."""
        return Deed(lambda world: world.edit(self.identity, remove=True))


class Replaced(RequestRow, frozen=True, kw_only=True, tag="replace"):
    """An object is removed and made anew: same name, same values, another Guid."""

    identity: str

    def effect(self) -> Effect:
        """Put another one in its place."""
        return Deed(lambda world: world.supplant(self.identity))


class ControllerGone(RequestRow, frozen=True, kw_only=True, tag="controller-gone"):
    """A domain controller is not available for as many requests as the row strikes."""

    controller: str
    times: int = 0


class Lagging(RequestRow, frozen=True, kw_only=True, tag="lag"):
    """What is written reaches other domain controllers late; negative seconds: not by itself."""

    times: int = 0
    within: float = -1.0
    between: float = -1.0
