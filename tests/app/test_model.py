"""Plans, runs, crashes, rollbacks and other administrators in any order, against a simple model.

The model of the organization is a dictionary: what is on a list, what is enabled. It is moved by
what other administrators do and by what the journal says that we did, and by nothing else; after
each step the lab has to look exactly like it, entry by entry, and everything that is not in the
dictionary as on the first day.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as play

from orchestrator.app import records
from orchestrator.app.execution import Done, Options, carry_out, new_batch, resume, roll_back
from orchestrator.app.planning import Planned, plan_organization
from orchestrator.app.workplace import Workplace, connect_psrp, utc_now
from orchestrator.core.command import Result, Statement, Transport
from orchestrator.core.events import (
    ChangeApplied,
    ChangeFoundDone,
    ChangeUndone,
    ChangeVerified,
    ContactLost,
    Event,
    Mandate,
    OnFailure,
    Outcome,
    RunFinished,
)
from orchestrator.core.inventory import Organization, Server
from orchestrator.core.plan import Change
from orchestrator.core.run import DOUBTFUL, Run, Status
from orchestrator.core.setting import Member
from orchestrator.lab import PASSWORD, DropAfter, DropBefore, Lab
from orchestrator.loader import find_playbook
from orchestrator.loader.playbook import load_playbook
from tests.app.conftest import DEDICATED, REMOVE, RETIRE
from tests.app.victim import quick

Thing = tuple[str, str, str]
"""An object, one of its properties, and of a list one entry."""

RECEIVE, SEND = "TLSReceiveDomainSecureList", "TLSSendDomainSecureList"
CONFIG = "TransportConfig"
FIRST_DAY: Mapping[Thing, bool] = {
    (CONFIG, RECEIVE, "adatum.com"): True,
    (CONFIG, RECEIVE, "fabrikam.com"): True,
    (CONFIG, RECEIVE, "litware.com"): True,
    (CONFIG, RECEIVE, "proseware.com"): False,
    (CONFIG, SEND, "fabrikam.com"): True,
    (CONFIG, SEND, "adatum.com"): True,
    ("EX01\\From Fabrikam", "Enabled", ""): True,
    ("EX02\\From Fabrikam", "Enabled", ""): True,
    ("To Fabrikam", "Enabled", ""): True,
    ("To Internet", "Enabled", ""): True,
}
TIED = {"domain": "fabrikam.com", "connector": "EX01\\From Fabrikam"}
JOBS = (
    (REMOVE, {"domain": "fabrikam.com"}),
    (REMOVE, {"domain": "litware.com"}),
    ("restore-domain-security", {"domain": "fabrikam.com"}),
    ("restore-domain-security", {"domain": "proseware.com"}),
    (RETIRE, TIED),
    (RETIRE, {**TIED, "include_send": "true"}),
)
WRITES = ("Set-TransportConfig", "Set-ReceiveConnector", "Set-SendConnector")


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class Fuse:
    """Kills when so many moments have passed: events, and either side of each call of the wire."""

    def __init__(self, moments: int | None) -> None:
        self._left = moments

    def burn(self) -> None:
        """Pass one moment."""
        if self._left is None:
            return
        self._left -= 1
        if self._left == 0:
            raise Killed

    def connect(self, organization: Organization, server: Server) -> Transport:
        """Open a real session whose calls are moments."""
        return _Wire(connect_psrp(organization, server), self)


class _Wire:
    """A real session, which burns a fuse."""

    def __init__(self, transport: Transport, fuse: Fuse) -> None:
        self._transport, self._fuse = transport, fuse

    def invoke(self, *statements: Statement) -> Result:
        self._fuse.burn()
        result = self._transport.invoke(*statements)
        self._fuse.burn()
        return result

    def close(self) -> None:
        self._transport.close()


moments = st.one_of(st.none(), st.none(), st.integers(1, 30))
drops = st.one_of(
    st.none(),
    st.none(),
    st.tuples(st.sampled_from([DropBefore, DropAfter]), st.sampled_from(WRITES)),
)


class Organizations(RuleBasedStateMachine):
    """One organization, the product, and everybody else."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.model = dict(FIRST_DAY)
        self.planned: list[Planned] = []
        self.heard: dict[str, int] = {}
        self.ahead = timedelta()

    @initialize()
    def open(self) -> None:
        """Start the lab, on its first day."""
        self.stack.enter_context(_password())
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.lab = self.stack.enter_context(Lab(DEDICATED))
        file = self.folder / "inventory.yaml"
        file.write_text(self.lab.inventory_text(auth="basic"))
        self.inventory = quick(file)
        self.first_day = _untouched(self.lab)

    def teardown(self) -> None:
        """Stop the lab."""
        self.stack.close()

    @rule(job=st.sampled_from(JOBS))
    def plan(self, job: tuple[str, dict[str, str]]) -> None:
        """Look at the organization; a plan writes nothing."""
        playbook = load_playbook(find_playbook(job[0]))
        with self._process(None) as workplace:
            (organization,) = workplace.inventory.organizations
            planned = plan_organization(workplace, organization, playbook, job[1])
            assert planned.plan is not None
            assert planned.session is not None
            planned.session.close()
        self.planned.append(Planned(organization, planned.plan))

    @precondition(lambda self: self.planned)
    @rule(data=st.data(), kill=moments, drop=drops, on_failure=st.sampled_from(OnFailure))
    def apply(
        self,
        data: st.DataObject,
        kill: int | None,
        drop: tuple[type[DropBefore | DropAfter], str] | None,
        on_failure: OnFailure,
    ) -> None:
        """Carry out a plan, fresh or stale; a used one is refused."""
        latest = self.planned[-1]
        planned = latest if data.draw(st.booleans()) else data.draw(st.sampled_from(self.planned))
        options = Options(Mandate("model", reason="a test"), on_failure)
        self._work(
            lambda at, heard: carry_out(at, planned, new_batch(at), options, heard), kill, drop
        )

    @precondition(lambda self: self.heard)
    @rule(data=st.data(), kill=moments, drop=drops)
    def resume(
        self,
        data: st.DataObject,
        kill: int | None,
        drop: tuple[type[DropBefore | DropAfter], str] | None,
    ) -> None:
        """Take a run up again, whether it needs that or not."""
        name = data.draw(st.sampled_from(sorted(self.heard)))
        self._work(lambda at, heard: resume(at, name, heard), kill, drop)

    @precondition(lambda self: self.heard)
    @rule(data=st.data(), kill=moments, drop=drops, in_doubt=st.booleans())
    def roll_back(
        self,
        data: st.DataObject,
        kill: int | None,
        drop: tuple[type[DropBefore | DropAfter], str] | None,
        *,
        in_doubt: bool,
    ) -> None:
        """Undo a run, whether it ended or not."""
        name = data.draw(st.sampled_from(sorted(self.heard)))
        self._work(
            lambda at, heard: roll_back(at, name, heard, reason="a test", in_doubt=in_doubt),
            kill,
            drop,
        )

    @rule(data=st.data())
    def somebody_else(self, data: st.DataObject) -> None:
        """Let another administrator turn one thing round, by preference one that is planned."""
        plan = self.planned[-1].plan if self.planned else None
        things = [_thing(change) for change in plan.changes] if plan else []
        thing = data.draw(st.sampled_from([*things, *things, *sorted(FIRST_DAY)]))
        self.model[thing] = wanted = not self.model[thing]
        name, prop, entry = thing
        value: object = wanted
        if entry:
            kept = [one for one in _listed(self.lab, prop) if one.casefold() != entry]
            value = (*kept, entry) if wanted else tuple(kept)
        self.lab.edit(name, **{prop: value})  # type: ignore[arg-type] # a property by its name

    @rule(days=st.integers(-2, 2))
    def time(self, days: int) -> None:
        """Put the clock of the jump host forward or back."""
        self.ahead += timedelta(days=days)

    @invariant()
    def the_organization_is_what_the_model_says(self) -> None:
        """Compare every entry and connector, and all the rest with the first day."""
        if hasattr(self, "lab"):
            assert _seen(self.lab) == self.model
            assert _untouched(self.lab) == self.first_day

    @invariant()
    def nothing_is_sent_that_was_there_already(self) -> None:
        """Each of our writes took effect: none was sent twice."""
        if hasattr(self, "lab"):
            assert all(one.effective for one in self.lab.audit() if one.caller == "CONTOSO\\ops")

    @contextlib.contextmanager
    def _process(self, kill: int | None) -> Iterator[Workplace]:
        fuse = Fuse(kill)
        at = Workplace(self.inventory, str(self.folder / "store"), fuse.connect)
        at.clock = lambda: utc_now() + self.ahead
        self.fuse = fuse
        try:
            yield at
        finally:
            at.close()

    def _work(
        self,
        work: Callable[[Workplace, Callable[[Run, Event], None]], Done],
        kill: int | None,
        drop: tuple[type[DropBefore | DropAfter], str] | None,
    ) -> None:
        def heard(_run: Run, event: Event) -> None:
            if isinstance(event, ContactLost):
                self.lab.faults.clear()
            self.fuse.burn()

        if drop is not None:
            self.lab.faults.append(drop[0]("Command", cmdlet=drop[1]))
        with self._process(kill) as at, contextlib.suppress(Killed):
            work(at, heard)
        self.lab.faults.clear()
        with self._process(None) as at:
            for name in records.run_names(at.store):
                self._believe(at, name)

    def _believe(self, at: Workplace, name: str) -> None:
        """Move the model by what is new in the journal of a run."""
        events = records.events_of(at.store, name)
        run = records.load(at.store, name)
        seen = _seen(self.lab)
        new = events[self.heard.get(name, 0) :]
        self.heard[name] = len(events)
        for event in new:
            match event:
                case ChangeApplied(position=at_) | ChangeVerified(position=at_):
                    self._set(run.plan.changes[at_], after=True)
                case ChangeUndone(position=at_):
                    self._set(run.plan.changes[at_], after=False)
                case ChangeFoundDone(position=at_):
                    self._set(run.plan.changes[at_], after=True)
                case _:
                    pass
        for change, status in zip(run.plan.changes, run.statuses, strict=True):
            if new and status in DOUBTFUL:
                self.model[_thing(change)] = seen[_thing(change)]
        if any(isinstance(event, RunFinished) for event in new):
            _check_end(run, seen)

    def _set(self, change: Change, *, after: bool) -> None:
        self.model[_thing(change)] = _wanted(change) is after


def _check_end(run: Run, seen: Mapping[Thing, bool]) -> None:
    """Hold a run that has just ended to its word."""
    if run.outcome is Outcome.SUCCEEDED:
        assert all(seen[_thing(change)] is _wanted(change) for change in run.plan.changes)
    if run.outcome is Outcome.ROLLED_BACK:
        assert not {Status.VERIFIED, Status.APPLIED, Status.FOUND_DONE} & set(run.statuses)


def _thing(change: Change) -> Thing:
    setting = change.setting
    name = CONFIG if setting.ref.kind == CONFIG else setting.ref.label
    return name, setting.property, setting.member.casefold() if isinstance(setting, Member) else ""


def _wanted(change: Change) -> bool:
    setting = change.setting
    return setting.present if isinstance(setting, Member) else change.difference.after is True


def _listed(lab: Lab, prop: str) -> list[str]:
    value = lab.organization.find(CONFIG).values[prop]
    return [str(one) for one in value] if isinstance(value, tuple) else []


def _seen(lab: Lab) -> dict[Thing, bool]:
    """Return what the organization is, as far as the model goes."""
    found = {}
    for name, prop, entry in FIRST_DAY:
        value = lab.organization.find(name).values[prop]
        listed = [str(one).casefold() for one in value] if isinstance(value, tuple) else []
        found[name, prop, entry] = entry in listed if entry else value is True
    return found


def _untouched(lab: Lab) -> object:
    """Return everything else: the properties that nobody is to touch, and unknown entries."""
    mine = {(name, prop) for name, prop, _ in FIRST_DAY}
    known = {entry for _, _, entry in FIRST_DAY}
    rest = {
        (label, prop): value
        for label, seen in lab.snapshot().items()
        for prop, value in seen.items()
        if (label.partition(":")[2], prop) not in mine and prop not in {RECEIVE, SEND}
        if not prop.startswith("When")
    }
    strange = {
        one for prop in (RECEIVE, SEND) for one in _listed(lab, prop) if one.casefold() not in known
    }
    return rest, strange


@contextlib.contextmanager
def _password() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORCHESTRATOR_LAB_PASSWORD", PASSWORD)
        yield


def _settings(examples: int, steps: int, *, derandomize: bool) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=derandomize,
        phases=[Phase.generate],  # shrinking takes minutes over the wire
        suppress_health_check=list(HealthCheck),
        database=None,
        print_blob=True,
    )


def test_a_few_histories_end_as_the_model_says() -> None:
    play(Organizations, settings=_settings(10, 20, derandomize=True))


@pytest.mark.slow
def test_many_histories_end_as_the_model_says() -> None:
    play(Organizations, settings=_settings(150, 30, derandomize=False))
