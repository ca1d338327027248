"""What goes wrong in a chaos run: at a request, at a process, with the clock, by other people.

To add a fault of the lab: one row in ``TROUBLES``. To add a deed of another administrator: one row
in ``DEEDS``.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from orchestrator.lab import Lab
from orchestrator.lab.faults import Effect, Seen, Trouble, fault


def _row(kind: str, **fields: object) -> Callable[[], Trouble]:
    return lambda: fault(kind, **fields)


TROUBLES: Mapping[str, Callable[[], Trouble]] = {
    "connection dropped before": _row("drop-before"),
    "connection dropped after": _row("drop-after"),
    "delay before": _row("delay", seconds=0.02),
    "delay after": _row("delay", seconds=0.02, moment="after"),
    "HTTP 401": _row("http", status=401),
    "HTTP 403": _row("http", status=403),
    "HTTP 404": _row("http", status=404),
    "HTTP 500": _row("http", status=500, body="empty"),
    "HTTP 500 after": _row("http", status=500, body="fault", moment="after"),
    "HTTP 502 after": _row("http", status=502, moment="after"),
    "HTTP 503": _row("http", status=503),
    "HTTP 503 after": _row("http", status=503, moment="after"),
    "HTTP 504 after": _row("http", status=504, body="empty", moment="after"),
    "fault": _row("wsman-fault", code=995),
    "fault after": _row("wsman-fault", code=995, moment="after"),
    "timed out": _row("timed-out"),
    "timed out after": _row("timed-out", moment="after"),
    "quota": _row("quota", action="", wait=1, unit="milliseconds"),
    "garbage": _row("garbage"),
    "garbage in binary": _row("garbage", content="binary"),
    "garbage after": _row("garbage", content="xml", moment="after"),
    "nothing after": _row("garbage", content="empty", moment="after"),
    "cut short": _row("truncate"),
    "cut short and closed": _row("truncate", closing=True),
    "drip": _row("drip", size=400, seconds=0.005),
    "server killed": _row("kill", back_after=0.01),
    "server killed after": _row("kill", back_after=0.01, moment="after"),
    "stall": _row("stall"),
    "stall after": _row("stall", moment="after"),
}
"""Faults by name. One is made for each request that it strikes."""

RARE = frozenset({"stall", "stall after"})
"""Faults that cost as much time as the client has patience."""

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
        trouble = TROUBLES[name]() if name else None
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
        at, name = rng.randint(1, 40), _chosen(rng)
        lasting = 1 if name in RARE else rng.choice((1, 1, 1, 2, 4, 12))
        troubles.update(dict.fromkeys(range(at, at + lasting), name))
    places = [rng.choice((-1, 1)) * rng.randint(1, 40) for _ in range(_number(rng, deeds))]
    return Schedule(troubles, {place: rng.choice(sorted(DEEDS)) for place in places}, do)


def _chosen(rng: Random) -> str:
    name = rng.choice(sorted(TROUBLES))
    return name if name not in RARE or rng.random() < 0.1 else rng.choice(sorted(TROUBLES))


def _number(rng: Random, mean: float) -> int:
    """Return how many of something happen: often none, seldom many."""
    return 0 if mean <= 0 else min(8, round(rng.expovariate(1 / mean)))
