"""The loop that turns decisions into deeds, and the hourglass by which it waits."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import UNSET, UnsetType

from orchestrator.core.calendar import Brake
from orchestrator.core.errors import TransportError
from orchestrator.core.events import ChangeStarted, ContactLost, Event, RunInterrupted, UndoStarted
from orchestrator.core.run import DOUBTFUL, Run, Wait, evolve, next_action
from orchestrator.runner.actions import Runner
from orchestrator.runner.gate import HeldBack


class _Hourglass:
    """Measures how long a change has been in doubt, by a clock that nobody puts forward or back.

    Only the time before this process took the run up is taken from the journal, and never for
    less than none of it nor for more than all.
    """

    def __init__(self, run: Run, runner: Runner) -> None:
        self._runner = runner
        self._settle = run.settle
        since = _doubted(run)
        passed = (runner.clock() - since).total_seconds() if since else 0.0
        self._begun = runner.steady() - min(max(passed, 0.0), run.settle)

    def heed(self, event: Event) -> None:
        """Begin anew where a command is about to be sent, and where contact with it was lost.

        A command that outlasted our deadline may still be at work when we give up.
        """
        if isinstance(event, ChangeStarted | ContactLost | UndoStarted):
            self._begun = self._runner.steady()

    def now(self, run: Run) -> datetime:
        """Return the time; while a change is in doubt, when it was sent and what passed since."""
        since = _doubted(run)
        if since is None:
            return self._runner.clock()
        passed = min(self._runner.steady() - self._begun, self._settle)
        return since + timedelta(seconds=passed)


def _doubted(run: Run) -> datetime | None:
    """Return when the command was sent whose effect is in doubt."""
    doubtful = (at for at, status in enumerate(run.statuses) if status in DOUBTFUL)
    position = next(doubtful, None)
    return None if position is None else run.sent[position]


def drive(
    run: Run,
    runner: Runner,
    record: Callable[[Event], None],
    *,
    stopping: Callable[[], bool],
) -> Run:
    """Carry out *run* to its end, or to where it has to stop; *record* makes each event durable.

    It stops at a boundary between actions when *stopping* says so, before a write that is held
    back, and where the wire fails: the run then ends with RunInterrupted and can be resumed.
    """
    glass = _Hourglass(run, runner)
    while (action := next_action(run, glass.now(run))) is not None:
        if stopping():
            return _interrupt(run, runner, record, "stopped by request")
        if isinstance(action, Wait):
            runner.pause((action.until - glass.now(run)).total_seconds())
            continue
        try:
            for event in runner.perform(run, action):
                record(event)
                run = evolve(run, event)
                glass.heed(event)
        except HeldBack as held:
            closure = held.closure
            return _interrupt(run, runner, record, str(closure), brake=closure.brake)
        except TransportError as error:
            return _interrupt(run, runner, record, str(error), unreachable=True)
    return run


def _interrupt(  # noqa: PLR0913 - an interruption has that many sides
    run: Run,
    runner: Runner,
    record: Callable[[Event], None],
    reason: str,
    *,
    unreachable: bool = False,
    brake: Brake | UnsetType = UNSET,
) -> Run:
    event = RunInterrupted(at=runner.clock(), reason=reason, unreachable=unreachable, brake=brake)
    record(event)
    return evolve(run, event)
