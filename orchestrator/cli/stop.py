"""``orchestrator stop``: set the kill switch."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.terminal import Terminal

if TYPE_CHECKING:
    from orchestrator.app.workplace import Workplace


@click.command()
@click.argument("reason")
@options.workplace
@options.output
@options.pass_terminal
def command(terminal: Terminal, *, workplace: "Workplace", reason: str) -> None:
    """Set the kill switch: nothing is sent any more, by anybody, until 'orchestrator start'.

    Every run looks at it right before each change and each undo. A run that meets it stops there,
    with nothing in doubt, and can be resumed. It is a file: 'kill_switch' in the inventory names
    it, and whoever can make that file can stop.

    \b
    Example:
      orchestrator stop "Mail from Fabrikam still bounces"
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.app import brakes  # noqa: PLC0415 - not for --help
    from orchestrator.render.text import Tone, wrapped  # noqa: PLC0415 - likewise

    path = brakes.switch(workplace)
    brakes.press(path, reason, workplace.actor, workplace.clock())
    said = f"Nothing is sent any more while {path} exists. 'orchestrator start' lifts it."
    terminal.say(wrapped(said, Tone.WARNING, width=terminal.width))
    terminal.document("kill-switch", {"file": str(path), "set": True, "reason": reason})
