"""Actions of a run, performed: each is a generator of what happens meanwhile.

The loop has an event recorded before it asks for the next one, so the line after a ``yield`` runs
only when the event is durable: the order of the code is the order of the journal.
"""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias, assert_never

from orchestrator.core.command import Command, ErrorRecord, Result
from orchestrator.core.drift import drifts
from orchestrator.core.errors import ConnectionLost, TransportError, Unreachable
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
    Outcome,
    RunFinished,
    UndoDrifted,
    UndoFailed,
    UndoStarted,
    UndoWithheld,
    WhatIfAnswered,
)
from orchestrator.core.facts import Facts, Query, Reader, UnknownFact, Value, Writer
from orchestrator.core.plan import Change, Drift, label, words
from orchestrator.core.playbook import Rule
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
)
from orchestrator.core.setting import same, touched
from orchestrator.exchange.warning import says_unmodified
from orchestrator.runner.gate import Look, is_open, passing, undoing

Events: TypeAlias = Generator[Event, None, None]

_CERTAIN = Unreachable
"""The failure after which nothing can have been carried out: there was no session to send it by.

Not so where somebody was not let in (403), a server was busy (503), or what answered was not
Exchange (404): that may be said by something in between, after Exchange had done its part.
"""

SENDINGS = 3
"""How often a command is sent whose connection breaks each time, before the run is left."""

_GONE = "the object is no longer there"

_ASKED = "done before it was sent: by somebody else, or by a server that ignores -WhatIf"

_NOT_DONE = "looked: it was not carried out"

READ_BACKS = 3
"""How often a change that is not visible yet is looked at before it counts as failed."""

PAUSE = 1.0
"""Seconds between two such looks."""


@dataclass(slots=True)
class Runner:
    """Performs actions on one organization.

    *clock* tells the time of events, *steady* seconds that only ever pass. *pause* waits for that
    many seconds, or less when the run is to stop. *brake* is looked at before every write. What
    was read to verify one change is what the next one is judged by: nothing is sent in between.
    """

    reader: Reader
    writer: Writer
    queries: Sequence[Query]
    rules: Sequence[Rule]
    clock: Callable[[], datetime]
    steady: Callable[[], float]
    pause: Callable[[float], None]
    brake: Look = is_open
    _needed: Sequence[Query] = field(default=(), init=False)
    _seen: Facts | None = field(default=None, init=False)
    _lost: Counter[int] = field(default_factory=Counter, init=False)

    def perform(self, run: Run, action: Action) -> Events:
        """Yield what happens while *action* is carried out. Raises TransportError, HeldBack."""
        self._needed = self._left(run)
        match action:
            case AskWhatIf(position=position):
                yield from self._ask_whatif(run, position)
            case Apply(position=position):
                yield from self._apply(run, position)
            case Settle(position=position):
                yield from self._settle(position, run.plan.changes[position])
            case Verify(position=position):
                yield from self._verify(position, run.plan.changes[position])
            case Undo(position=position):
                yield from self._undo(run, position)
            case Finish(outcome=outcome):
                yield from self._finish(run, outcome)
            case _:
                assert_never(action)

    def _look(self) -> Facts:
        return self.reader.ask(self._needed)

    def _left(self, run: Run) -> Sequence[Query]:
        """Return what has to be read: where nothing is left to judge, only what was changed."""
        if any(status is Status.PENDING or status in DOUBTFUL for status in run.statuses):
            return self.queries
        kinds = {change.setting.ref.kind for change in run.plan.changes}
        return tuple(query for query in self.queries if query.kind in kinds)

    def _ask_whatif(self, run: Run, position: int) -> Events:
        # A cmdlet that ignores -WhatIf writes.
        yield from passing(run, self.brake, self.clock)
        apply = run.plan.changes[position].difference.apply
        result = self.writer.send(Command(apply.name, (*apply.parameters, ("WhatIf", True))))
        if result.errors:
            yield ChangeFailed(at=self.clock(), position=position, reason=_reason(result.errors))
        else:
            yield WhatIfAnswered(at=self.clock(), position=position, lines=result.host)

    def _apply(self, run: Run, position: int) -> Events:
        seen, self._seen = self._seen or self._look(), None
        pending = [p for p, status in enumerate(run.statuses) if status is Status.PENDING]
        if done := self._done_by_asking(run, seen):
            self._seen = seen
            yield from done
        elif drifted := drifts(run.plan, pending, seen, self.rules):
            yield ChangeDrifted(at=self.clock(), position=position, drifts=drifted)
        else:
            yield from passing(run, self.brake, self.clock)
            yield from self._send(position, run.plan.changes[position])

    def _done_by_asking(self, run: Run, seen: Facts) -> list[Event]:
        """Return that what was only asked for with ``-WhatIf`` is done: some cmdlets ignore it."""
        return [
            ChangeFoundDone(at=self.clock(), position=position, reason=_ASKED)
            for position, status in enumerate(run.statuses)
            if status is Status.PENDING and position in run.asked
            for change in (run.plan.changes[position],)
            if same(_stands(change, seen), change.difference.after)
        ]

    def _finish(self, run: Run, outcome: Outcome) -> Events:
        """Close the run if it is as *outcome* says: by the latest look, or one more."""
        telling = run.plan.changes if outcome is Outcome.SUCCEEDED else run.asked
        if not telling:
            yield RunFinished(at=self.clock(), outcome=outcome)
            return
        self._seen = seen = self._seen or self._look()
        otherwise = self._done_by_asking(run, seen)
        if outcome is Outcome.SUCCEEDED:
            otherwise += self._taken_back(run, seen)
        if otherwise:
            yield from otherwise
        else:
            yield RunFinished(at=self.clock(), outcome=outcome)

    def _taken_back(self, run: Run, seen: Facts) -> list[Event]:
        """Return what somebody changed again after it was made, or found done, in this run."""
        stands = [_stands(change, seen) for change in run.plan.changes]
        return [
            self._drifted(position, change, now)
            for position, (change, now) in enumerate(zip(run.plan.changes, stands, strict=True))
            if not same(now, change.difference.after)
        ]

    def _send(self, position: int, change: Change) -> Events:
        yield ChangeStarted(at=self.clock(), position=position)
        try:
            result = self.writer.send(change.difference.apply)
        except _CERTAIN as error:
            yield ChangeWithheld(at=self.clock(), position=position, reason=error.message)
            raise
        except TransportError as error:
            self._lost[position] += 1
            yield ContactLost(at=self.clock(), position=position, reason=error.message)
            return
        if result.errors:
            reason = f"the server reported an error: {_reason(result.errors)}"
            yield from self._after_doubt(position, change, reason)
        elif _changed_nothing(result):
            reason = f"the server says that nothing was changed: {result.warnings[0]}"
            yield from self._after_doubt(position, change, reason)
        else:
            yield ChangeApplied(at=self.clock(), position=position, warnings=result.warnings)

    def _after_doubt(self, position: int, change: Change, reason: str) -> Events:
        """Believe neither what the server says against it nor the contrary: look."""
        now = self._touched(change)
        if same(now, change.difference.before):
            yield ChangeFailed(at=self.clock(), position=position, reason=reason)
        elif same(now, change.difference.after):
            found = f"{reason}; yet it is as wanted"
            yield ChangeFoundDone(at=self.clock(), position=position, reason=found)
        else:
            yield self._drifted(position, change, now)

    def _settle(self, position: int, change: Change) -> Events:
        now = self._touched(change)
        if same(now, change.difference.after):
            reason = "found done after its effect was in doubt"
            yield ChangeFoundDone(at=self.clock(), position=position, reason=reason)
        elif same(now, change.difference.before):
            yield ChangeWithheld(at=self.clock(), position=position, reason=_NOT_DONE)
            self._give_up(position)
        else:
            yield self._drifted(position, change, now)

    def _give_up(self, position: int) -> None:
        """Raise ConnectionLost where the wire broke too often under one change."""
        if self._lost[position] >= SENDINGS:
            raise ConnectionLost(
                f"the connection broke {SENDINGS} times while this was sent",
                "Look at the server and the network, then resume the run.",
            )

    def _verify(self, position: int, change: Change) -> Events:
        now = self._awaited(change, change.difference.before)
        if same(now, change.difference.after):
            yield ChangeVerified(at=self.clock(), position=position)
        elif same(now, change.difference.before):
            reason = "the server reported success, but reading back shows the state from before"
            yield ChangeFailed(at=self.clock(), position=position, reason=reason)
        else:
            yield self._drifted(position, change, now)

    def _awaited(self, change: Change, leaving: Value) -> Value:
        """Return what the change is about once it is not *leaving* any more, or at last."""
        for _ in range(READ_BACKS - 1):
            now = self._touched(change)
            if not same(now, leaving):
                return now
            self.pause(PAUSE)
        return self._touched(change)

    def _touched(self, change: Change) -> Value:
        """Return what the change is about, freshly read. Raises Unreachable where nobody knows."""
        self._seen = None
        facts = self._look()
        now = _stands(change, facts)
        self._seen = facts
        return now

    def _drifted(self, position: int, change: Change, now: Value) -> ChangeDrifted:
        return ChangeDrifted(at=self.clock(), position=position, drifts=(_drift(change, now),))

    def _undo(self, run: Run, position: int) -> Events:
        change = run.plan.changes[position]
        now = self._touched(change)
        if same(now, change.difference.before):
            yield ChangeUndone(at=self.clock(), position=position, sent=False)
        elif same(now, change.difference.after):
            if run.statuses[position] is Status.UNDO_IN_DOUBT:
                yield UndoWithheld(at=self.clock(), position=position, reason=_NOT_DONE)
                self._give_up(position)
            undoing(self.brake)
            yield from self._send_back(position, change)
        else:
            drifted = (_drift(change, now),)
            yield UndoDrifted(at=self.clock(), position=position, drifts=drifted)

    def _send_back(self, position: int, change: Change) -> Events:
        yield UndoStarted(at=self.clock(), position=position)
        try:
            result = self.writer.send(change.difference.undo)
        except _CERTAIN as error:
            yield UndoWithheld(at=self.clock(), position=position, reason=error.message)
            raise
        except TransportError as error:
            self._lost[position] += 1
            yield ContactLost(at=self.clock(), position=position, reason=error.message)
            return
        failed = bool(result.errors)
        now = self._touched(change) if failed else self._awaited(change, change.difference.after)
        if same(now, change.difference.before):
            yield ChangeUndone(at=self.clock(), position=position)
        else:
            reason = _reason(result.errors) or f"reading back shows {words(now)}"
            yield UndoFailed(at=self.clock(), position=position, reason=reason)


def _stands(change: Change, seen: Facts) -> Value:
    """Return what the change is about. Raises Unreachable where nobody knows.

    That its object is there no longer is known: it is somebody else's work, as drift is.
    """
    ref = change.setting.ref
    try:
        if all(one.ref.guid != ref.guid for one in seen.of(ref.kind)):
            return _GONE
        return touched(change.setting, seen.one(ref))
    except UnknownFact as error:
        raise Unreachable(
            f"{label(change.setting)} cannot be read: {error.reason}",
            "Look at it in the Exchange Management Shell, then resume the run.",
        ) from error


def _reason(errors: Sequence[ErrorRecord]) -> str:
    return "; ".join(f"{error.message} ({error.failure})" for error in errors)


def _changed_nothing(result: Result) -> bool:
    """Say whether Exchange warned that the command modified no settings.

    Other warnings say nothing of who changed what: they are recorded with the change.
    """
    return any(map(says_unmodified, result.warnings))


def _drift(change: Change, now: Value) -> Drift:
    planned = change.difference
    return Drift(label(change.setting), words(planned.before), words(planned.after), words(now))
