"""What follows where TLS or Domain Security is turned on, and where it could never work."""

import pytest

from orchestrator.core.facts import Observation, Value
from orchestrator.core.inventory import Protection
from orchestrator.core.playbook import Verdict
from orchestrator.core.setting import Flags, Scalar, Setting
from orchestrator.exchange.rules import rules
from orchestrator.exchange.tls import DomainSecured, OfferedTls
from tests.exchange.sample import (
    asks,
    config,
    frontend,
    receive,
    refused,
    seen,
    send,
    told,
)

_OFFERING = OfferedTls()
_SECURED = DomainSecured()


def _offer(connector: Observation, *flags: str) -> list[Verdict]:
    """Return what the rule says where *connector* comes to have just *flags*."""
    setting = Flags(connector.ref, "AuthMechanism", flags)
    after = seen(connector.changed("AuthMechanism", flags))
    return list(_OFFERING.judge(setting, seen(connector), after))


def _secure(connector: Observation) -> list[Verdict]:
    """Return what the rule says where *connector* comes to take part in Domain Security."""
    setting = Scalar(connector.ref, "DomainSecureEnabled", value=True)
    facts = seen(connector.changed("DomainSecureEnabled", value=True))
    return list(_SECURED.judge(setting, facts, facts))


def test_a_connector_that_comes_to_offer_tls_lets_others_in_as_before() -> None:
    connector = receive("EX01", AuthMechanism=("Integrated",), Fqdn="mail.contoso.com")
    offered, certified = _offer(connector, "Integrated", "Tls")
    assert told([offered, certified]) == [("tls-offered", "mail-flow"), ("tls-offered", "unknown")]
    assert "let in as before" in str(offered)
    assert "fits mail.contoso.com" in str(certified)
    assert "Get-ExchangeCertificate -Server EX01" in str(certified)


def test_where_tls_is_a_must_whoever_does_not_start_it_is_refused() -> None:
    connector = receive("EX01", AuthMechanism=(), RequireTLS=True)
    offered, _ = _offer(connector, "tls")
    assert "whoever does not start it is refused" in str(offered)


def test_a_certificate_that_the_connector_names_counts_before_its_name() -> None:
    named = "<I>CN=CA<S>CN=mail.contoso.com"
    connector = receive("EX01", AuthMechanism=(), Fqdn="ex01", TlsCertificateName=named)
    assert f"fits {named}" in str(_offer(connector, "Tls")[1])
    nameless = receive("EX01", AuthMechanism=(), Fqdn="", Server="")
    assert "a certificate for SMTP. Without one" in str(_offer(nameless, "Tls")[1])


@pytest.mark.parametrize(
    "setting",
    [
        Flags(receive("EX01").ref, "AuthMechanism", ("Tls", "Integrated")),
        Flags(receive("EX01").ref, "AuthMechanism", ("Integrated",)),
        Flags(receive("EX01").ref, "PermissionGroups", ("Partners",)),
        Scalar(receive("EX01").ref, "AuthMechanism", value="Tls"),
    ],
    ids=str,
)
def test_what_does_not_bring_tls_is_none_of_this_rules_business(setting: Setting) -> None:
    facts = seen(receive("EX01"))
    assert not _OFFERING.judge(setting, facts, facts)


def test_flags_without_tls_bring_none() -> None:
    assert not _offer(receive("EX01", AuthMechanism=("Integrated",)), "BasicAuth")


@pytest.mark.parametrize(
    "connector",
    [
        receive("EX01", AuthMechanism=(), TlsDomainCapabilities=("x:AcceptCloudServicesMail",)),
        receive("EX01", "Inbound from Office 365", AuthMechanism=()),
    ],
    ids=lambda connector: str(connector.ref.label),
)
def test_what_a_hybrid_configuration_owns_is_left_to_it(connector: Observation) -> None:
    verdicts = _offer(connector, "Tls")
    assert refused(verdicts) == ["reserved-connector"]
    assert {sign.property for sign in verdicts[0].evidence} == {"Name", "TlsDomainCapabilities"}


def test_edgesync_owns_its_send_connectors() -> None:
    connector = send("EdgeSync - Inbound to Default", "SMTP:--;1", DomainSecureEnabled=False)
    assert refused(_secure(connector)) == ["reserved-connector"]


def test_what_was_deferred_bounces_once_a_connector_takes_part_again() -> None:
    connector = frontend("EX01", DomainSecureEnabled=False)
    (verdict,) = _secure(connector)
    assert told([verdict]) == [("domain-secure", "mail-flow")]
    assert "451" in str(verdict)
    assert "530 5.7.1" in str(verdict)


def test_mail_in_the_queue_of_a_send_connector_is_tried_again_with_mutual_tls() -> None:
    connector = send("To Fabrikam", "SMTP:fabrikam.com;1", DomainSecureEnabled=False)
    assert told(_secure(connector)) == [("domain-secure", "outbound")]


@pytest.mark.parametrize(
    ("changed", "sign"),
    [
        ({"DNSRoutingEnabled": False}, "DNSRoutingEnabled"),
        ({"IgnoreSTARTTLS": True}, "IgnoreSTARTTLS"),
    ],
)
def test_a_send_connector_that_could_never_do_it_is_refused(
    changed: dict[str, Value], sign: str
) -> None:
    verdicts = _secure(send("To Fabrikam", "SMTP:fabrikam.com;1", **changed))
    assert refused(verdicts) == ["domain-secure"]
    assert f"by its {sign}" in str(verdicts[0])


@pytest.mark.parametrize("flags", [("Integrated",), ("Tls", "ExternalAuthoritative"), ()])
def test_a_receive_connector_without_tls_of_its_own_is_refused(flags: tuple[str, ...]) -> None:
    verdicts = _secure(receive("EX01", AuthMechanism=flags))
    assert refused(verdicts) == ["domain-secure"]
    assert "offer-tls" in str(verdicts[0])


def test_turning_domain_security_off_is_another_rules_business() -> None:
    facts = seen(receive("EX01"))
    for setting in (
        Scalar(receive("EX01").ref, "DomainSecureEnabled", value=False),
        Scalar(receive("EX01").ref, "Enabled", value=True),
    ):
        assert not _SECURED.judge(setting, facts, facts)


def test_each_of_the_three_is_judged_by_version_and_validated_again() -> None:
    for connector, property_name in (
        (receive("EX01"), "AuthMechanism"),
        (receive("EX01"), "DomainSecureEnabled"),
        (send("To Fabrikam", "SMTP:fabrikam.com;1"), "DomainSecureEnabled"),
    ):
        setting = Scalar(connector.ref, property_name, value=True)
        facts = seen(config(), connector)
        chosen = rules(asks(setting), Protection(), ())
        found = [v for rule in chosen for v in rule.judge(setting, facts, facts)]
        assert {"newer-object", "re-validation"} <= {rule for rule, _ in told(found)}


def test_each_rule_asks_for_what_it_judges_by() -> None:
    (offering,) = _OFFERING.queries()
    assert {"RequireTLS", "Fqdn", "TlsCertificateName"} <= set(offering.properties)
    receiving, sending = _SECURED.queries()
    assert {"AuthMechanism", "TlsDomainCapabilities"} <= set(receiving.properties)
    assert {"DNSRoutingEnabled", "IgnoreSTARTTLS"} <= set(sending.properties)
