"""Incidents on the screen: which there are, and everything that is known of one."""

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime

from orchestrator.exchange.family import SECURITY_EVENTS, THROTTLE
from orchestrator.exchange.incident import Incident, Sighting
from orchestrator.render.text import (
    Line,
    Lines,
    Look,
    Tone,
    command_line,
    heading,
    plural,
    table,
    wrapped,
)

_HEADS = ("INCIDENT", "DOMAIN", "EVENTS", "SEEN", "LAST (UTC)", "STATE")


def list_incidents(incidents: Sequence[Incident], look: Look) -> Lines:
    """Yield a row for each incident, or that there is none."""
    if not incidents:
        yield Line("No incident is recorded.")
        yield from wrapped(
            "'orchestrator events' reads the servers' logs and records what it finds.",
            Tone.QUIET,
            width=look.width,
        )
        return
    yield from table(_HEADS, [_row(one) for one in incidents])


def _row(one: Incident) -> tuple[str, ...]:
    ids = ", ".join(map(str, one.ids))
    return (one.id, one.domain, ids, str(one.count), moment(one.last), state(one))


def state(incident: Incident) -> str:
    """Return where an incident stands, in a word or two."""
    if incident.closed:
        return "closed"
    return "answered" if incident.runs else "open"


def moment(at: datetime | None) -> str:
    """Return a time in UTC, or that there is none."""
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "?"


def show_incident(incident: Incident, look: Look) -> Lines:
    """Yield everything that is known of one incident, and what to type next."""
    yield Line(incident.id, Tone.HEADING)
    yield from wrapped(
        f"{incident.domain} of {incident.organization}: {plural(incident.count, 'event')}, "
        f"from {moment(incident.first)} to {moment(incident.last)} UTC",
        indent=2,
        width=look.width,
    )
    for each in incident.sightings:
        yield from _sighting(each, look)
    text = f"Logging is throttled ({THROTTLE} minutes a domain): these are no counts of messages."
    yield from wrapped(text, Tone.QUIET, indent=2, width=look.width)
    for run in incident.runs:
        yield Line(f"  answered by run {run}")
    for word in incident.words:
        yield from wrapped(word, indent=2, width=look.width)
    if incident.closed:
        yield from wrapped(f"Closed: {incident.closed}", Tone.GOOD, indent=2, width=look.width)
        return
    yield from heading("Next")
    yield command_line(f"orchestrator diagnose {shlex.quote(incident.id)}{look.options}", indent=2)


def _sighting(each: Sighting, look: Look) -> Lines:
    kind = SECURITY_EVENTS[each.id]
    times = f"{plural(each.count, 'time')}, last at {moment(each.last)} UTC"
    where = each.connector or each.server or "?"
    yield from wrapped(f"{each.id} {kind.name} on {where}: {times}", indent=2, width=look.width)
    yield from wrapped(f"{kind.meaning}.", Tone.QUIET, indent=6, width=look.width)
    if each.incomplete:
        missing = "; ".join(each.incomplete)
        yield from wrapped(f"incomplete: {missing}", Tone.WARNING, indent=6, width=look.width)
    yield from wrapped(f"read from {', '.join(each.origins)}", indent=6, width=look.width)


def joined(before: Iterable[Incident], after: Iterable[Incident]) -> Lines:
    """Yield which incidents were opened, or joined by what was read."""
    known = {one.id: one for one in before}
    changed = [one for one in after if known.get(one.id) != one]
    if changed:
        yield from heading("Incidents")
    for one in changed:
        more = one.count - (known[one.id].count if one.id in known else 0)
        verb = "joined by" if one.id in known else "opened with"
        yield Line(f"  {one.id}: {verb} {plural(more, 'event')}")
    for one in changed:
        yield command_line(f"orchestrator diagnose {shlex.quote(one.id)}", indent=2)


def incident_facts(incident: Incident) -> dict[str, object]:
    """Return an incident as plain values; docs/output.md describes every field."""
    return {
        "id": incident.id,
        "organization": incident.organization,
        "domain": incident.domain,
        "state": state(incident),
        "opened": incident.opened,
        "first": incident.first,
        "last": incident.last,
        "count": incident.count,
        "sightings": [
            {
                "id": each.id,
                "name": SECURITY_EVENTS[each.id].name,
                "provider": each.provider,
                "connector": each.connector,
                "server": each.server,
                "count": each.count,
                "first": each.first,
                "last": each.last,
                "strings": dict(each.details),
                "origins": each.origins,
                "incomplete": each.incomplete,
            }
            for each in incident.sightings
        ],
        "runs": incident.runs,
        "words": incident.words,
        "closed": incident.closed,
    }
