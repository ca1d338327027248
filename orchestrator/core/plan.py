"""What was seen and what is wanted go in; what is to be done, and what follows, comes out."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError
from orchestrator.core.facts import Facts, ObjectRef, Query, UnknownFact, Value, unite
from orchestrator.core.limits import Limits
from orchestrator.core.playbook import (
    Concern,
    Consequence,
    Ground,
    InputValue,
    Predicate,
    Refusal,
    Rule,
    Settled,
    Sign,
    Step,
    Verdict,
)
from orchestrator.core.setting import Difference, Kinds, Setting, diff, project, same, touched

SCHEMA = 1
"""Number of the layout of plans and events; a file with a higher one is refused."""


class Identity(Plain, frozen=True):
    """An organization as its own directory names it; two inventories may call it differently."""

    name: str
    guid: str


class Change(Plain, frozen=True):
    """One setting that does not hold yet, with the command for either way and what follows."""

    setting: Setting
    difference: Difference
    consequences: tuple[Consequence, ...] = ()


class Plan(Plain, frozen=True):
    """Everything that will be done to one organization, in order, and what that rests on.

    A plan with refusals is for reading: it is never carried out. *asked* is what its steps asked
    and *domains* what they are about: from these follow the rules that judge it again later.
    *limits* are those of its playbook; where that has none, nothing is written of them.
    """

    playbook: str
    playbook_digest: str
    title: str
    organization: Identity
    inputs: Mapping[str, InputValue]
    controller: str
    server: str
    found: tuple[Sign, ...]
    grounds: tuple[Ground, ...]
    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]
    asked: tuple[Query, ...]
    domains: tuple[str, ...]
    made: datetime
    expires: datetime
    schema: int = SCHEMA
    limits: Limits | UnsetType = UNSET

    @property
    def lowers_security(self) -> bool:
        """Say whether any change takes protection away."""
        return any(
            consequence.concern is Concern.SECURITY
            for change in self.changes
            for consequence in change.consequences
        )


class Sealed(Plain, frozen=True):
    """A plan and the SHA-256 of its canonical form: an edit by hand is noticed.

    The seal is no signature. Whoever can rewrite the file can seal it again; what protects the
    organization is that every command is computed anew from the settings and judged anew.
    """

    plan: Plan
    seal: str


def canonical(value: object) -> bytes:
    """Return the one JSON form of *value*: keys sorted, no spaces."""
    return msgspec.json.encode(value, order="sorted")


def seal(plan: Plan) -> Sealed:
    """Return *plan* with its seal."""
    return Sealed(plan, hashlib.sha256(canonical(plan)).hexdigest())


def unseal(sealed: Sealed) -> Plan:
    """Return the plan. Raises ConfigurationError where it is not what was sealed."""
    if seal(sealed.plan).seal != sealed.seal:
        raise ConfigurationError(
            "the plan is not what was sealed: it was edited after it was made",
            "Make a new plan with 'orchestrator plan'.",
        )
    return sealed.plan


@dataclass(frozen=True, slots=True)
class Draft:
    """A playbook bound to its inputs: what is to be asked, and what is to be made of the answer.

    Each step has its guard: a step whose guard does not hold is left out. *domains* are the
    domains among the inputs.
    """

    playbook: str
    playbook_digest: str
    title: str
    inputs: Mapping[str, InputValue]
    require: tuple[Predicate, ...]
    steps: tuple[tuple[Predicate | None, Step], ...]
    rules: tuple[Rule, ...]
    domains: tuple[str, ...]

    @property
    def asked(self) -> tuple[Query, ...]:
        """What the steps have to know."""
        return unite(query for _, step in self.steps for query in step.queries())

    def queries(self) -> tuple[Query, ...]:
        """Return everything planning has to ask, one query per kind of object."""
        guards = [guard for guard, _ in self.steps if guard is not None]
        required = (query for part in (*self.require, *guards) for query in part.queries())
        ruling = (query for rule in self.rules for query in rule.queries())
        return unite((*self.asked, *required, *ruling))


def make_plan(  # noqa: PLR0913 - planning has exactly these grounds
    draft: Draft,
    organization: Identity,
    facts: Facts,
    kinds: Kinds,
    *,
    made: datetime,
    life: timedelta,
) -> Plan:
    """Return the changes that bring what was seen to what *draft* asks for.

    State is projected forward, so that a later step meets what an earlier one will leave.
    """
    required = [_refusal_of(predicate, facts) for predicate in draft.require]
    settled = _settle(draft, facts)
    refusals = [refusal for refusal in required if refusal] + list(settled.refusals)
    changes, judged = _judge_all(settled.settings, facts, draft.rules, kinds)
    refusals += [verdict for verdict in judged if verdict not in refusals]
    return Plan(
        playbook=draft.playbook,
        playbook_digest=draft.playbook_digest,
        title=draft.title,
        organization=organization,
        inputs=draft.inputs,
        controller=facts.controller,
        server=facts.server,
        found=settled.found,
        grounds=settled.grounds,
        changes=changes,
        refusals=tuple(refusals),
        notes=settled.notes,
        asked=draft.asked,
        domains=draft.domains,
        made=made,
        expires=made + life,
    )


def _unknown(error: UnknownFact) -> Refusal:
    return Refusal(
        "unknown-state",
        f"what has to be known for this is not known: {error}",
        "Find out why with 'orchestrator doctor'; nothing is guessed.",
    )


def _refusal_of(predicate: Predicate, facts: Facts) -> Refusal | None:
    try:
        return predicate.check(facts)
    except UnknownFact as error:
        return _unknown(error)


def _settle(draft: Draft, facts: Facts) -> Settled:
    parts: list[Settled] = []
    for guard, step in draft.steps:
        try:
            if guard is None or guard.check(facts) is None:
                parts.append(step.settle(facts))
                facts = foresee(parts[-1].settings, facts)
        except UnknownFact as error:
            parts.append(Settled(refusals=(_unknown(error),)))
    return Settled(
        settings=tuple(setting for part in parts for setting in part.settings),
        grounds=tuple(dict.fromkeys(ground for part in parts for ground in part.grounds)),
        refusals=tuple(dict.fromkeys(refusal for part in parts for refusal in part.refusals)),
        found=tuple(dict.fromkeys(sign for part in parts for sign in part.found)),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _judge_all(
    settings: Sequence[Setting], facts: Facts, rules: Sequence[Rule], kinds: Kinds
) -> tuple[tuple[Change, ...], list[Refusal]]:
    changes: list[Change] = []
    refusals: list[Refusal] = []
    now = facts
    after = foresee(settings, facts)
    for setting in settings:
        try:
            difference = diff(setting, now.one(setting.ref), kinds, facts.controller)
        except UnknownFact as error:
            refusals.append(_unknown(error))
            continue
        if difference is None:
            continue
        verdicts = judge(setting, now, after, rules)
        refusals += [verdict for verdict in verdicts if isinstance(verdict, Refusal)]
        consequences = [verdict for verdict in verdicts if isinstance(verdict, Consequence)]
        consequences.sort(key=lambda one: list(Concern).index(one.concern))
        changes.append(Change(setting, difference, tuple(consequences)))
        now = foresee((setting,), now)
    return tuple(changes), list(dict.fromkeys(refusals))


def foresee(settings: Sequence[Setting], facts: Facts) -> Facts:
    """Return the facts as they will be once *settings* are true; unknown objects stay unknown."""
    for setting in settings:
        try:
            later = project(setting, facts.one(setting.ref))
        except UnknownFact:
            continue
        facts = facts.changed(setting.ref, setting.property, later.get(setting.property))
    return facts


def judge(setting: Setting, now: Facts, after: Facts, rules: Sequence[Rule]) -> tuple[Verdict, ...]:
    """Return what every rule says of *setting*; what a rule cannot know is its refusal."""
    verdicts: list[Verdict] = []
    for rule in rules:
        try:
            verdicts += rule.judge(setting, now, after)
        except UnknownFact as error:
            verdicts.append(_unknown(error))
    return tuple(dict.fromkeys(verdicts))


class Drift(Plain, frozen=True):
    """One thing that is no longer as the plan rests on: what it was, is to be, and is now."""

    subject: str
    planned: str
    wanted: str
    now: str


Drifts: TypeAlias = tuple[Drift, ...]


def drifts(plan: Plan, positions: Sequence[int], facts: Facts, rules: Sequence[Rule]) -> Drifts:
    """Return what changed under the changes at *positions*, none of which is made yet.

    Looked at are what the steps chose by, the touched values, and every rule's verdict with its
    evidence; entries that have nothing to do with the plan do not count.
    """
    found = _lost_grounds(plan, facts)
    now = facts
    pending = [plan.changes[position].setting for position in positions]
    after = foresee(pending, facts)
    for position in positions:
        change = plan.changes[position]
        found += _drift_of(change, now, after, rules)
        now = foresee((change.setting,), now)
    return tuple(found)


def _lost_grounds(plan: Plan, facts: Facts) -> list[Drift]:
    own = {(change.setting.ref, change.setting.property) for change in plan.changes}
    lost: list[Drift] = []
    for ground in plan.grounds:
        if (ground.ref, ground.property) in own:
            continue
        about = f"{ground.ref.label} {ground.property}"
        try:
            now = facts.one(ground.ref).get(ground.property)
        except UnknownFact as error:
            lost.append(Drift(about, words(ground.value), "", error.reason))
            continue
        if not same(now, ground.value):
            lost.append(Drift(about, words(ground.value), "", words(now)))
    return lost


def check_commands(plan: Plan, facts: Facts, kinds: Kinds) -> None:
    """Raise ConfigurationError where a command is not the one that follows from its setting.

    A seal is no signature. Called once nothing has drifted, so every difference was put in. So is
    a change of what no step asked for: the rules that judge are those about what was asked.
    """
    now = facts
    asked = {(query.kind, name) for query in plan.asked for name in query.properties}
    for change in plan.changes:
        setting, planned = change.setting, change.difference
        follows = _parts(_fresh(setting, now, kinds, plan.controller)) == _parts(planned)
        if not follows or (setting.ref.kind, setting.property) not in asked:
            raise ConfigurationError(
                f"the plan's command for {label(setting)} does not follow from its setting",
                "Make a new plan with 'orchestrator plan'.",
            )
        now = foresee((setting,), now)


def _fresh(setting: Setting, now: Facts, kinds: Kinds, controller: str) -> Difference | None:
    try:
        return diff(setting, now.one(setting.ref), kinds, controller)
    except UnknownFact:
        return None


def _parts(difference: Difference | None) -> tuple[object, ...]:
    """Return what carrying out rests on; how many members stay may differ meanwhile."""
    if difference is None:
        return ()
    return difference.before, difference.after, difference.apply, difference.undo


def _drift_of(change: Change, now: Facts, after: Facts, rules: Sequence[Rule]) -> list[Drift]:
    setting, planned = change.setting, change.difference
    try:
        seen = touched(setting, now.one(setting.ref))
    except UnknownFact as error:
        return [Drift(label(setting), words(planned.before), words(planned.after), error.reason)]
    if not same(seen, planned.before):
        return [Drift(label(setting), words(planned.before), words(planned.after), words(seen))]
    verdicts = judge(setting, now, after, rules)
    return [
        *_verdict_drift(setting, change.consequences, verdicts, "no longer so"),
        *_verdict_drift(setting, verdicts, change.consequences, "not known when planned"),
    ]


def _verdict_drift(
    setting: Setting, had: Sequence[Verdict], has: Sequence[Verdict], what: str
) -> list[Drift]:
    gone = [verdict for verdict in had if verdict not in has]
    return [Drift(label(setting), _spoken(verdict), "", what) for verdict in gone]


def _spoken(verdict: Verdict) -> str:
    said = verdict.reason if isinstance(verdict, Refusal) else verdict.text
    signs = ", ".join(f"{sign.subject} {sign.property} {sign.value}" for sign in verdict.evidence)
    return f"{said} ({signs})" if signs else said


def label(setting: Setting) -> str:
    """Return what people call the thing *setting* is about."""
    return f"{setting.ref.label} {setting.property}"


def words(value: Value) -> str:
    """Return a touched part as text for people."""
    match value:
        case None:
            return "absent"
        case bool():
            return str(value)
        case tuple():
            return ", ".join(value) or "empty"
        case _:
            return str(value)


def refers_to(plan: Plan) -> tuple[ObjectRef, ...]:
    """Return every object the plan changes, once each, in order."""
    return tuple(dict.fromkeys(change.setting.ref for change in plan.changes))
