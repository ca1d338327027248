"""What goes wrong in a chaos run: at a request, at a process, with the clock, by other people.

To add a fault of the lab: one row in ``TROUBLES``. To add a deed of another administrator: one row
in ``DEEDS``.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from orchestrator.lab import Delay, DropAfter, DropBefore, Lab
from orchestrator.lab.faults import Effect, Reply, Seen, Trouble

_BUSY = b"<!DOCTYPE html><html><body><h1>Service Unavailable</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Answered:
    """The request is answered with an HTTP status; *late* once it took effect."""

    status: int
    body: bytes = b""
    late: bool = False

    def before(self, seen: Seen) -> Effect | None:  # noqa: ARG002 - the protocol's shape
        """Answer instead of the server."""
        return None if self.late else Reply(self.status, self.body)

    def after(self, seen: Seen) -> Effect | None:  # noqa: ARG002 - the protocol's shape
        """Put the answer in the place of the server's."""
        return Reply(self.status, self.body) if self.late else None


TROUBLES: Mapping[str, Callable[[str], Trouble]] = {
    "connection dropped before": DropBefore,
    "connection dropped after": DropAfter,
    "delay": lambda action: Delay(action, seconds=0.02),
    "HTTP 401": lambda _: Answered(401),
    "HTTP 403": lambda _: Answered(403, _BUSY),
    "HTTP 404": lambda _: Answered(404, _BUSY),
    "HTTP 500": lambda _: Answered(500, _BUSY),
    "HTTP 500 after": lambda _: Answered(500, late=True),
    "HTTP 502 after": lambda _: Answered(502, _BUSY, late=True),
    "HTTP 503": lambda _: Answered(503, _BUSY),
    "HTTP 503 after": lambda _: Answered(503, _BUSY, late=True),
    "HTTP 504 after": lambda _: Answered(504, late=True),
    "garbage": lambda _: Answered(200, b"\x00not XML at all"),
    "garbage after": lambda _: Answered(200, b"<a><b></a>", late=True),
}
"""Faults by name, each made for the action of the request that it strikes."""

Deed: TypeAlias = Callable[[Lab], tuple[str, Mapping[str, object]]]
"""Returns what another administrator sets: the object and its properties."""


def _listed(name: str, domain: str, *, present: bool) -> Deed:
    def deed(lab: Lab) -> tuple[str, Mapping[str, object]]:
        now = lab.organization.find("TransportConfig").values[name]
        entries = now if isinstance(now, tuple) else ()
        kept = [str(entry) for entry in entries if str(entry).casefold() != domain.casefold()]
        return "TransportConfig", {name: (*kept, domain) if present else tuple(kept)}

    return deed


def _set(identity: str, **properties: object) -> Deed:
    return lambda _: (identity, properties)


_RECEIVE, _SEND = "TLSReceiveDomainSecureList", "TLSSendDomainSecureList"

DEEDS: Mapping[str, Deed] = {
    "adds another domain": _listed(_RECEIVE, "proseware.com", present=True),
    "removes another domain": _listed(_RECEIVE, "adatum.com", present=False),
    "adds another domain to the other list": _listed(_SEND, "proseware.com", present=True),
    "comments a connector": _set("EX02\\From Fabrikam", Comment="mine"),
    "disables another connector": _set("To Internet", Enabled=False),
    "narrows a connector": _set("EX02\\From Fabrikam", RemoteIPRanges=("198.51.100.0/24",)),
    "removes the domain": _listed(_RECEIVE, "fabrikam.com", present=False),
    "adds the domain": _listed(_RECEIVE, "fabrikam.com", present=True),
    "removes the domain from the other list": _listed(_SEND, "fabrikam.com", present=False),
    "adds the domain to the other list": _listed(_SEND, "fabrikam.com", present=True),
    "disables the connector": _set("EX01\\From Fabrikam", Enabled=False),
    "enables the connector": _set("EX01\\From Fabrikam", Enabled=True),
    "disables its twin": _set("EX02\\From Fabrikam", Enabled=False),
    "enables its twin": _set("EX02\\From Fabrikam", Enabled=True),
    "disables the way out": _set("To Fabrikam", Enabled=False),
    "enables the way out": _set("To Fabrikam", Enabled=True),
    "takes the twin away": _set("EX02\\From Fabrikam", remove=True),
}
"""What other administrators do, by name."""


@dataclass(slots=True)
class Schedule:
    """A trouble of the lab that strikes at numbered requests, counted from when it is armed.

    *troubles* and *deeds* are names by the number of the request; a deed is done just before the
    server handles that request, or just after where its number is negative.
    """

    troubles: Mapping[int, str]
    deeds: Mapping[int, str]
    do: Callable[[str], None]
    struck: Counter[str] = field(default_factory=Counter)
    _count: int = 0
    _live: list[tuple[Seen, Trouble | None, str, int]] = field(default_factory=list)

    def before(self, seen: Seen) -> Effect | None:
        """Strike before the request is handled."""
        self._count += 1
        name = self.troubles.get(self._count, "")
        trouble = TROUBLES[name](seen.action) if name else None
        self._live.append((seen, trouble, name, self._count))
        self._deed(self._count)
        return self._noted(name, trouble.before(seen) if trouble else None)

    def after(self, seen: Seen) -> Effect | None:
        """Strike once the request took effect."""
        for at, (one, trouble, name, number) in enumerate(self._live):
            if one is seen:
                del self._live[at]
                self._deed(-number)
                return self._noted(name, trouble.after(seen) if trouble else None)
        return None

    def _deed(self, number: int) -> None:
        name = self.deeds.get(number)
        if name is not None:
            self.do(name)

    def _noted(self, name: str, effect: Effect | None) -> Effect | None:
        if effect is not None:
            self.struck[name] += 1
        return effect


def schedule(rng: Random, do: Callable[[str], None], *, density: float, deeds: float) -> Schedule:
    """Return a schedule with about *density* troubles and *deeds* deeds in forty requests.

    A trouble lasts for one request, for a few, or for the rest of what it strikes.
    """
    troubles: dict[int, str] = {}
    for _ in range(_number(rng, density)):
        at, name = rng.randint(1, 40), rng.choice(sorted(TROUBLES))
        lasting = rng.choice((1, 1, 1, 2, 4, 12))
        troubles.update(dict.fromkeys(range(at, at + lasting), name))
    places = [rng.choice((-1, 1)) * rng.randint(1, 40) for _ in range(_number(rng, deeds))]
    return Schedule(troubles, {place: rng.choice(sorted(DEEDS)) for place in places}, do)


def _number(rng: Random, mean: float) -> int:
    """Return how many of something happen: often none, seldom many."""
    return 0 if mean <= 0 else min(8, round(rng.expovariate(1 / mean)))
