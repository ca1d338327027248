"""Rehearsals performed: the real product over the real wire, against a lab of its own per case.

Every case is a dry run that must not write, the application, a look at the whole organization, a
second run that must find nothing to do, and a rollback that must leave everything as it was.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from orchestrator.app.execution import Done, Options, carry_out, new_batch, roll_back
from orchestrator.app.moves import Moved, Snapshot, moves, text
from orchestrator.app.planning import Planned, plan_organization
from orchestrator.app.rehearsal import Case, Edit, Rehearsal, Result, Rules, texts
from orchestrator.app.workplace import Workplace, connect_psrp
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.events import Event, Mandate, Outcome
from orchestrator.core.inventory import Inventory
from orchestrator.core.plan import Plan
from orchestrator.core.playbook import Playbook, Refusal
from orchestrator.core.run import Run, Status
from orchestrator.exchange.objects import OBJECT_KINDS
from orchestrator.lab import Lab, load_scenario
from orchestrator.loader.inventory import parse_inventory

_READING = ("Get-", "Select-", "Measure-", "Search-", "Out-")
_OPTIONS = Options(Mandate(actor="rehearsal", reason="This is a rehearsal."), asked=True)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How one case went. *faults* says, a sentence each, what was not as expected."""

    playbook: str
    case: str
    scenario: str
    faults: tuple[str, ...]


class Otherwise(Exception):
    """What came is not what the rehearsal expects. The arguments are sentences."""


def rehearse(rehearsal: Rehearsal, case: Case) -> Rehearsed:
    """Perform one case. What a person got wrong in the file is one of the faults, too."""
    faults: tuple[str, ...] = ()
    try:
        with tempfile.TemporaryDirectory(prefix="orchestrator-") as folder:
            _perform(rehearsal, case, Path(folder))
    except Otherwise as difference:
        faults = difference.args
    except OrchestratorError as error:
        faults = (f"{error} {error.advice}".strip(),)
    return Rehearsed(rehearsal.playbook.name, case.name, case.scenario, faults)


def _perform(rehearsal: Rehearsal, case: Case, folder: Path) -> None:
    with Lab(load_scenario(rehearsal.scenario(case))) as lab:
        workplace = _workplace(lab, case, folder)
        try:
            _Stage(rehearsal.playbook, case, lab, workplace).perform()
        finally:
            workplace.close()


def _workplace(lab: Lab, case: Case, folder: Path) -> Workplace:
    """Return a jump host at which the case's account works; its password is in a file."""
    accounts = {user.name: user.password for user in lab.scenario.users}
    name = case.user or lab.scenario.users[0].name
    if name not in accounts:
        raise Otherwise(f"the scenario has no account {name!r}; it has {', '.join(accounts)}")
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(accounts[name], encoding="utf-8")
    text = lab.inventory_text(
        user=f"{lab.scenario.netbios}\\{name}", credential=f"file:{secret.as_posix()}"
    )
    (organization,) = parse_inventory(text, "the lab", folder).organizations
    guarded = msgspec.structs.replace(organization, protect=case.protect)
    return Workplace(Inventory((guarded,)), str(folder / "store"), connect_psrp)


@dataclass(frozen=True, slots=True)
class _Stage:
    """One case under way. Every method but the helpers raises Otherwise."""

    playbook: Playbook
    case: Case
    lab: Lab
    workplace: Workplace

    def perform(self) -> None:
        """Play every act."""
        self.edit(self.case.given)
        planned, plan = self.dry_run()
        expect = self.case.expect
        if expect.refused is not UNSET:
            self.refused(planned, plan)
            return
        _check_changes(plan, self.case)
        if not plan.changes:
            _release(planned)
            return
        self.edit(self.case.meanwhile)
        before = self.lab.snapshot()
        run = self.application(planned)
        self.look(before, plan, expect.result)
        if expect.result is Result.SUCCEEDED:
            self.second_run()
        self.rollback(run, before)
        if self.lab.open_shells:
            raise Otherwise(f"{self.lab.open_shells} sessions were left open")

    def edit(self, edits: Iterable[Edit]) -> None:
        """Change objects as another administrator would."""
        for edit in edits:
            changes: dict[str, Any] = {
                k: list(v) if isinstance(v, tuple) else v for k, v in edit.set.items()
            }
            try:
                self.lab.edit(edit.object, **changes)
            except KeyError:
                raise Otherwise(f"the scenario has no object {edit.object!r}") from None

    def plan(self) -> tuple[Planned, Plan]:
        """Return what the playbook would do now."""
        (organization,) = self.workplace.inventory.organizations
        given = texts(self.case.inputs)
        planned = plan_organization(self.workplace, organization, self.playbook, given)
        if planned.plan is None:
            raise Otherwise(f"there is no plan: {planned.error}")
        return planned, planned.plan

    def dry_run(self) -> tuple[Planned, Plan]:
        """Return the plan, after a look into the lab's logs: nothing may have been sent."""
        sent, logged = len(self.lab.commands), self.lab.audit()
        found = self.plan()
        writes = [
            one.cmdlet for one in self.lab.commands[sent:] if not one.cmdlet.startswith(_READING)
        ]
        if writes or self.lab.audit() != logged:
            raise Otherwise(f"the dry run wrote: {', '.join(writes) or 'see the audit log'}")
        return found

    def refused(self, planned: Planned, plan: Plan) -> None:
        """Check who refuses, and that a refused plan cannot be carried out."""
        _check_rules("refused", self.case.expect.refused, plan.refusals)
        shown = {sign.subject.casefold() for each in plan.refusals for sign in each.evidence}
        for subject in self.case.expect.evidence:
            if subject.casefold() not in shown:
                raise Otherwise(f"no evidence about {subject}; there is: {', '.join(shown)}")
        before = self.lab.snapshot()
        if self.carry_out(planned).run is not None or moves(before, self.lab.snapshot()):
            raise Otherwise("a refused plan was carried out")

    def carry_out(self, planned: Planned) -> Done:
        """Apply a plan."""
        return carry_out(self.workplace, planned, new_batch(self.workplace), _OPTIONS, _unheard)

    def application(self, planned: Planned) -> Run:
        """Return the run that carried out the plan and ended as expected."""
        done = self.carry_out(planned)
        if done.run is None:
            raise Otherwise(f"there is no run: {done.error}")
        run, wanted = done.run, self.case.expect.result
        if run.outcome is None or run.outcome.value != wanted.value:
            details = "; ".join((*run.details.values(), *([str(done.error)] if done.error else ())))
            raise Otherwise(f"it {run.outcome or 'did not end'}, not {wanted}: {details}")
        if wanted is Result.SUCCEEDED and set(run.statuses) - {Status.VERIFIED}:
            raise Otherwise(f"not every change was read back: {', '.join(run.statuses)}")
        return run

    def look(self, before: Snapshot, plan: Plan, result: Result) -> None:
        """Check that the organization is otherwise by the plan's changes and by nothing else."""
        moved = Counter(map(_sorted, moves(before, self.lab.snapshot())))
        wanted = Counter(map(_sorted, _moved(plan)))
        beyond = moved - wanted
        if beyond:
            raise Otherwise(*(f"beyond the plan: {each}" for each in beyond))
        if result is Result.SUCCEEDED and (missing := wanted - moved):
            raise Otherwise(*(f"not in the organization: {each}" for each in missing))

    def second_run(self) -> None:
        """Check that there is nothing left to do."""
        planned, plan = self.plan()
        _release(planned)
        if plan.changes:
            again = (f"a second run would change {each}" for each in _moved(plan))
            raise Otherwise(*again)
        _check_rules("again", self.case.expect.again, plan.refusals)

    def rollback(self, run: Run, before: Snapshot) -> None:
        """Check that undoing the run leaves the organization as it was before it."""
        done = roll_back(self.workplace, run.id, _unheard, reason="rehearsal", in_doubt=False)
        if done.run is None or done.run.outcome is not Outcome.ROLLED_BACK:
            raise Otherwise(f"the rollback did not succeed: {done.error or done.run}")
        left = moves(before, self.lab.snapshot())
        if left:
            raise Otherwise(*(f"left behind by the rollback: {each}" for each in left))


def _release(planned: Planned) -> None:
    if planned.session is not None:
        planned.session.close()


def _unheard(run: Run, event: Event) -> None:
    """Listen to nothing: what matters is seen in the lab."""


def _check_changes(plan: Plan, case: Case) -> None:
    if plan.refusals:
        rules = ", ".join(f"{each.rule} ({each.reason})" for each in plan.refusals)
        raise Otherwise(f"refused by {rules}")
    wanted = [
        Moved(each.object, each.property, text(each.before), text(each.after))
        for each in case.expect.changes or ()
    ]
    planned = _moved(plan)
    if list(map(_folded, planned)) != list(map(_folded, wanted)):
        raise Otherwise(
            *(f"expected: {each}" for each in wanted), *(f"planned: {each}" for each in planned)
        )
    heard = {one.rule for change in plan.changes for one in change.consequences}
    silent = sorted(set(case.expect.follows) - heard)
    if silent:
        raise Otherwise(f"nothing follows by {', '.join(silent)}; by {', '.join(sorted(heard))}")


def _check_rules(key: str, wanted: Rules | UnsetType, refusals: Sequence[Refusal]) -> None:
    rules = () if wanted is UNSET else (wanted,) if isinstance(wanted, str) else wanted
    if set(rules) != {each.rule for each in refusals}:
        found = (f"{each.rule}: {each.reason}" for each in refusals)
        raise Otherwise(f"{key}: expected {', '.join(rules) or 'nobody'}", *found)


def _moved(plan: Plan) -> list[Moved]:
    return [
        Moved(
            change.setting.ref.label,
            change.setting.property,
            text(change.difference.before),
            text(change.difference.after),
        )
        for change in plan.changes
    ]


def _folded(moved: Moved) -> Moved:
    """Return *moved* with names as Exchange compares them; values stay as they are written."""
    return moved._replace(object=moved.object.casefold(), property=moved.property.casefold())


_FLAGS = {n for kind in OBJECT_KINDS.values() for n, s in kind.shapes.items() if s == "flags"}


def _sorted(moved: Moved) -> Moved:
    """Return *moved* with flags in one order: Exchange writes a set of them as it likes."""
    if moved.property not in _FLAGS:
        return moved
    before, after = (
        ", ".join(sorted(flag for flag in value.split(", ") if flag != "None"))
        for value in (moved.before, moved.after)
    )
    return moved._replace(before=before, after=after)
