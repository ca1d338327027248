"""Runs that are recorded, gone on with: what rollback and resume have in common."""

from collections.abc import Callable, Sequence

from orchestrator.app import records
from orchestrator.app.execution import Done, Listener
from orchestrator.app.fleet import UNPACED, Pace, paced
from orchestrator.app.workplace import Workplace
from orchestrator.cli import codes
from orchestrator.cli.archive import opened
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.progress import Progress
from orchestrator.cli.terminal import Terminal
from orchestrator.cli.work import error_row, show_done
from orchestrator.core.events import OnFailure
from orchestrator.core.run import Run
from orchestrator.render.facts import Facts, run_facts


def recorded(workplace: Workplace, name: str) -> list[Run]:
    """Return the runs that *name* means. StoreError where nothing was ever recorded."""
    with opened(workplace.store_location) as store:
        return [records.load(store, run) for run in records.find(store, name)]


def go_on(  # noqa: PLR0913 - work, on what, and how fast
    terminal: Terminal,
    workplace: Workplace,
    runs: Sequence[Run],
    work: Callable[[Run, Listener], Done],
    *,
    forks: int,
    pace: Pace = UNPACED,
) -> list[Done]:
    """Do *work* on every run, side by side or as *pace* says, and show how it went."""
    names = [run.plan.organization.name for run in runs]
    with Progress(terminal, names) as progress:
        done = paced(
            workplace,
            runs,
            lambda run: work(run, progress.listen),
            lambda run: run.plan.organization.name,
            pace=pace,
            forks=forks,
            on_interrupt=progress.interrupt,
        )
    terminal.say(show_done(done, terminal.look))
    return done


def conclude(
    terminal: Terminal,
    noun: str,
    runs: Sequence[Run],
    done: Sequence[Done],
    of: Callable[..., ExitCode] = codes.of_done,
) -> ExitCode:
    """Print the JSON document, where it was asked for, and return the gravest exit code.

    *of* tells the code of each. A run with which nothing had to be done counts as done.
    """
    ended = dict(zip([run.id for run in runs], done, strict=False))
    rows = [_row(run, ended.get(run.id), of) for run in runs]
    code = codes.gravest(code for code, _ in rows)
    facts = [facts for _, facts in rows]
    terminal.document(noun, {"runs": facts, "exit_code": int(code)})
    return code


def _row(run: Run, done: Done | None, of: Callable[..., ExitCode]) -> tuple[ExitCode, Facts]:
    stands = done.run if done and done.run else run
    undoing = stands.rolling_back and stands.on_failure is OnFailure.HOLD
    code = of(done, undoing=undoing) if done else ExitCode.DONE
    error = done.error if done else None
    return code, {
        "run": run_facts(stands),
        "error": error_row(error) if error else None,
        "exit_code": int(code),
    }
