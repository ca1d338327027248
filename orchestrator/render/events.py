"""Events of Domain Security on the screen: each one, what they add up to, and what to type next."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.errors import OrchestratorError
from orchestrator.exchange.event import SecurityEvent
from orchestrator.exchange.family import SECURITY_EVENTS, THROTTLE, TLS_NOT_STARTED
from orchestrator.exchange.tally import Group, Tally
from orchestrator.render.text import (
    LIMIT,
    Line,
    Lines,
    Look,
    Tone,
    command_line,
    heading,
    plural,
    safe,
    table,
    wrapped,
)

ROWS = 200
"""Events that are shown one by one to people; the summary counts all of them."""

_HEADS = ("TIME (UTC)", "AS WRITTEN", "SERVER", "CONNECTOR", "DOMAIN", "EVENT")


@dataclass(frozen=True, slots=True)
class FileSeen:
    """What came of one file, or of one server's log.

    *read* events are of any kind, in *form*; *found* are those of the family.
    *damages* are the first places that could not be read, each with the reason; *damaged* counts
    all of them. *error* says why the file could not be used at all.
    """

    name: str
    form: str = ""
    read: int = 0
    found: int = 0
    damages: tuple[tuple[str, str], ...] = ()
    damaged: int = 0
    error: OrchestratorError | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """An event, and the file or the server that it was found on."""

    file: str
    event: SecurityEvent


def describe_events(
    sightings: Sequence[Sighting],
    tally: Tally,
    files: Sequence[FileSeen],
    look: Look,
    places: str = "Files",
) -> Lines:
    """Yield everything that was found, or that nothing was; *places* is what *files* are."""
    if sightings:
        yield from _rows(sightings[:ROWS], sum(file.found for file in files))
        yield from _gaps(sightings[:ROWS], look)
    groups = list(tally.groups())
    yield from _summary(groups, tally, look)
    yield from _meanings(groups, look)
    yield from _next(groups, look)
    yield from heading(places)
    for file in files:
        yield from _file(file, look)


def _rows(sightings: Sequence[Sighting], total: int) -> Lines:
    yield from table(_HEADS, [_row(sighting.event) for sighting in sightings])
    if total > len(sightings):
        yield Line(f"  and {total - len(sightings)} more", Tone.QUIET)


def _row(event: SecurityEvent) -> tuple[str, ...]:
    time = f"{event.at:%Y-%m-%d %H:%M:%S}" if event.at else "?"
    connector = event.connector or event.details.get("connector", "?")
    what = f"{event.id} {event.kind.name}"
    return (time, event.written or "?", event.computer or "?", connector, event.domain or "-", what)


def _gaps(sightings: Sequence[Sighting], look: Look) -> Lines:
    gaps = [sighting for sighting in sightings if sighting.event.incomplete]
    spoken = [sighting for sighting in sightings if sighting.event.from_sentence]
    if gaps:
        yield from heading("Incomplete: what is missing is not guessed")
    for sighting in gaps:
        said = "; ".join(sighting.event.incomplete)
        yield from wrapped(f"{_place(sighting)}: {said}", Tone.WARNING, indent=2, width=look.width)
    for sighting in spoken:
        text = f"{_place(sighting)}: taken from the English sentence, no data fields came along"
        yield from wrapped(text, Tone.QUIET, indent=2, width=look.width)


def _place(sighting: Sighting) -> str:
    return f"{sighting.event.id} in {sighting.file}, {sighting.event.place}"


def _summary(groups: Iterable[Group], tally: Tally, look: Look) -> Lines:
    if not groups:
        yield Line("No event of Domain Security was found.", Tone.WARNING)
        return
    yield from heading("Summary")
    for group in groups:
        yield from wrapped(_total(group), indent=2, width=look.width)
    if tally.beyond:
        yield Line(f"  and {plural(tally.beyond, 'event')} of further domains", Tone.WARNING)
    if tally.repeated:
        said = f"{plural(tally.repeated, 'event')} seen more than once, counted once"
        yield Line(f"  {said}", Tone.QUIET)
    text = (
        f"Logging is throttled, one event for a domain in {THROTTLE} minutes per process: "
        "these are no counts of messages, and one event may hide other connectors."
    )
    yield from wrapped(text, Tone.QUIET, indent=2, width=look.width)


def _total(group: Group) -> str:
    event = group.event
    where = event.connector or event.details.get("connector") or event.computer or "?"
    what = f"{event.id} for {event.domain}" if event.domain else str(event.id)
    times = plural(group.count, "time")
    if group.first is None or group.last is None:
        return f"{what} on {where}: {times}, without a time that can be placed"
    first, last = (f"{at:%Y-%m-%d %H:%M:%S} UTC" for at in (group.first, group.last))
    span = f"at {first}" if group.first == group.last else f"from {first} to {last}"
    undated = f", {group.undated} of them without a time" if group.undated else ""
    return f"{what} on {where}: {times} {span}{undated}"


def _meanings(groups: Sequence[Group], look: Look) -> Lines:
    if groups:
        yield from heading("What they mean")
    for number in sorted({group.event.id for group in groups}):
        kind = SECURITY_EVENTS[number]
        yield from wrapped(f"{kind.id} {kind.name}", indent=2, width=look.width)
        yield from wrapped(f"{kind.meaning}.", indent=6, width=look.width)
        yield from wrapped(f"Remedy: {kind.remedy}.", indent=6, width=look.width)


def suggestion(event: SecurityEvent) -> str:
    """Return the command to go on with, or nothing where no playbook can be told what is meant.

    A name that cannot be typed as it is shown is not put into a command.
    """
    named = (event.domain, event.connector)
    if not event.remediable or any(safe(text) != text for text in named):
        return ""
    domain, connector = (
        shlex.quote(f"{name}={text}") for name, text in zip(_INPUTS, named, strict=True)
    )
    return f"orchestrator run remove-domain-security --set {domain} --set {connector} --dry-run"


_INPUTS = ("domain", "connector")


def _next(groups: Sequence[Group], look: Look) -> Lines:
    ours = [group.event for group in groups if group.event.id == TLS_NOT_STARTED]
    if not ours:
        return
    commands = list(dict.fromkeys(filter(None, map(suggestion, ours))))
    if commands:
        yield from heading("Look at what a remedy would do; nothing is changed")
    for command in commands[:ROWS]:
        yield command_line(command, indent=2)
    text = (
        "The event holds no address: whoever writes the domain into MAIL FROM without TLS causes "
        "it. Make sure that it was the partner before protection is taken away."
    )
    yield from wrapped(text, Tone.WARNING, indent=2, width=look.width)


def _file(file: FileSeen, look: Look) -> Lines:
    if file.error is not None:
        yield from wrapped(str(file.error), Tone.BAD, indent=2, width=look.width)
        if file.error.advice:
            yield from wrapped(file.error.advice, indent=6, width=LIMIT)
        return
    said = f"{file.name}: {file.form}, {plural(file.read, 'event')}, {file.found} of the family"
    yield from wrapped(said, indent=2, width=look.width)
    for place, reason in file.damages:
        yield from wrapped(f"{place}: {reason}", Tone.BAD, indent=6, width=look.width)
    if file.damaged > len(file.damages):
        yield Line(f"      and {file.damaged - len(file.damages)} more", Tone.BAD)


def event_facts(sighting: Sighting) -> dict[str, object]:
    """Return an event as plain values; docs/output.md describes every field."""
    event = sighting.event
    return {
        "id": event.id,
        "name": event.kind.name,
        "side": event.kind.side.value,
        "provider": event.provider,
        "time": event.at,
        "written": event.written,
        "computer": event.computer,
        "domain": event.domain,
        "connector": event.connector,
        "strings": dict(event.details),
        "record": event.record,
        "file": sighting.file,
        "place": event.place,
        "incomplete": event.incomplete,
        "from_sentence": event.from_sentence,
        "meaning": event.kind.meaning,
        "remedy": event.kind.remedy,
    }


def group_facts(group: Group) -> dict[str, object]:
    """Return a line of the summary as plain values."""
    event = group.event
    return {
        "id": event.id,
        "domain": event.domain,
        "connector": event.connector,
        "count": group.count,
        "undated": group.undated,
        "first": group.first,
        "last": group.last,
        "command": suggestion(event),
    }


def file_seen_facts(file: FileSeen) -> Mapping[str, object]:
    """Return what came of a file as plain values."""
    error = file.error
    return {
        "file": file.name,
        "form": file.form,
        "read": file.read,
        "found": file.found,
        "damages": [{"place": place, "reason": reason} for place, reason in file.damages],
        "damaged": file.damaged,
        "error": {"message": str(error), "advice": error.advice} if error else None,
    }
