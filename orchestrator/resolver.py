"""What DNS says of where a partner sends from and receives: hints, and only where asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from orchestrator.exchange.diagnosis import Hint
from orchestrator.exchange.spf import record

if TYPE_CHECKING:
    from dns.resolver import Resolver

LOOKUPS: Final = 20
"""Questions that are asked at most; RFC 7208 allows ten for one message."""

SECONDS: Final = 5.0
_HINTS = 200

Ask = Callable[[str, str], tuple[str, ...]]


@dataclass(slots=True)
class Found:
    """What DNS said. *gaps* are what it did not say, and why."""

    hints: tuple[Hint, ...] = ()
    gaps: list[str] = field(default_factory=list)


def hints(domain: str, resolver: "Resolver | None" = None) -> Found:
    """Return the ranges of the domain's SPF record and the addresses of its MX hosts.

    A name that does not resolve is a gap; nothing is raised for it. *resolver* is the system's
    unless given.
    """
    from dns.exception import DNSException  # noqa: PLC0415 - only where DNS is asked

    try:
        questions = _Questions(resolver)
    except DNSException as error:
        return Found(gaps=[f"DNS cannot be asked: {error}"])
    found = [*(Hint(text, "SPF") for text in _spf(questions, domain))]
    found += [Hint(text, "MX") for text in _mx(questions, domain)]
    return Found(tuple(dict.fromkeys(found))[:_HINTS], questions.gaps)


class _Questions:
    """Asks DNS, a bounded number of times, and keeps what failed."""

    def __init__(self, resolver: "Resolver | None") -> None:
        from dns.resolver import Resolver  # noqa: PLC0415 - only where DNS is asked

        self._resolver = resolver or Resolver()
        self._left = LOOKUPS
        self.gaps: list[str] = []

    def ask(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the records as text; none where there are none, or they are not to be had."""
        from dns.exception import DNSException  # noqa: PLC0415 - likewise
        from dns.resolver import NXDOMAIN, NoAnswer  # noqa: PLC0415 - likewise

        if self._left == 0:
            return ()
        self._left -= 1
        try:
            answer = self._resolver.resolve(name, kind, lifetime=SECONDS, search=False)
        except (NXDOMAIN, NoAnswer):
            return ()
        except DNSException as error:
            self.gaps.append(f"DNS {kind} {name}: {type(error).__name__}")
            return ()
        if kind == "TXT":
            return tuple(b"".join(one.strings).decode("ascii", "replace") for one in answer)
        if kind == "MX":
            return tuple(str(one.exchange).rstrip(".") for one in answer)
        return tuple(str(one) for one in answer)


def _spf(questions: _Questions, domain: str) -> Iterator[str]:
    """Yield the ranges of the record and of those it includes, each domain once."""
    waiting, seen = [domain], set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        for text in questions.ask(name, "TXT"):
            said = record(text, name)
            if said is None:
                continue
            yield from said.ranges
            for host in said.a:
                yield from _addresses(questions, host)
            for own in said.mx:
                yield from _mx(questions, own)
            waiting += [*said.include, *([said.redirect] if said.redirect else [])]


def _mx(questions: _Questions, domain: str) -> Iterator[str]:
    for host in questions.ask(domain, "MX"):
        if host:
            yield from _addresses(questions, host)


def _addresses(questions: _Questions, host: str) -> Iterator[str]:
    for kind in ("A", "AAAA"):
        yield from questions.ask(host, kind)
