"""What servers logged since a change, as proofs are judged by it; what cannot be read is named."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from orchestrator.app.logs import LogSeen, Wanted, read_logs
from orchestrator.app.workplace import Workplace
from orchestrator.core.inventory import Organization
from orchestrator.exchange.event import RawEvent, interpret
from orchestrator.exchange.proofs import RELOAD_TROUBLE, RELOADED, SIBLINGS
from orchestrator.exchange.silence import EventsOf, Logged

_IDS = (*SIBLINGS, *RELOADED, RELOAD_TROUBLE)


def logged(
    workplace: Workplace, organization: Organization, since: datetime
) -> tuple[EventsOf, ...]:
    """Return the events by which proofs are judged, of every transport server, from *since* on."""
    seen = read_logs(workplace, organization, Wanted(_IDS, since))
    return tuple(map(_events_of, seen))


def _events_of(seen: LogSeen) -> EventsOf:
    if seen.log is None:
        reason = seen.error.message if seen.error else "nothing came"
        return EventsOf(seen.server, unread=reason)
    return EventsOf(seen.server, tuple(_logged(seen.log.events)), "; ".join(_gaps(seen)))


def _gaps(seen: LogSeen) -> Iterator[str]:
    log = seen.log
    if log is not None and log.damages:
        yield f"{len(log.damages)} places in its log cannot be read"
    if log is not None and log.lost:
        yield "its log does not reach back to the change: older records were overwritten"
    if log is not None and log.more:
        yield "there is more in its log than is read at once"


def _logged(events: Sequence[RawEvent]) -> Iterator[Logged]:
    for raw in events:
        understood = interpret(raw)
        if understood is None:
            yield Logged(raw.id, raw.at)
        else:
            yield Logged(understood.id, understood.at, understood.domain, understood.connector)
