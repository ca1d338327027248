"""Troubles made by hand, for code that wants a certain request of a server."""

from dataclasses import dataclass

from orchestrator.lab.faults.effect import Drop, Effect, Seen, Wait


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Requests of one action: the *nth* (from 1), or all; those that run *cmdlet*, or any."""

    action: str
    nth: int | None = None
    cmdlet: str = ""

    def _meant(self, seen: Seen) -> bool:
        named = not self.cmdlet or self.cmdlet in seen.cmdlets
        return seen.action == self.action and self.nth in (None, seen.number) and named


@dataclass(frozen=True, slots=True)
class DropBefore(_Chosen):
    """The connection breaks before the server acts."""

    def before(self, seen: Seen) -> Effect | None:
        """Drop the chosen requests."""
        return Drop() if self._meant(seen) else None

    def after(self, seen: Seen) -> Effect | None:  # noqa: ARG002 - the protocol's shape
        """Do nothing."""
        return None


@dataclass(frozen=True, slots=True)
class DropAfter(_Chosen):
    """The connection breaks after the server acted: the client cannot know that it did."""

    def before(self, seen: Seen) -> Effect | None:  # noqa: ARG002 - the protocol's shape
        """Do nothing."""
        return None

    def after(self, seen: Seen) -> Effect | None:
        """Drop the answer to the chosen requests."""
        return Drop() if self._meant(seen) else None


@dataclass(frozen=True, slots=True)
class Delay(_Chosen):
    """The chosen requests are handled *seconds* late."""

    seconds: float = 0.0

    def before(self, seen: Seen) -> Effect | None:
        """Wait."""
        return Wait(self.seconds) if self._meant(seen) else None

    def after(self, seen: Seen) -> Effect | None:  # noqa: ARG002 - the protocol's shape
        """Do nothing."""
        return None
