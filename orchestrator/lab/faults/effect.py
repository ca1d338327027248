"""What a fault sees of a request, and what it may do to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from orchestrator.lab.soap import Fault


@dataclass(frozen=True, slots=True)
class Seen:
    """A request: its action, the how manieth of that action on its server, what it is about.

    *action* is Create, Command, Receive, Send, Signal, Delete, or Authenticate for a request that
    only proves who is calling. *cmdlets* are those of the pipeline that a Command begins, or that
    a Receive or Signal is about.
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
    """Answer with this instead; it is not encrypted, as what stands before a service answers."""

    status: int
    body: bytes = b""
    content_type: str = "text/html"


@dataclass(frozen=True, slots=True)
class Fail:
    """Answer with a WSMan fault instead, encrypted where the conversation is."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class Drip:
    """Write the answer *size* bytes at a time, with *seconds* in between."""

    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """Write half of the answer's body: as if it were all of it, or closing in the midst of it."""

    closing: bool


@dataclass(frozen=True, slots=True)
class Kill:
    """End the server: nobody listens, its shells are lost. Empty *server*: the one asked.

    It is back on the same port after *back_after* seconds; None is not by itself.
    """

    server: str = ""
    back_after: float | None = None


class World(Protocol):
    """What other administrators can get at."""

    def edit(self, identity: str, /, **changes: Any) -> None:
        """Change an object; ``remove=True`` removes it."""

    def supplant(self, identity: str) -> None:
        """Put another object of the same name and values in the place of one."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that happens in the organization meanwhile; the request goes on."""

    do: Callable[[World], None]


Effect: TypeAlias = Drop | Wait | Reply | Fail | Drip | Cut | Kill | Deed


class Trouble(Protocol):
    """One thing that goes wrong."""

    def before(self, seen: Seen) -> Effect | None:
        """Tell what happens instead of, or before, handling the request."""

    def after(self, seen: Seen) -> Effect | None:
        """Tell what happens once the request took effect, before it is answered."""


def effects(troubles: Sequence[Trouble], seen: Seen, *, after: bool) -> tuple[Effect, ...]:
    """Return every deed that a request sets off, then what the first trouble does to it.

    Every trouble sees the request: those that count, count it.
    """
    told = [each.after(seen) if after else each.before(seen) for each in list(troubles)]
    found = [effect for effect in told if effect is not None]
    deeds = [effect for effect in found if isinstance(effect, Deed)]
    decisions = [effect for effect in found if not isinstance(effect, Deed)]
    return (*deeds, *decisions[:1])
