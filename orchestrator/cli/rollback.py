"""``orchestrator rollback``: undo what a run changed."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal

if TYPE_CHECKING:
    from orchestrator.app.workplace import Workplace


@click.command()
@click.argument("run")
@options.workplace
@click.option("--reason", default="", help="Why, for the record.")
@click.option(
    "--in-doubt", is_flag=True, help="Undo also what was found done, whoever may have done it."
)
@click.option("--dry-run", is_flag=True, help="Only show what would be undone.")
@options.yes
@options.forks
@options.output
@options.pass_terminal
def command(  # noqa: PLR0913 - a command's options are its arguments
    terminal: Terminal,
    *,
    workplace: "Workplace",
    run: str,
    reason: str,
    in_doubt: bool,
    dry_run: bool,
    yes: bool,
    forks: int,
) -> ExitCode:
    """Undo what a run changed, last change first, where it is still as the run left it.

    RUN is the id of a run, of a batch (all of its runs), a beginning of either, or 'last'. What
    somebody else changed since is left alone, and said.

    \b
    Example:
      orchestrator rollback last
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.app.execution import roll_back  # noqa: PLC0415 - not for --help
    from orchestrator.cli import again, consent, work  # noqa: PLC0415 - likewise
    from orchestrator.core.run import Status  # noqa: PLC0415 - likewise
    from orchestrator.render.run import show_undo, undoes  # noqa: PLC0415 - likewise
    from orchestrator.render.text import plural  # noqa: PLC0415 - likewise

    runs = again.recorded(workplace, run)
    ready = [each for each in runs if any(undoes(one, in_doubt=in_doubt) for one in each.statuses)]
    show = terminal.say if yes or dry_run or not ready else terminal.tell
    for each in runs:
        show(show_undo(each, terminal.look, in_doubt=in_doubt))
    if dry_run or not ready:
        left = not ready and any(Status.FOUND_DONE in each.statuses for each in runs)
        terminal.say(work.sentence(_nothing(ready=bool(ready), left=left)))
        code = again.conclude(terminal, "rollback", runs, [])
        return ExitCode.FAILED if left and not dry_run else code
    question = f"Undo this in {plural(len(ready), 'organization')}?"
    if not consent.agree(terminal, question, yes=yes):
        terminal.tell(work.sentence(consent.NOTHING_CHANGED))
        return again.conclude(terminal, "rollback", runs, [])
    done = again.go_on(
        terminal,
        workplace,
        ready,
        lambda one, listener: roll_back(
            workplace, one.id, listener, reason=reason, in_doubt=in_doubt
        ),
        forks=forks,
    )
    return again.conclude(terminal, "rollback", ready, done)


def _nothing(*, ready: bool, left: bool) -> str:
    if ready:
        return "This was a dry run: nothing was undone."
    return "Nothing was undone." if left else "There is nothing to undo."
