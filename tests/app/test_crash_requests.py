"""A process may be killed at every HTTP request, and at any time while it serves many."""

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest

from orchestrator.app import records
from orchestrator.core.events import Outcome
from orchestrator.core.run import Run
from orchestrator.lab import Lab
from orchestrator.lab.faults import Effect, Seen, Wait
from orchestrator.lab.laboratory import Options
from tests.app.conftest import DEDICATED, REMOVE, RETIRE, Desk
from tests.app.killer import Fuse, Job, work
from tests.app.victim import Errand, do, every, quick_workplace

if sys.platform == "win32":
    pytest.skip("SIGKILL is POSIX", allow_module_level=True)
assert sys.platform != "win32"  # says it to the type checker

from multiprocessing.context import ForkServerContext  # noqa: E402 - Windows has none

BATCH = "20261123-000000-dead"
ONE = (REMOVE, (("domain", "fabrikam.com"),))
FIVE = (
    RETIRE,
    (
        ("domain", "fabrikam.com"),
        ("connector", "EX01\\From Fabrikam"),
        ("include_send", "true"),
    ),
)
SET = "Set-TransportConfig"
UNDOING = ("run", "rollback")
Open = Callable[..., Desk]


@dataclass
class Assassin:
    """Kills a process at its *nth* request, before or after the server handled that.

    Counted are the requests about *cmdlet*, or all.
    """

    nth: int
    after_it: bool
    cmdlet: str = ""
    pid: int = 0
    known: threading.Event = field(default_factory=threading.Event)
    count: int = 0
    target: Seen | None = None

    def before(self, seen: Seen) -> Effect | None:
        """Kill instead of handling the request."""
        assert self.known.wait(30)
        self.count += not self.cmdlet or self.cmdlet in seen.cmdlets
        if self.count != self.nth or self.target is not None:
            return None
        self.target = seen
        return None if self.after_it else self._kill()

    def after(self, seen: Seen) -> Effect | None:
        """Kill once the request took effect."""
        return self._kill() if seen is self.target and self.after_it else None

    def _kill(self) -> Effect:
        os.kill(self.pid, signal.SIGKILL)
        return Wait(60)  # the connection of the dead ends it


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Return a way to start processes that have everything imported."""
    context = multiprocessing.get_context("forkserver")
    preloaded = ["tests.app.victim", "orchestrator.transports.psrp", "pypsrp.powershell"]
    context.set_forkserver_preload(preloaded)
    return context


def _errand(desk: Desk, job: tuple[str, tuple[tuple[str, str], ...]], *verbs: str) -> Errand:
    store = desk.workplace.store_location
    return Errand(str(desk.inventory_file), store, *job, BATCH, verbs)


def _survives(processes: ForkServerContext, lab: Lab, errand: Errand, assassin: Assassin) -> bool:
    """Let a process do the errand; say whether it came to its end unharmed.

    A request that only proves who is calling has no moment after it.
    """
    lab.faults.append(assassin)
    process = processes.Process(target=do, args=(errand,))
    process.start()
    assassin.pid = process.pid or 0
    assassin.known.set()
    process.join(60)
    lab.faults.clear()
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode == 0


def _taken_up(errand: Errand) -> Run | None:
    """Resume the run as an operator would; None where it never began."""
    workplace = quick_workplace(errand)
    for done in every(workplace, errand, "resume"):
        assert done.error is None, done.error
    (name,) = records.run_names(workplace.store) or ("",)
    run = records.load(workplace.store, name) if name else None
    assert not workplace.store.check().damages
    workplace.close()
    return run


def _killed_while_running(
    processes: ForkServerContext,
    desk: Desk,
    assassin: Assassin,
    job: tuple[str, tuple[tuple[str, str], ...]],
) -> bool:
    """Kill a run, take it up, and compare with one that nobody disturbed; False past its end."""
    before, reference = desk.state(), _undisturbed(job)
    errand = _errand(desk, job, "run")
    if _survives(processes, desk.lab, errand, assassin):
        return False
    run = _taken_up(errand)
    if run is None:
        assert desk.state() == before
        assert not desk.writes()
    else:
        assert run.outcome is Outcome.SUCCEEDED
        assert (desk.state(), desk.writes()) == reference
    return True


def _undisturbed(job: tuple[str, tuple[tuple[str, str], ...]]) -> tuple[object, list[str]]:
    if job not in _REFERENCES:
        with tempfile.TemporaryDirectory() as folder, Lab(DEDICATED) as lab:
            file = Path(folder) / "inventory.yaml"
            file.write_text(lab.inventory_text())
            do(Errand(str(file), f"{folder}/store", *job, BATCH))
            desk = Desk(lab, quick_workplace(Errand(str(file), folder, *job, BATCH)), file)
            _REFERENCES[job] = (desk.state(), desk.writes())
    return _REFERENCES[job]


_REFERENCES: dict[object, tuple[object, list[str]]] = {}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("cmdlet", "nth"), [("", 4), (SET, 1), (SET, 2)])
def test_a_run_killed_at_a_request_is_resumed_to_the_same_end(
    processes: ForkServerContext,
    open_desk: Open,
    dedicated: Lab,
    cmdlet: str,
    nth: int,
    *,
    after: bool,
) -> None:
    assassin = Assassin(nth, after, cmdlet)
    assert _killed_while_running(processes, open_desk(dedicated), assassin, ONE)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_run_killed_at_every_one_of_its_requests_is_resumed_to_the_same_end(
    processes: ForkServerContext, open_desk: Open, tmp_path: Path, *, after: bool
) -> None:
    for nth in count(1):
        with Lab(DEDICATED) as lab:
            desk = _fresh(open_desk, lab, tmp_path, nth)
            assassin = Assassin(nth, after)
            _killed_while_running(processes, desk, assassin, FIVE)
            if assassin.count < nth:
                break
    assert nth > 30


def _fresh(open_desk: Open, lab: Lab, tmp_path: Path, nth: int) -> Desk:
    desk = open_desk(lab)
    desk.workplace.store_location = str(tmp_path / f"store{nth}")
    return desk


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_rollback_killed_at_every_one_of_its_requests_is_resumed_to_the_state_from_before(
    processes: ForkServerContext, open_desk: Open, tmp_path: Path, *, after: bool
) -> None:
    for nth in count(1):
        with Lab(DEDICATED) as lab:
            desk = _fresh(open_desk, lab, tmp_path, nth)
            before = desk.state()
            do(_errand(desk, FIVE, "run"))
            made = desk.writes()
            undoing = _errand(desk, FIVE, "rollback")
            assassin = Assassin(nth, after)
            if _survives(processes, lab, undoing, assassin):
                if assassin.count < nth:
                    break
                continue
            run = _taken_up(undoing)
            assert run is not None
            if run.rolling_back:
                assert run.outcome is Outcome.ROLLED_BACK
                assert desk.state() == before
                assert desk.writes() == [*made, *reversed(made)]
            else:
                assert desk.writes() == made
    assert nth > 30


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_resumption_killed_at_every_one_of_its_requests_is_resumed_to_the_same_end(
    processes: ForkServerContext, open_desk: Open, tmp_path: Path, *, after: bool
) -> None:
    for nth in count(1):
        with Lab(DEDICATED) as lab:
            desk = _fresh(open_desk, lab, tmp_path, nth)
            _leave_in_doubt(processes, desk, carried_out=nth % 2 == 0)
            errand = _errand(desk, ONE, "resume")
            assassin = Assassin(nth, after)
            if _survives(processes, lab, errand, assassin):
                if assassin.count < nth:
                    break
                continue
            run = _taken_up(errand)
            assert run is not None
            assert run.outcome is Outcome.SUCCEEDED
            assert (desk.state(), desk.writes()) == _undisturbed(ONE)
    assert nth > 8


def _leave_in_doubt(processes: ForkServerContext, desk: Desk, *, carried_out: bool) -> None:
    job = Job(str(desk.inventory_file), desk.workplace.store_location, *ONE, BATCH)
    process = processes.Process(target=work, args=(job, Fuse("send", 1, carried_out)))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def _together(processes: ForkServerContext, *errands: Errand) -> list[int | None]:
    """Let processes do their errands at the same time; return their exit codes."""
    started = [processes.Process(target=do, args=(errand,)) for errand in errands]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    return [process.exitcode for process in started]


def test_of_processes_that_want_the_same_at_once_one_does_it(
    processes: ForkServerContext, open_desk: Open, dedicated: Lab
) -> None:
    desk = open_desk(dedicated)
    errand = _errand(desk, ONE, "run")
    others = [replace(errand, batch=f"{BATCH[:-4]}{each:04}") for each in range(3)]
    assert 0 in _together(processes, *others)
    assert (desk.state(), desk.writes()) == _undisturbed(ONE)
    assert not desk.workplace.store.check().damages


def test_of_processes_that_resume_the_same_run_at_once_none_sends_what_another_sent(
    processes: ForkServerContext, open_desk: Open, dedicated: Lab
) -> None:
    desk = open_desk(dedicated)
    _leave_in_doubt(processes, desk, carried_out=False)
    errand = _errand(desk, ONE, "resume")
    assert 0 in _together(processes, *[errand] * 3)
    run = _taken_up(errand)
    assert run is not None
    assert run.outcome is Outcome.SUCCEEDED
    assert (desk.state(), desk.writes()) == _undisturbed(ONE)


@pytest.mark.slow
@pytest.mark.parametrize("verbs", [("run",), UNDOING], ids=["run", "rollback"])
@pytest.mark.parametrize("seed", range(12))
def test_a_fleet_killed_at_a_random_time_is_resumed_to_the_same_end(
    processes: ForkServerContext, open_desk: Open, seed: int, verbs: tuple[str, ...]
) -> None:
    with Lab(DEDICATED, options=Options(organizations=4)) as lab:
        desk = open_desk(lab)
        before = _snapshots(lab)
        errand = _errand(desk, FIVE, *verbs)
        process = processes.Process(target=do, args=(errand,))
        process.start()
        moment = random.Random(seed)  # noqa: S311 - the same moments each time
        process.join(moment.uniform(0.2, 1.5 * len(verbs)))
        process.kill()
        process.join(60)
        workplace = quick_workplace(errand)
        every(workplace, errand, "resume")
        for name in records.run_names(workplace.store):
            run = records.load(workplace.store, name)
            organization = name.partition("/")[2]
            made = [one for one in lab.organizations[organization].audit if one.effective]
            assert run.outcome in {Outcome.SUCCEEDED, Outcome.ROLLED_BACK}
            undone = run.outcome is Outcome.ROLLED_BACK
            assert len(made) == (10 if undone else 5)
            assert (_snapshots(lab)[organization] == before[organization]) is undone
        idle = set(lab.organizations) - {
            name.partition("/")[2] for name in records.run_names(workplace.store)
        }
        assert not any(lab.organizations[each].audit for each in idle)
        workplace.close()


def _snapshots(lab: Lab) -> dict[str, object]:
    return {
        name: {
            label: {
                key: sorted(value) if isinstance(value, list) else value
                for key, value in seen.items()
                if not key.startswith("When")
            }
            for label, seen in organization.snapshot().items()
        }
        for name, organization in lab.organizations.items()
    }
