"""What a playbook is made of, before and after its inputs are known.

The language, whole: a playbook has ``name``, ``title``, ``description``, ``answers`` (events),
``inputs``, ``require``, ``steps``, ``verify``, ``limits`` and ``attended``. Every entry of
``require``, ``steps`` and ``verify`` has exactly one key that names a predicate, a kind of step or
a proof, and may have ``when``. ``{{ name }}``, alone in a scalar, stands for the whole typed value
of an input; nothing else is evaluated.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

from orchestrator.core.command import Plain
from orchestrator.core.errors import UsageError
from orchestrator.core.facts import Facts, ObjectRef, Query, Value
from orchestrator.core.limits import Limits
from orchestrator.core.setting import Setting

InputValue: TypeAlias = bool | int | str | None
Literal: TypeAlias = InputValue | tuple[str, ...]

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


class InputType(StrEnum):
    """What an input may hold. ``domain`` and ``receive-connector`` are text with a grammar."""

    DOMAIN = "domain"
    RECEIVE_CONNECTOR = "receive-connector"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    TEXT = "text"


class Input(Plain, frozen=True):
    """A value the operator supplies. Without *default* and not *required* it may stay None."""

    name: str
    type: InputType
    description: str
    required: bool = False
    default: InputValue = None


class Answer(Plain, frozen=True):
    """An event of the Application log that a playbook answers."""

    source: str
    event: int


class Invocation(Plain, frozen=True):
    """One entry of ``require``, ``steps`` or ``verify``: a *kind* and its arguments.

    An argument is a literal or the text of a placeholder. *when* names a boolean input, or is an
    invocation of a predicate; None means always. *line* is where it stands in the file, from 1.
    """

    kind: str
    arguments: Mapping[str, Literal] = {}
    when: "str | Invocation | None" = None
    line: int = 0


class Playbook(Plain, frozen=True):
    """A named remediation. *digest* is the SHA-256 of its file's bytes, in hexadecimal.

    One that is *attended* is never carried out unless a person decided it: asked at a terminal,
    or named as who approved it.
    """

    name: str
    title: str
    description: str
    answers: tuple[Answer, ...]
    inputs: tuple[Input, ...]
    require: tuple[Invocation, ...]
    steps: tuple[Invocation, ...]
    verify: tuple[Invocation, ...]
    digest: str
    limits: Limits = Limits()
    attended: bool = False


def placeholder(argument: Literal) -> str | None:
    """Return the input's name if *argument* is exactly one placeholder."""
    found = _PLACEHOLDER.fullmatch(argument.strip()) if isinstance(argument, str) else None
    return found[1] if found else None


def substitute(
    arguments: Mapping[str, Literal], inputs: Mapping[str, InputValue]
) -> dict[str, Literal]:
    """Return *arguments* with every placeholder replaced by the whole value of its input."""
    return {
        key: argument if (name := placeholder(argument)) is None else inputs[name]
        for key, argument in arguments.items()
    }


class Sign(Plain, frozen=True):
    """A piece of evidence: what one property of one object was seen to be."""

    subject: str
    property: str
    value: str
    holds: bool | None = None


class Ground(Plain, frozen=True):
    """Something a step chose its settings by: where it changes, the choice has to be made anew."""

    ref: ObjectRef
    property: str
    value: Value


class Concern(StrEnum):
    """What a consequence is about, in the order in which an operator wants to read them."""

    SECURITY = "security"
    MAIL_FLOW = "mail-flow"
    OUTBOUND = "outbound"
    UNKNOWN = "unknown"
    NOTE = "note"


class Refusal(Plain, frozen=True, tag="refusal", tag_field="type"):
    """Why something must not be done, by which rule, on what evidence, and the way out."""

    rule: str
    reason: str
    way_out: str = ""
    evidence: tuple[Sign, ...] = ()


class Consequence(Plain, frozen=True, tag="consequence", tag_field="type"):
    """What follows from a change, in words. A concern of SECURITY lowers protection."""

    rule: str
    concern: Concern
    text: str
    evidence: tuple[Sign, ...] = ()


Verdict: TypeAlias = Refusal | Consequence


class Settled(Plain, frozen=True):
    """What a step wants, given what was seen: settings in order, refusals, and what it rests on.

    *found* is for people; *grounds* are looked at again before anything is sent.
    """

    settings: tuple[Setting, ...] = ()
    grounds: tuple[Ground, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    found: tuple[Sign, ...] = ()
    notes: tuple[str, ...] = ()


class Step(Protocol):
    """One kind of step with its arguments. Pure."""

    def queries(self) -> tuple[Query, ...]:
        """Return what the step has to know."""

    def settle(self, seen: Facts) -> Settled:
        """Return what must be true. May raise UnknownFact, which refuses the plan."""


class Predicate(Protocol):
    """A condition of ``require`` or ``when``. Pure."""

    def queries(self) -> tuple[Query, ...]:
        """Return what the predicate has to know."""

    def check(self, seen: Facts) -> Refusal | None:
        """Return None where it holds, else why not. May raise UnknownFact."""

    def grounds(self, seen: Facts) -> tuple[Ground, ...]:
        """Return what it holds by: looked at again before anything is sent."""


class Rule(Protocol):
    """Knowledge that judges every setting of every playbook. Pure."""

    def queries(self) -> tuple[Query, ...]:
        """Return what the rule has to know."""

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Return what the rule has to say.

        *now* is the state projected after every change before this one, *after* the state after
        the whole plan. May raise UnknownFact, which refuses the plan.
        """


def missing_inputs(playbook: Playbook, given: Mapping[str, InputValue]) -> tuple[Input, ...]:
    """Return the required inputs that nobody gave."""
    return tuple(
        spec
        for spec in playbook.inputs
        if spec.required and given.get(spec.name, spec.default) is None
    )


def complete_inputs(playbook: Playbook, given: Mapping[str, InputValue]) -> dict[str, InputValue]:
    """Return a value for every input. Raises UsageError for missing ones."""
    missing = missing_inputs(playbook, given)
    if missing:
        wanted = "; ".join(f"{spec.name}: {spec.description}" for spec in missing)
        hint = " ".join(f"--set {spec.name}=..." for spec in missing)
        raise UsageError(f"{playbook.name} needs {wanted}", f"Add {hint}")
    return {spec.name: given.get(spec.name, spec.default) for spec in playbook.inputs}
