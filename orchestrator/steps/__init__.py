"""What a playbook may say: kinds of step, predicates of ``require``, proofs of ``verify``.

To add a kind of step, write its module (one frozen value whose fields are its arguments) and add
a row to STEP_KINDS; the JSON Schema and the loader's messages come from these tables.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

import msgspec

from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError
from orchestrator.core.playbook import (
    InputValue,
    Invocation,
    Predicate,
    Step,
    placeholder,
    substitute,
)
from orchestrator.steps.connectors import DedicatedReceiveConnectors, DedicatedSendConnector
from orchestrator.steps.domains import DomainSecureList
from orchestrator.steps.predicates import AcceptsAnonymous, Listed
from orchestrator.steps.proofs import (
    AcceptedMessage,
    AuditLog,
    ConfigReloaded,
    EveryController,
    NoEvents,
    ReadBack,
)
from orchestrator.steps.property import Property
from orchestrator.steps.secured import AuthMechanism, DomainSecureEnabled

STEP_KINDS: Mapping[str, type[Step]] = {
    "domain_secure_list": DomainSecureList,
    "dedicated_receive_connectors": DedicatedReceiveConnectors,
    "dedicated_send_connector": DedicatedSendConnector,
    "auth_mechanism": AuthMechanism,
    "domain_secure_enabled": DomainSecureEnabled,
    "property": Property,
}

PREDICATES: Mapping[str, type[Predicate]] = {
    "accepts_anonymous": AcceptsAnonymous,
    "listed": Listed,
}

READ_BACK = "read_back"
"""The proof that is part of every run."""

PROOFS: Mapping[str, type[Plain]] = {
    READ_BACK: ReadBack,
    "every_controller": EveryController,
    "audit_log": AuditLog,
    "accepted_message": AcceptedMessage,
    "no_events": NoEvents,
    "config_reloaded": ConfigReloaded,
}

Kind: TypeAlias = type[Step] | type[Predicate] | type[Plain]
_T = TypeVar("_T")


def build_step(invocation: Invocation, inputs: Mapping[str, InputValue]) -> Step:
    """Return the step that *invocation* asks for. Raises ConfigurationError."""
    return _build(STEP_KINDS, invocation, inputs)


def build_predicate(invocation: Invocation, inputs: Mapping[str, InputValue]) -> Predicate:
    """Return the predicate that *invocation* asks for. Raises ConfigurationError."""
    return _build(PREDICATES, invocation, inputs)


def _build(
    table: Mapping[str, type[_T]], invocation: Invocation, inputs: Mapping[str, InputValue]
) -> _T:
    arguments: dict[str, Any] = substitute(invocation.arguments, inputs)
    try:
        return msgspec.convert(arguments, table[invocation.kind])
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"{invocation.kind}: {error}", line=invocation.line or None
        ) from error


def placeholders(invocation: Invocation) -> tuple[str, ...]:
    """Return the inputs that *invocation* and its ``when`` use, in order."""
    guard = invocation.when
    own = [name for argument in invocation.arguments.values() if (name := placeholder(argument))]
    if isinstance(guard, Invocation):
        return (*placeholders(guard), *own)
    return (guard, *own) if guard else tuple(own)
