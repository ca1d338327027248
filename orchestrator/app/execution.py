"""Plans carried out, runs taken up again and rolled back: each under the organization's hold."""

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import UNSET

from orchestrator.app import brakes, incidents, records
from orchestrator.app.planning import (
    IDENTITY,
    Planned,
    find_organization,
    identity,
    judges,
)
from orchestrator.app.workplace import Workplace
from orchestrator.core.drift import check_commands, check_recorded, drifts
from orchestrator.core.errors import (
    DriftError,
    HeldError,
    JournalDamaged,
    OrchestratorError,
    RefusedError,
    UsageError,
)
from orchestrator.core.events import (
    Event,
    Mandate,
    OnFailure,
    RollbackRequested,
    RunResumed,
    RunStarted,
    encode,
)
from orchestrator.core.facts import Facts
from orchestrator.core.inventory import Organization
from orchestrator.core.plan import Drifts, Plan, seal
from orchestrator.core.run import Run, begin, evolve, rebuild
from orchestrator.exchange.objects import OBJECT_KINDS
from orchestrator.journal import Hold, Store, StreamMoved
from orchestrator.runner import Runner, drive
from orchestrator.session import Session

LEASE = timedelta(minutes=5)
"""How long a hold counts on another host after its owner was last heard of."""

Listener: TypeAlias = Callable[[Run, Event], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How a plan is carried out. *asked* says that a person saw it just now, and agreed."""

    mandate: Mandate
    on_failure: OnFailure = OnFailure.HOLD
    whatif: bool = False
    asked: bool = False


@dataclass(slots=True)
class Done:
    """How it went in one organization: a run, or why there is none."""

    organization: str
    run: Run | None = None
    error: OrchestratorError | None = None


class Drifted(DriftError):
    """The organization is not what a plan rests on. *drifts* is the three-way difference."""

    def __init__(self, organization: str, found: Drifts) -> None:
        super().__init__(
            f"{organization} is no longer what the plan rests on",
            "Make a new plan and look at it.",
        )
        self.drifts = found


def new_batch(workplace: Workplace) -> str:
    """Return the id of a new batch: its time in UTC and four hexadecimal digits."""
    return f"{workplace.clock():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


@dataclass(slots=True)
class _Ledger:
    """One run's journal: an event is durable, and the hold renewed, before ``record`` returns.

    ``done.run`` is always what the journal describes, also when recording the next event fails.
    """

    store: Store
    stream: str
    version: int
    hold: Hold
    done: Done
    listener: Listener

    def record(self, event: Event) -> None:
        self.version = self.store.append(self.stream, self.version, [encode(event)], hold=self.hold)
        if isinstance(event, RunStarted):
            self.done.run = begin(event)
        else:
            self.done.run = evolve(self.run, event)
        self.listener(self.run, event)

    @property
    def run(self) -> Run:
        if self.done.run is None:
            raise JournalDamaged("nothing was recorded of this run yet")
        return self.done.run


def carry_out(
    workplace: Workplace, planned: Planned, batch: str, options: Options, listener: Listener
) -> Done:
    """Carry out a plan. An error is part of the answer, next to how far the run came."""
    name = planned.organization.name
    if planned.plan is None:
        return Done(name, error=planned.error)
    session = planned.session or workplace.session(planned.organization)
    done = Done(name)
    with contextlib.closing(session):
        try:
            check_mandate(planned.plan, options.mandate)
            check_decided(planned.plan, options.mandate, asked=options.asked)
            glass = options.mandate.break_glass or ""
            brakes.check(workplace, planned.organization, glass)
            started = _started(workplace, planned.plan, planned.organization, batch, options)
            _carry_out(workplace, started, session, done, listener)
        except OrchestratorError as error:
            done.error = error
    return done


def check_mandate(plan: Plan, mandate: Mandate) -> None:
    """Raise RefusedError or UsageError where *plan* may not be carried out under *mandate*."""
    if plan.refusals:
        raise RefusedError(
            f"{plan.organization.name}: {plan.refusals[0].reason}", plan.refusals[0].way_out
        )
    if plan.lowers_security and not mandate.reason.strip():
        raise UsageError(
            f"{plan.organization.name}: this takes protection away and needs a reason",
            'Add --reason "..."; --ticket, --approved-by and --review-by are recorded with it.',
        )


def check_decided(plan: Plan, mandate: Mandate, *, asked: bool) -> None:
    """Raise RefusedError where a person has to decide, and neither was asked nor is named."""
    if plan.attended is True and not asked and not mandate.approved_by.strip():
        raise RefusedError(
            f"{plan.organization.name}: {plan.playbook} is for a person to decide, and nobody is "
            "asked",
            "Leave --yes away, to be asked; or name who decided with --approved-by.",
        )


def _started(
    workplace: Workplace, plan: Plan, organization: Organization, batch: str, options: Options
) -> RunStarted:
    return RunStarted(
        at=workplace.clock(),
        run=f"{batch}/{organization.name}",
        sealed=seal(plan),
        mandate=options.mandate,
        settle=float(organization.timeouts.settle),
        on_failure=options.on_failure,
        whatif=options.whatif,
    )


def _carry_out(
    workplace: Workplace, started: RunStarted, session: Session, done: Done, listener: Listener
) -> None:
    store, plan = workplace.store, started.sealed.plan
    with _held(workplace, plan) as hold:
        refuse_while_in_doubt(store, plan.organization.guid)
        _use_once(store, started, hold)
        _take_the_lead(store, started.run, plan, hold, started.at)
        ledger = _Ledger(store, records.stream_of(started.run), 0, hold, done, listener)
        ledger.record(started)
        incidents.link(workplace, plan, started.run)
        _drive(workplace, session, ledger)


def _held(workplace: Workplace, plan: Plan) -> Hold:
    return workplace.store.hold(plan.organization.guid, workplace.owner(), LEASE)


def _use_once(store: Store, started: RunStarted, hold: Hold) -> None:
    stream = f"plan/{started.sealed.seal}"
    try:
        store.append(stream, 0, [records.link(started.run, started.at)], hold=hold)
    except StreamMoved:
        _refuse_used(store, started.sealed.seal)
        raise


def _refuse_used(store: Store, sealed: str) -> None:
    for entry in store.read(f"plan/{sealed}"):
        raise RefusedError(
            f"this plan was used already, by run {records.linked(entry.payload)}",
            "Make a new plan and look at it.",
        )


def _take_the_lead(store: Store, name: str, plan: Plan, hold: Hold, at: datetime) -> None:
    """Make the run the organization's latest, which alone may have anything in doubt."""
    history = f"organization/{plan.organization.guid}"
    entries = store.read(history)
    if not entries or records.linked(entries[-1].payload) != name:
        store.append(history, len(entries), [records.link(name, at)], hold=hold)


def refuse_while_in_doubt(store: Store, guid: str, *, but: str = "") -> None:
    """Raise HeldError where the organization's latest run has a change whose effect is unknown.

    *but* is a run to which that does not matter: the one that is to be taken up again.
    """
    entries = store.read(f"organization/{guid}")
    latest = records.linked(entries[-1].payload) if entries else but
    if latest == but or not records.events_of(store, latest):
        return
    run = records.load(store, latest)
    if run.outcome is None and run.doubtful:
        raise HeldError(
            f"run {latest} has a change whose effect is unknown",
            f"First 'orchestrator resume {latest}': it looks before anything else happens.",
            owner=run.mandate.actor,
            since=run.started,
        )


def _drive(workplace: Workplace, session: Session, ledger: _Ledger) -> None:
    run = ledger.run
    queries, judging = judges(workplace, run.plan, session.organization)
    session.pin(run.plan.controller)

    def pause(seconds: float) -> None:
        """Wait in pieces shorter than the lease, so that a long wait does not lose the hold."""
        piece = LEASE.total_seconds() / 5
        while seconds > 0 and not workplace.stop.is_set():
            workplace.pause(min(seconds, piece))
            seconds -= piece
            ledger.hold.renew()

    steady, clock = workplace.steady, workplace.clock
    brake = brakes.look(workplace, session.organization)
    runner = Runner(session, session, queries, judging, clock, steady, pause, brake)
    drive(run, runner, ledger.record, stopping=workplace.stop.is_set)


def preflight(workplace: Workplace, planned: Planned) -> Planned:
    """Return a plan read from a file, ready to be carried out, or the error that forbids it.

    It must not have expired nor been used, must be for the organization that answers, and
    everything that it rests on must still be so.
    """
    plan, organization = planned.plan, planned.organization
    if plan is None:
        return planned
    session = workplace.session(organization)
    try:
        if workplace.clock() >= plan.expires:
            raise RefusedError(
                f"{organization.name}: the plan expired at {plan.expires:%Y-%m-%d %H:%M} UTC",
                "Make a new plan and look at it.",
            )
        _refuse_used(workplace.store, seal(plan).seal)
        _same_organization(workplace, plan, organization, session)
    except OrchestratorError as error:
        session.close()
        return Planned(organization, plan=None, error=error)
    return Planned(organization, plan=plan, session=session)


def _same_organization(
    workplace: Workplace, plan: Plan, organization: Organization, session: Session
) -> None:
    session.pin(plan.controller)
    queries, judging = judges(workplace, plan, organization)
    facts = session.ask(queries)
    answers_as(plan, organization, facts)
    drifted = drifts(plan, range(len(plan.changes)), facts, judging)
    if drifted:
        raise Drifted(organization.name, drifted)
    check_commands(plan, facts, OBJECT_KINDS)


def answers_as(plan: Plan, organization: Organization, facts: Facts) -> None:
    """Raise RefusedError where another organization answers than the one of *plan*."""
    found = identity(organization, facts)
    if found.guid != plan.organization.guid:
        raise RefusedError(
            f"{organization.name} is another organization now: it answered as {found.guid}, this "
            f"was made for {plan.organization.guid}",
            "Use the inventory it was made with.",
        )


def resume(workplace: Workplace, name: str, listener: Listener, break_glass: str = "") -> Done:
    """Take up a run where its journal ends. A change in doubt is looked at first."""
    return _again(
        workplace,
        name,
        listener,
        lambda: RunResumed(
            at=workplace.clock(), actor=workplace.actor, break_glass=break_glass or UNSET
        ),
    )


def roll_back(
    workplace: Workplace, name: str, listener: Listener, *, reason: str, in_doubt: bool
) -> Done:
    """Undo what a run changed, where it is still as the run left it."""
    return _again(
        workplace,
        name,
        listener,
        lambda: RollbackRequested(
            at=workplace.clock(), actor=workplace.actor, reason=reason, in_doubt=in_doubt
        ),
    )


def _again(workplace: Workplace, name: str, listener: Listener, event: Callable[[], Event]) -> Done:
    store = workplace.store
    done = Done(name.partition("/")[2])
    try:
        plan = records.load(store, name).plan
        check_recorded(plan, OBJECT_KINDS)
        organization = find_organization(workplace, plan.organization.name)
        with (
            _held(workplace, plan) as hold,
            contextlib.closing(workplace.session(organization)) as session,
        ):
            refuse_while_in_doubt(store, plan.organization.guid, but=name)
            recorded = records.events_of(store, name)
            done.run = rebuild(recorded)
            session.pin(plan.controller)
            answers_as(plan, organization, session.ask((IDENTITY,)))
            _take_the_lead(store, name, plan, hold, workplace.clock())
            stream = records.stream_of(name)
            ledger = _Ledger(store, stream, len(recorded), hold, done, listener)
            ledger.record(event())
            _drive(workplace, session, ledger)
    except OrchestratorError as error:
        done.error = error
    return done
