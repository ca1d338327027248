"""Proof after a change: what a run's plan asked for is looked at, and what was found recorded.

Looking takes no hold on the organization: others may work there meanwhile. What is found is added
to the run's own record, unless the run was taken up or rolled back in the meantime.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.app import records
from orchestrator.app.execution import Done, Listener, answers_as
from orchestrator.app.passages import passages
from orchestrator.app.planning import IDENTITY, find_organization
from orchestrator.app.replicas import replicas
from orchestrator.app.sightings import logged
from orchestrator.app.workplace import Workplace
from orchestrator.core.errors import (
    ConnectionLost,
    OrchestratorError,
    Throttled,
    Unreachable,
)
from orchestrator.core.events import ProofObserved, encode
from orchestrator.core.proof import WEIGHTS, Evidence, Finding, Standing, Verdict, bounded, keep
from orchestrator.core.run import Run, evolve, rebuild
from orchestrator.exchange.audit import Sent, entries, in_the_audit_log, search
from orchestrator.exchange.proofs import Times, on_every_controller
from orchestrator.exchange.silence import (
    EventsOf,
    accepted_message,
    config_reloaded,
    no_events,
)
from orchestrator.journal import StreamMoved
from orchestrator.session import Session

_PASSING = (Unreachable, ConnectionLost, Throttled)

POLL = timedelta(minutes=1)
"""How often somebody who waits looks: a message may come at any time."""


def verify(workplace: Workplace, name: str, listener: Listener, *, only_open: bool = False) -> Done:
    """Look once at every proof that run *name* asked for. An error is part of the answer.

    With *only_open* at those alone of which nothing is known yet.
    """
    done = Done(name.partition("/")[2])
    try:
        done.run = records.load(workplace.store, name)
        if done.run.proof is not None and done.run.plan.proofs:
            _look(workplace, done, done.run, listener, only_open=only_open)
    except OrchestratorError as error:
        done.error = error
    return done


def wait(workplace: Workplace, name: str, listener: Listener, timeout: timedelta) -> Done:
    """Look again and again until nothing is pending, *timeout* is over, or somebody wants to leave.

    Neither a hold nor a session is kept while nothing is looked at. A server that cannot be reached
    for the moment is tried again; one that does not let us in is not, for that locks accounts out.
    """
    looked, end = False, workplace.steady() + timeout.total_seconds()
    while True:
        done = verify(workplace, name, listener, only_open=looked)
        looked = looked or done.error is None
        left = end - workplace.steady()
        if not _goes_on(done) or left <= 0 or workplace.stop.is_set():
            return done
        workplace.pause(min(left, POLL.total_seconds()))
        if workplace.stop.is_set():
            return done


def _goes_on(done: Done) -> bool:
    passing = done.error is None or isinstance(done.error, _PASSING)
    return passing and pending(done.run)


def pending(run: Run | None) -> bool:
    """Say whether anything that would prove *run* is still to come."""
    proof = run.proof if run else None
    return proof is not None and proof.standing is Standing.PENDING


def _look(
    workplace: Workplace, done: Done, run: Run, listener: Listener, *, only_open: bool
) -> None:
    organization = find_organization(workplace, run.plan.organization.name)
    with contextlib.closing(workplace.session(organization)) as session:
        session.pin(run.plan.controller)
        answers_as(run.plan, organization, session.ask((IDENTITY,)))
        place = _Place(workplace, session, run)
        for name in sorted(run.plan.proofs or (), key=_order):
            if workplace.stop.is_set() or place.run.proof is None:
                return
            if only_open and not _is_open(place.run, name):
                continue
            finding = bounded(_LOOKS.get(name, _unheard_of)(place))
            done.run = place.run = _record(workplace, place.run, name, finding, listener)


def _is_open(run: Run, name: str) -> bool:
    known = run.proofs.get(name)
    return known is None or known.finding.verdict in {Verdict.PENDING, Verdict.UNKNOWN}


def _order(name: str) -> int:
    """Return where a proof comes in the order of looking: when a change arrived is needed first."""
    return [*WEIGHTS, name].index(name)


def _record(workplace: Workplace, run: Run, name: str, finding: Finding, listener: Listener) -> Run:
    """Return *run* with what was found, where that is news and the run is still as it was."""
    stream, event = records.stream_of(run.id), ProofObserved(workplace.clock(), name, finding)
    while True:
        recorded = records.events_of(workplace.store, run.id)
        current = rebuild(recorded)
        known = current.proofs.get(name)
        if current.proof is None:
            return current
        if known is not None and keep(name, known.finding, finding) == known.finding:
            return current
        try:
            workplace.store.append(stream, len(recorded), [encode(event)])
        except StreamMoved:
            continue
        after = evolve(current, event)
        listener(after, event)
        return after


@dataclass(slots=True)
class _Place:
    """Where one look is made: the way to the organization, and how far the run's proof is."""

    workplace: Workplace
    session: Session
    run: Run
    _logs: tuple[EventsOf, ...] | None = None

    @property
    def now(self) -> datetime:
        return self.workplace.clock()

    @property
    def applied(self) -> datetime:
        """When the last change was read back."""
        return self.run.ended or self.run.started

    @property
    def times(self) -> Times:
        """When the change was made, and when every domain controller was first seen to have it.

        Where it was changed again, or never arrives, nothing is waited for: whatever comes counts.
        """
        seen = self.run.proofs.get("every_controller")
        if "every_controller" not in (self.run.plan.proofs or ()):
            return Times(self.applied, self.applied)
        if seen is None or seen.finding.verdict is Verdict.PENDING:
            return Times(self.applied, None)
        if seen.finding.verdict is Verdict.CONTRARY:
            return Times(self.applied, self.applied)
        since = seen.finding.since or seen.at
        return Times(self.applied, min(max(since, self.applied), seen.at))

    @property
    def logs(self) -> tuple[EventsOf, ...]:
        """What the servers logged since the change: read once for all proofs that need it."""
        if self._logs is None:
            self._logs = logged(self.workplace, self.session.organization, self.applied)
        return self._logs


def _every_controller(place: _Place) -> Finding:
    plan = place.run.plan
    seen = replicas(place.session, plan.changes)
    return on_every_controller(plan, seen, place.applied, place.now)


def _audit_log(place: _Place) -> Finding:
    run = place.run
    sent = _sent(run)
    account = place.session.organization.user
    found = entries(place.session.look((search(sent),))) if sent else ()
    return in_the_audit_log(sent, _elsewhere(place), found, account, place.now)


def _sent(run: Run) -> list[Sent]:
    """Return the commands of *run*; of a change that was undone, the one that undid it."""
    return [Sent(run.id, run.plan.changes[at], when) for at, when in sorted(run.sent.items())]


def _elsewhere(place: _Place) -> list[Sent]:
    """Return the commands of all other runs of this organization that are recorded here."""
    guid = place.run.plan.organization.guid
    return [
        sent
        for run in records.all_runs(place.workplace.store)
        if run.plan.organization.guid == guid and run.id != place.run.id
        for sent in _sent(run)
    ]


def _accepted_message(place: _Place) -> Finding:
    domains = place.run.plan.domains
    seen = passages(place.workplace, place.session.organization, domains, place.applied)
    return accepted_message(domains, seen, place.times, place.now)


def _no_events(place: _Place) -> Finding:
    return no_events(place.run.plan.domains, place.logs, place.times, place.now)


def _config_reloaded(place: _Place) -> Finding:
    return config_reloaded(place.logs, place.times, place.now)


def _unheard_of(place: _Place) -> Finding:
    del place
    return Finding(Verdict.UNKNOWN, (Evidence("this program does not know how to look for it"),))


_LOOKS: dict[str, Callable[[_Place], Finding]] = {
    "every_controller": _every_controller,
    "audit_log": _audit_log,
    "accepted_message": _accepted_message,
    "no_events": _no_events,
    "config_reloaded": _config_reloaded,
}
