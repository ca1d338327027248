"""``orchestrator run``: plan, show, ask, carry out."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal

if TYPE_CHECKING:
    from datetime import timedelta

    from orchestrator.app.fleet import Pace
    from orchestrator.app.workplace import Workplace
    from orchestrator.core.events import Mandate
    from orchestrator.core.limits import Limits

_WHATIF = "Leave --whatif away, or --dry-run: with --whatif Exchange is asked after your agreement."
_LETTER = "Write it with: orchestrator contact-partner {} --reply-to ADDRESS --telephone NUMBER"


@click.command()
@click.argument("playbook")
@options.settings
@options.incident
@options.workplace
@options.limit
@click.option("--dry-run", is_flag=True, help="Only show what would change; nothing is written.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="With --dry-run: exit with 3 where changes are pending.",
)
@options.yes
@options.mandate
@options.execution
@options.limits
@options.pace
@options.waiting
@options.forks
@options.output
@options.pass_terminal
def command(  # noqa: PLR0913 - a command's options are its arguments
    terminal: Terminal,
    *,
    workplace: "Workplace",
    playbook: str,
    given: tuple[str, ...],
    incident: str | None,
    limit: tuple[str, ...],
    dry_run: bool,
    detailed_exitcode: bool,
    yes: bool,
    mandate: "Mandate",
    whatif: bool,
    on_failure: str,
    limits: "Limits",
    pace: "Pace",
    patience: "timedelta | None",
    forks: int,
) -> ExitCode:
    """Plan a remediation, show it, and carry it out if you agree.

    PLAYBOOK is a name ('orchestrator playbook list') or a file that ends in .yaml. You see what
    was found, each change with the command for it and for its undo, and what follows from it.
    Then you are asked; no is the default. Changes are made one at a time, and each is read back.
    Of several organizations one is done first, then two, then four, until one fails.

    \b
    Look first:
      orchestrator run remove-domain-security --set domain=fabrikam.com --dry-run
    Then do it:
      orchestrator run remove-domain-security --set domain=fabrikam.com \\
        --reason "Fabrikam mends its TLS" --ticket CHG-1 --review-by 2027-01-31
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.cli import cause, consent, work  # noqa: PLC0415 - not for --help
    from orchestrator.core.errors import UsageError  # noqa: PLC0415 - likewise
    from orchestrator.core.events import OnFailure  # noqa: PLC0415 - likewise
    from orchestrator.loader import find_playbook, load_playbook  # noqa: PLC0415 - likewise

    if playbook == "contact-partner":
        partner = work.parse_settings(given).get("domain", "DOMAIN")
        raise UsageError(
            "a letter changes nothing in Exchange: it is no playbook", _LETTER.format(partner)
        )
    if detailed_exitcode and not dry_run:
        raise UsageError("--detailed-exitcode is for --dry-run", "Add --dry-run.")
    if whatif and dry_run:
        raise UsageError("some cmdlets ignore -WhatIf and write: a dry run never asks it", _WHATIF)
    wanted = work.Wanted(load_playbook(find_playbook(playbook)), work.parse_settings(given))
    wanted, limit = cause.because(workplace, incident, wanted, limit)
    planned = work.plan_all(terminal, workplace, limit, wanted, forks)
    with work.released(planned):
        ready = consent.changing(planned)
        if dry_run or not ready:
            terminal.say(consent.show_all(planned, terminal.look))
            excess = work.capped(terminal, workplace, planned, limits)
            terminal.say(
                work.sentence("This was a dry run: nothing was written.") if dry_run else ()
            )
            pending = detailed_exitcode
            return work.conclude(
                terminal, "run", planned, [], limits=excess, dry_run=dry_run, pending=pending
            )
        how = work.How(mandate, OnFailure(on_failure), whatif, yes, forks, limits, pace, patience)
        return work.decide(terminal, workplace, "run", planned, how)
