"""A partner's connectors: one flow on every server that has it, and nobody else's."""

import pytest

from orchestrator.core.facts import Observation, UnknownFact, Value
from orchestrator.core.plan import Plan
from orchestrator.core.setting import Scalar
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, SEND_CONNECTOR
from orchestrator.steps.connectors import DedicatedReceiveConnectors, DedicatedSendConnector
from orchestrator.steps.domains import DomainSecureList
from orchestrator.steps.predicates import AcceptsAnonymous
from tests.exchange.sample import (
    EVERYBODY,
    INTERNET,
    config,
    frontend,
    plan,
    receive,
    refused,
    seen,
    send,
)

_SERVERS = ("EX01", "EX02", "EX03")
_FRONTENDS = tuple(frontend(server) for server in _SERVERS)
_FLOW = tuple(receive(server) for server in _SERVERS)
_DISABLE = DedicatedReceiveConnectors("EX02\\From Fabrikam", "disabled")
_OFF_LIST = DomainSecureList("receive", "fabrikam.com", "absent")


def _labels(made: Plan) -> list[str]:
    return [change.setting.ref.label for change in made.changes]


def test_the_same_flow_on_three_servers_is_disabled_one_server_at_a_time() -> None:
    facts = seen(config(), INTERNET, *_FRONTENDS, *reversed(_FLOW))
    made = plan(_OFF_LIST, _DISABLE, facts=facts)
    assert not made.refusals
    assert _labels(made) == ["TransportConfig", *(c.ref.label for c in _FLOW)]
    assert made.lowers_security
    apply = dict(made.changes[1].difference.apply.parameters)
    assert apply == {
        "Identity": _FLOW[0].ref.guid,
        "Enabled": False,
        "DomainController": facts.controller,
        "Confirm": False,
    }


def test_both_halves_together_are_no_half_remedy_and_one_alone_is() -> None:
    facts = seen(config(), INTERNET, *_FRONTENDS, *_FLOW)
    both = plan(_OFF_LIST, _DISABLE, facts=facts)
    alone = plan(_DISABLE, facts=facts)
    halves = [
        [c.rule for change in made.changes for c in change.consequences].count("half-remedy")
        for made in (both, alone)
    ]
    assert halves == [0, 3]
    refusing = [
        consequence.rule
        for change in plan(_OFF_LIST, facts=facts).changes
        for consequence in change.consequences
    ]
    assert "partners-only" in refusing
    assert "partners-only" not in [c.rule for c in both.changes[0].consequences]


def test_a_look_alike_of_another_partner_is_left_alone_and_named() -> None:
    alike = receive("EX03", RemoteIPRanges=("198.51.100.0/24",))
    other = receive("EX01", "From Adatum", RemoteIPRanges=("203.0.113.0/24",))
    facts = seen(config(()), INTERNET, *_FRONTENDS, *_FLOW[:2], alike)
    made = plan(_DISABLE, facts=facts)
    assert _labels(made) == ["EX01\\From Fabrikam", "EX02\\From Fabrikam"]
    assert made.notes == (
        "EX03\\From Fabrikam has the same name but other RemoteIPRanges: another flow, left alone.",
    )
    twin = plan(_DISABLE, facts=seen(config(()), *_FRONTENDS, *_FLOW, INTERNET, other))
    assert "EX01\\From Adatum" not in _labels(twin)


@pytest.mark.parametrize(
    "said",
    [
        "From Fabrikam",
        "from fabrikam",
        "ex02.contoso.example\\From Fabrikam",
        _FLOW[1].ref.guid,
        f"{{{_FLOW[1].ref.guid.upper()}}}",
    ],
)
def test_however_a_connector_is_named_the_whole_flow_is_meant(said: str) -> None:
    step = DedicatedReceiveConnectors(said, "disabled")
    settled = step.settle(seen(*_FLOW))
    assert [setting.ref for setting in settled.settings] == [c.ref for c in _FLOW]


def test_one_that_is_off_already_needs_no_change_and_the_others_do() -> None:
    flow = (_FLOW[0].changed("Enabled", value=False), *_FLOW[1:])
    made = plan(_DISABLE, facts=seen(config(()), INTERNET, *_FRONTENDS, *flow))
    assert not made.refusals
    assert _labels(made) == ["EX02\\From Fabrikam", "EX03\\From Fabrikam"]


def test_where_no_connector_takes_over_on_one_server_the_whole_plan_is_refused() -> None:
    frontends = (*_FRONTENDS[:2], frontend("EX03", PermissionGroups=("ExchangeServers",)))
    made = plan(_DISABLE, facts=seen(config(()), INTERNET, *frontends, *_FLOW))
    assert refused(made.refusals) == ["take-over"]
    assert made.refusals[0].reason.startswith("EX03\\From Fabrikam")


@pytest.mark.parametrize(
    ("changed", "sign", "advice"),
    [
        (
            {"PermissionGroups": ("Partners", "AnonymousUsers")},
            "PermissionGroups",
            "remove-domain-security",
        ),
        ({"DomainSecureEnabled": False}, "DomainSecureEnabled", "a person decides"),
        ({"AuthMechanism": ("Integrated",)}, "AuthMechanism", "a person decides"),
        ({"RemoteIPRanges": EVERYBODY}, "RemoteIPRanges", "a person decides"),
    ],
)
def test_what_does_not_look_dedicated_is_refused_with_every_sign(
    changed: dict[str, Value], sign: str, advice: str
) -> None:
    connector = receive("EX02", **changed)
    settled = _DISABLE.settle(seen(connector))
    (refusal,) = settled.refusals
    assert refusal.rule == "not-dedicated"
    assert refusal.reason.endswith(f"by its {sign}")
    assert advice in refusal.way_out
    assert len(refusal.evidence) == 6
    again = _DISABLE.settle(seen(connector.changed("Enabled", value=False)))
    assert not again.refusals
    enabling = DedicatedReceiveConnectors("EX02\\From Fabrikam", "enabled")
    assert not enabling.settle(seen(connector)).refusals


def test_a_hardened_default_connector_is_not_dedicated() -> None:
    stig = frontend("EX02", DomainSecureEnabled=True, PermissionGroups=("Partners",))
    step = DedicatedReceiveConnectors("EX02\\Default Frontend EX02", "disabled")
    made = plan(step, facts=seen(config(()), INTERNET, stig))
    assert {"not-dedicated", "never-disabled", "take-over"} <= {r.rule for r in made.refusals}


def test_a_connector_that_does_not_say_whether_it_is_on_is_not_touched() -> None:
    for shown in ("", None):
        silent = receive("EX02", Enabled=shown)
        made = plan(_DISABLE, facts=seen(config(()), INTERNET, frontend("EX02"), silent))
        assert "unknown-state" in refused(made.refusals)
        assert not made.changes


def test_without_a_connector_there_is_nothing_to_do() -> None:
    for state in ("disabled", "enabled"):
        step = DedicatedReceiveConnectors(None, "disabled" if state == "disabled" else "enabled")
        assert not step.settle(seen(*_FLOW)).settings


def test_a_name_that_means_nothing_or_several_flows_is_refused() -> None:
    several = seen(_FLOW[0], receive("EX02", RemoteIPRanges=("198.51.100.0/24",)))
    for said in ("From Fabrikam", "From Nobody"):
        settled = DedicatedReceiveConnectors(said, "disabled").settle(several)
        assert refused(settled.refusals) == ["connector-named"]
        assert not settled.settings


def test_receive_connectors_that_are_not_known_refuse() -> None:
    made = plan(_DISABLE, facts=seen(config(()), unknown=[RECEIVE_CONNECTOR]))
    assert "unknown-state" in refused(made.refusals)


def test_restoring_brings_connectors_back_before_the_domain() -> None:
    flow = tuple(each.changed("Enabled", value=False) for each in _FLOW)
    made = plan(
        DedicatedReceiveConnectors("From Fabrikam", "enabled"),
        DomainSecureList("receive", "fabrikam.com", "present"),
        facts=seen(config(()), *_FRONTENDS, *flow),
    )
    assert not made.refusals
    assert _labels(made) == [*(c.ref.label for c in _FLOW), "TransportConfig"]
    assert not made.lowers_security


_TO_FABRIKAM = send("To Fabrikam", "SMTP:fabrikam.com;1", "SMTP:*.fabrikam.com;1")


def _send(*connectors: Observation, state: str = "disabled") -> Plan:
    step = DedicatedSendConnector("fabrikam.com", "disabled" if state == "disabled" else "enabled")
    return plan(step, facts=seen(config(()), *connectors))


def test_a_dedicated_send_connector_is_disabled_where_another_carries_on() -> None:
    made = _send(_TO_FABRIKAM, INTERNET)
    assert not made.refusals
    assert _labels(made) == ["To Fabrikam"]
    assert refused(_send(_TO_FABRIKAM).refusals) == ["stranded", "stranded"]


def test_a_send_connector_that_carries_more_is_left_alone_and_named() -> None:
    mixed = send("To Partners", "SMTP:fabrikam.com;1", "SMTP:adatum.com;1")
    made = _send(mixed, INTERNET)
    assert not made.changes
    assert made.notes == (
        "To Partners carries other address spaces too: left alone.",
        "No send connector is dedicated to fabrikam.com.",
    )


@pytest.mark.parametrize(
    ("changed", "sign"),
    [
        ({"DomainSecureEnabled": False}, "DomainSecureEnabled"),
        ({"DNSRoutingEnabled": None}, "DNSRoutingEnabled"),
        ({"CloudServicesMailEnabled": True}, "CloudServicesMailEnabled, Name"),
    ],
)
def test_a_send_connector_that_does_not_look_dedicated_is_refused(
    changed: dict[str, Value], sign: str
) -> None:
    connector = send("To Fabrikam", "fabrikam.com", **changed)
    step = DedicatedSendConnector("fabrikam.com", "disabled")
    (refusal,) = step.settle(seen(connector)).refusals
    assert refusal.reason.endswith(f"by its {sign}")
    assert not step.settle(seen(connector.changed("Enabled", value=False))).refusals
    assert not _send(connector.changed("Enabled", value=False), state="enabled").refusals


def test_send_connectors_that_are_not_known_refuse() -> None:
    with pytest.raises(UnknownFact):
        DedicatedSendConnector("fabrikam.com", "disabled").settle(seen(unknown=[SEND_CONNECTOR]))


def test_what_a_step_chose_by_is_recorded_as_its_grounds() -> None:
    settled = _DISABLE.settle(seen(*_FLOW))
    assert {(g.ref.label, g.property) for g in settled.grounds} >= {
        (c.ref.label, "RemoteIPRanges") for c in _FLOW
    }
    carried = DedicatedSendConnector("fabrikam.com", "disabled").settle(seen(_TO_FABRIKAM)).grounds
    assert ("To Fabrikam", "AddressSpaces") in {(g.ref.label, g.property) for g in carried}


@pytest.mark.parametrize(
    ("changed", "refuses"),
    [
        ({}, True),
        ({"PermissionGroups": ("Partners", "AnonymousUsers")}, False),
        ({"PermissionGroups": ("Partners", "AnonymousUsers"), "RequireTLS": True}, True),
        ({"PermissionGroups": None}, True),
        ({"Enabled": False}, False),
        ({"Enabled": None}, True),
    ],
)
def test_removing_only_the_domain_is_refused_where_its_connector_would_still_reject(
    changed: dict[str, Value],
    refuses: bool,  # noqa: FBT001 - a table
) -> None:
    question = AcceptsAnonymous("EX01\\From Fabrikam")
    facts = seen(config(), receive("EX01", **changed))
    made = plan(_OFF_LIST, facts=facts, require=[question])
    assert refused(made.refusals) == (["partners-only"] if refuses else [])
    if refuses:
        assert "retire-dedicated-connectors" in made.refusals[0].way_out


def test_one_server_of_the_flow_that_rejects_is_enough() -> None:
    facts = seen(receive("EX01", Enabled=False), receive("EX02"))
    refusal = AcceptsAnonymous("EX01\\From Fabrikam").check(facts)
    assert refusal is not None
    assert refusal.reason.startswith("EX02\\From Fabrikam")


def test_without_evidence_of_a_connector_the_question_is_not_asked() -> None:
    assert AcceptsAnonymous(None).check(seen(*_FLOW)) is None
    unknown = AcceptsAnonymous("From Nobody").check(seen(*_FLOW))
    assert unknown is not None
    assert unknown.rule == "connector-named"
    assert AcceptsAnonymous(None).queries()[0].kind == RECEIVE_CONNECTOR


def test_a_setting_found_twice_is_one_change() -> None:
    made = plan(_DISABLE, _DISABLE, facts=seen(config(()), INTERNET, *_FRONTENDS, *_FLOW))
    assert [change.setting for change in made.changes] == [
        Scalar(connector.ref, "Enabled", value=False) for connector in _FLOW
    ]
