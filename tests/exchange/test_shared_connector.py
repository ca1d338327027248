"""A connector on which events show another listed domain is not retired for one of the two."""

import pytest

from orchestrator.core.facts import Facts
from orchestrator.core.inventory import Protection
from orchestrator.core.playbook import Refusal
from orchestrator.core.setting import Scalar
from orchestrator.exchange.incident import Sighting
from orchestrator.exchange.rules import rules
from orchestrator.exchange.sharing import Shared
from tests.exchange.sample import asks, config, frontend, off, receive, seen, send

OWN = receive("EX01")
FACTS = seen(config(("fabrikam.com", "adatum.com")), frontend("EX01"), OWN, receive("EX02"))


def sighted(
    domain: str = "adatum.com",
    connector: str = r"EX01.contoso.example\From Fabrikam",
    id_: int = 11012,
) -> Sighting:
    """Return what another incident holds."""
    return Sighting(id_, "MSExchangeTransport", domain, connector, "EX01")


def judged(*sightings: Sighting, facts: Facts = FACTS) -> list[Refusal]:
    """Return what the rule refuses of switching the connector on EX01 off."""
    found = Shared(sightings, ("fabrikam.com",)).judge(off(OWN), facts, facts)
    return [verdict for verdict in found if isinstance(verdict, Refusal)]


def test_another_listed_domain_on_the_same_connector_refuses() -> None:
    (refusal,) = judged(sighted())
    assert refusal.rule == "shared-connector"
    assert "adatum.com" in refusal.reason
    assert [(sign.property, sign.value) for sign in refusal.evidence] == [
        ("event 11012", "adatum.com")
    ]


@pytest.mark.parametrize(
    "sighting",
    [
        sighted("Fabrikam.com"),
        sighted("nobody.example"),
        sighted(""),
        sighted(connector="From Fabrikam"),
        sighted(connector=r"EX02\From Fabrikam"),
        sighted(connector=r"EX01\From Adatum"),
        sighted(id_=11014),
    ],
    ids=[
        "the domain itself",
        "a domain that is not listed",
        "no domain",
        "no server",
        "another server",
        "another connector",
        "mail that went out",
    ],
)
def test_what_is_no_evidence_refuses_nothing(sighting: Sighting) -> None:
    assert judged(sighting) == []


def test_the_rule_is_about_receive_connectors_that_go_off() -> None:
    rule = Shared((sighted(),), ("fabrikam.com",))
    assert rule.judge(Scalar(OWN.ref, "Enabled", value=True), FACTS, FACTS) == ()
    out = send("To Fabrikam", "SMTP:fabrikam.com;1")
    assert rule.judge(off(out), FACTS, FACTS) == ()


def test_it_is_asked_wherever_events_were_seen() -> None:
    asked = asks(off(OWN))
    with_events = rules(asked, Protection(), ("fabrikam.com",), (sighted(),))
    without = rules(asked, Protection(), ("fabrikam.com",))
    assert any(isinstance(rule, Shared) for rule in with_events)
    assert not any(isinstance(rule, Shared) for rule in without)
    (shared,) = (rule for rule in with_events if isinstance(rule, Shared))
    assert {query.kind for query in shared.queries()} == {"TransportConfig", "ReceiveConnector"}
