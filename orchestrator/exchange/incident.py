"""An incident: what servers logged about one domain of one organization, until it is dealt with.

Events that say the same of the same connector on the same server are one ``Sighting``. What a
sighting counts are events, never messages: logging is throttled [obs].
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from orchestrator.core.command import Plain
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
    def key(self) -> tuple[int, str, str, str]:
        """What two sightings have in common that are one."""
        return self.id, self.provider, self.connector.casefold(), self.server.casefold()


class Incident(Plain, frozen=True):
    """What is known of one domain. *domain* is in ASCII and lower case.

    *id* is ``<organization>-<domain>-<number>``. *runs* answered it, oldest first. *closed* is why
    it is over, empty while it is open.
    """

    id: str
    organization: str
    domain: str
    opened: datetime
    sightings: tuple[Sighting, ...] = ()
    runs: tuple[str, ...] = ()
    closed: str = ""

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
    merged: dict[tuple[int, str, str, str], Sighting] = {}
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
