"""Windows, freezes and the kill switch, over the real wire and with a clock that is put forward."""

import os
import sys
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from orchestrator.app import brakes, records
from orchestrator.app.execution import Done, Options, carry_out, new_batch, resume
from orchestrator.app.planning import Planned
from orchestrator.app.workplace import connect_psrp
from orchestrator.core.calendar import Brake
from orchestrator.core.command import Result, Statement, Transport
from orchestrator.core.errors import HeldError, RefusedError, StoreError
from orchestrator.core.events import Event, Mandate, Outcome
from orchestrator.core.inventory import Organization, Server
from orchestrator.core.run import Run, Status
from orchestrator.lab import DropBefore, Lab
from orchestrator.lab.faults import Drop, Effect, Seen
from tests.app.conftest import REMOVE, RETIRE, Desk

Open = Callable[..., Desk]
TIED = {"domain": "fabrikam.com", "connector": "EX01\\From Fabrikam"}
EVENING = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
"""A Monday, when the window of ``WINDOW`` is open."""
WINDOW: dict[str, object] = {"windows": ["Mon-Fri 20:00-23:00 Europe/Berlin"]}
FREEZE: dict[str, object] = {
    "freezes": [{"from": "2026-11-20", "until": "2026-11-27", "zone": "UTC"}]
}
BROKEN = Mandate("tester", reason="a test", break_glass="the plant stands still")


@dataclass
class Clock:
    """Stands still until it is put forward."""

    now: datetime = EVENING

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def forward(self, **distance: float) -> None:
        """Let so much time pass."""
        self.now += timedelta(**distance)


def said(lab: Lab, *keys: Mapping[str, object], name: str = "") -> str:
    """Return the lab's inventory with *keys* for its organization, which may be called *name*."""
    (own,) = yaml.safe_load(lab.inventory_text())["organizations"].items()
    entry = dict(ChainMap({}, *map(dict, keys), own[1]))
    return yaml.safe_dump({"organizations": {name or own[0]: entry}})


def run_of(done: Done) -> Run:
    """Return the run, of which there has to be one."""
    assert done.run is not None, done.error
    return done.run


def carried_out(
    desk: Desk,
    planned: Planned,
    *,
    mandate: Mandate = BROKEN,
    whatif: bool = False,
    listener: Callable[[Run, Event], None] | None = None,
) -> Done:
    """Carry out a plan under *mandate*."""
    options, batch = Options(mandate, whatif=whatif), new_batch(desk.workplace)
    return carry_out(desk.workplace, planned, batch, options, listener or desk.heard)


def kinds(desk: Desk) -> list[str]:
    """Return the events that were heard, by name."""
    return [type(event).__name__ for event in desk.events]


def test_a_window_that_closes_during_a_run_stops_it_before_the_next_change(
    dedicated: Lab, open_desk: Open
) -> None:
    clock = Clock()
    desk = open_desk(dedicated, clock=clock, text=said(dedicated, WINDOW))

    def close(_run: Run, event: Event) -> None:
        if type(event).__name__ == "ChangeVerified":
            clock.forward(hours=3)

    run = run_of(desk.carry_out(desk.plan(RETIRE, **TIED), listener=close))

    assert run.statuses == (Status.VERIFIED, Status.PENDING, Status.PENDING)
    assert not run.doubtful
    assert run.interrupted is not None
    assert run.interrupted.brake is Brake.WINDOW
    assert "opens Tue 2026-11-24 20:00 Europe/Berlin" in run.interrupted.reason
    assert len(desk.writes()) == 1

    still = run_of(desk.resume(run.id))
    assert still.outcome is None
    assert len(desk.writes()) == 1

    clock.now = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
    assert run_of(desk.resume(run.id)).outcome is Outcome.SUCCEEDED
    assert len(desk.writes()) == 3
    assert dedicated.open_shells == 0


def test_outside_of_a_window_nothing_begins_and_the_plan_is_not_used_up(
    dedicated: Lab, open_desk: Open
) -> None:
    clock = Clock(EVENING - timedelta(hours=2))
    desk = open_desk(dedicated, clock=clock, text=said(dedicated, WINDOW))
    planned = desk.plan(REMOVE, domain="fabrikam.com")
    assert planned.plan is not None
    assert "outside of the maintenance window" in planned.plan.notes[-1]

    refused = desk.carry_out(planned)
    assert isinstance(refused.error, RefusedError)
    assert "opens Mon 2026-11-23 20:00 Europe/Berlin" in str(refused.error)
    assert "--break-glass" in refused.error.advice
    assert not records.run_names(desk.workplace.store)
    assert not dedicated.audit()

    clock.forward(hours=2)
    again = desk.carry_out(Planned(planned.organization, planned.plan))
    assert run_of(again).outcome is Outcome.SUCCEEDED


def test_in_a_window_a_plan_has_nothing_to_note(dedicated: Lab, open_desk: Open) -> None:
    desk = open_desk(dedicated, clock=Clock(), text=said(dedicated, WINDOW))
    notes = desk.planned(REMOVE, domain="fabrikam.com").notes
    assert not [note for note in notes if "window" in note]


@dataclass
class SlowReads:
    """A real session whose reads take an hour of the injected clock."""

    transport: Transport
    clock: Clock

    def invoke(self, *statements: Statement) -> Result:
        """Let an hour pass with each read."""
        if statements[0][0].name.startswith("Get-"):
            self.clock.forward(hours=1)
        return self.transport.invoke(*statements)

    def close(self) -> None:
        """Close the real session."""
        self.transport.close()


def test_the_calendar_is_looked_at_after_the_last_look_at_the_organization(
    dedicated: Lab, open_desk: Open
) -> None:
    clock = Clock()
    desk = open_desk(dedicated, clock=clock, text=said(dedicated, WINDOW))
    planned = desk.plan(REMOVE, domain="fabrikam.com")
    assert planned.session is not None
    planned.session.close()

    def connect(organization: Organization, server: Server) -> Transport:
        return SlowReads(connect_psrp(organization, server), clock)

    desk.workplace.connect = connect
    clock.now = EVENING + timedelta(hours=1, minutes=30)
    run = run_of(desk.carry_out(Planned(planned.organization, planned.plan)))
    assert run.interrupted is not None
    assert run.interrupted.brake is Brake.WINDOW
    assert not [one for one in dedicated.commands if one.cmdlet.startswith("Set-")]


def test_break_glass_passes_a_freeze_and_that_is_on_record_once(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated, clock=Clock(), text=said(dedicated, FREEZE))
    assert isinstance(desk.carry_out(desk.plan(RETIRE, **TIED)).error, RefusedError)

    run = run_of(carried_out(desk, desk.plan(RETIRE, **TIED)))

    assert run.outcome is Outcome.SUCCEEDED
    assert kinds(desk).count("GlassBroken") == 1
    assert kinds(desk).index("GlassBroken") < kinds(desk).index("ChangeStarted")
    [passed] = run.broken
    assert passed.reason == "the plant stands still"
    assert "frozen from 2026-11-20 to 2026-11-27" in passed.passed
    exemptions = records.exemptions(tuple(records.all_runs(desk.workplace.store)))
    assert {each.break_glass for each in exemptions} == {"the plant stands still"}


def test_break_glass_that_had_nothing_to_pass_breaks_nothing(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated, clock=Clock(), text=said(dedicated, WINDOW))
    assert not run_of(carried_out(desk, desk.plan(REMOVE, domain="fabrikam.com"))).broken


def test_break_glass_is_for_one_process_and_has_to_be_said_again(
    dedicated: Lab, open_desk: Open
) -> None:
    clock = Clock()
    desk = open_desk(dedicated, clock=clock, text=said(dedicated, FREEZE))

    def leave(_run: Run, event: Event) -> None:
        if type(event).__name__ == "ChangeVerified":
            desk.workplace.stop.set()

    begun = run_of(carried_out(desk, desk.plan(RETIRE, **TIED), listener=leave))
    desk.workplace.stop.clear()
    assert len(desk.writes()) == 1

    held = run_of(desk.resume(begun.id))
    assert held.interrupted is not None
    assert held.interrupted.brake is Brake.FREEZE
    assert len(desk.writes()) == 1

    done = run_of(resume(desk.workplace, begun.id, desk.heard, "it still stands still"))
    assert done.outcome is Outcome.SUCCEEDED
    assert [each.reason for each in done.broken] == [
        "the plant stands still",
        "it still stands still",
    ]


def test_a_cmdlet_that_may_ignore_whatif_is_not_asked_outside_of_a_window(
    dedicated: Lab, open_desk: Open
) -> None:
    clock = Clock()
    desk = open_desk(dedicated, clock=clock, text=said(dedicated, WINDOW))

    def close(_run: Run, event: Event) -> None:
        if type(event).__name__ == "RunStarted":
            clock.forward(hours=3)

    planned = desk.plan(REMOVE, domain="fabrikam.com")
    run = run_of(
        carried_out(desk, planned, mandate=Mandate("t", "a test"), whatif=True, listener=close)
    )
    assert run.interrupted is not None
    assert not [one for one in dedicated.commands if one.cmdlet.startswith("Set-")]


def test_a_rollback_waits_for_no_window_and_no_freeze(dedicated: Lab, open_desk: Open) -> None:
    clock = Clock()
    desk = open_desk(dedicated, clock=clock, text=said(dedicated, WINDOW, FREEZE))
    before = desk.state()
    run = run_of(carried_out(desk, desk.plan(RETIRE, **TIED)))
    clock.forward(hours=3)
    assert run_of(desk.roll_back(run.id)).outcome is Outcome.ROLLED_BACK
    assert desk.state() == before


def switch(desk: Desk) -> Path:
    """Return where the kill switch of *desk* is."""
    return brakes.switch(desk.workplace)


def test_the_kill_switch_stops_a_run_and_its_rollback_and_nothing_passes_it(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    before = desk.state()

    def press(_run: Run, event: Event) -> None:
        if type(event).__name__ == "ChangeVerified":
            brakes.press(switch(desk), "mail bounces", "alice@jump1", EVENING)

    run = run_of(carried_out(desk, desk.plan(RETIRE, **TIED), listener=press))
    assert run.interrupted is not None
    assert run.interrupted.brake is Brake.KILL_SWITCH
    assert "mail bounces (alice@jump1, 2026-11-23 20:00 UTC)" in run.interrupted.reason
    assert not run.doubtful
    assert len(desk.writes()) == 1

    back = run_of(desk.roll_back(run.id))
    assert back.outcome is None
    assert back.interrupted is not None
    assert back.interrupted.brake is Brake.KILL_SWITCH
    assert len(desk.writes()) == 1

    refused = carried_out(desk, desk.plan(REMOVE, domain="adatum.com"))
    assert isinstance(refused.error, RefusedError)
    assert "orchestrator start" in refused.error.advice

    assert brakes.release(switch(desk)) is not None
    assert run_of(desk.resume(run.id)).outcome is Outcome.ROLLED_BACK
    assert desk.state() == before


def test_an_undo_whose_effect_was_unknown_is_looked_at_before_the_kill_switch_stops_it(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    run = run_of(desk.carry_out(desk.plan(REMOVE, domain="fabrikam.com")))
    dedicated.faults.append(DropBefore("Command", cmdlet="Set-TransportConfig", nth=None))
    seen: list[str] = []

    def press(_run: Run, event: Event) -> None:
        seen.append(type(event).__name__)
        if seen[-1] == "ContactLost":
            switch(desk).touch()

    desk.heard = press  # type: ignore[method-assign]
    back = run_of(desk.roll_back(run.id))
    assert seen[-3:] == ["ContactLost", "UndoWithheld", "RunInterrupted"]
    assert not back.doubtful
    assert back.interrupted is not None
    assert back.interrupted.brake is Brake.KILL_SWITCH


def test_a_kill_switch_is_set_by_whatever_is_there(tmp_path: Path) -> None:
    path = tmp_path / "switch"
    assert brakes.pressed(path) is None
    path.touch()
    assert brakes.pressed(path) is not None
    path.unlink()
    path.mkdir()
    assert brakes.pressed(path) is not None


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there, and no FIFOs")
def test_a_link_to_nowhere_and_a_pipe_that_nobody_writes_to_are_a_set_kill_switch(
    tmp_path: Path,
) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(tmp_path / "nowhere")
    assert brakes.pressed(link) is not None
    if sys.platform != "win32":
        os.mkfifo(pipe)
        assert brakes.pressed(pipe) is not None


def test_a_kill_switch_that_cannot_be_looked_at_is_set(tmp_path: Path) -> None:
    gone = brakes.pressed(tmp_path / "share" / "switch")
    assert gone is not None
    assert "there is no directory" in gone.reason
    (tmp_path / "file").touch()
    assert brakes.pressed(tmp_path / "file" / "switch") is not None
    assert brakes.pressed(tmp_path / ("x" * 5000)) is not None


def test_a_kill_switch_says_the_first_line_of_its_file_whatever_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "switch"
    path.write_bytes(b"\xff\xfe broken\nsecond")
    found = brakes.pressed(path)
    assert found is not None
    assert found.reason.endswith("\ufffd\ufffd broken")


def test_who_stops_again_is_added_and_the_first_reason_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "switch"
    brakes.press(path, "one\nline", "alice", EVENING)
    brakes.press(path, "another", "bob", EVENING)
    assert path.read_text().splitlines() == [
        "one line (alice, 2026-11-23 20:00 UTC)",
        "another (bob, 2026-11-23 20:00 UTC)",
    ]
    found = brakes.release(path)
    assert found is not None
    assert "one line (alice" in found.reason
    assert brakes.release(path) is None


def test_a_kill_switch_that_cannot_be_set_or_lifted_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be set"):
        brakes.press(tmp_path / "file" / "switch", "x", "alice", EVENING)
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="cannot be lifted"):
        brakes.release(tmp_path / "folder")


@dataclass(frozen=True)
class DeadAfterTheWrite:
    """Once anything was changed, the server answers nothing any more."""

    lab: Lab

    def before(self, seen: Seen) -> Effect | None:
        """Drop everything that comes later."""
        del seen
        return Drop() if self.lab.audit() else None

    def after(self, seen: Seen) -> Effect | None:
        """Drop the answer to the write too."""
        return self.before(seen)


@pytest.mark.parametrize("name", ["", "another-name"])
def test_no_run_begins_while_a_change_is_in_doubt_whatever_the_inventory_calls_the_organization(
    dedicated: Lab, open_desk: Open, name: str
) -> None:
    desk, other = open_desk(dedicated), open_desk(dedicated, text=said(dedicated, name=name))
    second = other.plan(REMOVE, domain="adatum.com")
    dedicated.faults.append(DeadAfterTheWrite(dedicated))
    run = run_of(desk.carry_out(desk.plan(REMOVE, domain="fabrikam.com")))
    assert run.doubtful
    dedicated.faults.clear()

    refused = other.carry_out(second)
    assert isinstance(refused.error, HeldError)
    assert run.id in refused.error.advice
    assert refused.run is None
    assert len(desk.writes()) == 1

    assert run_of(desk.resume(run.id)).outcome is Outcome.SUCCEEDED
    assert run_of(other.carry_out(other.plan(REMOVE, domain="adatum.com"))).outcome is (
        Outcome.SUCCEEDED
    )
