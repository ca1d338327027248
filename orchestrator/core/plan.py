"""A plan as a value: what will be done to one organization, in order, and what that rests on."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError
from orchestrator.core.facts import ObjectRef, Query, Value
from orchestrator.core.limits import Limits
from orchestrator.core.playbook import (
    Concern,
    Consequence,
    Ground,
    InputValue,
    Refusal,
    Sign,
)
from orchestrator.core.setting import Difference, Setting

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
    *limits* are those of its playbook, *proofs* what its ``verify`` asks for beside the read-back;
    where it has none, nothing is written of them. So it is with *attended*, which says that a
    person has to decide whether it is carried out, and with *incident*, the one that it answers.
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
    proofs: tuple[str, ...] | UnsetType = UNSET
    attended: bool | UnsetType = UNSET
    incident: str | UnsetType = UNSET

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


def refers_to(plan: Plan) -> tuple[ObjectRef, ...]:
    """Return every object the plan changes, once each, in order."""
    return tuple(dict.fromkeys(change.setting.ref for change in plan.changes))


class Drift(Plain, frozen=True):
    """One thing that is no longer as the plan rests on: what it was, is to be, and is now."""

    subject: str
    planned: str
    wanted: str
    now: str


Drifts: TypeAlias = tuple[Drift, ...]


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
