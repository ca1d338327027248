"""``orchestrator events``: what event logs say of mail that was refused or held up."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.codes import ExitCode
from orchestrator.cli.options import output, pass_terminal
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import ConfigurationError

if TYPE_CHECKING:
    from orchestrator.exchange.tally import Tally
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
    required=True,
    help="An exported event log, in any form; '-' for standard input. May be given several times.",
)
@output
@pass_terminal
def command(terminal: Terminal, files: tuple[str, ...]) -> ExitCode:
    """Show the events of Domain Security that exported logs hold.

    A file may be .evtx, event XML, CLIXML, JSON, CSV, or text copied from Event Viewer;
    docs/events.md has all forms. Nothing is connected to. The exit code is 2 if a file cannot be
    used.

    \b
    orchestrator events --file Application.evtx
    """  # noqa: D301 - click wants the backspace itself
    from orchestrator.exchange.tally import Tally  # noqa: PLC0415 - not for --help
    from orchestrator.render.events import (  # noqa: PLC0415 - likewise
        describe_events,
        event_facts,
        file_seen_facts,
        group_facts,
    )

    tally, sightings = Tally(), list["Sighting"]()
    seen = [_read(name, tally, sightings) for name in files]
    code = ExitCode.USAGE if any(map(_unusable, seen)) else ExitCode.DONE
    terminal.say(describe_events(sightings, tally, seen, terminal.look))
    if terminal.json:
        terminal.document(
            "events",
            {
                "events": list(map(event_facts, sightings)),
                "summary": list(map(group_facts, tally.groups())),
                "repeated": tally.repeated,
                "beyond": tally.beyond,
                "files": list(map(file_seen_facts, seen)),
                "exit_code": int(code),
            },
        )
    return code


def _unusable(file: "FileSeen") -> bool:
    """Say whether nothing may be concluded from *file*: what cannot be read is not "no events"."""
    return file.error is not None or (file.damaged > 0 and not file.found)


def _read(name: str, tally: "Tally", sightings: "list[Sighting]") -> "FileSeen":
    from orchestrator.eventlog import Damage, open_source, read_events  # noqa: PLC0415 - not for --help
    from orchestrator.exchange.event import interpret  # noqa: PLC0415 - likewise
    from orchestrator.render.events import FileSeen, Sighting  # noqa: PLC0415 - likewise

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
                event = interpret(entry)
                if event is not None and tally.add(event):
                    found += 1
                    if len(sightings) < _KEPT:
                        sightings.append(Sighting(source.name, event))
    except ConfigurationError as error:
        return FileSeen(name, form, read, found, tuple(damages), damaged, error)
    return FileSeen(source.name, form, read, found, tuple(damages), damaged)
