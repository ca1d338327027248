"""A server's Application log, asked for with wevtutil: page by page, from a bookmark on.

Where a bookmark stands no longer in the log, it tells why: records were overwritten since, or the
log was cleared and its numbers began anew.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from orchestrator.core.command import Host
from orchestrator.core.errors import ConfigurationError, ProtocolViolation
from orchestrator.eventlog.damage import Damage, Entry
from orchestrator.eventlog.reading import read_events
from orchestrator.eventlog.source import Source
from orchestrator.eventlog.xml import CUT_OFF
from orchestrator.exchange.event import RawEvent
from orchestrator.exchange.family import PROVIDERS, SECURITY_EVENTS
from orchestrator.exchange.incident import Bookmark

PAGE: Final = 500
"""Events that are asked for at once: about half a MiB."""

PAGES: Final = 400
"""Pages that one pass reads at most; the next pass goes on from there."""


@dataclass(slots=True)
class LogRead:
    """What came of one log. *damages* are places that could not be read; *bookmark* is the last.

    *began_anew* says that the log had been cleared, *lost* that records were overwritten before
    anybody read them. *more* says that PAGES were read and there is more. *base* is the bookmark
    from which it was read.
    """

    events: list[RawEvent] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    bookmark: Bookmark | None = None
    began_anew: bool = False
    lost: bool = False
    more: bool = False
    base: Bookmark | None = None


def read_log(
    host: Host,
    ids: Iterable[int] = tuple(SECURITY_EVENTS),
    *,
    bookmark: Bookmark | None = None,
    since: datetime | None = None,
) -> LogRead:
    """Return the events of the two providers with *ids*, oldest first, that come after *bookmark*.

    Without one from the beginning, or from *since* on. Raises TransportError; what was read before
    it is lost, and the next pass begins at the same bookmark.
    """
    found = LogRead(bookmark=bookmark, base=bookmark)
    after = _resumed(host, bookmark, found) if bookmark else 0
    if since is not None and bookmark is None:
        found.lost = _overwritten(host, since)
    wanted = tuple(sorted(set(ids)))
    for _ in range(PAGES):
        entries = _asked(host, _query(wanted, after, since), f"/c:{PAGE}")
        events = [each for each in entries if isinstance(each, RawEvent) and _fits(each, after)]
        found.damages += [entry for entry in entries if isinstance(entry, Damage)]
        found.events += (one for one in events if not _before(one, bookmark, found))
        last = max((one.record or 0 for one in events), default=0)
        if last > after:
            found.bookmark = _marked(events, found.bookmark)
        if len(entries) < PAGE or last <= after:
            return found
        after = last
    found.more = True
    return found


def _fits(event: RawEvent, after: int) -> bool:
    """Say whether an event is one that was asked for, also where a server takes that lightly."""
    return event.record is None or event.record > after


def _before(event: RawEvent, bookmark: Bookmark | None, found: LogRead) -> bool:
    """Say whether an event of a log that began anew had been read before it did."""
    older = bookmark is not None and event.at is not None and event.at < bookmark.at
    return found.began_anew and older


def _marked(events: Sequence[RawEvent], known: Bookmark | None) -> Bookmark | None:
    dated = [one for one in events if one.record is not None and one.at is not None]
    newest = max(dated, key=lambda one: one.record or 0, default=None)
    if newest is None or newest.record is None or newest.at is None:
        return known
    return Bookmark(newest.record, newest.at)


def _resumed(host: Host, bookmark: Bookmark, found: LogRead) -> int:
    """Return the record after which to go on: the bookmark's, or 0 in a log that began anew."""
    (standing,) = _one(host, f"*[System[EventRecordID={bookmark.record}]]") or (None,)
    if standing is not None and standing.at == bookmark.at:
        return bookmark.record
    (oldest,) = _one(host, "*") or (None,)
    if standing is None and oldest is not None and (oldest.record or 0) > bookmark.record:
        found.lost = True
        return bookmark.record
    found.began_anew = True
    return 0


def _overwritten(host: Host, since: datetime) -> bool:
    """Say whether the log begins later than *since*, because older records were overwritten."""
    (oldest,) = _one(host, "*") or (None,)
    if oldest is None or oldest.at is None:
        return False
    return oldest.at > since and (oldest.record or 0) > 1


def _one(host: Host, query: str) -> list[RawEvent]:
    entries = _asked(host, query, "/c:1")
    return [entry for entry in entries if isinstance(entry, RawEvent)][:1]


def _asked(host: Host, query: str, *options: str) -> list[Entry]:
    output = host.run(
        "wevtutil", ["qe", "Application", f"/q:{query}", "/f:xml", "/e:Events", *options]
    )
    return [_whole(entry) for entry in _read(output)]


def _whole(entry: Entry) -> Entry:
    """Return an event that came whole, else the damage: it stays to be asked for again."""
    if isinstance(entry, RawEvent) and CUT_OFF in entry.faults:
        return Damage(entry.place, CUT_OFF)
    return entry


def _read(output: bytes) -> Iterator[Entry]:
    """Yield what *output* holds. Raises ProtocolViolation where it is no event XML at all."""
    if not output.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        return
    source = Source(io.BytesIO(output), "the answer of wevtutil", None)
    try:
        yield from read_events(source).entries
    except ConfigurationError as error:
        raise ProtocolViolation(
            f"what wevtutil wrote is no event XML ({error.reason})",
            "Run the same command on the server and look at what it writes.",
        ) from None


def _query(ids: Sequence[int], after: int, since: datetime | None) -> str:
    """Return the query: ranges of ids, because the event log takes few comparisons in one [obs]."""
    providers = " or ".join(f"@Name='{name}'" for name in PROVIDERS)
    parts = [f"Provider[{providers}]", f"({' or '.join(map(_between, _ranges(ids)))})"]
    if after:
        parts.append(f"EventRecordID>{after}")
    if since is not None:
        parts.append(f"TimeCreated[@SystemTime>='{since:%Y-%m-%dT%H:%M:%S}.000Z']")
    return f"*[System[{' and '.join(parts)}]]"


def _between(ends: tuple[int, int]) -> str:
    first, last = ends
    return f"EventID={first}" if first == last else f"(EventID>={first} and EventID<={last})"


def _ranges(ids: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in ids:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
