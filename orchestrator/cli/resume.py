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
    from orchestrator.core.letter import Correspondence
    from orchestrator.core.run import Run


@click.command()
@click.argument("run")
@options.workplace
@click.option(
    "--not-arrived",
    default="",
    metavar="REASON",
    help="Of a letter in doubt: how you know that it did not arrive. It is sent again.",
)
@options.yes
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
    not_arrived: str,
    yes: bool,
    break_glass: str | None,
    pace: "Pace",
    forks: int,
) -> ExitCode:
    """Take up a run where it was left: by a crash, a lost connection, Ctrl-C, or a failure.

    RUN is the id of a run, of a batch (all of its runs), a beginning of either, or 'last'. A
    change whose effect is not known is looked at first; nothing is ever sent twice blindly.
    Rollbacks are taken up first, and all at once. A letter, by its id, is shown and sent if you
    agree; one that may have arrived is sent again only with --not-arrived.

    \b
    Example:
      orchestrator resume last
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.app.execution import resume  # noqa: PLC0415 - not for --help
    from orchestrator.cli import again, work  # noqa: PLC0415 - likewise
    from orchestrator.core.errors import UsageError  # noqa: PLC0415 - likewise
    from orchestrator.core.events import Outcome  # noqa: PLC0415 - likewise
    from orchestrator.render.run import show_run  # noqa: PLC0415 - likewise

    if (known := _letter(workplace, run)) is not None:
        return _send(terminal, workplace, known, not_arrived.strip(), yes=yes)
    if not_arrived:
        raise UsageError("--not-arrived is for letters", "'orchestrator runs list' names them.")
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


def _letter(workplace: "Workplace", name: str) -> "Correspondence | None":
    from orchestrator.app import letters  # noqa: PLC0415 - not for --help
    from orchestrator.cli.archive import opened  # noqa: PLC0415 - likewise

    with opened(workplace.store_location) as store:
        found = letters.find(store, name)
        return letters.load(store, found[0]) if len(found) == 1 else None


def _send(
    terminal: Terminal,
    workplace: "Workplace",
    known: "Correspondence",
    not_arrived: str,
    *,
    yes: bool,
) -> ExitCode:
    from orchestrator.cli.consent import agree  # noqa: PLC0415 - not for --help
    from orchestrator.cli.contact_partner import deliver  # noqa: PLC0415 - likewise
    from orchestrator.core.letter import Standing, ensure_sendable  # noqa: PLC0415 - likewise
    from orchestrator.render.correspondence import letter_facts, show_letter, show_words  # noqa: PLC0415 - likewise
    from orchestrator.render.letter import text_form  # noqa: PLC0415 - likewise

    code = ExitCode.DONE
    if not (not_arrived and known.standing is Standing.IN_DOUBT):
        ensure_sendable(known)
    terminal.tell(show_words(text_form(known.letter)))
    if agree(terminal, f"Send this letter to {known.letter.to}?", yes=yes):
        known, code = deliver(terminal, workplace, known, not_arrived)
    terminal.say(show_letter(known, terminal.look))
    terminal.document("resume", {"letter": letter_facts(known), "exit_code": int(code)})
    return code
