"""Our own side of mutual TLS: flags from what was just seen, and connectors that take part."""

import pytest

from orchestrator.core.facts import UnknownFact
from orchestrator.core.setting import Flags, Scalar
from orchestrator.steps.secured import AuthMechanism, DomainSecureEnabled
from tests.exchange.sample import config, plan, receive, refused, seen, send

_OFFER = AuthMechanism("EX01\\From Fabrikam", "Tls")
_TO = send("To Fabrikam", "SMTP:fabrikam.com;1", DomainSecureEnabled=False)
_FROM = receive("EX01", DomainSecureEnabled=False)


def test_each_server_keeps_what_it_offers_and_gets_tls_beside_it() -> None:
    flow = (
        receive("EX01", AuthMechanism=("Integrated",)),
        receive("EX02", AuthMechanism=()),
        receive("EX03", AuthMechanism=("tls", "BasicAuth")),
    )
    settled = _OFFER.settle(seen(*flow))
    assert settled.settings == (
        Flags(flow[0].ref, "AuthMechanism", ("Integrated", "Tls")),
        Flags(flow[1].ref, "AuthMechanism", ("Tls",)),
        Flags(flow[2].ref, "AuthMechanism", ("tls", "BasicAuth")),
    )
    assert [ground.property for ground in settled.grounds] == ["RemoteIPRanges"] * 3
    (note,) = settled.notes
    assert note.startswith("EX03\\From Fabrikam has Tls in its AuthMechanism")
    made = plan(_OFFER, facts=seen(config(), *flow))
    assert [change.setting.ref for change in made.changes] == [c.ref for c in flow[:2]]


def test_flags_that_a_server_did_not_show_are_not_written() -> None:
    with pytest.raises(UnknownFact, match="AuthMechanism"):
        _OFFER.settle(seen(receive("EX01", AuthMechanism="")))
    assert refused(plan(_OFFER, facts=seen(receive("EX01", AuthMechanism=""))).refusals) == [
        "unknown-state"
    ]


def test_a_connector_that_trusts_its_peers_with_everything_is_left_alone() -> None:
    made = plan(_OFFER, facts=seen(receive("EX01", AuthMechanism=("ExternalAuthoritative",))))
    assert refused(made.refusals) == ["external-authoritative"]


def test_a_connector_that_does_not_exist_is_refused() -> None:
    assert refused(_OFFER.settle(seen()).refusals) == ["connector-named"]
    step = DomainSecureEnabled("fabrikam.com", "EX09\\Nobody")
    assert refused(step.settle(seen(config())).refusals) == ["connector-named"]


def test_both_sides_take_part_where_both_are_named() -> None:
    step = DomainSecureEnabled("fabrikam.com", "EX01\\From Fabrikam", "to fabrikam")
    settled = step.settle(seen(config(send=("fabrikam.com",)), _FROM, _TO))
    assert not settled.refusals
    assert settled.settings == tuple(
        Scalar(each.ref, "DomainSecureEnabled", value=True) for each in (_FROM, _TO)
    )
    assert [ground.ref for ground in settled.grounds] == [_FROM.ref]


def test_a_side_whose_list_does_not_hold_the_domain_is_refused() -> None:
    facts = seen(config(), _FROM, _TO)
    receiving = DomainSecureEnabled("fabrikam.com", "EX01\\From Fabrikam")
    assert not receiving.settle(facts).refusals
    sending = DomainSecureEnabled("fabrikam.com", send_connector="To Fabrikam")
    (refusal,) = sending.settle(facts).refusals
    assert refusal.rule == "listed"
    assert "TLSSendDomainSecureList" in refusal.reason


def test_one_send_connector_has_to_be_meant() -> None:
    twins = (_TO, send("TO FABRIKAM", "SMTP:adatum.com;1").changed("Name", "To Fabrikam"))
    step = DomainSecureEnabled("fabrikam.com", send_connector="To Fabrikam")
    lists = config(send=("fabrikam.com",))
    for facts, words in ((seen(lists), "does not exist"), (seen(lists, *twins), "means several")):
        (refusal,) = step.settle(facts).refusals
        assert refusal.rule == "object-named"
        assert words in refusal.reason


def test_without_any_connector_there_is_nothing_that_could_be_meant() -> None:
    assert refused(DomainSecureEnabled("fabrikam.com").settle(seen(config())).refusals) == [
        "object-named"
    ]


def test_a_step_asks_for_both_lists_and_for_the_connectors_of_both_sides() -> None:
    lists, receiving, sending = DomainSecureEnabled("fabrikam.com").queries()
    assert set(lists.properties) == {"TLSReceiveDomainSecureList", "TLSSendDomainSecureList"}
    assert "RemoteIPRanges" in receiving.properties
    assert "DomainSecureEnabled" in sending.properties
