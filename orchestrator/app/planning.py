"""From a playbook and an organization to a plan. Nothing here can write to a server."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from msgspec import UNSET
from msgspec.structs import replace

from orchestrator.app import incidents
from orchestrator.app.brakes import calendar_notes
from orchestrator.app.workplace import Workplace
from orchestrator.core.errors import OrchestratorError, RefusedError
from orchestrator.core.facts import Facts, Query, Unknown, unite
from orchestrator.core.inventory import Organization
from orchestrator.core.limits import Limits
from orchestrator.core.plan import Identity, Plan
from orchestrator.core.planning import Draft, make_plan
from orchestrator.core.playbook import (
    InputType,
    InputValue,
    Invocation,
    Playbook,
    Predicate,
    Rule,
    Step,
)
from orchestrator.exchange.incident import Sighting
from orchestrator.exchange.objects import OBJECT_KINDS, TRANSPORT_CONFIG
from orchestrator.exchange.rules import rules
from orchestrator.session import Session
from orchestrator.steps import READ_BACK, build_predicate, build_step
from orchestrator.steps.inputs import parse_inputs

LIFE = timedelta(hours=8)
"""How long a plan may be applied, unless the operator says otherwise."""

IDENTITY = Query(TRANSPORT_CONFIG, ())
"""Asks which organization answers."""


@dataclass(slots=True)
class Planned:
    """A plan for one organization, or why there is none. The session is kept for applying it."""

    organization: Organization
    plan: Plan | None = None
    error: OrchestratorError | None = None
    session: Session | None = None


def draft(
    playbook: Playbook,
    given: Mapping[str, str],
    organization: Organization,
    seen: tuple[Sighting, ...] = (),
) -> Draft:
    """Return *playbook* bound to its inputs. Raises UsageError, ConfigurationError.

    *seen* are sightings of the organization's incidents, by which shared connectors are known.
    """
    inputs = parse_inputs(playbook, given, organization.variables)
    steps = tuple(_bound(invocation, inputs) for invocation in playbook.steps)
    wanted = tuple(pair for pair in steps if pair is not None)
    asked = unite(query for _, step in wanted for query in step.queries())
    domains = tuple(
        str(inputs[spec.name])
        for spec in playbook.inputs
        if spec.type is InputType.DOMAIN and inputs[spec.name] is not None
    )
    return Draft(
        playbook=playbook.name,
        playbook_digest=playbook.digest,
        title=playbook.title,
        inputs=inputs,
        require=tuple(build_predicate(invocation, inputs) for invocation in playbook.require),
        steps=wanted,
        rules=rules(asked, organization.protect, domains, seen),
        domains=domains,
        proofs=tuple(_proofs(playbook, inputs)),
    )


def _proofs(
    playbook: Playbook, inputs: Mapping[str, InputValue]
) -> Iterator[tuple[Predicate | None, str]]:
    """Yield what ``verify`` asks for beside the read-back, each with its guard."""
    for invocation in playbook.verify:
        if invocation.kind != READ_BACK and _is_wanted(invocation, inputs):
            yield _guard(invocation, inputs), invocation.kind


def _bound(
    invocation: Invocation, inputs: Mapping[str, InputValue]
) -> tuple[Predicate | None, Step] | None:
    """Return a step with its guard, or None where ``when`` names an input that is false."""
    if not _is_wanted(invocation, inputs):
        return None
    return _guard(invocation, inputs), build_step(invocation, inputs)


def _is_wanted(invocation: Invocation, inputs: Mapping[str, InputValue]) -> bool:
    return not isinstance(invocation.when, str) or bool(inputs[invocation.when])


def _guard(invocation: Invocation, inputs: Mapping[str, InputValue]) -> Predicate | None:
    guard = invocation.when
    return build_predicate(guard, inputs) if isinstance(guard, Invocation) else None


def plan_organization(
    workplace: Workplace,
    organization: Organization,
    playbook: Playbook,
    given: Mapping[str, str],
    life: timedelta = LIFE,
) -> Planned:
    """Look at *organization* and say what would change. An error is part of the answer."""
    session = workplace.session(organization)
    try:
        seen = incidents.witnesses(workplace, organization.name)
        bound = draft(playbook, given, organization, seen)
        session.pin()
        facts = session.ask((*bound.queries(), IDENTITY))
        plan = make_plan(
            bound,
            identity(organization, facts),
            facts,
            OBJECT_KINDS,
            made=workplace.clock(),
            life=life,
        )
    except OrchestratorError as error:
        session.close()
        return Planned(organization, error=error)
    return Planned(organization, plan=_restrained(plan, organization, playbook), session=session)


def _restrained(plan: Plan, organization: Organization, playbook: Playbook) -> Plan:
    """Return *plan* with what playbook and calendar say of when and how it is carried out."""
    noted = calendar_notes(organization, plan.made) if plan.changes else ()
    limits = UNSET if playbook.limits == Limits() else playbook.limits
    attended = playbook.attended or UNSET
    return replace(plan, notes=(*plan.notes, *noted), limits=limits, attended=attended)


def identity(organization: Organization, facts: Facts) -> Identity:
    """Return the organization as its directory names it: the Guid of its TransportConfig.

    Raises RefusedError where that cannot be read: without it nothing can be locked.
    """
    seen = facts.known.get(TRANSPORT_CONFIG, Unknown("it was not asked for"))
    if isinstance(seen, Unknown) or len(seen) != 1:
        reason = seen.reason if isinstance(seen, Unknown) else f"there are {len(seen)}"
        raise RefusedError(
            f"{organization.name}: its TransportConfig cannot be read: {reason}",
            "'orchestrator doctor' says which right or server is missing.",
        )
    return Identity(organization.name, _guid(seen[0].ref.guid))


def _guid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_X500, text))


def judges(
    workplace: Workplace, plan: Plan, organization: Organization
) -> tuple[tuple[Query, ...], tuple[Rule, ...]]:
    """Return what has to be asked to judge *plan* again, and the rules that judge it."""
    touched = [Query(c.setting.ref.kind, (c.setting.property,)) for c in plan.changes]
    asked = unite((*plan.asked, *touched))
    seen = incidents.witnesses(workplace, organization.name)
    judging = rules(asked, organization.protect, plan.domains, seen)
    queries = (query for rule in judging for query in rule.queries())
    grounds = (Query(ground.ref.kind, (ground.property,)) for ground in plan.grounds)
    return unite((*asked, *queries, *grounds, IDENTITY)), judging


def find_organization(workplace: Workplace, name: str) -> Organization:
    """Return the organization a plan or run was made for, by its name in the inventory."""
    found: Sequence[Organization] = [
        each for each in workplace.inventory.organizations if each.name == name
    ]
    if not found:
        raise RefusedError(
            f"the inventory has no organization '{name}', for which this was made",
            "Use the inventory it was made with.",
        )
    return found[0]
