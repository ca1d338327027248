"""An incident: what servers logged about one domain of one organization, until it is dealt with.

Events that say the same of the same connector on the same server are one ``Sighting``. What a
sighting counts are events, never messages: logging is throttled [obs].

One stream of events per organization is the record: what was read of which log and up to where
stands in one event with what it said, so that nothing is counted twice or lost in between.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from orchestrator.core.command import Plain
from orchestrator.exchange.domains import to_ascii
from orchestrator.exchange.event import SecurityEvent


class Sighting(Plain, frozen=True):
    r"""Events of one *id* about one domain, of one connector on one server.

    *connector* is ``SERVER\Name`` for receive connectors, the bare name for send connectors.
    *server* is the event's computer as logged. *first* and *last* are in UTC; both are None where
    no event had a time that can be placed. *details* are the insertion strings of the latest event,
    *origins* say where it was read: a server, or a file. *incomplete* is what was missing.
    """

    id: int
    provider: str
    domain: str
    connector: str
    server: str
    count: int = 1
    first: datetime | None = None
    last: datetime | None = None
    details: tuple[tuple[str, str], ...] = ()
    origins: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[int, str, str, str, str]:
        """What two sightings have in common that are one."""
        where = self.connector.casefold(), self.server.casefold()
        return self.id, self.provider, to_ascii(self.domain), *where


class Incident(Plain, frozen=True):
    """What is known of one domain. *domain* is in ASCII and lower case.

    *id* is ``<organization>-<domain>-<number>``. *runs* answered it, oldest first. *closed* is why
    it is over, empty while it is open. *words* are what people say that they did by hand.
    """

    id: str
    organization: str
    domain: str
    opened: datetime
    sightings: tuple[Sighting, ...] = ()
    runs: tuple[str, ...] = ()
    closed: str = ""
    words: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[int, ...]:
        """The event ids that were seen, in order."""
        return tuple(sorted({sighting.id for sighting in self.sightings}))

    @property
    def first(self) -> datetime | None:
        """When the first event with a time was logged."""
        return min((s.first for s in self.sightings if s.first), default=None)

    @property
    def last(self) -> datetime | None:
        """When the latest event with a time was logged."""
        return max((s.last for s in self.sightings if s.last), default=None)

    @property
    def count(self) -> int:
        """How many events there were: no count of messages."""
        return sum(sighting.count for sighting in self.sightings)

    def of(self, *ids: int) -> tuple[Sighting, ...]:
        """Return the sightings of these event ids."""
        return tuple(sighting for sighting in self.sightings if sighting.id in ids)


def sighting(event: SecurityEvent, origin: str) -> Sighting:
    """Return *event*, read at *origin*, as a sighting of its own."""
    return Sighting(
        id=event.id,
        provider=event.provider,
        domain=event.domain,
        connector=event.connector or event.details.get("connector", ""),
        server=event.computer,
        first=event.at,
        last=event.at,
        details=tuple(event.details.items()),
        origins=(origin,),
        incomplete=event.incomplete,
    )


def merge(sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Return *sightings* with those that are one put together, in the order of their coming."""
    merged: dict[tuple[int, str, str, str, str], Sighting] = {}
    for each in sightings:
        known = merged.get(each.key)
        merged[each.key] = each if known is None else _together(known, each)
    return tuple(merged.values())


def _together(one: Sighting, other: Sighting) -> Sighting:
    newer = (
        other if (other.last is not None and (one.last is None or other.last >= one.last)) else one
    )
    return replace(
        newer,
        count=one.count + other.count,
        first=min((at for at in (one.first, other.first) if at), default=None),
        last=max((at for at in (one.last, other.last) if at), default=None),
        origins=tuple(dict.fromkeys((*one.origins, *other.origins))),
    )


class Bookmark(Plain, frozen=True):
    """Up to where a server's log was read: the last record of the family, and what proves it.

    A record number alone does not: a log that was cleared begins anew with 1.
    """

    record: int
    at: datetime


class _Event(Plain, frozen=True, tag=True, tag_field="event"):
    """Base of what happens to incidents; *at* is when we knew, in UTC."""

    at: datetime


class LogRead(_Event, frozen=True):
    """A server's log was read up to *bookmark*; *sightings* are what was new in it."""

    server: str
    bookmark: Bookmark
    sightings: tuple[Sighting, ...] = ()


class FileRead(_Event, frozen=True):
    """Exported logs were read; *digest* tells the same export from another."""

    digest: str
    sightings: tuple[Sighting, ...] = ()


class IncidentAnswered(_Event, frozen=True):
    """A run was made because of an incident."""

    incident: str
    run: str


class IncidentClosed(_Event, frozen=True):
    """Somebody, or a proof, said that it is over."""

    incident: str
    reason: str


class WordGiven(_Event, frozen=True):
    """A person said that they did by hand what no program can do, as on an Edge server."""

    incident: str
    actor: str
    word: str


Happening: TypeAlias = LogRead | FileRead | IncidentAnswered | IncidentClosed | WordGiven

LARGEST = 1000
"""Incidents that may be open at once, and sightings in one: a stranger chooses the domain."""


class Ledger(Plain, frozen=True):
    """Everything that is known of one organization's events.

    *evidence* are sightings that name no domain, as those of our own certificates do. *beyond*
    counts events that were dropped because there were too many domains or connectors.
    """

    organization: str
    bookmarks: Mapping[str, Bookmark] = {}
    incidents: tuple[Incident, ...] = ()
    evidence: tuple[Sighting, ...] = ()
    digests: frozenset[str] = frozenset()
    beyond: int = 0

    def open_of(self, domain: str) -> Incident | None:
        """Return the open incident of a domain, in whatever form it is written."""
        wanted = to_ascii(domain)
        return next((i for i in self.incidents if i.domain == wanted and not i.closed), None)

    def find(self, name: str) -> Incident | None:
        """Return the incident with this id."""
        return next((incident for incident in self.incidents if incident.id == name), None)

    def others_on(self, connector: str, domain: str) -> tuple[str, ...]:
        """Return the other domains that were seen on a connector, whether over or not."""
        return tuple(
            sorted(
                {
                    incident.domain
                    for incident in self.incidents
                    for each in incident.sightings
                    if each.connector.casefold() == connector.casefold()
                    and incident.domain != to_ascii(domain)
                }
            )
        )


def evolve(ledger: Ledger, event: Happening) -> Ledger:
    """Return the ledger after *event*."""
    match event:
        case LogRead(server=server, bookmark=bookmark):
            marked = {**ledger.bookmarks, server: bookmark}
            return _seen(replace(ledger, bookmarks=marked), event.sightings, event.at)
        case FileRead(digest=digest):
            known = ledger.digests | {digest}
            return _seen(replace(ledger, digests=known), event.sightings, event.at)
        case IncidentAnswered(incident=name, run=run):
            return _changed(ledger, name, lambda one: replace(one, runs=(*one.runs, run)))
        case IncidentClosed(incident=name, reason=reason):
            return _changed(ledger, name, lambda one: replace(one, closed=reason))
        case WordGiven(incident=name, actor=actor, word=word):
            said = f"{event.at:%Y-%m-%d %H:%M} UTC {actor}: {word}"
            return _changed(ledger, name, lambda one: replace(one, words=(*one.words, said)))
        case _:
            assert_never(event)


def _changed(ledger: Ledger, name: str, change: Callable[[Incident], Incident]) -> Ledger:
    incidents = tuple(change(one) if one.id == name else one for one in ledger.incidents)
    return replace(ledger, incidents=incidents)


def _seen(ledger: Ledger, sightings: Iterable[Sighting], at: datetime) -> Ledger:
    for each in sightings:
        ledger = _joined(ledger, each, at)
    return ledger


def _joined(ledger: Ledger, each: Sighting, at: datetime) -> Ledger:
    domain = to_ascii(each.domain)
    if not domain:
        together = merge((*ledger.evidence, each))[:LARGEST]
        return replace(ledger, evidence=together)
    known = ledger.open_of(domain)
    if known is None:
        if sum(not one.closed for one in ledger.incidents) >= LARGEST:
            return replace(ledger, beyond=ledger.beyond + each.count)
        number = 1 + sum(one.domain == domain for one in ledger.incidents)
        name = f"{ledger.organization}-{domain}-{number}"
        opened = Incident(name, ledger.organization, domain, at, (each,))
        return replace(ledger, incidents=(*ledger.incidents, opened))
    together = merge((*known.sightings, each))
    if len(together) > LARGEST:
        return replace(ledger, beyond=ledger.beyond + each.count)
    return _changed(ledger, known.id, lambda one: replace(one, sightings=together))
