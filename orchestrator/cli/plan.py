"""``orchestrator plan``: make a plan for later, or for somebody else to look at."""

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.app.workplace import Workplace
    from orchestrator.core.limits import Limits

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=7)


@click.command()
@click.argument("playbook")
@options.settings
@options.incident
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file to write; one that is there already is replaced.",
)
@click.option(
    "--expires",
    default="8h",
    show_default=True,
    metavar="TIME",
    help="How long the plan may be applied, as 30m, 8h or 2d; 7d at most.",
)
@options.workplace
@options.limit
@options.limits
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
    out: Path,
    expires: str,
    limit: tuple[str, ...],
    limits: "Limits",
    forks: int,
) -> ExitCode:
    """Make a plan and keep it in a file; nothing is changed.

    'orchestrator apply' carries out exactly this plan, once, before it expires, and only if
    what it rests on is still so.

    \b
    Example:
      orchestrator plan remove-domain-security --set domain=fabrikam.com --out fix.plan
      orchestrator apply fix.plan --reason "Fabrikam mends its TLS"
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.app.files import write_plans  # noqa: PLC0415 - not for --help
    from orchestrator.cli import cause, consent, work  # noqa: PLC0415 - likewise
    from orchestrator.loader import find_playbook, load_playbook  # noqa: PLC0415 - likewise

    life = duration(expires)
    loaded = load_playbook(find_playbook(playbook))
    wanted = work.Wanted(loaded, work.parse_settings(given), life)
    wanted, limit = cause.because(workplace, incident, wanted, limit)
    planned = work.plan_all(terminal, workplace, limit, wanted, forks)
    with work.released(planned):
        terminal.say(consent.show_all(planned, terminal.look))
        excess = work.capped(terminal, workplace, planned, limits)
        ready = () if excess else consent.changing(planned)
        plans = [each.plan for each in ready if each.plan is not None]
        if plans:
            write_plans(out, plans)
            text = f"The plan is in {out}. To carry it out: orchestrator apply {out}"
        else:
            text = "There is nothing to carry out: no file was written."
        terminal.say(work.sentence(text))
        file = str(out) if plans else None
        return work.conclude(terminal, "plan", planned, [], limits=excess, file=file)


def duration(text: str, option: str = "--expires") -> timedelta:
    """Return ``30m``, ``8h`` or ``2d`` as a time. Raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,4})([mhd])", text.strip())
    life = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < life <= _LONGEST:
        raise UsageError(f"'{text}' is no time for {option}", "Write 30m, 8h or 2d; 7d at most.")
    return life
