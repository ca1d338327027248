"""``orchestrator inventory``: list and check the organizations and how they are reached."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import ConfigurationError
from orchestrator.render.text import plural, table, wrapped
from orchestrator.render.verdict import file_facts, file_verdict

if TYPE_CHECKING:
    from orchestrator.core.inventory import Inventory, Organization


@click.group()
def command() -> None:
    """List or check the organizations and how they are reached.

    inventory.example.yaml explains every key of an inventory.
    """


@command.command("list")
@options.inventory
@options.limit
@options.output
@options.pass_terminal
def list_(terminal: Terminal, inventory: Path, limit: tuple[str, ...]) -> None:
    """List the organizations, or those that --limit means."""
    from orchestrator.core.selection import EVERYTHING  # noqa: PLC0415 - not for --help
    from orchestrator.loader import load_inventory  # noqa: PLC0415 - likewise

    known = load_inventory(inventory)
    chosen = known.select(limit or (EVERYTHING,))
    rows = [_row(each, known) for each in chosen]
    terminal.say(table(("NAME", "TITLE", "SERVERS", "AUTH", "TAGS AND GROUPS"), rows))
    terminal.document("inventory", {"organizations": [_facts(each, known) for each in chosen]})


def _row(organization: "Organization", inventory: "Inventory") -> tuple[str, ...]:
    first = organization.servers[0].name
    more = len(organization.servers) - 1
    return (
        organization.name,
        organization.title or "-",
        f"{first} and {more} more" if more else first,
        f"{organization.auth}{' over https' if organization.ssl else ''}",
        ", ".join((*organization.tags, *_groups(organization, inventory))) or "-",
    )


def _groups(organization: "Organization", inventory: "Inventory") -> tuple[str, ...]:
    return tuple(name for name, who in inventory.groups.items() if organization.name in who)


def _facts(organization: "Organization", inventory: "Inventory") -> dict[str, object]:
    return {
        "name": organization.name,
        "title": organization.title,
        "servers": organization.servers,
        "auth": organization.auth,
        "ssl": organization.ssl,
        "user": organization.user,
        "credential": str(organization.credential),
        "domain_controller": organization.domain_controller,
        "tags": organization.tags,
        "groups": _groups(organization, inventory),
        "variables": organization.variables,
        "protect": organization.protect,
        "windows": [window.text for window in organization.windows],
        "freezes": organization.freezes,
        "limits": organization.limits,
    }


@command.command()
@options.inventory
@options.output
@options.pass_terminal
def validate(terminal: Terminal, inventory: Path) -> ExitCode:
    """Check the inventory.

    You see what is wrong, where, and which word may have been meant. Nothing is connected
    to. The exit code is 2 if anything is wrong.
    """
    from orchestrator.loader import load_inventory  # noqa: PLC0415 - not for --help

    fault = None
    try:
        known = load_inventory(inventory)
        terminal.say(file_verdict(str(inventory), None, terminal.look))
        number = plural(len(known.organizations), "organization")
        groups = plural(len(known.groups), "group")
        terminal.say(wrapped(f"{number}, {groups}", indent=3))
    except ConfigurationError as error:
        fault = error
        terminal.say(file_verdict(str(inventory), fault, terminal.look))
    if terminal.json:
        terminal.document("validation", {"files": [file_facts(str(inventory), fault)]})
    return ExitCode.USAGE if fault else ExitCode.DONE


@command.command()
def schema() -> None:
    """Print the JSON Schema of inventory files, for editors.

    \b
    orchestrator inventory schema > inventory.schema.json
    and as the first line of the inventory:
    # yaml-language-server: $schema=inventory.schema.json
    """  # noqa: D301 - click wants the backspace itself
    from orchestrator.loader.inventory import inventory_schema  # noqa: PLC0415 - not for --help

    click.echo(json.dumps(inventory_schema(), indent=2))
