"""Who was refused for a domain, by protocol logs: addresses, and how they compare with known ones.

A log that is not there, or does not reach to the time in question, is never "nobody".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address

from orchestrator.core.command import Plain
from orchestrator.core.facts import UnknownFact
from orchestrator.exchange.addresses import covers, merged, spans
from orchestrator.exchange.smtplog import Attempt

_ADDRESSES = 50_000
_SENDERS = 1_000
_DOMAINS = 20


class Origin(Plain, frozen=True):
    """What came from one address in the domain's name, and who else sends from there.

    *others* are other domains that were seen in ``MAIL FROM`` from this address, some of them.
    *answer* is the latest refusal, as the server said it.
    """

    address: str
    refused: int = 0
    accepted: int = 0
    connectors: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None
    answer: str = ""
    others: tuple[str, ...] = ()


class Senders(Plain, frozen=True):
    """What protocol logs say of one domain. *sources* are the logs, *gaps* what was not read.

    *senders* are the addresses of ``MAIL FROM`` whose mail bounced (what was only deferred comes
    again by itself); *more* counts those beyond the first thousand.
    """

    domain: str
    origins: tuple[Origin, ...] = ()
    senders: tuple[str, ...] = ()
    more: int = 0
    sources: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None

    @property
    def refused(self) -> tuple[Origin, ...]:
        """The addresses that were refused, the most refused first."""
        found = [origin for origin in self.origins if origin.refused]
        return tuple(sorted(found, key=lambda origin: (-origin.refused, origin.address)))

    @property
    def accepted(self) -> tuple[Origin, ...]:
        """The addresses from which mail came in, and none was refused."""
        return tuple(o for o in self.origins if o.accepted and not o.refused)


@dataclass(slots=True)
class Roll:
    """Counts attempts for *domain* as they come by, in bounded memory."""

    domain: str
    _own: dict[str, Origin] = field(default_factory=dict)
    _others: dict[str, set[str]] = field(default_factory=dict)
    _senders: dict[str, None] = field(default_factory=dict)
    _more: int = 0

    def add(self, attempt: Attempt) -> None:
        """Count one attempt, whoever's it is."""
        if attempt.domain == self.domain:
            self._count(attempt)
        elif attempt.domain and attempt.remote:
            self._note(attempt.remote, attempt.domain)

    def _note(self, remote: str, domain: str) -> None:
        if remote in self._others or len(self._others) < _ADDRESSES:
            seen = self._others.setdefault(remote, set())
            if len(seen) < _DOMAINS:
                seen.add(domain)

    def _count(self, attempt: Attempt) -> None:
        known = self._own.get(attempt.remote)
        if known is None:
            if len(self._own) >= _ADDRESSES:
                self._more += attempt.code >= 500
                return
            known = Origin(attempt.remote)
        self._own[attempt.remote] = _with(known, attempt)
        bounced = attempt.code >= 500
        if bounced and attempt.sender not in self._senders:
            if len(self._senders) < _SENDERS:
                self._senders[attempt.sender] = None
            else:
                self._more += 1

    def senders(
        self,
        sources: Iterable[str],
        gaps: Iterable[str],
        first: datetime | None,
        last: datetime | None,
    ) -> Senders:
        """Return what was counted, with where it was read."""
        origins = tuple(
            Origin(
                origin.address,
                origin.refused,
                origin.accepted,
                origin.connectors,
                origin.first,
                origin.last,
                origin.answer,
                tuple(sorted(self._others.get(origin.address, ()))),
            )
            for origin in self._own.values()
        )
        names = tuple(self._senders)
        return Senders(
            self.domain, origins, names, self._more, tuple(sources), tuple(gaps), first, last
        )


def _with(origin: Origin, attempt: Attempt) -> Origin:
    known = {connector.casefold() for connector in origin.connectors}
    new = attempt.refused and attempt.connector.casefold() not in known
    times = [at for at in (origin.first, origin.last, attempt.at) if at is not None]
    return Origin(
        origin.address,
        origin.refused + attempt.refused,
        origin.accepted + (200 <= attempt.code < 300),
        (*origin.connectors, attempt.connector) if new else origin.connectors,
        min(times, default=None),
        max(times, default=None),
        f"{attempt.code} {attempt.text}".strip() if attempt.refused else origin.answer,
    )


def is_known(address: str, known: Iterable[str]) -> bool:
    """Say whether *address* is one of *known* addresses and ranges; what cannot be read is not."""
    try:
        return covers(merged(spans(known)), spans((address,)))
    except UnknownFact:
        return False


def is_internal(address: str, servers: Iterable[str] = ()) -> bool:
    """Say whether *address* is private, local, or one of our own internal SMTP *servers*."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    carrier = is_known(address, ("100.64.0.0/10",))
    return _is_home(str(found)) or carrier or is_known(address, servers)


_HOME = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "::1",
    "fc00::/7",
    "fe80::/10",
)
"""Private, link-local and loopback: documentation ranges are not, which is_private takes in."""


def _is_home(address: str) -> bool:
    return is_known(address, _HOME)
