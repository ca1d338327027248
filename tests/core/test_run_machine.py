"""What is true after each event, and what comes next: by table, and by walking at random."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import ConfigurationError, JournalDamaged
from orchestrator.core.events import (
    ChangeApplied,
    ChangeDrifted,
    ChangeFailed,
    ChangeFoundDone,
    ChangeStarted,
    ChangeUndone,
    ChangeVerified,
    ChangeWithheld,
    ContactLost,
    Event,
    GlassBroken,
    Mandate,
    OnFailure,
    Outcome,
    RollbackRequested,
    RunFinished,
    RunInterrupted,
    RunResumed,
    RunStarted,
    UndoDrifted,
    UndoFailed,
    UndoStarted,
    UndoWithheld,
    WhatIfAnswered,
)
from orchestrator.core.plan import Drift, Sealed, seal
from orchestrator.core.run import (
    DOUBTFUL,
    Action,
    Apply,
    AskWhatIf,
    Finish,
    Run,
    Settle,
    Status,
    Undo,
    Verify,
    Wait,
    begin,
    evolve,
    next_action,
    rebuild,
)
from orchestrator.steps.connectors import DedicatedReceiveConnectors
from orchestrator.steps.domains import DomainSecureList
from tests.exchange.sample import INTERNET, NOW, config, frontend, plan, receive, seen

_PLAN = plan(
    DomainSecureList("receive", "fabrikam.com", "absent"),
    DedicatedReceiveConnectors("From Fabrikam", "disabled"),
    facts=seen(
        config(), INTERNET, frontend("EX01"), frontend("EX02"), receive("EX01"), receive("EX02")
    ),
)
_SEALED = seal(_PLAN)
_COUNT = len(_PLAN.changes)
_SETTLE = 30.0
_LATER = NOW + timedelta(hours=1)
_DRIFTS = (Drift("EX01 Enabled", "True", "False", "gone"),)


def _started(on_failure: OnFailure = OnFailure.HOLD, *, whatif: bool = False) -> RunStarted:
    return RunStarted(NOW, "r", _SEALED, Mandate("ops", "r"), _SETTLE, on_failure, whatif)


def _run(*events: Event, on_failure: OnFailure = OnFailure.HOLD, whatif: bool = False) -> Run:
    return rebuild([_started(on_failure, whatif=whatif), *events])


def _done(*positions: int) -> list[Event]:
    """Return the events of changes that were made and verified."""
    return [
        event
        for p in positions
        for event in (ChangeStarted(NOW, p), ChangeApplied(NOW, p), ChangeVerified(NOW, p))
    ]


_HELD = [RunFinished(NOW, Outcome.FAILED)]
_BACK = RollbackRequested(NOW, "ops")
_WORD = RollbackRequested(NOW, "ops", in_doubt=True)
_LOST: list[Event] = [ChangeStarted(NOW, 0), ContactLost(NOW, 0, "the wire broke")]
_FOUND: list[Event] = [ChangeStarted(NOW, 0), ChangeFoundDone(NOW, 0, "there already")]
_UNDOING: list[Event] = [*_done(0), _BACK, UndoStarted(NOW, 0)]


@pytest.mark.parametrize(
    ("events", "action"),
    [
        ([], Apply(0)),
        ([ChangeStarted(NOW, 0)], Settle(0)),
        (_LOST, Settle(0)),
        ([ChangeStarted(NOW, 0), ChangeWithheld(NOW, 0, "busy")], Apply(0)),
        ([ChangeStarted(NOW, 0), ChangeApplied(NOW, 0)], Verify(0)),
        (_done(0), Apply(1)),
        (_FOUND, Apply(1)),
        ([ChangeDrifted(NOW, 0, _DRIFTS)], Finish(Outcome.DRIFTED)),
        ([*_done(0), ChangeStarted(NOW, 1), ChangeFailed(NOW, 1, "x")], Finish(Outcome.FAILED)),
        (_done(0, 1, 2), Finish(Outcome.SUCCEEDED)),
        ([*_done(0), RunInterrupted(NOW, "stop")], Apply(1)),
        ([*_done(0), ChangeFailed(NOW, 1, "x"), *_HELD, RunResumed(NOW, "ops")], Apply(1)),
        ([ChangeDrifted(NOW, 0, _DRIFTS), *_HELD, RunResumed(NOW, "ops")], Apply(0)),
        ([*_done(0, 1), _BACK], Undo(1)),
        ([*_LOST, _BACK], Settle(0)),
        ([*_done(0), ChangeStarted(NOW, 1), ChangeApplied(NOW, 1), _BACK], Undo(1)),
        ([*_done(0), ChangeStarted(NOW, 1), _BACK, ChangeWithheld(NOW, 1, "no")], Undo(0)),
        ([_BACK], Finish(Outcome.ROLLED_BACK)),
        ([*_FOUND, _BACK], Finish(Outcome.ROLLBACK_HELD)),
        ([*_FOUND, _WORD], Undo(0)),
        (_UNDOING, Undo(0)),
        ([*_UNDOING, ContactLost(NOW, 0, "x")], Undo(0)),
        ([*_UNDOING, UndoWithheld(NOW, 0, "busy")], Undo(0)),
        ([*_UNDOING, ChangeUndone(NOW, 0)], Finish(Outcome.ROLLED_BACK)),
        ([*_UNDOING, UndoFailed(NOW, 0, "x")], Finish(Outcome.ROLLBACK_HELD)),
        ([*_done(0), _BACK, UndoDrifted(NOW, 0, _DRIFTS)], Finish(Outcome.ROLLBACK_HELD)),
        ([*_UNDOING, UndoFailed(NOW, 0, "x"), *_HELD, _BACK], Undo(0)),
        ([*_done(0), _BACK, UndoDrifted(NOW, 0, _DRIFTS), _BACK], Undo(0)),
        (
            [
                *_UNDOING,
                UndoFailed(NOW, 0, "x"),
                RunFinished(NOW, Outcome.ROLLBACK_HELD),
                RunResumed(NOW, "ops"),
            ],
            Undo(0),
        ),
        ([*_done(0), ChangeDrifted(NOW, 1, _DRIFTS), _BACK, ChangeUndone(NOW, 0)], "rolled back"),
        (
            [ChangeStarted(NOW, 0), ChangeApplied(NOW, 0), ChangeDrifted(NOW, 0, _DRIFTS), _BACK],
            Finish(Outcome.ROLLBACK_HELD),
        ),
        (
            [
                ChangeStarted(NOW, 0),
                ChangeWithheld(NOW, 0, "busy"),
                ChangeDrifted(NOW, 0, _DRIFTS),
                _BACK,
            ],
            "rolled back",
        ),
        ([RunFinished(NOW, Outcome.SUCCEEDED)], None),
        ([RunFinished(NOW, Outcome.SUCCEEDED), RunResumed(NOW, "ops")], None),
        ([RunFinished(NOW, Outcome.ROLLED_BACK), RunResumed(NOW, "ops")], None),
        ([*_done(0, 1, 2), RunFinished(NOW, Outcome.SUCCEEDED), _BACK], Undo(2)),
    ],
)
def test_after_these_events_that_comes_next(
    events: list[Event], action: Action | str | None
) -> None:
    wanted = Finish(Outcome.ROLLED_BACK) if action == "rolled back" else action
    assert next_action(_run(*events), _LATER) == wanted


def test_on_failure_rollback_turns_back_by_itself_and_hold_does_not() -> None:
    failing: list[Event] = [*_done(0), ChangeStarted(NOW, 1), ChangeFailed(NOW, 1, "x")]
    drifting: list[Event] = [*_done(0), ChangeDrifted(NOW, 1, _DRIFTS)]
    for events in (failing, drifting):
        assert next_action(_run(*events, on_failure=OnFailure.ROLLBACK), _LATER) == Undo(0)
        assert isinstance(next_action(_run(*events), _LATER), Finish)


def test_undo_is_in_reverse_and_skips_what_was_never_made() -> None:
    run = _run(*_done(0, 1), _BACK)
    order: list[Action | Wait | None] = []
    for _ in range(2):
        action = next_action(run, _LATER)
        order.append(action)
        assert isinstance(action, Undo)
        run = evolve(run, ChangeUndone(NOW, action.position))
    assert order == [Undo(1), Undo(0)]
    assert next_action(run, _LATER) == Finish(Outcome.ROLLED_BACK)


@pytest.mark.parametrize("events", [_LOST, [*_LOST, _BACK], _UNDOING])
def test_nobody_looks_before_a_slow_command_had_its_time(events: list[Event]) -> None:
    until = NOW + timedelta(seconds=_SETTLE)
    run = _run(*events)
    assert run.doubtful
    assert next_action(run, until - timedelta(seconds=1)) == Wait(until)
    assert not isinstance(next_action(run, until), Wait)


def test_every_change_is_asked_about_before_the_first_is_made() -> None:
    run = _run(whatif=True)
    for position in range(_COUNT):
        assert next_action(run, NOW) == AskWhatIf(position)
        run = evolve(run, WhatIfAnswered(NOW, position, ("What if: ...",)))
    assert next_action(run, NOW) == Apply(0)
    assert run.details[0] == "What if: ..."
    second = _run(WhatIfAnswered(NOW, 0), ChangeFailed(NOW, 1, "denied"), whatif=True)
    assert next_action(second, NOW) == Finish(Outcome.FAILED)
    refusing = _run(ChangeFailed(NOW, 0, "denied"), whatif=True)
    assert next_action(refusing, NOW) == Finish(Outcome.FAILED)


def test_a_run_that_goes_on_has_not_ended() -> None:
    stopped = _run(RunInterrupted(NOW, "stop", unreachable=True))
    assert stopped.interrupted is not None
    assert stopped.ended == NOW
    for event in (RunResumed(_LATER, "ops"), _BACK):
        taken_up = evolve(stopped, event)
        assert (taken_up.interrupted, taken_up.ended) == (None, None)
    finished = evolve(stopped, RunFinished(_LATER, Outcome.FAILED))
    assert (finished.interrupted, finished.ended) == (None, _LATER)


@pytest.mark.parametrize(
    ("events", "event", "detail"),
    [
        (_LOST[:1], ContactLost(NOW, 0, "the wire broke"), "the wire broke"),
        (_LOST[:1], ChangeWithheld(NOW, 0, "busy"), "busy"),
        (_LOST[:1], ChangeApplied(NOW, 0, ("one", "two")), "one two"),
        (_LOST[:1], ChangeFoundDone(NOW, 0, "there"), "there"),
        (_LOST[:1], ChangeFailed(NOW, 0, "denied"), "denied"),
        ([], ChangeDrifted(NOW, 0, _DRIFTS), "EX01 Enabled: planned True, now gone"),
        (_UNDOING, UndoFailed(NOW, 0, "denied"), "denied"),
        (_UNDOING, UndoWithheld(NOW, 0, "busy"), "busy"),
        (_UNDOING, UndoDrifted(NOW, 0, _DRIFTS), "EX01 Enabled: planned True, now gone"),
        (_UNDOING, ChangeUndone(NOW, 0), None),
    ],
)
def test_the_latest_reason_is_kept_per_change(
    events: list[Event], event: Event, detail: str | None
) -> None:
    assert evolve(_run(*events), event).details.get(0) == detail


def test_what_was_passed_by_breaking_glass_is_kept() -> None:
    broken = GlassBroken(NOW, "the freeze", "mail stands still")
    assert _run(broken).broken == (broken,)


def test_what_an_earlier_attempt_said_no_longer_counts_once_another_is_under_way() -> None:
    tried: list[Event] = [ChangeStarted(NOW, 0), ChangeFailed(NOW, 0, "denied"), *_HELD]
    failed: list[Event] = [*tried, RunResumed(NOW, "ops")]
    assert _run(*failed).details == {0: "denied"}
    assert not _run(*failed, *_done(0)).details


@pytest.mark.parametrize(
    ("events", "event"),
    [
        ([], ChangeApplied(NOW, 0)),
        ([], ChangeVerified(NOW, 0)),
        ([], ChangeWithheld(NOW, 0, "x")),
        ([], ChangeFoundDone(NOW, 0, "x")),
        ([], UndoStarted(NOW, 0)),
        ([], ChangeUndone(NOW, 0)),
        (_LOST, ChangeStarted(NOW, 0)),
        (_LOST, ChangeVerified(NOW, 0)),
        (_done(0), ChangeStarted(NOW, 0)),
        (_done(0), ChangeFailed(NOW, 0, "x")),
        (_done(0), UndoFailed(NOW, 0, "x")),
        (_FOUND, ChangeApplied(NOW, 0)),
        ([*_UNDOING, ChangeUndone(NOW, 0)], UndoStarted(NOW, 0)),
    ],
)
def test_what_cannot_have_happened_is_a_damaged_journal(events: list[Event], event: Event) -> None:
    with pytest.raises(JournalDamaged, match="cannot become"):
        evolve(_run(*events), event)


@pytest.mark.parametrize(
    "events",
    [
        [],
        [RunResumed(NOW, "ops")],
        [_started(), _started()],
        [_started(), ChangeStarted(NOW, _COUNT)],
        [_started(), ChangeStarted(NOW, -1)],
    ],
)
def test_a_journal_that_makes_no_sense_is_damaged(events: list[Event]) -> None:
    with pytest.raises(JournalDamaged):
        rebuild(events)


def test_a_run_begins_only_with_the_plan_that_was_sealed() -> None:
    with pytest.raises(ConfigurationError):
        begin(RunStarted(NOW, "r", Sealed(_PLAN, "0" * 64), Mandate("ops"), _SETTLE))


Fault: TypeAlias = str
_FAULTS = st.sampled_from(
    [
        "none",
        "crash",
        "lost-before",
        "lost-after",
        "turned-away",
        "error",
        "nothing-changed",
        "somebody-else",
        "interrupt",
        "rollback",
        "rollback-in-doubt",
    ]
)


@dataclass
class _World:
    """An organization, a journal and a clock: plays the runner, with faults where they are drawn.

    *states* tells per change whether it is as before, as after, or as somebody else made it;
    *ours* whether a command of this run brought it about.
    """

    faults: Iterator[Fault]
    run: Run
    journal: list[Event]
    now: datetime = NOW
    states: list[str] = field(default_factory=lambda: ["before"] * _COUNT)
    sends: list[tuple[str, int]] = field(default_factory=list)

    def fault(self) -> Fault:
        return next(self.faults, "none")

    def record(self, event: Event) -> None:
        self.journal.append(event)
        self.run = evolve(self.run, event)

    def perform(self, action: Action) -> None:
        self.check(action)
        match action:
            case AskWhatIf(position=position):
                refused = self.fault() == "error"
                self.record(
                    ChangeFailed(self.now, position, "denied")
                    if refused
                    else WhatIfAnswered(self.now, position)
                )
            case Apply(position=position):
                self.apply(position)
            case Settle(position=position):
                self.settle(position)
            case Verify(position=position):
                self.verify(position)
            case Undo(position=position):
                self.undo(position)
            case Finish(outcome=outcome):
                self.record(RunFinished(self.now, outcome))
            case _:
                assert_never(action)

    def check(self, action: Action) -> None:
        """Check what must hold whenever an action is about to be carried out."""
        doubtful = [p for p, status in enumerate(self.run.statuses) if status in DOUBTFUL]
        if isinstance(action, Finish):
            assert not doubtful
            return
        status = self.run.statuses[action.position]
        assert doubtful in ([], [action.position]), "one is in doubt: nothing else is touched"
        if doubtful:
            elapsed = self.now - self.run.sent[action.position]
            assert elapsed >= timedelta(seconds=_SETTLE)
        match action:
            case Apply() | AskWhatIf():
                assert status is Status.PENDING
                assert not self.run.rolling_back
            case Settle():
                assert status is Status.IN_DOUBT
            case Verify():
                assert status is Status.APPLIED
            case Undo():
                assert self.run.rolling_back
                left = {Status.APPLIED, Status.VERIFIED, Status.UNDO_IN_DOUBT}
                assert status in left or (status is Status.FOUND_DONE and self.run.undo_doubtful)
            case _:
                assert_never(action)

    def apply(self, position: int) -> None:
        fault = self.fault()
        if fault == "somebody-else":
            self.states[position] = "other"
        if self.states[position] != "before":
            self.record(ChangeDrifted(self.now, position, _DRIFTS))
            return
        self.record(ChangeStarted(self.now, position))
        self.sends.append(("apply", position))
        match fault:
            case "turned-away":
                self.record(ChangeWithheld(self.now, position, "busy"))
            case "error":
                self.record(ChangeFailed(self.now, position, "denied"))
            case "nothing-changed":
                self.states[position] = "after"
                self.record(ChangeFoundDone(self.now, position, "it was so already"))
            case "lost-before" | "lost-after" | "crash":
                self.states[position] = "before" if fault == "lost-before" else "after"
                self.broken(position, fault)
            case _:
                self.states[position] = "after"
                self.record(ChangeApplied(self.now, position))

    def broken(self, position: int, fault: Fault) -> None:
        if fault != "crash":
            self.record(ContactLost(self.now, position, "the wire broke"))

    def settle(self, position: int) -> None:
        match self.states[position]:
            case "after":
                self.record(ChangeFoundDone(self.now, position, "found done"))
            case "before":
                self.record(ChangeWithheld(self.now, position, "looked: not carried out"))
            case _:
                self.record(ChangeDrifted(self.now, position, _DRIFTS))

    def verify(self, position: int) -> None:
        if self.fault() == "somebody-else":
            self.states[position] = "other"
        match self.states[position]:
            case "after":
                self.record(ChangeVerified(self.now, position))
            case "before":
                self.record(ChangeFailed(self.now, position, "not visible"))
            case _:
                self.record(ChangeDrifted(self.now, position, _DRIFTS))

    def undo(self, position: int) -> None:
        fault = self.fault()
        if fault == "somebody-else":
            self.states[position] = "other"
        if self.states[position] == "before":
            self.record(ChangeUndone(self.now, position, sent=False))
        elif self.states[position] == "other":
            self.record(UndoDrifted(self.now, position, _DRIFTS))
        else:
            self.send_back(position, fault)

    def send_back(self, position: int, fault: Fault) -> None:
        self.record(UndoStarted(self.now, position))
        self.sends.append(("undo", position))
        match fault:
            case "turned-away":
                self.record(UndoWithheld(self.now, position, "busy"))
            case "error":
                self.record(UndoFailed(self.now, position, "denied"))
            case "lost-before" | "lost-after" | "crash":
                self.states[position] = "after" if fault == "lost-before" else "before"
                self.broken(position, fault)
            case _:
                self.states[position] = "before"
                self.record(ChangeUndone(self.now, position))

    def disturb(self) -> None:
        """Let something happen between two actions: a stop, a person's word, a new process."""
        match self.fault():
            case "interrupt":
                self.record(RunInterrupted(self.now, "stopped"))
            case "rollback":
                self.record(RollbackRequested(self.now, "ops"))
            case "rollback-in-doubt":
                self.record(RollbackRequested(self.now, "ops", in_doubt=True))
            case "crash":
                self.run = rebuild(self.journal)
                self.record(RunResumed(self.now, "ops"))
            case _:
                pass


@given(st.lists(_FAULTS, max_size=30), st.sampled_from(OnFailure), st.booleans())
def test_whatever_happens_a_run_ends_and_never_acts_blindly(
    faults: list[Fault],
    on_failure: OnFailure,
    whatif: bool,  # noqa: FBT001 - drawn
) -> None:
    started = _started(on_failure, whatif=whatif)
    world = _World(iter(faults), begin(started), [started])
    for _ in range(200):
        action = next_action(world.run, world.now)
        if action is None:
            break
        if isinstance(action, Wait):
            assert action.until > world.now
            assert world.run.doubtful
            world.now = action.until
            continue
        world.perform(action)
        world.now += timedelta(seconds=1)
        world.disturb()
    else:
        pytest.fail("the run does not end")
    assert rebuild(world.journal) == world.run
    _check_end(world)


def _check_end(world: _World) -> None:
    """Check that the outcome tells the truth about the organization."""
    statuses = dict(enumerate(world.run.statuses))
    assert not world.run.doubtful
    for position, status in statuses.items():
        if status in {Status.VERIFIED, Status.FOUND_DONE, Status.UNDO_FAILED}:
            assert world.states[position] == "after"
        if status in {Status.PENDING, Status.FAILED, Status.UNDONE}:
            assert world.states[position] == "before"
        first = [kind for kind, where in world.sends if where == position][:1]
        assert first in ([], ["apply"]), "nothing is undone that was not sent"
    if world.run.outcome is Outcome.SUCCEEDED:
        assert set(world.states) == {"after"}
    if world.run.outcome is Outcome.ROLLED_BACK:
        assert "after" not in world.states
