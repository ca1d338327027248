"""Runs proved, side by side: what verify and run --wait have in common."""

from collections.abc import Sequence
from datetime import timedelta

from orchestrator.app.batch import side_by_side
from orchestrator.app.execution import Done
from orchestrator.app.verification import verify, wait
from orchestrator.app.workplace import Workplace
from orchestrator.cli.progress import Progress
from orchestrator.cli.terminal import Terminal
from orchestrator.core.run import Run


def prove(
    terminal: Terminal,
    workplace: Workplace,
    runs: Sequence[Run],
    *,
    forks: int,
    patience: timedelta | None,
) -> list[Done]:
    """Look at every run once; with *patience*, for that long or until nothing is pending."""
    with Progress(terminal, [run.plan.organization.name for run in runs]) as progress:

        def look(run: Run) -> Done:
            if patience is None:
                return verify(workplace, run.id, progress.listen)
            return wait(workplace, run.id, progress.listen, patience)

        return side_by_side(workplace, runs, look, forks=forks, on_interrupt=progress.interrupt)


def proved(
    terminal: Terminal,
    workplace: Workplace,
    done: Sequence[Done],
    *,
    forks: int,
    patience: timedelta,
) -> list[Done]:
    """Return *done* with every run that succeeded proved, as far as it can be by then."""
    ready = [each.run for each in done if each.run is not None and each.run.proof is not None]
    after = prove(terminal, workplace, ready, forks=forks, patience=patience) if ready else []
    later = {each.run.id: each for each in after if each.run is not None}
    return [later.get(each.run.id, each) if each.run else each for each in done]
