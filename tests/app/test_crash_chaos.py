"""A slice of ``python -m bench.chaos``, and that its judge sees what it is there to see."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from bench.chaos import play
from bench.ledger import Ledger, Tally
from orchestrator.core.events import Outcome
from orchestrator.core.run import Run, Status
from orchestrator.lab import Lab
from tests.app.conftest import REMOVE, Desk

Open = Callable[..., Desk]
GONE = ("adatum.com", "litware.com")
THERE = ("adatum.com", "Fabrikam.com", "litware.com")


@pytest.mark.parametrize("index", range(8))
def test_a_disturbed_run_is_right_in_the_end_and_says_so(index: int) -> None:
    report = play(7, index)
    assert not report.tally, (report.tally, report.story)
    assert report.ends


@pytest.mark.slow
@pytest.mark.parametrize("index", range(100, 250))
def test_many_disturbed_runs_are_right_in_the_end_and_say_so(index: int) -> None:
    report = play(7, index)
    assert not report.tally, (report.tally, report.story)


def test_the_same_seed_and_index_choose_the_same_run() -> None:
    assert play(3, 5).story[0] == play(3, 5).story[0]
    assert len({play(3, index).story[0] for index in range(6)}) > 1


@pytest.fixture
def judged(dedicated: Lab, open_desk: Open) -> tuple[Lab, Ledger, Run]:
    """A run that removed a domain, and the ledger that watched it."""
    desk = open_desk(dedicated)
    planned = desk.plan(REMOVE, domain="fabrikam.com")
    assert planned.plan is not None
    ledger = Ledger(dedicated, planned.plan, 0)
    done = desk.carry_out(planned)
    assert done.run is not None
    assert not ledger.judge(done.run)
    return dedicated, ledger, done.run


@pytest.mark.parametrize("status", [Status.PENDING, Status.FAILED, Status.DRIFTED, Status.UNDONE])
def test_the_judge_sees_what_is_done_and_not_said(
    judged: tuple[Lab, Ledger, Run], status: Status
) -> None:
    _, ledger, run = judged
    assert ledger.judge(replace(run, statuses=(status,))).untold


def test_the_judge_sees_what_is_said_and_not_done(dedicated: Lab, open_desk: Open) -> None:
    desk = open_desk(dedicated)
    planned = desk.plan(REMOVE, domain="fabrikam.com")
    done = desk.carry_out(planned)
    assert done.run is not None
    with Lab(dedicated.scenario) as other:
        ledger = Ledger(other, done.run.plan, 0)
        found = ledger.judge(done.run)
    assert found.untold
    assert found.wrong


def test_the_judge_sees_a_wrong_end(judged: tuple[Lab, Ledger, Run]) -> None:
    _, ledger, run = judged
    assert ledger.judge(replace(run, outcome=Outcome.ROLLED_BACK)).wrong


def test_the_judge_sees_a_command_that_is_sent_twice(
    judged: tuple[Lab, Ledger, Run], open_desk: Open
) -> None:
    lab, ledger, run = judged
    session = open_desk(lab).workplace.session
    again = session(open_desk(lab).workplace.inventory.organizations[0])
    again.send(run.plan.changes[0].difference.apply)
    again.close()
    assert ledger.judge(run).doubled


def test_the_judge_sees_that_other_peoples_work_is_undone(dedicated: Lab, open_desk: Open) -> None:
    desk = open_desk(dedicated)
    plan = desk.planned(REMOVE, domain="fabrikam.com")
    ledger = Ledger(dedicated, plan, 0)
    dedicated.edit("TransportConfig", TLSReceiveDomainSecureList=GONE)
    ledger.note()
    session = desk.workplace.session(desk.workplace.inventory.organizations[0])
    session.send(plan.changes[0].difference.undo)
    session.close()
    found = Tally()
    ledger.replay(found)
    assert found.overwritten


def test_what_somebody_else_takes_back_is_not_held_against_the_run(
    judged: tuple[Lab, Ledger, Run],
) -> None:
    lab, ledger, run = judged
    lab.edit("TransportConfig", TLSReceiveDomainSecureList=THERE)
    ledger.note()
    assert not ledger.judge(run)
