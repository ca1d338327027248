"""What is in doubt, and for how long: clocks that jump, busy servers, deaf ones, other hands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from orchestrator.app.workplace import utc_now
from orchestrator.cli.codes import ExitCode, of_done
from orchestrator.core.errors import TransportError
from orchestrator.core.events import (
    ChangeFoundDone,
    ChangeStarted,
    ChangeWithheld,
    ContactLost,
    Event,
    OnFailure,
    Outcome,
)
from orchestrator.core.run import Run, Status
from orchestrator.lab import DropAfter, DropBefore, Lab
from orchestrator.lab.faults import Effect, Reply, Seen, fault
from tests.app.conftest import DEDICATED, REMOVE, RETIRE, Desk

Open = Callable[..., Desk]
TIED = {"domain": "fabrikam.com", "connector": "EX01\\From Fabrikam"}
SET = "Set-TransportConfig"
ONE = ["Set-TransportConfig Transport Settings"]


@dataclass
class Hours:
    """A wall clock that may be put forward or back, and seconds that only pass by waiting."""

    ahead: timedelta = timedelta()
    passed: float = 0.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        """Return what the wall clock shows."""
        return utc_now() + self.ahead + timedelta(seconds=self.passed)

    def steady(self) -> float:
        """Return how much time was waited away."""
        return self.passed

    def pause(self, seconds: float) -> None:
        """Wait in no time."""
        self.waits.append(seconds)
        self.passed += seconds


def _timed(desk: Desk, hours: Hours) -> None:
    """Let the desk live by *hours*."""

    class Timed(type(desk.workplace)):  # type: ignore[misc] # the class of a parameter
        def pause(self, seconds: float) -> None:
            hours.pause(seconds)

    workplace = Timed(
        desk.workplace.inventory, desk.workplace.store_location, desk.workplace.connect
    )
    workplace.clock, workplace.steady = hours.now, hours.steady
    desk.workplace = workplace


def _healing(desk: Desk, then: Callable[[], None]) -> Callable[[Run, Event], None]:
    """Return a listener that ends the lab's faults when contact is lost, then does something."""

    def listener(run: Run, event: Event) -> None:
        desk.heard(run, event)
        if isinstance(event, ContactLost):
            desk.lab.faults.clear()
            then()

    return listener


@pytest.mark.parametrize("days", [-1, 1, 0])
@pytest.mark.parametrize("fault", [DropBefore, DropAfter])
def test_a_clock_that_jumps_while_a_change_is_in_doubt_changes_nothing_in_the_wait(
    dedicated: Lab, open_desk: Open, days: int, fault: Callable[..., DropBefore | DropAfter]
) -> None:
    desk, hours = open_desk(dedicated, settle=30), Hours()
    _timed(desk, hours)

    def jump() -> None:
        hours.ahead += timedelta(days=days)

    planned = desk.plan(REMOVE, domain="fabrikam.com")
    dedicated.faults.append(fault("Command", cmdlet=SET))
    done = desk.carry_out(planned, listener=_healing(desk, jump))
    assert done.run is not None
    assert done.run.outcome is Outcome.SUCCEEDED
    assert hours.waits == [30.0]
    assert desk.writes() == ONE


@pytest.mark.parametrize(("days", "waits"), [(-1, [30.0]), (1, [])])
def test_a_clock_that_jumped_before_a_run_in_doubt_is_resumed_costs_its_settling_at_most(
    dedicated: Lab, open_desk: Open, days: int, waits: list[float]
) -> None:
    desk, hours = open_desk(dedicated, settle=30), Hours()
    _timed(desk, hours)
    planned = desk.plan(REMOVE, domain="fabrikam.com")
    dedicated.faults.append(DropAfter("Command", cmdlet=SET))
    left = desk.carry_out(planned, listener=_healing(desk, desk.workplace.stop.set))
    assert of_done(left) is ExitCode.UNKNOWN
    desk.workplace.stop.clear()
    hours.ahead += timedelta(days=days)
    assert left.run is not None
    done = desk.resume(left.run.id)
    assert done.run is not None
    assert done.run.outcome is Outcome.SUCCEEDED
    assert hours.waits == waits
    assert desk.writes() == ONE


def test_a_clock_that_jumps_at_every_event_does_not_disturb_a_run_or_its_rollback(
    dedicated: Lab, open_desk: Open
) -> None:
    desk, hours = open_desk(dedicated), Hours()
    _timed(desk, hours)
    before = desk.state()
    planned = desk.plan(RETIRE, **TIED, include_send="true")
    days = iter([1, -2, 3, -3] * 20)

    def jump(_run: Run, _event: Event) -> None:
        hours.ahead += timedelta(days=next(days))

    done = desk.carry_out(planned, listener=jump)
    assert done.run is not None
    assert done.run.outcome is Outcome.SUCCEEDED
    undone = desk.roll_back(done.run.id)
    assert undone.run is not None
    assert undone.run.outcome is Outcome.ROLLED_BACK
    assert desk.state() == before
    assert not hours.waits


@dataclass(frozen=True)
class Answered:
    """Something in between answers a write with *status*, before or after Exchange did its part."""

    status: int
    late: bool

    def before(self, seen: Seen) -> Effect | None:
        """Answer instead."""
        return None if self.late or SET not in seen.cmdlets else Reply(self.status)

    def after(self, seen: Seen) -> Effect | None:
        """Answer afterwards."""
        return Reply(self.status) if self.late and SET in seen.cmdlets else None


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("status", [404, 500, 502, 503, 504])
def test_whatever_a_gateway_says_to_a_write_it_is_looked_at_and_takes_effect_once(
    dedicated: Lab, open_desk: Open, status: int, *, late: bool
) -> None:
    desk = open_desk(dedicated)
    _timed(desk, Hours())
    planned = desk.plan(REMOVE, domain="fabrikam.com")
    dedicated.faults.append(Answered(status, late))
    done = desk.carry_out(planned, listener=_healing(desk, lambda: None))
    assert done.run is not None
    assert done.run.outcome is Outcome.SUCCEEDED
    assert done.run.statuses == (Status.FOUND_DONE if late else Status.VERIFIED,)
    assert desk.writes() == ONE


def test_a_write_under_which_the_connection_always_breaks_is_given_up(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    _timed(desk, Hours())
    planned = desk.plan(REMOVE, domain="fabrikam.com")
    dedicated.faults.append(DropBefore("Command", cmdlet=SET))
    done = desk.carry_out(planned)
    sent = [event for event in desk.events if isinstance(event, ChangeStarted)]
    assert len(sent) == 3
    assert isinstance(desk.events[-2], ChangeWithheld)
    assert of_done(done) is ExitCode.NO_CONTACT
    dedicated.faults.clear()
    assert done.run is not None
    again = desk.resume(done.run.id)
    assert again.run is not None
    assert again.run.outcome is Outcome.SUCCEEDED
    assert desk.writes() == ONE


def test_an_undo_under_which_the_connection_always_breaks_is_given_up(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    _timed(desk, Hours())
    before = desk.state()
    done = desk.carry_out(desk.plan(REMOVE, domain="fabrikam.com"))
    assert done.run is not None
    dedicated.faults.append(DropBefore("Command", cmdlet=SET))
    left = desk.roll_back(done.run.id)
    assert of_done(left, undoing=True) is ExitCode.NO_CONTACT
    dedicated.faults.clear()
    again = desk.resume(done.run.id)
    assert again.run is not None
    assert again.run.outcome is Outcome.ROLLED_BACK
    assert desk.state() == before


@pytest.mark.parametrize("on_failure", list(OnFailure))
def test_a_run_whose_first_change_was_taken_back_meanwhile_has_not_succeeded(
    dedicated: Lab, open_desk: Open, on_failure: OnFailure
) -> None:
    desk = open_desk(dedicated)
    before = desk.state()

    def take_back(_run: Run, event: Event) -> None:
        if isinstance(event, ChangeStarted) and event.position == 2:
            domains = ("adatum.com", "Fabrikam.com", "litware.com")
            dedicated.edit("TransportConfig", TLSReceiveDomainSecureList=domains)

    done = desk.carry_out(desk.plan(RETIRE, **TIED), on_failure=on_failure, listener=take_back)
    assert done.run is not None
    assert done.run.statuses[0] is Status.DRIFTED
    assert of_done(done) in {ExitCode.DRIFTED, ExitCode.FAILED}
    if on_failure is OnFailure.ROLLBACK:
        assert desk.state() == before
    else:
        assert done.run.outcome is Outcome.DRIFTED


def test_what_a_server_did_in_spite_of_whatif_is_found_done(open_desk: Open) -> None:
    deaf = replace(DEDICATED, ignores_whatif=(SET,))
    with Lab(deaf) as lab:
        desk = open_desk(lab)
        before = desk.state()
        done = desk.carry_out(desk.plan(RETIRE, **TIED), whatif=True)
        assert done.run is not None
        assert done.run.outcome is Outcome.SUCCEEDED
        assert done.run.statuses[0] is Status.FOUND_DONE
        assert len(desk.writes()) == 3
        undone = desk.roll_back(done.run.id, in_doubt=True)
        assert undone.run is not None
        assert undone.run.outcome is Outcome.ROLLED_BACK
        assert desk.state() == before


def test_no_settings_modified_is_looked_at_before_it_counts_as_done(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    planned = desk.plan(REMOVE, domain="fabrikam.com")

    def overtake(run: Run, event: Event) -> None:
        desk.heard(run, event)
        if isinstance(event, ChangeStarted):
            kept = ("adatum.com", "litware.com")
            dedicated.edit("TransportConfig", TLSReceiveDomainSecureList=kept)

    reads = len(dedicated.commands)
    done = desk.carry_out(planned, listener=overtake)
    after = [call.cmdlet for call in dedicated.commands[reads:]]
    (found,) = (event for event in desk.events if isinstance(event, ChangeFoundDone))
    assert "nothing was changed" in found.reason
    assert "Get-TransportConfig" in after[after.index(SET) :]
    assert done.run is not None
    assert desk.roll_back(done.run.id).run is not None
    assert not desk.writes()


@pytest.mark.parametrize("moment", ["ChangeStarted", "ChangeApplied"])
def test_an_object_that_is_taken_away_under_a_change_is_drift(
    dedicated: Lab, open_desk: Open, moment: str
) -> None:
    desk = open_desk(dedicated)
    _timed(desk, Hours())

    def take_away(_run: Run, event: Event) -> None:
        if type(event).__name__ == moment and getattr(event, "position", None) == 2:
            dedicated.edit("EX02\\From Fabrikam", remove=True)

    done = desk.carry_out(desk.plan(RETIRE, **TIED), listener=take_away)
    assert done.run is not None
    assert done.run.statuses == (Status.VERIFIED, Status.VERIFIED, Status.DRIFTED)
    assert of_done(done) is ExitCode.DRIFTED


def test_an_object_that_is_gone_is_drift_to_a_rollback(dedicated: Lab, open_desk: Open) -> None:
    desk = open_desk(dedicated)
    done = desk.carry_out(desk.plan(RETIRE, **TIED))
    dedicated.edit("EX02\\From Fabrikam", remove=True)
    assert done.run is not None
    held = desk.roll_back(done.run.id)
    assert held.run is not None
    assert held.run.statuses[2] is Status.UNDO_DRIFTED
    assert of_done(held, undoing=True) is ExitCode.DRIFTED


@pytest.mark.parametrize(("kind", "nth"), [("timed-out", 1), ("drop-after", 1), ("drop-after", 2)])
def test_a_session_that_lost_an_answer_while_it_was_opened_is_opened_anew(
    dedicated: Lab, open_desk: Open, kind: str, nth: int
) -> None:
    desk = open_desk(dedicated)
    _timed(desk, Hours())
    lost = fault(kind, action="Receive", moment="after", nth=nth)
    dedicated.faults.append(lost)
    found = desk.plan(REMOVE, domain="fabrikam.com")
    assert lost.count >= nth
    if found.plan is None:
        assert isinstance(found.error, TransportError)
    else:
        done = desk.carry_out(found)
        assert done.run is not None
        assert done.run.outcome is Outcome.SUCCEEDED
    assert not dedicated.open_shells
