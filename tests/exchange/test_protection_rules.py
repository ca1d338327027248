"""What no playbook may do, whatever it says and however it says it."""

import pytest

from orchestrator.core.facts import ObjectRef, Observation, UnknownFact, Value
from orchestrator.core.inventory import Protection
from orchestrator.core.playbook import Refusal
from orchestrator.core.setting import Flags, Member, Scalar, Setting
from orchestrator.exchange.objects import (
    RECEIVE_CONNECTOR,
    RECEIVE_LIST,
    SEND_CONNECTOR,
    TRANSPORT_CONFIG,
)
from orchestrator.exchange.protection import (
    Linked,
    NeverDisabled,
    Protected,
    Version,
    WholeValues,
    disables,
    version,
)
from tests.exchange.sample import (
    EVERYBODY,
    INTERNET,
    config,
    frontend,
    host,
    off,
    receive,
    ref,
    refused,
    seen,
    send,
    told,
)

_DEFAULTS = [
    "Default Frontend EX01",
    "Default EX01",
    "Client EX01",
    "Client Frontend EX01",
    "Client Proxy EX01",
    "Outbound Proxy Frontend EX01",
    "Default internal receive connector EX01",
    "default frontend ex01",
    "Default Frontend EX01.contoso.example",
    "Default Frontend OLDNAME",
    "Default Frontend",
    "EdgeSync - Inbound to Site",
    "edgesync - inbound",
    "Inbound from Office 365",
    "Inbound from Office 365 4dc9f4b6",
    "Outbound to Office 365",
]


@pytest.mark.parametrize("name", _DEFAULTS)
@pytest.mark.parametrize("server", ["EX01", "ex01.contoso.example"])
def test_a_connector_of_setup_edgesync_or_hybrid_is_never_disabled(name: str, server: str) -> None:
    connector = receive(server, name)
    verdicts = NeverDisabled(RECEIVE_CONNECTOR).judge(off(connector), seen(connector), seen())
    assert refused(verdicts) == ["never-disabled"]
    assert [(s.property, s.holds) for s in verdicts[0].evidence if s.property == "Name"] == [
        ("Name", False)
    ]


@pytest.mark.parametrize("name", ["Client Fabrikam", "Default Relay", "Clients", "Defaults EX01"])
def test_a_partners_connector_may_begin_like_one_of_setup(name: str) -> None:
    connector = receive("EX01", name)
    assert not NeverDisabled(RECEIVE_CONNECTOR).judge(off(connector), seen(connector), seen())


def test_where_the_server_is_not_known_any_name_after_that_of_setup_counts() -> None:
    connector = receive("", "Client Fabrikam", Server="", Identity="Client Fabrikam")
    verdicts = NeverDisabled(RECEIVE_CONNECTOR).judge(off(connector), seen(connector), seen())
    assert refused(verdicts) == ["never-disabled"]


@pytest.mark.parametrize("name", ["Bindings", "RemoteIPRanges"])
def test_nothing_takes_an_address_away_from_a_connector_of_setup(name: str) -> None:
    connector = frontend("EX01")
    less = Member(connector.ref, name, connector.members(name)[0], present=False)
    more = Member(connector.ref, name, "192.0.2.1", present=True)
    rule = NeverDisabled(RECEIVE_CONNECTOR)
    assert refused(rule.judge(less, seen(connector), seen())) == ["never-disabled"]
    assert not rule.judge(more, seen(connector), seen())


@pytest.mark.parametrize(
    "name", ["From Fabrikam", "Default for the relay hosts", "Clients", "Inbound from Fabrikam"]
)
def test_a_connector_somebody_made_for_a_partner_may_be_disabled(name: str) -> None:
    connector = receive("EX01", name)
    assert not NeverDisabled(RECEIVE_CONNECTOR).judge(off(connector), seen(connector), seen())


@pytest.mark.parametrize(
    "changed",
    [
        {"TlsDomainCapabilities": ("mail.protection.outlook.com:AcceptOorgProtocol",)},
        {"RemoteIPRanges": EVERYBODY},
        {"RemoteIPRanges": ("10.0.0.5", "::/0")},
        {"RemoteIPRanges": ("0.0.0.0/1", "128.0.0.0/1")},
    ],
)
def test_what_serves_everybody_or_hybrid_is_never_disabled(changed: dict[str, Value]) -> None:
    connector = receive("EX01", **changed)
    verdicts = NeverDisabled(RECEIVE_CONNECTOR).judge(off(connector), seen(connector), seen())
    assert refused(verdicts) == ["never-disabled"]


@pytest.mark.parametrize("shown", ["", (), ("mail.fabrikam.com",)])
def test_a_connector_whose_ranges_are_not_known_is_not_disabled(shown: Value) -> None:
    connector = receive("EX01", RemoteIPRanges=shown)
    with pytest.raises(UnknownFact, match="RemoteIPRanges"):
        NeverDisabled(RECEIVE_CONNECTOR).judge(off(connector), seen(connector), seen())


@pytest.mark.parametrize(
    "connector",
    [
        send("EdgeSync - Default-First-Site-Name to Internet", "SMTP:fabrikam.com;1"),
        send("Outbound to Office 365 - 4dc9f4b6", "SMTP:fabrikam.com;1"),
        send("To Fabrikam", "SMTP:fabrikam.com;1", CloudServicesMailEnabled=True),
        send("To Fabrikam", "SMTP:fabrikam.com;1", "SMTP:adatum.com;1"),
        send("To Internet", "SMTP:*;1"),
        send("To Internet", "SMTP:fabrikam.com;1", "SMTP:*;1"),
        send("Inbound", "--"),
        send("X400", "X400:c=US;a=MCI;p=Fabrikam;1"),
        send("Linked", LinkedReceiveConnector="EX01\\From Fabrikam"),
    ],
    ids=lambda connector: connector.ref.label,
)
def test_a_send_connector_that_is_not_one_partners_own_is_never_disabled(
    connector: Observation,
) -> None:
    verdicts = NeverDisabled(SEND_CONNECTOR).judge(off(connector), seen(connector), seen())
    assert refused(verdicts) == ["never-disabled"]


def test_a_send_connector_for_a_domain_and_its_subdomains_may_be_disabled() -> None:
    connector = send("To Fabrikam", "SMTP:fabrikam.com;1", "*.Fabrikam.com;5")
    assert not NeverDisabled(SEND_CONNECTOR).judge(off(connector), seen(connector), seen())


@pytest.mark.parametrize("value", [False, 0, "False", "$false", None])
def test_whatever_is_not_true_turns_a_connector_off(value: bool | int | str | None) -> None:  # noqa: FBT001 - a table
    setting = Scalar(frontend("EX01").ref, "Enabled", value)
    assert disables(setting)
    verdicts = NeverDisabled(RECEIVE_CONNECTOR).judge(setting, seen(frontend("EX01")), seen())
    assert refused(verdicts) == ["never-disabled"]


def test_turning_on_and_other_properties_are_no_turning_off() -> None:
    connector = receive("EX01")
    for setting in (
        Scalar(connector.ref, "Enabled", value=True),
        Scalar(connector.ref, "RequireTLS", value=False),
        Member(config().ref, RECEIVE_LIST, "fabrikam.com", present=False),
    ):
        assert not disables(setting)
        assert not NeverDisabled(RECEIVE_CONNECTOR).judge(setting, seen(connector), seen())
        assert not Linked().judge(setting, seen(connector), seen())


def test_a_rule_about_one_kind_leaves_the_other_alone() -> None:
    assert not NeverDisabled(SEND_CONNECTOR).judge(off(frontend("EX01")), seen(), seen())
    assert not NeverDisabled(RECEIVE_CONNECTOR).judge(off(INTERNET), seen(INTERNET), seen())
    assert not Version(SEND_CONNECTOR).judge(off(frontend("EX01")), seen(), seen())


@pytest.mark.parametrize(
    ("link", "linked"),
    [
        ("EX01\\From Fabrikam", True),
        ("ex01.contoso.example\\from fabrikam", True),
        ("From Fabrikam", True),
        ("{%s}", True),
        ("%s", True),
        ("contoso.example/Configuration/EX01/SMTP Receive Connectors/From Fabrikam", True),
        ("CN=From Fabrikam,CN=SMTP Receive Connectors,CN=EX01", True),
        ("EX02\\From Fabrikam", False),
        ("EX01\\Not From Fabrikam", False),
        ("Not From Fabrikam", False),
        ("CN=From Fabrikam 2,CN=SMTP Receive Connectors", False),
        (None, False),
    ],
)
def test_the_receiving_half_of_a_linked_pair_stays_on(link: str | None, linked: bool) -> None:  # noqa: FBT001 - a table
    connector = receive("EX01")
    named = link.replace("%s", connector.ref.guid) if link else None
    facts = seen(connector, send("Relay", LinkedReceiveConnector=named))
    verdicts = Linked().judge(off(connector), facts, facts)
    assert refused(verdicts) == (["linked-connector"] if linked else [])


def test_a_connector_whose_server_is_not_known_may_still_be_linked() -> None:
    connector = Observation(ref(RECEIVE_CONNECTOR, "From Fabrikam"), {"Name": "From Fabrikam"})
    facts = seen(connector, send("Relay", LinkedReceiveConnector="From Fabrikam"))
    assert refused(Linked().judge(off(connector), facts, facts)) == ["linked-connector"]


_PROTECTION = Protection(
    connectors=("From Fabrikam", "EX01\\From Adatum"),
    domains=("fabrikam.com", "xn--bcher-kva.example"),
    reason="contract 4711",
)


@pytest.mark.parametrize(
    ("setting", "facts"),
    [
        (off(receive("EX01")), seen(receive("EX01"))),
        (off(receive("EX01", "From Adatum")), seen(receive("EX01", "From Adatum"))),
        (Member(config().ref, RECEIVE_LIST, "FABRIKAM.com", present=False), seen(config())),
        (Member(config().ref, RECEIVE_LIST, "B\u00fccher.example", present=False), seen(config())),
    ],
)
def test_what_the_inventory_protects_is_not_touched(setting: Setting, facts: object) -> None:
    assert isinstance(facts, type(seen()))
    (verdict,) = Protected(_PROTECTION).judge(setting, facts, facts)
    assert isinstance(verdict, Refusal)
    assert verdict.reason.endswith(": contract 4711")


@pytest.mark.parametrize(
    "entry",
    [
        "EX01\\From Fabrikam",
        "ex01.contoso.example\\from fabrikam",
        "From Fabrikam",
        receive("EX01").ref.guid,
        f"{{{receive('EX01').ref.guid.upper()}}}",
    ],
)
@pytest.mark.parametrize("server", ["EX01", "EX01.contoso.example"])
def test_a_connector_is_protected_however_its_server_is_written(entry: str, server: str) -> None:
    connector = Observation(receive("EX01").ref, receive(server).properties)
    connector = Observation(
        ObjectRef(RECEIVE_CONNECTOR, connector.ref.guid, f"{server}\\From Fabrikam"),
        connector.properties,
    )
    rule = Protected(Protection(connectors=(entry,)))
    assert refused(rule.judge(off(connector), seen(connector), seen())) == ["protected"]


def test_protection_without_a_reason_still_protects_and_spares_the_rest() -> None:
    bare = Protected(Protection(connectors=("From Fabrikam",)))
    facts = seen(config(), receive("EX01"), receive("EX02", "From Adatum"))
    (verdict,) = bare.judge(off(receive("EX01")), facts, facts)
    assert isinstance(verdict, Refusal)
    assert verdict.reason == "the inventory protects EX01\\From Fabrikam"
    assert not bare.judge(off(receive("EX02", "From Adatum")), facts, facts)
    other = Member(config().ref, RECEIVE_LIST, "adatum.com", present=False)
    assert not Protected(_PROTECTION).judge(other, facts, facts)
    assert not bare.judge(Scalar(config().ref, "Comment", "x"), facts, facts)
    assert bare.queries() == ()


_R, _C = receive("EX01").ref, config().ref


@pytest.mark.parametrize(
    ("setting", "suits"),
    [
        (Member(_C, RECEIVE_LIST, "x.com", present=True), True),
        (Scalar(_C, RECEIVE_LIST, "x.com"), False),
        (Scalar(_C, RECEIVE_LIST, None), False),
        (Flags(_C, RECEIVE_LIST, ("x.com",)), False),
        (Flags(_R, "RemoteIPRanges", ("10.0.0.1",)), False),
        (Flags(_R, "AuthMechanism", ("Tls",)), True),
        (Scalar(_R, "AuthMechanism", "Tls"), False),
        (Member(_R, "PermissionGroups", "AnonymousUsers", present=True), False),
        (Scalar(_R, "Enabled", value=True), True),
        (Scalar(_R, "Enabled", 1), False),
        (Scalar(_R, "Enabled", "True"), False),
        (Scalar(_R, "Comment", "text"), True),
        (Scalar(_R, "Comment", value=True), False),
        (Scalar(send("x").ref, "Port", 2525), True),
        (Scalar(send("x").ref, "Port", "2525"), False),
        (Scalar(_R, "MaxInboundConnection", 5000), True),
        (Scalar(_R, "MaxInboundConnection", "Unlimited"), True),
        (Scalar(_R, "EightBitMimeEnabled", value=False), True),
        (Member(_C, "SupervisionTags", "Allow", present=True), True),
        (Flags(_C, "SupervisionTags", ("Allow",)), False),
    ],
)
def test_a_property_is_changed_only_in_the_way_of_its_shape(setting: Setting, suits: bool) -> None:  # noqa: FBT001 - a table
    facts = seen(config(), receive("EX01"), send("x"))
    assert refused(WholeValues().judge(setting, facts, facts)) == ([] if suits else ["whole-value"])
    assert WholeValues().queries() == ()


@pytest.mark.parametrize(
    ("had", "wanted"),
    [(("Tls", "ExternalAuthoritative"), ("Tls",)), (("Tls",), ("Tls", "externalauthoritative"))],
)
def test_external_authoritative_is_neither_set_nor_lost(
    had: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    facts = seen(receive("EX01", AuthMechanism=had))
    verdicts = WholeValues().judge(Flags(_R, "AuthMechanism", wanted), facts, facts)
    assert refused(verdicts) == ["external-authoritative"]


@pytest.mark.parametrize(
    ("made", "server", "verdict"),
    [
        ("0.1 (8.0.535.0)", "Version 15.2 (Build 1118.7)", []),
        ("0.20 (15.0.0.0)", "Version 15.0 (Build 1497.2)", []),
        ("0.20 (15.1.0.0)", "Version 15.0 (Build 1497.2)", ["refused"]),
        ("0.20 (15.0.0.0)", "Version 14.3 (Build 123.4)", ["refused"]),
        ("0.20 (15.0.0.0)", "", ["unknown"]),
        ("", "Version 15.2 (Build 1118.7)", ["unknown"]),
        ("15.0", "Version 15.2 (Build 1118.7)", ["unknown"]),
    ],
)
def test_an_object_of_a_newer_version_is_not_changed(
    made: str, server: str, verdict: list[str]
) -> None:
    connector = receive("EX01", ExchangeVersion=made)
    facts = seen(connector, host("EX02", "Version 8.0"), host("ex01", server))
    verdicts = Version(RECEIVE_CONNECTOR).judge(off(connector), facts, facts)
    assert [concern for _, concern in told(verdicts)] == [v for v in verdict if v == "unknown"]
    assert refused(verdicts) == ["newer-object" for v in verdict if v == "refused"]


def test_a_session_server_that_is_not_known_is_said() -> None:
    connector = receive("EX01")
    for facts in (seen(connector), seen(connector, unknown=["ExchangeServer"])):
        verdicts = Version(RECEIVE_CONNECTOR).judge(off(connector), facts, facts)
        assert told(verdicts) == [("newer-object", "unknown")]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("Version 15.2 (Build 1118.7)", (15, 2, 1118, 7)), ("8.0.535.0)", (8, 0, 535, 0)), ("", ())],
)
def test_a_version_is_its_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert version(text) == numbers


def test_every_rule_asks_for_what_it_judges_by() -> None:
    asked = {
        (query.kind, name)
        for rule in (
            NeverDisabled(RECEIVE_CONNECTOR),
            NeverDisabled(SEND_CONNECTOR),
            Linked(),
            Version(RECEIVE_CONNECTOR),
        )
        for query in rule.queries()
        for name in query.properties
    }
    assert asked >= {
        (RECEIVE_CONNECTOR, "RemoteIPRanges"),
        (RECEIVE_CONNECTOR, "TlsDomainCapabilities"),
        (RECEIVE_CONNECTOR, "ExchangeVersion"),
        (SEND_CONNECTOR, "AddressSpaces"),
        (SEND_CONNECTOR, "CloudServicesMailEnabled"),
        (SEND_CONNECTOR, "LinkedReceiveConnector"),
        ("ExchangeServer", "AdminDisplayVersion"),
    }
    assert TRANSPORT_CONFIG not in {kind for kind, _ in asked}
