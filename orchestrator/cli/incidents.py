"""``orchestrator incidents``: what servers logged about each partner, until it is dealt with."""

import click

from orchestrator.cli import options
from orchestrator.cli.terminal import Terminal


@click.group()
def command() -> None:
    """List, show, annotate or close incidents: what was logged about one partner's domain."""


@command.command("list")
@options.store
@click.option("--all", "everything", is_flag=True, help="Those that are closed, too.")
@options.output
@options.pass_terminal
def listing(terminal: Terminal, *, store: str | None, everything: bool) -> None:
    """List the open incidents, oldest first."""
    from orchestrator.app import incidents  # noqa: PLC0415 - not for --help
    from orchestrator.cli.archive import opened  # noqa: PLC0415 - likewise
    from orchestrator.render.incidents import incident_facts, list_incidents  # noqa: PLC0415 - likewise

    with opened(store) as archive:
        found = [one for one in incidents.every(archive) if everything or not one.closed]
    terminal.say(list_incidents(found, terminal.look))
    terminal.document("incidents", {"incidents": list(map(incident_facts, found))})


@command.command()
@click.argument("incident")
@options.store
@options.output
@options.pass_terminal
def show(terminal: Terminal, *, store: str | None, incident: str) -> None:
    """Show everything that is known of INCIDENT, an id or a domain."""
    from orchestrator.app import incidents  # noqa: PLC0415 - not for --help
    from orchestrator.cli.archive import opened  # noqa: PLC0415 - likewise
    from orchestrator.render.incidents import incident_facts, show_incident  # noqa: PLC0415 - likewise

    with opened(store) as archive:
        found = incidents.find(archive, incident)
    terminal.say(show_incident(found, terminal.look))
    terminal.document("incidents", {"incidents": [incident_facts(found)]})


@command.command()
@click.argument("incident")
@click.option("--reason", required=True, help="Why it is over.")
@options.workplace
@options.output
@options.pass_terminal
def close(terminal: Terminal, *, workplace: options.Place, incident: str, reason: str) -> None:
    """Say that INCIDENT is over; an event that comes later opens another one."""
    from orchestrator.app import incidents  # noqa: PLC0415 - not for --help
    from orchestrator.render.text import Line  # noqa: PLC0415 - likewise

    found = incidents.find(workplace.store, incident)
    incidents.close(workplace, found, reason)
    terminal.say([Line(f"{found.id} is closed.")])
    terminal.document("incident", {"id": found.id, "closed": reason})


@command.command()
@click.argument("incident")
@click.argument("word")
@options.workplace
@options.output
@options.pass_terminal
def note(terminal: Terminal, *, workplace: options.Place, incident: str, word: str) -> None:
    """Record what you did by hand about INCIDENT, as on an Edge server: your WORD for it.

    \b
    orchestrator incidents note contoso-fabrikam.com-1 "Disabled From Fabrikam on EDGE01"
    """  # noqa: D301 - click wants the backspace itself
    from orchestrator.app import incidents  # noqa: PLC0415 - not for --help
    from orchestrator.core.errors import UsageError  # noqa: PLC0415 - likewise
    from orchestrator.render.text import Line  # noqa: PLC0415 - likewise

    if not word.strip() or not word.isprintable():
        raise UsageError("the note is empty, or has characters that cannot be printed")
    found = incidents.find(workplace.store, incident)
    incidents.note(workplace, found, word)
    terminal.say([Line(f"Noted for {found.id}, as the word of {workplace.actor}.")])
    terminal.document("incident", {"id": found.id, "note": word})
