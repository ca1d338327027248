"""What was seen and what is wanted go in; what is to be done, and what follows, comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import UNSET

from orchestrator.core.facts import Facts, Query, UnknownFact, unite
from orchestrator.core.plan import Change, Identity, Plan
from orchestrator.core.playbook import (
    Concern,
    Consequence,
    InputValue,
    Predicate,
    Refusal,
    Rule,
    Settled,
    Step,
    Verdict,
)
from orchestrator.core.setting import Kinds, Setting, diff, project


@dataclass(frozen=True, slots=True)
class Draft:
    """A playbook bound to its inputs: what is to be asked, and what is to be made of the answer.

    Each step has its guard: a step whose guard does not hold is left out, and so is one of
    *proofs*, which are asked for beside the read-back. *domains* are the domains among the inputs.
    """

    playbook: str
    playbook_digest: str
    title: str
    inputs: Mapping[str, InputValue]
    require: tuple[Predicate, ...]
    steps: tuple[tuple[Predicate | None, Step], ...]
    rules: tuple[Rule, ...]
    domains: tuple[str, ...]
    proofs: tuple[tuple[Predicate | None, str], ...] = ()

    @property
    def asked(self) -> tuple[Query, ...]:
        """What the steps have to know."""
        return unite(query for _, step in self.steps for query in step.queries())

    def queries(self) -> tuple[Query, ...]:
        """Return everything planning has to ask, one query per kind of object."""
        guarded = (*self.steps, *self.proofs)
        guards = [guard for guard, _ in guarded if guard is not None]
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
    settled = _settle(draft, facts)
    changes, judged = _judge_all(settled.settings, facts, draft.rules, kinds)
    refusals = (*settled.refusals, *judged)
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
        refusals=tuple(dict.fromkeys(refusals)),
        notes=settled.notes,
        asked=draft.asked,
        domains=draft.domains,
        made=made,
        expires=made + life,
        proofs=_proofs(draft, facts) or UNSET,
    )


def _proofs(draft: Draft, facts: Facts) -> tuple[str, ...]:
    """Return the proofs that count; so does one whose guard cannot be judged."""
    return tuple(name for guard, name in draft.proofs if guard is None or not _fails(guard, facts))


def _fails(guard: Predicate, facts: Facts) -> bool:
    try:
        return guard.check(facts) is not None
    except UnknownFact:
        return False


def _unknown(error: UnknownFact) -> Refusal:
    return Refusal(
        "unknown-state",
        f"what has to be known for this is not known: {error}",
        "Find out why with 'orchestrator doctor'; nothing is guessed.",
    )


def _required(predicate: Predicate, facts: Facts) -> Settled:
    try:
        refusal = predicate.check(facts)
        if refusal is not None:
            return Settled(refusals=(refusal,))
        return Settled(grounds=predicate.grounds(facts))
    except UnknownFact as error:
        return Settled(refusals=(_unknown(error),))


def _settle(draft: Draft, facts: Facts) -> Settled:
    parts = [_required(predicate, facts) for predicate in draft.require]
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
