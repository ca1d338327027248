"""Options that several commands share, as decorators."""

import functools
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click
from click.core import ParameterSource

from orchestrator.cli.terminal import Terminal

if TYPE_CHECKING:
    from orchestrator.app.workplace import Workplace

F = TypeVar("F", bound=Callable[..., Any])

Place: TypeAlias = "Workplace"
"""What ``workplace`` passes on, for annotations."""

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


def incident(command: F) -> F:
    """Add ``--incident``, passed on as an id, a domain, or None."""
    return click.option(
        "--incident",
        default=None,
        metavar="ID",
        help="An incident that says organization and inputs; 'orchestrator incidents list'.",
    )(command)


def mandate(command: F) -> F:
    """Add why, by whose leave and until when, passed on as a Mandate of the current user."""

    @functools.wraps(command)
    def with_mandate(
        *given: Any,
        reason: str,
        ticket: str,
        approved_by: str,
        review_by: str,
        break_glass: str | None,
        **others: Any,
    ) -> Any:
        from msgspec import UNSET  # noqa: PLC0415 - not for --help

        from orchestrator.app.workplace import utc_now  # noqa: PLC0415 - not for --help
        from orchestrator.cli.consent import review_date  # noqa: PLC0415 - likewise
        from orchestrator.core.events import Mandate  # noqa: PLC0415 - likewise

        until = review_date(review_by, utc_now().date())
        actor = others["workplace"].actor
        wanted = Mandate(
            actor,
            reason.strip(),
            ticket.strip(),
            approved_by.strip(),
            until,
            break_glass or UNSET,
        )
        return command(*given, mandate=wanted, **others)

    for name, text in _MANDATE:
        with_mandate = click.option(f"--{name}", default="", help=text)(with_mandate)
    return glass(with_mandate)  # type: ignore[return-value]  # options keep the callable's shape for click


_MANDATE = (
    ("review-by", "The day (YYYY-MM-DD) on which somebody looks whether this is still needed."),
    ("approved-by", "Who agreed to it."),
    ("ticket", "The change or incident that it belongs to."),
    ("reason", "Why. Needed for what takes protection away."),
)


def _words(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise click.BadParameter("it needs a reason, for the record", ctx, parameter)
    return value and value.strip()


def glass(command: F) -> F:
    """Add ``--break-glass``, passed on as the reason or None."""
    return click.option(
        "--break-glass",
        default=None,
        metavar="REASON",
        callback=_words,
        help="Go on outside of a maintenance window or in a freeze. Recorded and shown.",
    )(command)


def limits(command: F) -> F:
    """Add ``--max-changes``, ``--max-organizations``, ``--max-connectors`` as *limits*."""

    @functools.wraps(command)
    def with_limits(*given: Any, **others: Any) -> Any:
        from msgspec import UNSET  # noqa: PLC0415 - not for --help

        from orchestrator.core.limits import COUNTED, Limits  # noqa: PLC0415 - likewise

        said = {name: others.pop(f"max_{name}") for name in COUNTED}
        found = {name: UNSET if value is None else value for name, value in said.items()}
        return command(*given, limits=Limits(**found), **others)

    for name in ("connectors", "organizations", "changes"):
        with_limits = click.option(
            f"--max-{name}",
            type=click.IntRange(1, 1_000_000),
            default=None,
            help=f"Refuse if more {name} are planned; instead of what playbook and inventory say.",
        )(with_limits)
    return with_limits  # type: ignore[return-value]  # options keep the callable's shape for click


def pace(command: F) -> F:
    """Add ``--max-failures`` and ``--no-ramp``, passed on as a Pace."""

    @functools.wraps(command)
    def with_pace(*given: Any, max_failures: int, no_ramp: bool, **others: Any) -> Any:
        from orchestrator.app.fleet import Pace  # noqa: PLC0415 - not for --help

        return command(*given, pace=Pace(max_failures, not no_ramp), **others)

    failures = click.option(
        "--max-failures",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="How many organizations may fail before nothing new is begun.",
    )
    ramp = click.option(
        "--no-ramp",
        is_flag=True,
        help="Begin with all organizations at once, not with one, then two, then four.",
    )
    return failures(ramp(with_pace))  # type: ignore[return-value]  # options keep the callable's shape for click


def waiting(command: F) -> F:
    """Add ``--wait`` and ``--timeout``, passed on as *patience*: how long to wait, or None."""

    @functools.wraps(command)
    def with_patience(*given: Any, wait: bool, timeout: str, **others: Any) -> Any:
        from orchestrator.cli.plan import duration  # noqa: PLC0415 - not for --help

        return command(*given, patience=duration(timeout, "--timeout") if wait else None, **others)

    wait = click.option("--wait", is_flag=True, help="Wait until no proof is pending any more.")
    timeout = click.option(
        "--timeout",
        default="1h",
        show_default=True,
        metavar="TIME",
        help="With --wait: how long, as in 30m, 4h or 1d.",
    )
    return wait(timeout(with_patience))  # type: ignore[return-value]  # options keep the callable's shape for click


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
