"""Things that go wrong on purpose: ``lab.faults`` lists them, the first that speaks decides.

To add one: a frozen dataclass with ``before`` and ``after``; each sees a request and returns what
to do to it, or None.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Seen:
    """A request: its action, the how manieth of that action on its server, what it is about.

    *action* is Create, Command, Receive, Send, Signal, Delete, or Authenticate for a request that
    only proves who is calling. *cmdlets* are those of a Command.
    """

    action: str
    number: int
    server: str
    cmdlets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without an answer."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Let *seconds* pass, then go on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer with this instead."""

    status: int
    body: bytes = b""
    content_type: str = "text/html"


Effect: TypeAlias = Drop | Wait | Reply


class Trouble(Protocol):
    """One thing that goes wrong."""

    def before(self, seen: Seen) -> Effect | None:
        """Tell what happens instead of, or before, handling the request."""

    def after(self, seen: Seen) -> Effect | None:
        """Tell what happens once the request took effect, before it is answered."""


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


def effect(troubles: Sequence[Trouble], seen: Seen, *, after: bool) -> Effect | None:
    """Return what the first trouble that has something to say does to a request."""
    for trouble in list(troubles):
        found = trouble.after(seen) if after else trouble.before(seen)
        if found is not None:
            return found
    return None
