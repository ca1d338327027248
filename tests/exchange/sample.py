"""An organization in a few words: what was seen of it, in the shape that decisions use."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from orchestrator.core.facts import Facts, ObjectRef, Observation, Query, Unknown, Value, unite
from orchestrator.core.inventory import Protection
from orchestrator.core.plan import Identity, Plan
from orchestrator.core.planning import Draft, make_plan
from orchestrator.core.playbook import Consequence, Predicate, Refusal, Step, Verdict
from orchestrator.core.setting import Scalar, Setting
from orchestrator.exchange.objects import (
    EXCHANGE_SERVER,
    OBJECT_KINDS,
    RECEIVE_CONNECTOR,
    RECEIVE_LIST,
    SEND_CONNECTOR,
    SEND_LIST,
    TRANSPORT_CONFIG,
)
from orchestrator.exchange.rules import rules

CONTROLLER = "dc01.contoso.example"
EVERYBODY = ("0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def ref(kind: str, label: str) -> ObjectRef:
    """Return a reference whose Guid follows from the label, so that tests need not name it."""
    return ObjectRef(kind, str(uuid.uuid5(uuid.NAMESPACE_OID, label.casefold())), label)


def receive(server: str, name: str = "From Fabrikam", /, **changed: Value) -> Observation:
    """Return a receive connector: dedicated to a partner, unless something else is said.

    A property that is the empty text is one that the server did not show.
    """
    properties: dict[str, Value] = {
        "Name": name,
        "Server": server,
        "TransportRole": "FrontendTransport",
        "Enabled": True,
        "DomainSecureEnabled": True,
        "AuthMechanism": ("Tls",),
        "PermissionGroups": ("Partners",),
        "RequireTLS": False,
        "Bindings": ("0.0.0.0:25",),
        "RemoteIPRanges": ("203.0.113.0/24",),
        "TlsDomainCapabilities": (),
        "ExchangeVersion": "0.1 (8.0.535.0)",
        "IsValid": True,
        **changed,
    }
    shown = {name: value for name, value in properties.items() if value != ""}
    return Observation(ref(RECEIVE_CONNECTOR, f"{server}\\{name}"), shown)


def frontend(server: str, /, **changed: Value) -> Observation:
    """Return ``Default Frontend <server>`` as setup makes it."""
    properties: dict[str, Value] = {
        "AuthMechanism": ("Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS"),
        "PermissionGroups": ("AnonymousUsers", "ExchangeServers", "ExchangeLegacyServers"),
        "Bindings": ("[::]:25", "0.0.0.0:25"),
        "RemoteIPRanges": EVERYBODY,
        **changed,
    }
    return receive(server, f"Default Frontend {server.partition('.')[0]}", **properties)


def send(name: str, *spaces: str, **changed: Value) -> Observation:
    """Return a send connector for *spaces*: dedicated, unless something else is said."""
    properties: dict[str, Value] = {
        "Name": name,
        "Enabled": True,
        "AddressSpaces": spaces,
        "DomainSecureEnabled": True,
        "DNSRoutingEnabled": True,
        "IsScopedConnector": False,
        "CloudServicesMailEnabled": False,
        "LinkedReceiveConnector": None,
        "SourceTransportServers": ("EX01",),
        "ExchangeVersion": "0.1 (8.0.535.0)",
        "IsValid": True,
        **changed,
    }
    shown = {name: value for name, value in properties.items() if value != ""}
    return Observation(ref(SEND_CONNECTOR, name), shown)


INTERNET = send("To Internet", "SMTP:*;1", DomainSecureEnabled=False)


def config(receive: Sequence[str] = ("fabrikam.com",), send: Sequence[str] = ()) -> Observation:
    """Return the transport configuration with its two lists."""
    properties: dict[str, Value] = {RECEIVE_LIST: tuple(receive), SEND_LIST: tuple(send)}
    return Observation(ref(TRANSPORT_CONFIG, TRANSPORT_CONFIG), properties)


def host(name: str, version: str = "Version 15.2 (Build 1118.7)") -> Observation:
    """Return an Exchange server."""
    properties: dict[str, Value] = {"Name": name, "AdminDisplayVersion": version}
    return Observation(ref(EXCHANGE_SERVER, name), properties)


def seen(*objects: Observation, unknown: Sequence[str] = ()) -> Facts:
    """Return what is known when just *objects* exist; nothing is known of kinds in *unknown*."""
    kinds = (TRANSPORT_CONFIG, RECEIVE_CONNECTOR, SEND_CONNECTOR, EXCHANGE_SERVER)
    known: dict[str, tuple[Observation, ...] | Unknown] = {
        kind: tuple(each for each in objects if each.ref.kind == kind) for kind in kinds
    }
    known |= {kind: Unknown("access is denied") for kind in unknown}
    return Facts(known, CONTROLLER, "EX01.contoso.example")


def off(connector: Observation) -> Scalar:
    """Return the setting that turns *connector* off."""
    return Scalar(connector.ref, "Enabled", value=False)


def asks(*settings: Setting) -> tuple[Query, ...]:
    """Return what a step that wants *settings* asks for."""
    return unite(Query(setting.ref.kind, (setting.property,)) for setting in settings)


def plan(
    *steps: Step,
    facts: Facts,
    require: Sequence[Predicate] = (),
    guards: Sequence[Predicate | None] = (),
    protection: Protection | None = None,
    domains: tuple[str, ...] = ("fabrikam.com",),
    proofs: Sequence[tuple[Predicate | None, str]] = (),
) -> Plan:
    """Return the plan of a playbook with *steps*, judged by every rule that applies."""
    asked = unite(query for step in steps for query in step.queries())
    draft = Draft(
        playbook="test",
        playbook_digest="0" * 64,
        title="A test",
        inputs={},
        require=tuple(require),
        steps=tuple(zip((*guards, *(None,) * (len(steps) - len(guards))), steps, strict=True)),
        rules=rules(asked, protection or Protection(), domains),
        domains=domains,
        proofs=tuple(proofs),
    )
    organization = Identity("contoso", "4dc9f4b6-0000-4000-8000-000000000001")
    life = timedelta(hours=8)
    return make_plan(draft, organization, facts, OBJECT_KINDS, made=NOW, life=life)


def refused(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the names of the rules that refuse."""
    return [verdict.rule for verdict in verdicts if isinstance(verdict, Refusal)]


def told(verdicts: Sequence[Verdict]) -> list[tuple[str, str]]:
    """Return rule and concern of every consequence."""
    return [(v.rule, str(v.concern)) for v in verdicts if isinstance(v, Consequence)]
