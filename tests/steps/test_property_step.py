"""The generic step: any property of any supported object, and no way around a rule."""

from typing import Any

import pytest

from orchestrator.core.command import Delta
from orchestrator.core.errors import ConfigurationError, UsageError
from orchestrator.core.facts import Observation
from orchestrator.core.playbook import Input, InputType, InputValue, Invocation, Playbook
from orchestrator.core.setting import Flags, Member, Scalar, Setting
from orchestrator.exchange.objects import RECEIVE_LIST
from orchestrator.steps import (
    PREDICATES,
    PROOFS,
    STEP_KINDS,
    build_predicate,
    build_step,
    placeholders,
)
from orchestrator.steps.domains import DomainSecureList
from orchestrator.steps.inputs import parse_inputs
from orchestrator.steps.predicates import Listed
from orchestrator.steps.property import Property
from tests.exchange.sample import INTERNET, config, frontend, plan, receive, refused, seen, send

_RELAY = receive("EX01", "Relay", Comment="old", MaxInboundConnection="5000")
_FACTS = seen(config(), INTERNET, frontend("EX01"), receive("EX01"), _RELAY)


def _property(kind: str, name: str, identity: str | None, **state: Any) -> Property:
    arguments = {"object": kind, "property": name, **state}
    if identity is not None:
        arguments["identity"] = identity
    step = build_step(Invocation("property", arguments), {})
    assert isinstance(step, Property)
    return step


@pytest.mark.parametrize(
    ("step", "setting"),
    [
        (
            _property("ReceiveConnector", "RequireTLS", "EX01\\Relay", equals=True),
            Scalar(_RELAY.ref, "RequireTLS", value=True),
        ),
        (
            _property("ReceiveConnector", "requiretls", "EX01\\Relay", equals=True),
            Scalar(_RELAY.ref, "RequireTLS", value=True),
        ),
        (
            _property("ReceiveConnector", "AuthMechanism", "Relay", flags="Tls,  Integrated,"),
            Flags(_RELAY.ref, "AuthMechanism", ("Tls", "Integrated")),
        ),
        (
            _property("ReceiveConnector", "RemoteIPRanges", _RELAY.ref.guid, includes="10.0.0.1"),
            Member(_RELAY.ref, "RemoteIPRanges", "10.0.0.1", present=True),
        ),
        (
            _property("TransportConfig", RECEIVE_LIST, None, excludes="fabrikam.com"),
            Member(config().ref, RECEIVE_LIST, "fabrikam.com", present=False),
        ),
        (
            _property("SendConnector", "Fqdn", "to internet", equals="mail.contoso.com"),
            Scalar(INTERNET.ref, "Fqdn", "mail.contoso.com"),
        ),
    ],
)
def test_a_state_becomes_one_setting_of_the_one_object(step: Property, setting: Setting) -> None:
    settled = step.settle(_FACTS)
    assert settled.settings == (setting,)
    assert settled.found[0].property == setting.property
    assert setting.property in step.queries()[0].properties


def test_a_receive_connector_is_told_apart_by_its_server_too() -> None:
    asked = {
        kind: _property(kind, "Fqdn", "x", equals="y").queries()[0].properties
        for kind in ("ReceiveConnector", "SendConnector")
    }
    assert asked == {"ReceiveConnector": ("Fqdn", "Server"), "SendConnector": ("Fqdn",)}


@pytest.mark.parametrize(
    ("identity", "reason"),
    [("Nobody", "does not exist"), ("From Fabrikam", "means several: EX01\\From Fabrikam, EX02")],
)
def test_an_identity_that_means_none_or_several_is_refused(identity: str, reason: str) -> None:
    step = _property("ReceiveConnector", "Comment", identity, equals="x")
    (refusal,) = step.settle(seen(receive("EX01"), receive("EX02"))).refusals
    assert reason in refusal.reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"object": "TransportConfig", "property": "x"}, "exactly one of"),
        ({"object": "TransportConfig", "property": "x", "equals": 1, "flags": "a"}, "exactly one"),
        (
            {"object": "TransportConfig", "property": "x", "equals": 1, "identity": "y"},
            "takes no 'identity'",
        ),
        ({"object": "SendConnector", "property": "x", "equals": 1}, "needs 'identity'"),
        ({"object": "Mailbox", "property": "x", "equals": 1}, "property: Invalid enum value"),
        ({"object": "SendConnector"}, "property: .*missing required field"),
    ],
)
def test_a_state_that_contradicts_itself_is_a_mistake(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        build_step(Invocation("property", arguments, line=7), {})


@pytest.mark.parametrize("value", [False, 0, "False", "$false"])
@pytest.mark.parametrize("name", ["Enabled", "enabled", "ENABLED"])
def test_no_spelling_disables_a_default_connector(name: str, value: Any) -> None:
    step = _property("ReceiveConnector", name, "EX01\\Default Frontend EX01", equals=value)
    made = plan(step, facts=_FACTS)
    assert "never-disabled" in refused(made.refusals)


@pytest.mark.parametrize("state", [{"equals": "x.com"}, {"flags": "x.com"}])
def test_no_spelling_overwrites_a_whole_list(state: dict[str, Any]) -> None:
    made = plan(_property("TransportConfig", RECEIVE_LIST.lower(), None, **state), facts=_FACTS)
    assert {*refused(made.refusals)} & {"whole-value", "unknown-state"}


def test_a_list_changed_by_the_generic_step_is_judged_like_any_other() -> None:
    step = _property("TransportConfig", RECEIVE_LIST, None, excludes="fabrikam.com")
    (change,) = plan(step, facts=_FACTS).changes
    assert dict(change.difference.apply.parameters)[RECEIVE_LIST] == Delta(remove=("fabrikam.com",))
    assert "receive-list" in [consequence.rule for consequence in change.consequences]


def test_a_number_that_arrives_as_text_is_the_same_number() -> None:
    same = _property("ReceiveConnector", "MaxInboundConnection", "EX01\\Relay", equals=5000)
    other = _property("ReceiveConnector", "MaxInboundConnection", "EX01\\Relay", equals=100)
    assert not plan(same, facts=_FACTS).changes
    assert len(plan(other, facts=_FACTS).changes) == 1


def test_a_property_that_the_server_did_not_show_is_unknown() -> None:
    for name in ("NoSuchProperty", "Banner"):
        made = plan(_property("ReceiveConnector", name, "EX01\\Relay", equals="x"), facts=_FACTS)
        assert refused(made.refusals) == ["unknown-state"]


def test_members_and_flags_of_what_is_neither_are_unknown_and_not_empty() -> None:
    text = Observation(send("X").ref, {"Name": "X", "Strange": "a, b", "List": ("a",)})
    for name, state in (
        ("Strange", {"excludes": "a"}),
        ("Strange", {"flags": "a"}),
        ("List", {"equals": "a"}),
    ):
        made = plan(_property("SendConnector", name, "X", **state), facts=seen(text))
        assert "unknown-state" in refused(made.refusals)
        assert not made.changes


_INPUTS = (
    Input("domain", InputType.DOMAIN, "The domain.", required=True),
    Input("connector", InputType.RECEIVE_CONNECTOR, "The connector."),
    Input("include_send", InputType.BOOLEAN, "Send too.", default=False),
    Input("count", InputType.INTEGER, "How many.", default=3),
    Input("note", InputType.TEXT, "A note."),
)


def _playbook(inputs: tuple[Input, ...] = _INPUTS) -> Playbook:
    return Playbook("test", "T", "D", (), inputs, (), (), (), "0" * 64)


@pytest.mark.parametrize(
    ("given", "variables", "name", "value"),
    [
        ({"domain": "FABRIKAM.com"}, {}, "domain", "fabrikam.com"),
        ({}, {"domain": "adatum.com", "other": "x"}, "domain", "adatum.com"),
        ({"domain": "fabrikam.com"}, {"domain": "adatum.com"}, "domain", "fabrikam.com"),
        ({"domain": "x.com"}, {}, "connector", None),
        ({"domain": "x.com", "connector": " EX01\\A "}, {}, "connector", "EX01\\A"),
        ({"domain": "x.com"}, {}, "include_send", False),
        ({"domain": "x.com"}, {"include_send": True}, "include_send", True),
        ({"domain": "x.com", "include_send": "No"}, {"include_send": True}, "include_send", False),
        ({"domain": "x.com", "include_send": " yes "}, {}, "include_send", True),
        ({"domain": "x.com"}, {}, "count", 3),
        ({"domain": "x.com", "count": " -7 "}, {}, "count", -7),
        ({"domain": "x.com"}, {"count": 2147483647}, "count", 2147483647),
        ({"domain": "x.com", "note": "b\u00fc"}, {}, "note", "b\u00fc"),
    ],
)
def test_the_call_wins_over_variables_and_these_over_defaults(
    given: dict[str, str], variables: dict[str, Any], name: str, value: InputValue
) -> None:
    assert parse_inputs(_playbook(), given, variables)[name] == value


@pytest.mark.parametrize(
    ("given", "message", "advice"),
    [
        ({}, "test needs domain: The domain.", "Add --set domain=..."),
        ({"domian": "x.com"}, "has no input 'domian'", "Did you mean 'domain'?"),
        ({"zzz": "1"}, "has no input 'zzz'", "Its inputs: domain, connector"),
        ({"domain": "*.x.com"}, "wildcard", "subdomains"),
        ({"domain": "x.com", "include_send": "1"}, "include_send is a boolean", "=true or =false"),
        ({"domain": "x.com", "count": "many"}, "count is a whole number", "count=5"),
        ({"domain": "x.com", "count": "2147483648"}, "count is a whole number", "count=5"),
        ({"domain": "x.com", "count": "1_0"}, "count is a whole number", "count=5"),
        ({"domain": "x.com", "count": "9" * 5000}, "count is a whole number", "count=5"),
        ({"domain": "x.com", "note": "a\nb"}, "note is empty, or has characters", "A note."),
        ({"domain": "x.com", "connector": "  "}, "connector is empty", "The connector."),
        ({"domain": "x.com", "note": "\udcff"}, "note is empty, or has characters", "A note."),
    ],
)
def test_a_wrong_input_is_explained(given: dict[str, str], message: str, advice: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_inputs(_playbook(), given, {})
    assert message in caught.value.message
    assert advice in caught.value.advice


def test_a_playbook_without_inputs_says_so() -> None:
    with pytest.raises(UsageError) as caught:
        parse_inputs(_playbook(()), {"x": "1"}, {})
    assert caught.value.advice == "Its inputs: none."


def test_a_placeholder_stands_for_the_whole_typed_value() -> None:
    invocation = Invocation(
        "domain_secure_list", {"list": "receive", "domain": "{{ domain }}", "state": "absent"}
    )
    step = build_step(invocation, {"domain": "fabrikam.com"})
    assert step == DomainSecureList("receive", "fabrikam.com", "absent")
    guard = Invocation("listed", {"list": "send", "domain": "{{domain}}"})
    assert build_predicate(guard, {"domain": "x.com"}) == Listed("send", "x.com")


@pytest.mark.parametrize(
    ("when", "names"),
    [
        (None, ("domain",)),
        ("include_send", ("include_send", "domain")),
        (Invocation("listed", {"list": "send", "domain": "{{ other }}"}), ("other", "domain")),
    ],
)
def test_the_inputs_an_entry_uses_are_known(
    when: str | Invocation | None, names: tuple[str, ...]
) -> None:
    invocation = Invocation("x", {"domain": "{{ domain }}", "state": "absent", "n": 1}, when=when)
    assert placeholders(invocation) == names


def test_a_mistake_in_arguments_names_the_line() -> None:
    invocation = Invocation("listed", {"list": "both", "domain": "x.com"}, line=12)
    with pytest.raises(ConfigurationError) as caught:
        build_predicate(invocation, {})
    assert caught.value.line == 12
    assert not {*STEP_KINDS} & {*PREDICATES} & {*PROOFS}
