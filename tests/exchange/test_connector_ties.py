r"""What an operator's word ties to a partner: a Guid, ``SERVER\Name``, or a name."""

import pytest

from orchestrator.core.facts import Observation, Query, UnknownFact
from orchestrator.core.inventory import Protection
from orchestrator.core.playbook import Refusal
from orchestrator.exchange.connectors import (
    is_dedicated_send,
    namesakes,
    receive_signs,
    resolve,
    same_flow,
    send_signs,
    server_of,
    shown,
    tie,
)
from orchestrator.exchange.objects import (
    OBJECT_KINDS,
    RECEIVE_CONNECTOR,
    SEND_CONNECTOR,
    TRANSPORT_CONFIG,
)
from orchestrator.exchange.rules import rules
from tests.exchange.sample import frontend, receive, ref, send

_ONE = receive("EX01")
_TWO = receive("ex02.contoso.example")
_OTHER = receive("EX03", RemoteIPRanges=("198.51.100.7",))
_SLASH = receive("EX01", "From\\Adatum")
_SPACED = receive("EX01", "Tailspin ")
_ALL = (_ONE, _TWO, _OTHER, _SLASH, _SPACED, frontend("EX01"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("EX01\\From Fabrikam", [_ONE]),
        ("ex01.contoso.example\\from FABRIKAM", [_ONE]),
        (" EX02\\From Fabrikam ", [_TWO]),
        ("EX02.contoso.example\\From Fabrikam", [_TWO]),
        (_ONE.ref.guid, [_ONE]),
        (f" {{{_ONE.ref.guid.upper()}}} ", [_ONE]),
        ("from fabrikam", [_ONE, _TWO, _OTHER]),
        ("EX01\\From\\Adatum", [_SLASH]),
        ("From\\Adatum", [_SLASH]),
        ("EX01\\Tailspin", [_SPACED]),
        ("EX09\\From Fabrikam", []),
        ("EX01\\From", []),
        ("00000000-0000-0000-0000-000000000000", []),
        ("", []),
    ],
)
def test_a_connector_is_found_by_what_people_call_it(text: str, found: list[Observation]) -> None:
    assert list(resolve(text, _ALL)) == found


@pytest.mark.parametrize(
    ("connector", "server"),
    [
        (_ONE, "ex01"),
        (_TWO, "ex02"),
        (Observation(ref(RECEIVE_CONNECTOR, "EX05.contoso.example\\X"), {}), "ex05"),
        (Observation(ref(RECEIVE_CONNECTOR, "From Fabrikam"), {}), ""),
    ],
)
def test_a_server_is_its_host_name_or_not_known(connector: Observation, server: str) -> None:
    assert server_of(connector) == server


def test_the_same_flow_is_the_same_name_and_the_same_addresses_however_written() -> None:
    cut = receive("EX00", RemoteIPRanges=("203.0.113.0-203.0.113.127", "203.0.113.128/25"))
    assert same_flow(_ONE, (*_ALL, cut)) == (cut, _ONE, _TWO)
    assert namesakes(_ONE, _ALL) == (_ONE, _TWO, _OTHER)


def test_a_flow_whose_addresses_are_not_known_is_not_guessed() -> None:
    with pytest.raises(UnknownFact, match="RemoteIPRanges"):
        same_flow(_ONE, (_ONE, receive("EX02", RemoteIPRanges="")))


@pytest.mark.parametrize("text", ["EX01\\From Fabrikam", _TWO.ref.guid])
def test_a_connector_named_with_its_server_ties_one_flow(text: str) -> None:
    assert isinstance(tie(text, _ALL), Observation)


def test_a_bare_name_ties_only_where_it_means_one_flow() -> None:
    assert tie("From Fabrikam", (_TWO, _ONE)) == _TWO
    refusal = tie("From Fabrikam", _ALL)
    assert isinstance(refusal, Refusal)
    assert "means several" in refusal.reason
    assert [sign.value for sign in refusal.evidence][-1] == "198.51.100.7"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("EX01\\From Fabricam", "Did you mean 'EX01\\From Fabrikam'?"),
        ("something else entirely", "Name it as the event does"),
    ],
)
def test_a_name_that_means_nothing_is_refused_with_the_nearest(text: str, advice: str) -> None:
    refusal = tie(text, _ALL)
    assert isinstance(refusal, Refusal)
    assert refusal.way_out.startswith(advice)


def _holding(connector: Observation) -> list[str]:
    signs = receive_signs if connector.ref.kind == RECEIVE_CONNECTOR else send_signs
    return [sign.property for sign in signs(connector) if not sign.holds]


@pytest.mark.parametrize(
    ("connector", "against"),
    [
        (_ONE, []),
        (receive("EX01", RemoteIPRanges=("0.0.0.0/0",)), ["RemoteIPRanges"]),
        (receive("EX01", RemoteIPRanges=""), ["RemoteIPRanges"]),
        (receive("EX01", PermissionGroups=("Partners", "AnonymousUsers")), ["PermissionGroups"]),
        (receive("EX01", PermissionGroups=("partners",)), []),
        (receive("EX01", AuthMechanism=("TLS", "Integrated")), []),
        (receive("EX01", AuthMechanism=("Integrated",)), ["AuthMechanism"]),
        (receive("EX01", AuthMechanism=None), ["AuthMechanism"]),
        (receive("EX01", DomainSecureEnabled=False), ["DomainSecureEnabled"]),
        (receive("EX01", DomainSecureEnabled=""), ["DomainSecureEnabled"]),
        (
            receive("EX01", TlsDomainCapabilities=("x:AcceptCloud",)),
            ["TlsDomainCapabilities", "Name"],
        ),
        (receive("EX01", TlsDomainCapabilities=""), []),
        (frontend("EX01"), ["RemoteIPRanges", "PermissionGroups", "Name"]),
        (send("To Fabrikam", "fabrikam.com"), []),
        (send("To Fabrikam", "fabrikam.com", DomainSecureEnabled=""), ["DomainSecureEnabled"]),
        (send("To Fabrikam", "fabrikam.com", DNSRoutingEnabled=False), ["DNSRoutingEnabled"]),
        (
            send("To Fabrikam", "fabrikam.com", CloudServicesMailEnabled=True),
            ["CloudServicesMailEnabled", "Name"],
        ),
        (send("EdgeSync - Out", "fabrikam.com"), ["Name"]),
    ],
)
def test_every_sign_of_being_dedicated_counts(connector: Observation, against: list[str]) -> None:
    assert _holding(connector) == against


def test_an_empty_property_is_shown_as_empty() -> None:
    connector = receive("EX01", TlsDomainCapabilities=(), Comment=None)
    assert shown(connector, "TlsDomainCapabilities") == "(empty)"
    assert shown(connector, "Comment") == "None"
    assert shown(connector, "PermissionGroups") == "Partners"


@pytest.mark.parametrize(
    ("spaces", "dedicated"),
    [
        (["fabrikam.com"], True),
        (["SMTP:Fabrikam.com;1", "smtp:*.fabrikam.com;20"], True),
        (["*.fabrikam.com"], True),
        (["fabrikam.com", "adatum.com"], False),
        (["mail.fabrikam.com"], False),
        (["fabrikam.com", "*"], False),
        (["--"], False),
        (["X400:fabrikam.com"], False),
        ([], False),
    ],
)
def test_a_send_connector_is_dedicated_by_every_address_space(
    spaces: list[str],
    dedicated: bool,  # noqa: FBT001 - a table
) -> None:
    assert is_dedicated_send(send("To", *spaces), "FABRIKAM.com") is dedicated


def test_a_domain_in_either_form_is_the_same_for_a_send_connector() -> None:
    assert is_dedicated_send(send("To", "SMTP:b\u00fccher.example"), "xn--bcher-kva.example")


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        (Query(TRANSPORT_CONFIG, ("TLSReceiveDomainSecureList",)), {"ReceiveList"}),
        (Query(TRANSPORT_CONFIG, ("TLSSendDomainSecureList",)), {"SendList"}),
        (
            Query(RECEIVE_CONNECTOR, ("Enabled",)),
            {"NeverDisabled", "Linked", "TakeOver", "Version", "HalfRemedy"},
        ),
        (
            Query(SEND_CONNECTOR, ("Enabled",)),
            {"NeverDisabled", "Stranding", "Version", "HalfRemedy"},
        ),
        (Query(SEND_CONNECTOR, ("Fqdn",)), set()),
    ],
)
def test_rules_are_chosen_by_what_is_changed_and_some_always_judge(
    query: Query, chosen: set[str]
) -> None:
    found = [type(rule).__name__ for rule in rules([query], Protection(), ())]
    assert {*found} == chosen | {"Protected", "WholeValues", "Lowering", "Rights"}
    assert len(found) == len({*found})
    assert query.kind in OBJECT_KINDS
