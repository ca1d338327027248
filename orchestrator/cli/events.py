"""``orchestrator events``: what event logs say of mail that was refused or held up."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import codes, options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.app.logs import LogSeen
    from orchestrator.app.workplace import Workplace
    from orchestrator.core.inventory import Organization
    from orchestrator.exchange.incident import Incident
    from orchestrator.render.events import FileSeen, Sighting

_KEPT = 10_000
_DAMAGES = 5


@click.command()
@click.option(
    "--file",
    "-f",
    "files",
    metavar="FILE",
    multiple=True,
    help="An exported event log, in any form; '-' for standard input. May be given several times.",
)
@options.inventory_and_store
@options.limit
@click.option(
    "--since",
    default="",
    metavar="WHEN",
    help="Look back, as 2h, 7d or 2026-11-25T08:00Z, and record nothing.",
)
@click.option("--all", "everything", is_flag=True, help="Look at whole logs, and record nothing.")
@options.output
@options.pass_terminal
def command(  # noqa: PLR0913 - a command's options are its arguments
    terminal: Terminal,
    *,
    files: tuple[str, ...],
    inventory: Path,
    store: str | None,
    limit: tuple[str, ...],
    since: str,
    everything: bool,
) -> ExitCode:
    """Show the events of Domain Security: of the servers' logs, or of exported ones.

    Without --file the logs of all transport servers are read, over WinRM, each from where it was
    read to the last time; what is new is recorded as incidents. A server that cannot be read is
    named, and the exit code is 8.

    With --file nothing is connected to. A file may be .evtx, event XML, CLIXML, JSON, CSV, or text
    copied from Event Viewer; docs/events.md has all forms. With --limit the events are recorded
    as incidents of that organization. The exit code is 2 if a file cannot be used.

    \b
    orchestrator events
    orchestrator events --file Application.evtx --limit contoso
    """  # noqa: D301 - click wants the backspace itself
    view = _View()
    if files:
        if since or everything:
            raise UsageError("--since and --all are for live logs", "Leave them away.")
        seen = [_read(name, view) for name in files]
        if limit:
            place = _workplace(inventory, store)
            _keep_files(place, limit, view)
    else:
        seen = _live(_workplace(inventory, store), limit, view, since, everything=everything)
    return view.show(terminal, seen, live=not files)


def _workplace(inventory: Path, store: str | None) -> "Workplace":
    ctx = click.get_current_context()
    place = options.open_workplace(inventory, store, ctx.command_path)
    ctx.call_on_close(place.close)
    return place


class _View:
    """What was found so far, in bounded memory, and what it changed."""

    def __init__(self) -> None:
        from orchestrator.exchange.tally import Tally  # noqa: PLC0415 - not for --help

        self.tally: Tally = Tally()
        self.sightings: list[Sighting] = []
        self.before: list[Incident] = []
        self.after: list[Incident] = []

    def add(self, origin: str, entry: object) -> int:
        """Take one event, if it is one of the family and was not seen before; count it."""
        from orchestrator.exchange.event import RawEvent, interpret  # noqa: PLC0415 - not for --help
        from orchestrator.render.events import Sighting  # noqa: PLC0415 - likewise

        event = interpret(entry) if isinstance(entry, RawEvent) else None
        if event is None or not self.tally.add(event):
            return 0
        if len(self.sightings) < _KEPT:
            self.sightings.append(Sighting(origin, event))
        return 1

    def show(self, terminal: Terminal, seen: "list[FileSeen]", *, live: bool) -> ExitCode:
        """Print it all and return the exit code."""
        from orchestrator.render.events import (  # noqa: PLC0415 - not for --help
            describe_events,
            event_facts,
            file_seen_facts,
            group_facts,
        )
        from orchestrator.render.incidents import incident_facts, joined  # noqa: PLC0415 - likewise

        places = "Servers" if live else "Files"
        code = codes.gravest(_code(each, live=live) for each in seen)
        terminal.say(describe_events(self.sightings, self.tally, seen, terminal.look, places))
        terminal.say(joined(self.before, self.after))
        if terminal.json:
            known = {one.id: one for one in self.before}
            changed = [one for one in self.after if known.get(one.id) != one]
            terminal.document(
                "events",
                {
                    "events": list(map(event_facts, self.sightings)),
                    "summary": list(map(group_facts, self.tally.groups())),
                    "repeated": self.tally.repeated,
                    "beyond": self.tally.beyond,
                    "files": list(map(file_seen_facts, seen)),
                    "incidents": list(map(incident_facts, changed)),
                    "exit_code": int(code),
                },
            )
        return code


def _code(file: "FileSeen", *, live: bool) -> ExitCode:
    """Return what one place comes to: what cannot be read is not "no events"."""
    if file.error is not None:
        return codes.of_error(file.error)
    if live:
        return ExitCode.NO_CONTACT if file.damaged else ExitCode.DONE
    return ExitCode.USAGE if file.damaged > 0 and not file.found else ExitCode.DONE


def _live(
    place: "Workplace", limit: tuple[str, ...], view: _View, since: str, *, everything: bool
) -> "list[FileSeen]":
    begin = beginning(since, place.clock())
    keeping = begin is None and not everything
    found: list[FileSeen] = []
    for organization in place.inventory.select(limit):
        seen = _read_logs(place, organization, begin, keeping=keeping)
        if keeping:
            _keep_logs(place, organization, seen, view)
        found += [_server_seen(one, view) for one in seen]
    return found


def _read_logs(
    place: "Workplace", organization: "Organization", begin: datetime | None, *, keeping: bool
) -> "tuple[LogSeen, ...]":
    from orchestrator.app import incidents  # noqa: PLC0415 - not for --help
    from orchestrator.app.logs import Wanted, read_logs  # noqa: PLC0415 - likewise

    marks = incidents.load(place.store, organization.name).ledger.bookmarks if keeping else {}
    return read_logs(place, organization, Wanted(since=begin, bookmarks=marks))


def _keep_logs(
    place: "Workplace", organization: "Organization", seen: "Iterable[LogSeen]", view: _View
) -> None:
    from orchestrator.app import incidents  # noqa: PLC0415 - not for --help

    before, after = incidents.record_logs(place, organization.name, seen)
    view.before += before.incidents
    view.after += after.incidents


def _keep_files(place: "Workplace", limit: tuple[str, ...], view: _View) -> None:
    from orchestrator.app import incidents  # noqa: PLC0415 - not for --help

    chosen = place.inventory.select(limit)
    if len(chosen) != 1:
        raise UsageError(
            "events of files belong to one organization", "Name exactly one with --limit."
        )
    events = [(each.file, each.event) for each in view.sightings]
    before, after = incidents.record_files(place, chosen[0].name, events)
    view.before += before.incidents
    view.after += after.incidents


def beginning(since: str, now: datetime) -> datetime | None:
    """Return the moment that *since* means; None for nothing. Raises UsageError."""
    if not since:
        return None
    if back := re.fullmatch(r"([0-9]{1,6})([mhd])", since):
        unit = {"m": "minutes", "h": "hours", "d": "days"}[back[2]]
        return now - timedelta(**{unit: int(back[1])})
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise UsageError(
            f"'{since}' is no time for --since", "Write 30m, 2h, 7d or 2026-11-25T08:00Z."
        ) from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _server_seen(seen: "LogSeen", view: _View) -> "FileSeen":
    from orchestrator.render.events import FileSeen  # noqa: PLC0415 - not for --help

    log = seen.log
    if log is None:
        return FileSeen(seen.server, error=seen.error)
    found = sum(view.add(seen.server, event) for event in log.events)
    form = "Application log" + ("".join(said for on, said in _SAID if getattr(log, on)))
    damages = tuple((one.place, one.reason) for one in log.damages[:_DAMAGES])
    return FileSeen(seen.server, form, len(log.events), found, damages, len(log.damages))


_SAID = (
    ("began_anew", " (it was cleared since the last time, and read from its beginning)"),
    ("lost", " (records were overwritten before anybody read them)"),
    ("more", " (there is more: run it again)"),
)


def _read(name: str, view: _View) -> "FileSeen":
    from orchestrator.eventlog import Damage, open_source, read_events  # noqa: PLC0415 - not for --help
    from orchestrator.render.events import FileSeen  # noqa: PLC0415 - likewise

    form, read, found = "", 0, 0
    damages: list[tuple[str, str]] = []
    damaged = 0
    try:
        with open_source(name) as source:
            reading = read_events(source)
            form = reading.form.name
            for entry in reading.entries:
                if isinstance(entry, Damage):
                    damaged += 1
                    if len(damages) < _DAMAGES:
                        damages.append((entry.place, entry.reason))
                    continue
                read += 1
                found += view.add(source.name, entry)
    except ConfigurationError as error:
        return FileSeen(name, form, read, found, tuple(damages), damaged, error)
    return FileSeen(source.name, form, read, found, tuple(damages), damaged)
