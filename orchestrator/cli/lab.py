"""``orchestrator lab``: a simulated Exchange organization to try things on."""

import os
import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from orchestrator.cli.options import output, pass_terminal
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import UsageError
from orchestrator.render.text import BLANK, Line, Lines, Tone, command_line, table, wrapped

if TYPE_CHECKING:
    from orchestrator.lab import Lab

VARIABLE = "ORCHESTRATOR_LAB_PASSWORD"
"""The environment variable in which the lab's inventories look for its public password."""

_MARK = "# A lab's inventory, written by 'orchestrator lab up'.\n"
_TICK = 0.5


@click.group()
def command() -> None:
    """Run a simulated Exchange organization on this machine.

    It speaks the real protocols on loopback, so that everything else here can be tried on it.
    """


@command.command()
@output
@pass_terminal
def scenarios(terminal: Terminal) -> None:
    """List the organizations that can be simulated."""
    from orchestrator.lab import scenarios as known  # noqa: PLC0415 - not for --help

    found = known()
    terminal.say(table(("SCENARIO", "WHAT IT IS"), list(found.items())))
    rows = [{"name": name, "title": title} for name, title in found.items()]
    terminal.document("scenarios", {"scenarios": rows})


@command.command()
@click.argument("scenario", default="default")
@click.option(
    "--port",
    type=click.IntRange(0, 65000),
    default=0,
    help="The first server's port; the others count up. Any free ones by default.",
)
@click.option(
    "--auth",
    type=click.Choice(["ntlm", "negotiate", "basic"]),
    default="ntlm",
    show_default=True,
    help="What the inventory says; the servers take all of them.",
)
@click.option(
    "--write-inventory",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("lab.yaml"),
    show_default=True,
    help="Where to write an inventory of it; a file that is no lab's is not overwritten.",
)
@output
@pass_terminal
def up(terminal: Terminal, scenario: str, port: int, auth: str, write_inventory: Path) -> None:
    """Simulate an organization until Ctrl-C.

    You see how to use it from another terminal. SCENARIO is a name from 'orchestrator
    lab scenarios' or a file like those.
    """
    from orchestrator.lab import Lab, Options, load_scenario  # noqa: PLC0415 - not for --help

    lab = Lab(load_scenario(scenario), options=Options(port=port))
    try:
        lab.start()
    except OSError as error:
        lab.stop()
        raise UsageError(
            f"port {port} or one after it cannot be had: {error.strerror}",
            "Name another one with --port, or none for any that is free.",
        ) from error
    with _until_interrupted(lab):
        _write(write_inventory, lab.inventory_text(auth=auth, credential=f"env:{VARIABLE}"))
        _announce(terminal, lab, write_inventory)
        # Windows delivers no Ctrl-C to a thread that waits without an end.
        while not threading.Event().wait(_TICK):
            pass
    terminal.tell(wrapped("The lab has stopped; its organization is gone."))


@contextmanager
def _until_interrupted(lab: "Lab") -> Iterator[None]:
    """End with Ctrl-C, or with being asked to end as a service is; the lab ends in any case."""
    before = signal.signal(signal.SIGTERM, _interrupted)
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)
        lab.stop()


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _write(file: Path, text: str) -> None:
    """Write an inventory, in place of nothing or of another lab's. Raises UsageError."""
    try:
        if file.exists() and not file.read_text(encoding="utf-8").startswith(_MARK):
            raise UsageError(
                f"{file} is there already and was not written by a lab",
                "Name another file with --write-inventory.",
            )
        file.write_text(_MARK + text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(
            f"the inventory cannot be written to {file}: {reason}",
            "Name another file with --write-inventory.",
        ) from error


def _announce(terminal: Terminal, lab: "Lab", inventory: Path) -> None:
    terminal.say(_instructions(lab, inventory, terminal.width))
    servers = [{"name": each.name, "port": each.port} for each in lab.servers]
    terminal.document(
        "lab",
        {
            "scenario": lab.scenario.title,
            "servers": servers,
            "accounts": [each.name for each in lab.scenario.users],
            "inventory": str(inventory),
            "environment": {VARIABLE: lab.scenario.users[0].password},
        },
    )


def _instructions(lab: "Lab", inventory: Path, width: int) -> Lines:
    scenario = lab.scenario
    yield Line(scenario.title, Tone.HEADING)
    yield from wrapped(scenario.description, width=width)
    yield BLANK
    for server in lab.servers:
        yield Line(f"  {server.name} listens on 127.0.0.1:{server.port}")
    domain = next(iter(scenario.receive_list), "fabrikam.com")
    look = f"run remove-domain-security --set domain={domain} --dry-run"
    yield BLANK
    yield from wrapped("In another terminal (the password is the lab's, and public):")
    yield command_line(export(VARIABLE, scenario.users[0].password), indent=2)
    yield command_line(f"orchestrator {look} --inventory {_quoted(inventory)}", indent=2)
    yield BLANK
    yield from wrapped("Ctrl-C stops it; nothing of it stays.", Tone.QUIET)


def _quoted(path: Path) -> str:
    return f'"{path}"' if os.name == "nt" else shlex.quote(str(path))


def export(variable: str, value: str) -> str:
    """Return the line that sets an environment variable in this system's usual shell."""
    if os.name == "nt":
        return f"$env:{variable} = '{value}'"
    return f"export {variable}={shlex.quote(value)}"
