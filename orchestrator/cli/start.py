"""``orchestrator start``: lift the kill switch."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.terminal import Terminal

if TYPE_CHECKING:
    from orchestrator.app.workplace import Workplace


@click.command()
@options.workplace
@options.output
@options.pass_terminal
def command(terminal: Terminal, *, workplace: "Workplace") -> None:
    """Lift the kill switch that 'orchestrator stop' set, or somebody's touch.

    Nothing begins by itself: runs that were held back are taken up with 'orchestrator resume'.

    \b
    Example:
      orchestrator start
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.app import brakes  # noqa: PLC0415 - not for --help
    from orchestrator.render.text import wrapped  # noqa: PLC0415 - likewise

    path = brakes.switch(workplace)
    before = brakes.release(path)
    said = f"It is lifted; before, {before.reason}." if before else f"{path} was not set."
    terminal.say(wrapped(said, width=terminal.width))
    facts = {"file": str(path), "set": False, "reason": before.reason if before else ""}
    terminal.document("kill-switch", facts)
