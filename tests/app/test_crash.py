"""A process may be killed anywhere; resuming its run leads to the same end, each change once."""

import multiprocessing
import signal
import sys
from collections.abc import Callable

import pytest

from orchestrator.app import records
from orchestrator.core.errors import UsageError
from orchestrator.core.events import Outcome
from orchestrator.core.run import Run
from orchestrator.lab import Lab
from tests.app.conftest import DEDICATED, REMOVE, RETIRE, Desk
from tests.app.killer import Fuse, Job, work

if sys.platform == "win32":
    pytest.skip("SIGKILL is POSIX", allow_module_level=True)
assert sys.platform != "win32"  # says it to the type checker

BATCH = "20261123-000000-dead"
RUN = f"{BATCH}/contoso"
ONE = (REMOVE, (("domain", "fabrikam.com"),), 1)
FIVE = (
    RETIRE,
    (
        ("domain", "fabrikam.com"),
        ("connector", "EX01\\From Fabrikam"),
        ("include_send", "true"),
    ),
    5,
)
# RunStarted, three per change, RunFinished; before them the plan's use and the organization's run.
BOOKED = 2


def _moments(changes: int) -> list[tuple[str, int, bool]]:
    appends = BOOKED + 1 + 3 * changes + 1
    return [
        (kind, nth, after)
        for kind, count in (("append", appends), ("send", changes))
        for nth in range(1, count + 1)
        for after in (False, True)
    ]


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    """Return a way to start processes that have everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.app.killer", "orchestrator.transports.psrp", "pypsrp.powershell"]
    )
    return context


@pytest.fixture
def undisturbed(open_desk: Callable[..., Desk]) -> Callable[..., tuple[object, list[str]]]:
    """Return a function that tells state and writes after a run that nobody disturbed."""

    def carry_out(playbook: str, inputs: tuple[tuple[str, str], ...]) -> tuple[object, list[str]]:
        with Lab(DEDICATED) as lab:
            desk = open_desk(lab)
            desk.carry_out(desk.plan(playbook, **dict(inputs)))
            return desk.state(), desk.writes()

    return carry_out


def _kill(processes: multiprocessing.context.ForkServerContext, job: Job, fuse: Fuse) -> None:
    process = processes.Process(target=work, args=(job, fuse))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def _resumed(desk: Desk) -> Run | None:
    """Take the run up again as an operator would; None where it never began."""
    try:
        names = records.find(desk.workplace.store, BATCH)
    except UsageError:
        return None
    run = records.load(desk.workplace.store, names[0])
    if run.outcome is not None:
        return run
    done = desk.resume(names[0])
    assert done.error is None, done.error
    return done.run


def _job(desk: Desk, playbook: str, inputs: tuple[tuple[str, str], ...]) -> Job:
    file = desk.inventory_file
    return Job(str(file), desk.workplace.store_location, playbook, inputs, BATCH)


def _check(
    processes: multiprocessing.context.ForkServerContext,
    open_desk: Callable[..., Desk],
    reference: tuple[object, list[str]],
    playbook: tuple[str, tuple[tuple[str, str], ...], int],
    moment: tuple[str, int, bool],
) -> None:
    name, inputs, _ = playbook
    with Lab(DEDICATED) as lab:
        desk = open_desk(lab)
        before = desk.state()
        _kill(processes, _job(desk, name, inputs), Fuse(*moment))
        run = _resumed(desk)
        if run is None:
            assert desk.state() == before
            return
        assert run.outcome is Outcome.SUCCEEDED
        assert (desk.state(), desk.writes()) == reference
        assert not desk.workplace.store.check().damages


@pytest.mark.parametrize("moment", _moments(ONE[2]), ids=str)
def test_a_run_killed_at_any_moment_is_resumed_to_the_same_end(
    processes: multiprocessing.context.ForkServerContext,
    open_desk: Callable[..., Desk],
    undisturbed: Callable[..., tuple[object, list[str]]],
    moment: tuple[str, int, bool],
) -> None:
    _check(processes, open_desk, undisturbed(*ONE[:2]), ONE, moment)


@pytest.mark.slow
@pytest.mark.parametrize("moment", _moments(FIVE[2]), ids=str)
def test_a_run_of_five_changes_killed_at_any_moment_is_resumed_to_the_same_end(
    processes: multiprocessing.context.ForkServerContext,
    open_desk: Callable[..., Desk],
    undisturbed: Callable[..., tuple[object, list[str]]],
    moment: tuple[str, int, bool],
) -> None:
    _check(processes, open_desk, undisturbed(*FIVE[:2]), FIVE, moment)
