"""Whether a plan still fits: what it rests on, looked at again before anything is sent."""

from collections.abc import Sequence

from orchestrator.core.errors import ConfigurationError, JournalDamaged
from orchestrator.core.facts import Facts, UnknownFact
from orchestrator.core.plan import Change, Drift, Drifts, Plan, label, words
from orchestrator.core.planning import foresee, judge
from orchestrator.core.playbook import Refusal, Rule, Verdict
from orchestrator.core.setting import Difference, Kinds, Setting, diff, follows, same, touched


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
        fits = _parts(_fresh(setting, now, kinds, plan.controller)) == _parts(planned)
        if not fits or (setting.ref.kind, setting.property) not in asked:
            raise ConfigurationError(
                f"the plan's command for {label(setting)} does not follow from its setting",
                "Make a new plan with 'orchestrator plan'.",
            )
        now = foresee((setting,), now)


def check_recorded(plan: Plan, kinds: Kinds) -> None:
    """Raise JournalDamaged where a recorded command is not the one that follows from its setting.

    The chain of a journal is no signature either: whoever can write it can compute it anew.
    """
    for change in plan.changes:
        if not follows(change.setting, change.difference, kinds, plan.controller):
            raise JournalDamaged(
                f"the command recorded for {label(change.setting)} does not follow from it",
                "Nothing was sent. Look at the object itself, and at who can write to the store.",
            )


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
