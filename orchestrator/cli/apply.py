"""``orchestrator apply``: carry out a plan that was made earlier."""

from pathlib import Path
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


@click.command()
@click.argument("plan", type=click.Path(path_type=Path))
@options.workplace
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
    plan: Path,
    yes: bool,
    mandate: "Mandate",
    whatif: bool,
    on_failure: str,
    limits: "Limits",
    pace: "Pace",
    patience: "timedelta | None",
    forks: int,
) -> ExitCode:
    """Carry out exactly the plan in a file, once.

    PLAN is what 'orchestrator plan --out' wrote. It is refused where it was edited, has expired,
    was used, or is for another organization; and where the organization is no longer what the
    plan rests on, with what was planned, what is wanted and what is so now.

    \b
    Example:
      orchestrator apply fix.plan --reason "Fabrikam mends its TLS" --ticket CHG-1
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.app.execution import preflight  # noqa: PLC0415 - not for --help
    from orchestrator.app.files import read_plans  # noqa: PLC0415 - likewise
    from orchestrator.app.planning import Planned, find_organization  # noqa: PLC0415 - likewise
    from orchestrator.cli import work  # noqa: PLC0415 - likewise
    from orchestrator.core.events import OnFailure  # noqa: PLC0415 - likewise

    read = [
        Planned(find_organization(workplace, each.organization.name), each)
        for each in read_plans(plan)
    ]
    planned = work.looked(terminal, workplace, read, lambda one: preflight(workplace, one), forks)
    with work.released(planned):
        how = work.How(mandate, OnFailure(on_failure), whatif, yes, forks, limits, pace, patience)
        return work.decide(terminal, workplace, "apply", planned, how)
