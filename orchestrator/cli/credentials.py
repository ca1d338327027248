"""``orchestrator credentials``: passwords in the keyring, which inventories refer to by name."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import CredentialError, UsageError
from orchestrator.render.text import Lines, wrapped
from orchestrator.render.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.core.inventory import Organization

_KEYRING = "keyring:"


@click.group()
def command() -> None:
    """Keep passwords in the keyring of the operating system.

    An inventory says 'credential: keyring:NAME'; the password itself is written nowhere else.
    Where there is no keyring, 'env:VARIABLE' and 'file:PATH' refer to a password, too.
    """


@command.command("set")
@click.argument("name")
@click.option("--stdin", is_flag=True, help="Read the password from standard input, one line.")
@options.output
@options.pass_terminal
def set_(terminal: Terminal, name: str, *, stdin: bool) -> None:
    """Store a password; it is asked for and not shown.

    NAME is what an inventory says after 'keyring:'.
    """
    from orchestrator import credentials  # noqa: PLC0415 - not for --help

    entry = _entry(name)
    credentials.store(entry, _line() if stdin else _typed(terminal, entry))
    terminal.say(wrapped(f"Stored. In an inventory: 'credential: {_KEYRING}{entry}'."))
    terminal.document("credential", {"name": entry, "stored": True})


def _entry(name: str) -> str:
    """Return the entry's name, also where it was typed as an inventory writes it."""
    entry = name.removeprefix(_KEYRING)
    if not entry.strip() or not entry.isprintable():
        raise UsageError("an entry of the keyring needs a name", "As in 'contoso-ops'.")
    return entry


def _line() -> str:
    return sys.stdin.readline().removesuffix("\n").removesuffix("\r")


def _typed(terminal: Terminal, entry: str) -> str:
    if not terminal.interactive:
        raise UsageError(
            "nobody can be asked for the password: standard input is not a terminal",
            "Add --stdin to read it from there.",
        )
    question = f"Password for {entry}"
    return str(click.prompt(question, hide_input=True, confirmation_prompt=True, err=True))


@command.command()
@click.argument("name")
@options.output
@options.pass_terminal
def delete(terminal: Terminal, name: str) -> None:
    """Take a password out of the keyring."""
    from orchestrator import credentials  # noqa: PLC0415 - not for --help

    entry = _entry(name)
    credentials.delete(entry)
    terminal.say(wrapped(f"{entry} is no longer in the keyring."))
    terminal.document("credential", {"name": entry, "stored": False})


@command.command("list")
@options.inventory
@options.limit
@options.output
@options.pass_terminal
def list_(terminal: Terminal, inventory: Path, limit: tuple[str, ...]) -> ExitCode:
    """List what the inventory refers to, if it is there.

    Every password is fetched and forgotten; none is shown. The exit code is 8 if one is missing.
    """
    from orchestrator.core.selection import EVERYTHING  # noqa: PLC0415 - not for --help
    from orchestrator.loader import load_inventory  # noqa: PLC0415 - likewise

    chosen = load_inventory(inventory).select(limit or (EVERYTHING,))
    found = [(reference, who, _missing(who[0])) for reference, who in _references(chosen)]
    for reference, who, missing in found:
        terminal.say(_row(terminal, reference, who, missing))
    rows = [
        {
            "credential": reference,
            "organizations": [each.name for each in who],
            "there": missing is None,
            "missing": missing and missing.message,
        }
        for reference, who, missing in found
    ]
    terminal.document("credentials", {"credentials": rows})
    return ExitCode.NO_CONTACT if any(missing for *_, missing in found) else ExitCode.DONE


def _references(
    organizations: "Iterable[Organization]",
) -> "list[tuple[str, list[Organization]]]":
    """Return every reference with the organizations that use it, in the order of these."""
    by_reference: dict[str, list[Organization]] = {}
    for each in organizations:
        by_reference.setdefault(str(each.credential), []).append(each)
    return list(by_reference.items())


def _missing(organization: "Organization") -> CredentialError | None:
    """Return why the secret cannot be had, or None; it is fetched, and forgotten."""
    from orchestrator.credentials import secret  # noqa: PLC0415 - not for --help

    try:
        secret(organization.credential, organization.user)()
    except CredentialError as error:
        return error
    return None


def _row(
    terminal: Terminal,
    reference: str,
    who: "list[Organization]",
    missing: CredentialError | None,
) -> Lines:
    names = ", ".join(each.name for each in who)
    yield from verdict(f"{reference} ({names})", terminal.look, holds=missing is None)
    if missing is not None:
        yield from wrapped(f"{missing.message}.", indent=3, width=terminal.width)
        yield from wrapped(missing.advice, indent=3, width=terminal.width)
