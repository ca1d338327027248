"""``orchestrator runs``: what was done, when, by whom, with which commands."""

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.core.letter import Correspondence, Event
    from orchestrator.core.run import Run


@click.group()
def command() -> None:
    """List, show or export what was done."""


def _filters(function: options.F) -> options.F:
    since = click.option(
        "--since", default="", metavar="DATE", help="Only runs begun on that day (UTC) or later."
    )
    organization = click.option("--organization", default="", help="Only runs of this one.")
    return organization(since(function))


def _chosen(
    store: str | None, organization: str, since: str
) -> "tuple[list[Run], list[Correspondence]]":
    from orchestrator.app import letters, records  # noqa: PLC0415 - not for --help
    from orchestrator.cli.archive import opened  # noqa: PLC0415 - likewise

    begin = _beginning(since)
    with opened(store) as archive:
        runs = [
            run
            for run in records.all_runs(archive)
            if run.started >= begin and organization in {"", run.plan.organization.name}
        ]
        written = [
            each
            for each in letters.all_letters(archive)
            if each.letter.made >= begin and organization in {"", each.letter.organization}
        ]
        return runs, written


def _beginning(since: str) -> datetime:
    if not since:
        return datetime.min.replace(tzinfo=UTC)
    try:
        return datetime.combine(date.fromisoformat(since), time.min, UTC)
    except ValueError:
        raise UsageError(f"'{since}' is no date for --since", "Write it as 2026-01-31.") from None


@command.command("list")
@options.store
@_filters
@options.output
@options.pass_terminal
def listing(terminal: Terminal, *, store: str | None, organization: str, since: str) -> None:
    """List the runs, oldest first.

    \b
    Example:
      orchestrator runs list --organization contoso --since 2026-01-01
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.render.correspondence import list_letters  # noqa: PLC0415 - not for --help
    from orchestrator.render.sheet import list_runs  # noqa: PLC0415 - likewise

    runs, written = _chosen(store, organization, since)
    terminal.say(list_runs(runs))
    terminal.say(list_letters(written))
    _document(terminal, runs, written)


@command.command()
@click.argument("run")
@options.store
@options.output
@options.pass_terminal
def show(terminal: Terminal, *, run: str, store: str | None) -> None:
    """Show everything that is recorded of a run.

    Who wanted it and why, each event with its time, each command and the one that undoes it.

    RUN is the id of a run, of a batch (all of its runs), a beginning of either, or 'last'.

    \b
    Example:
      orchestrator runs show last
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.app import letters, records  # noqa: PLC0415 - not for --help
    from orchestrator.cli.archive import opened  # noqa: PLC0415 - likewise
    from orchestrator.core.run import rebuild  # noqa: PLC0415 - likewise
    from orchestrator.render.facts import event_facts, run_facts  # noqa: PLC0415 - likewise
    from orchestrator.render.history import show_history  # noqa: PLC0415 - likewise

    with opened(store) as archive:
        written = [letters.events_of(archive, name) for name in letters.find(archive, run)]
        names = () if written else records.find(archive, run)
        histories = [records.events_of(archive, name) for name in names]
    found = []
    for events in histories:
        stands = rebuild(events)
        terminal.say(show_history(stands, events, terminal.look))
        found.append({**run_facts(stands), "events": [event_facts(event) for event in events]})
    shown = [_show_letter(terminal, events) for events in written]
    terminal.document("runs", {"runs": found, "letters": shown})


def _show_letter(terminal: Terminal, events: "tuple[Event, ...]") -> "dict[str, object]":
    from orchestrator.core.letter import rebuild  # noqa: PLC0415 - not for --help
    from orchestrator.render.correspondence import letter_facts, show_letter_history  # noqa: PLC0415 - likewise

    stands = rebuild(events)
    terminal.say(show_letter_history(stands, events, terminal.look))
    return {**letter_facts(stands), "events": events}


@command.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "csv"]),
    default="json",
    show_default=True,
    help="One JSON document, or one row for each change.",
)
@options.store
@_filters
@options.pass_terminal
def export(
    terminal: Terminal, *, form: str, store: str | None, organization: str, since: str
) -> None:
    """Write the runs for another program, or a spreadsheet.

    \b
    Example:
      orchestrator runs export --format csv > runs.csv
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    runs, written = _chosen(store, organization, since)
    if form == "json":
        terminal.json = True
        _document(terminal, runs, written)
    else:
        from orchestrator.render.sheet import csv_lines  # noqa: PLC0415 - not for --help

        terminal.raw("".join(csv_lines(runs)))


def _document(
    terminal: Terminal, runs: "Sequence[Run]", written: "Sequence[Correspondence]"
) -> None:
    from orchestrator.render.correspondence import letter_facts  # noqa: PLC0415 - not for --help
    from orchestrator.render.facts import run_facts  # noqa: PLC0415 - likewise

    facts = {"runs": list(map(run_facts, runs)), "letters": list(map(letter_facts, written))}
    terminal.document("runs", facts)
