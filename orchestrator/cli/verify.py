"""``orchestrator verify``: prove that a run does what it was for."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli import codes, options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal

if TYPE_CHECKING:
    from datetime import timedelta

    from orchestrator.app.workplace import Workplace


@click.command()
@click.argument("run")
@options.workplace
@options.waiting
@options.forks
@options.output
@options.pass_terminal
def command(
    terminal: Terminal,
    *,
    workplace: "Workplace",
    run: str,
    patience: "timedelta | None",
    forks: int,
) -> ExitCode:
    """Look whether a run does what it was for: on every server, and for the partner's mail.

    RUN is the id of a run, of a batch (all of its runs), a beginning of either, or 'last'. What is
    found is recorded with the run. Silence proves nothing before more than 15 minutes have passed;
    only an accepted message of the partner proves that its mail comes in. Waiting holds nothing:
    leave with Ctrl-C and look again whenever you like.

    \b
    Example:
      orchestrator verify last --wait
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.cli import again, proving, work  # noqa: PLC0415 - not for --help

    runs = again.recorded(workplace, run)
    done = proving.prove(terminal, workplace, runs, forks=forks, patience=patience)
    terminal.say(work.show_done(done, terminal.look))
    return again.conclude(terminal, "verify", runs, done, of=codes.of_proved)
