"""Options that several commands share, as decorators."""

import functools
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from orchestrator.cli.terminal import Terminal

if TYPE_CHECKING:
    from orchestrator.app.workplace import Workplace

F = TypeVar("F", bound=Callable[..., Any])

pass_terminal = click.make_pass_decorator(Terminal, ensure=True)
"""Hands a command its Terminal as the first argument."""


def _output(ctx: click.Context, parameter: click.Parameter, value: str) -> None:
    del parameter
    ctx.ensure_object(Terminal).json = value == "json"


def _no_color(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's shape of a callback
    del parameter
    if value:
        ctx.ensure_object(Terminal).color = False


def output(command: F) -> F:
    """Add ``--output`` and ``--no-color``; they set the Terminal and are not passed on."""
    kind = click.option(
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        is_eager=True,
        expose_value=False,
        callback=_output,
        help="Text for people, or one JSON document (docs/output.md).",
    )
    color = click.option(
        "--no-color",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_no_color,
        help="No colors, as with the environment variable NO_COLOR.",
    )
    return kind(color(command))


def inventory(command: F) -> F:
    """Add ``--inventory``, passed on as a Path that need not exist."""
    return click.option(
        "--inventory",
        "-i",
        type=click.Path(path_type=Path),
        default=Path("inventory.yaml"),
        envvar="ORCHESTRATOR_INVENTORY",
        show_envvar=True,
        show_default=True,
        help="The file that describes the organizations.",
    )(command)


def store(command: F) -> F:
    """Add ``--store``, passed on as text or None, for the place that is usual for the system."""
    return click.option(
        "--store",
        default=None,
        envvar="ORCHESTRATOR_STORE",
        show_envvar=True,
        help="The directory of the record of all runs; your state directory by default.",
    )(command)


def limit(command: F) -> F:
    """Add ``--limit``, passed on as a tuple of patterns."""
    return click.option(
        "--limit",
        "-l",
        multiple=True,
        metavar="PATTERN",
        help="Organizations, by name, group, tag:NAME, glob or 'all'; '!' takes away. May be "
        "given several times. Needed where the inventory has more than one.",
    )(command)


def forks(command: F) -> F:
    """Add ``--forks``."""
    return click.option(
        "--forks",
        type=click.IntRange(1, 200),
        default=10,
        show_default=True,
        help="How many organizations are worked on at the same time.",
    )(command)


def yes(command: F) -> F:
    """Add ``--yes``."""
    return click.option("--yes", "-y", is_flag=True, help="Do not ask; you have agreed.")(command)


def workplace(command: F) -> F:
    """Add ``--inventory`` and ``--store`` and pass on a Workplace of both, closed at the end.

    The inventory is loaded before the command begins; the store is opened when it is first used.
    """

    @functools.wraps(command)
    def with_workplace(*given: Any, inventory: Path, store: str | None, **others: Any) -> Any:
        ctx = click.get_current_context()
        place = open_workplace(inventory, store, ctx.command_path)
        ctx.call_on_close(place.close)
        ctx.ensure_object(Terminal).options = _repeated(ctx)
        return command(*given, workplace=place, **others)

    return inventory_and_store(with_workplace)  # type: ignore[return-value]  # options keep the callable's shape for click


def _repeated(ctx: click.Context) -> str:
    """Return those of ``--inventory`` and ``--store`` that were typed, to be typed again."""
    typed = [
        f" --{name} {shlex.quote(str(ctx.params[name]))}"
        for name in ("inventory", "store")
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    return "".join(typed)


def inventory_and_store(command: F) -> F:
    """Add ``--inventory`` and ``--store``."""
    return inventory(store(command))


def open_workplace(inventory: Path, store: str | None, command_path: str) -> "Workplace":
    """Return the workplace. Raises ConfigurationError for an inventory that cannot be used."""
    from orchestrator.app.workplace import Workplace, connect_psrp, default_store  # noqa: PLC0415 - not for --help
    from orchestrator.loader import load_inventory  # noqa: PLC0415 - likewise

    return Workplace(
        inventory=load_inventory(inventory),
        store_location=store or default_store(),
        connect=connect_psrp,
        command=command_path,
    )


def settings(command: F) -> F:
    """Add ``--set``, passed on as *given*, a tuple of ``name=value``."""
    return click.option(
        "--set",
        "given",
        multiple=True,
        metavar="NAME=VALUE",
        help="An input of the playbook; 'orchestrator playbook show NAME' lists them.",
    )(command)


def mandate(command: F) -> F:
    """Add why, by whose leave and until when, passed on as a Mandate of the current user."""

    @functools.wraps(command)
    def with_mandate(
        *given: Any, reason: str, ticket: str, approved_by: str, review_by: str, **others: Any
    ) -> Any:
        from orchestrator.app.workplace import utc_now  # noqa: PLC0415 - not for --help
        from orchestrator.cli.consent import review_date  # noqa: PLC0415 - likewise
        from orchestrator.core.events import Mandate  # noqa: PLC0415 - likewise

        until = review_date(review_by, utc_now().date())
        actor = others["workplace"].actor
        wanted = Mandate(actor, reason.strip(), ticket.strip(), approved_by.strip(), until)
        return command(*given, mandate=wanted, **others)

    for name, text in _MANDATE:
        with_mandate = click.option(f"--{name}", default="", help=text)(with_mandate)
    return with_mandate  # type: ignore[return-value]  # options keep the callable's shape for click


_MANDATE = (
    ("review-by", "The day (YYYY-MM-DD) on which somebody looks whether this is still needed."),
    ("approved-by", "Who agreed to it."),
    ("ticket", "The change or incident that it belongs to."),
    ("reason", "Why. Needed for what takes protection away."),
)


def execution(command: F) -> F:
    """Add ``--whatif`` and ``--on-failure``."""
    whatif = click.option(
        "--whatif",
        is_flag=True,
        help="Ask Exchange with -WhatIf before each change, for rights and binding.",
    )
    on_failure = click.option(
        "--on-failure",
        type=click.Choice(["hold", "rollback"]),
        default="hold",
        show_default=True,
        help="When a change fails: leave what was done, or undo it.",
    )
    return whatif(on_failure(command))
