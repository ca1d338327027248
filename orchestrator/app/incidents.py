"""Incidents in the store: one stream per organization, from which everything else follows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from hashlib import sha256

import msgspec

from orchestrator.app.logs import LogSeen
from orchestrator.app.workplace import Workplace
from orchestrator.core.codec import Codec
from orchestrator.core.errors import UsageError
from orchestrator.core.plan import Plan, canonical
from orchestrator.exchange.event import SecurityEvent, host, interpret
from orchestrator.exchange.incident import (
    Bookmark,
    FileRead,
    Happening,
    Incident,
    IncidentAnswered,
    IncidentClosed,
    Ledger,
    LogRead,
    Sighting,
    WordGiven,
    evolve,
    merge,
    sighting,
)
from orchestrator.journal import Store, StreamMoved

STREAMS = "incidents/"

_TRIES = 5


_CODEC: Codec[Happening] = Codec(Happening, "an event of incidents")

encode = _CODEC.encode
decode = _CODEC.decode


@dataclass(frozen=True, slots=True)
class Kept:
    """A ledger, and the version of its stream at which it stood so."""

    ledger: Ledger
    version: int


def load(store: Store, organization: str) -> Kept:
    """Return what is known of an organization's events."""
    recorded = store.read(STREAMS + organization)
    ledger = Ledger(organization)
    for entry in recorded:
        ledger = evolve(ledger, decode(entry.payload))
    return Kept(ledger, len(recorded))


def every(store: Store) -> tuple[Incident, ...]:
    """Return every incident of every organization, in the order of their coming."""
    names = (stream.removeprefix(STREAMS) for stream in store.streams(STREAMS))
    found = [one for name in names for one in load(store, name).ledger.incidents]
    return tuple(sorted(found, key=lambda one: one.opened))


def witnesses(workplace: Workplace, organization: str) -> tuple[Sighting, ...]:
    """Return everything that was seen in an organization, of any domain, over or not."""
    if not workplace.has_store:
        return ()
    ledger = load(workplace.store, organization).ledger
    return tuple(seen for incident in ledger.incidents for seen in incident.sightings)


def find(store: Store, name: str) -> Incident:
    """Return the incident with this id, or the open one of this domain. Raises UsageError."""
    known = every(store)
    for one in known:
        if one.id == name:
            return one
    of_domain = [one for one in known if one.domain == name.lower() and not one.closed]
    if len(of_domain) == 1:
        return of_domain[0]
    like = get_close_matches(name, [one.id for one in known], n=1)
    hint = f"Did you mean '{like[0]}'? " if like else ""
    several = (
        f"'{name}' means several incidents" if of_domain else f"no incident is called '{name}'"
    )
    raise UsageError(several, f"{hint}'orchestrator incidents list' names them.")


def _append(
    workplace: Workplace, organization: str, make: Callable[[Ledger], Sequence[Happening]]
) -> tuple[Ledger, Ledger]:
    """Record what *make* says of the ledger as it stands; made anew where another was faster.

    Returns the ledger before and after.
    """
    store = workplace.store
    for attempt in range(_TRIES):
        kept = load(store, organization)
        events = make(kept.ledger)
        after = kept.ledger
        for event in events:
            after = evolve(after, event)
        try:
            if events:
                store.append(STREAMS + organization, kept.version, [encode(one) for one in events])
        except StreamMoved:
            if attempt == _TRIES - 1:
                raise
        else:
            return kept.ledger, after
    raise AssertionError("the last attempt returns or raises")


def record_logs(
    workplace: Workplace, organization: str, seen: Iterable[LogSeen]
) -> tuple[Ledger, Ledger]:
    """Record what was read of servers' logs, with the bookmarks up to which it goes.

    What another process recorded meanwhile is not recorded again.
    """
    readable = tuple(one for one in seen if one.log is not None and one.log.bookmark is not None)
    at = workplace.clock()

    def make(ledger: Ledger) -> list[Happening]:
        return [event for one in readable if (event := _read(one, ledger, at)) is not None]

    return _append(workplace, organization, make)


def _read(seen: LogSeen, ledger: Ledger, at: datetime) -> LogRead | None:
    log = seen.log
    if log is None or log.bookmark is None:
        return None
    known = ledger.bookmarks.get(seen.server.lower())
    overtaken = known != log.base
    if known == log.bookmark or (overtaken and known and known.at >= log.bookmark.at):
        return None
    fresh = [
        event
        for event in map(interpret, log.events)
        if event is not None and ((log.began_anew and not overtaken) or not _known(event, known))
    ]
    sightings = merge(sighting(event, seen.server) for event in fresh)
    return LogRead(at=at, server=seen.server.lower(), bookmark=log.bookmark, sightings=sightings)


def _known(event: SecurityEvent, bookmark: Bookmark | None) -> bool:
    """Say whether an event lies before a bookmark, by its number and by its time."""
    return (
        bookmark is not None
        and event.record is not None
        and event.at is not None
        and event.record <= bookmark.record
        and event.at <= bookmark.at
    )


def record_files(
    workplace: Workplace, organization: str, events: Iterable[tuple[str, SecurityEvent]]
) -> tuple[Ledger, Ledger]:
    """Record events of exported logs, each with its file's name. An export counts once."""
    found = tuple(events)
    sightings = merge(sighting(event, name) for name, event in found)
    digest = sha256(canonical(tuple(msgspec.structs.replace(s, origins=()) for s in sightings)))
    at = workplace.clock()

    def make(ledger: Ledger) -> list[Happening]:
        marks = {host(server): mark for server, mark in ledger.bookmarks.items()}
        fresh = [
            (name, event)
            for name, event in found
            if not _known(event, marks.get(host(event.computer).lower()))
        ]
        if not fresh or digest.hexdigest() in ledger.digests:
            return []
        merged: tuple[Sighting, ...] = merge(sighting(event, name) for name, event in fresh)
        return [FileRead(at=at, digest=digest.hexdigest(), sightings=merged)]

    return _append(workplace, organization, make)


def answered(workplace: Workplace, incident: Incident, run: str) -> None:
    """Record that *run* was made because of *incident*."""
    event = IncidentAnswered(at=workplace.clock(), incident=incident.id, run=run)
    _append(workplace, incident.organization, lambda _: [event])


def link(workplace: Workplace, plan: Plan, run: str) -> None:
    """Record the run of a plan that answers an incident, if that is known here, once."""
    if not plan.incident:
        return
    found = load(workplace.store, plan.organization.name).ledger.find(plan.incident)
    if found is not None and run not in found.runs:
        answered(workplace, found, run)


def close(workplace: Workplace, incident: Incident, reason: str) -> None:
    """Record that *incident* is over. Raises UsageError where it is already."""
    if incident.closed:
        raise UsageError(f"{incident.id} is closed already: {incident.closed}")
    event = IncidentClosed(at=workplace.clock(), incident=incident.id, reason=reason)
    _append(workplace, incident.organization, lambda _: [event])


def note(workplace: Workplace, incident: Incident, word: str) -> None:
    """Record a person's word for what they did by hand."""
    event = WordGiven(at=workplace.clock(), incident=incident.id, actor=workplace.actor, word=word)
    _append(workplace, incident.organization, lambda _: [event])
