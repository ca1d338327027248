"""``orchestrator resume``: take up a run where it was left."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal

if TYPE_CHECKING:
    from orchestrator.app.execution import Done, Listener
    from orchestrator.app.fleet import Pace
    from orchestrator.app.workplace import Workplace
    from orchestrator.core.run import Run


@click.command()
@click.argument("run")
@options.workplace
@options.glass
@options.pace
@options.forks
@options.output
@options.pass_terminal
def command(  # noqa: PLR0913 - a command's options are its arguments
    terminal: Terminal,
    *,
    workplace: "Workplace",
    run: str,
    break_glass: str | None,
    pace: "Pace",
    forks: int,
) -> ExitCode:
    """Take up a run where it was left: by a crash, a lost connection, Ctrl-C, or a failure.

    RUN is the id of a run, of a batch (all of its runs), a beginning of either, or 'last'. A
    change whose effect is not known is looked at first; nothing is ever sent twice blindly.
    Rollbacks are taken up first, and all at once.

    \b
    Example:
      orchestrator resume last
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.app.execution import resume  # noqa: PLC0415 - not for --help
    from orchestrator.cli import again, work  # noqa: PLC0415 - likewise
    from orchestrator.core.events import Outcome  # noqa: PLC0415 - likewise
    from orchestrator.render.run import show_run  # noqa: PLC0415 - likewise

    runs = again.recorded(workplace, run)
    over = {Outcome.SUCCEEDED, Outcome.ROLLED_BACK}
    ready = [each for each in runs if each.outcome not in over]
    if not ready:
        for each in runs:
            terminal.say(show_run(each, terminal.look))
        terminal.say(work.sentence("There is nothing to resume."))
        return again.conclude(terminal, "resume", runs, [])

    def take_up(one: "Run", listener: "Listener") -> "Done":
        return resume(workplace, one.id, listener, break_glass or "")

    back = [each for each in ready if each.rolling_back]
    forth = [each for each in ready if not each.rolling_back]
    done = again.go_on(terminal, workplace, back, take_up, forks=forks) if back else []
    if forth:
        done += again.go_on(terminal, workplace, forth, take_up, forks=forks, pace=pace)
    return again.conclude(terminal, "resume", [*back, *forth], done)
