"""``orchestrator runs``: what was done, when, by whom, with which commands."""

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def _chosen(store: str | None, organization: str, since: str) -> "list[Run]":
    from orchestrator.app import records  # noqa: PLC0415 - not for --help
    from orchestrator.cli.archive import opened  # noqa: PLC0415 - likewise

    begin = _beginning(since)
    with opened(store) as archive:
        return [
            run
            for run in records.all_runs(archive)
            if run.started >= begin and organization in {"", run.plan.organization.name}
        ]


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
    from orchestrator.render.facts import run_facts  # noqa: PLC0415 - not for --help
    from orchestrator.render.sheet import list_runs  # noqa: PLC0415 - likewise

    runs = _chosen(store, organization, since)
    terminal.say(list_runs(runs))
    terminal.document("runs", {"runs": [run_facts(run) for run in runs]})


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
    from orchestrator.app import records  # noqa: PLC0415 - not for --help
    from orchestrator.cli.archive import opened  # noqa: PLC0415 - likewise
    from orchestrator.core.run import rebuild  # noqa: PLC0415 - likewise
    from orchestrator.render.facts import event_facts, run_facts  # noqa: PLC0415 - likewise
    from orchestrator.render.history import show_history  # noqa: PLC0415 - likewise

    with opened(store) as archive:
        histories = [records.events_of(archive, name) for name in records.find(archive, run)]
    found = []
    for events in histories:
        stands = rebuild(events)
        terminal.say(show_history(stands, events, terminal.look))
        found.append({**run_facts(stands), "events": [event_facts(event) for event in events]})
    terminal.document("runs", {"runs": found})


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
    runs = _chosen(store, organization, since)
    if form == "json":
        _export_json(terminal, runs)
    else:
        from orchestrator.render.sheet import csv_lines  # noqa: PLC0415 - not for --help

        terminal.raw("".join(csv_lines(runs)))


def _export_json(terminal: Terminal, runs: "Sequence[Run]") -> None:
    from orchestrator.render.facts import run_facts  # noqa: PLC0415 - not for --help

    terminal.json = True
    terminal.document("runs", {"runs": [run_facts(run) for run in runs]})
