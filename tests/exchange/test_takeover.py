"""Mail has a way in and out once a connector is off, or the connector stays on."""

import pytest

from orchestrator.core.facts import Facts, Observation, UnknownFact, Value
from orchestrator.core.planning import foresee
from orchestrator.core.playbook import Consequence, Refusal, Verdict
from orchestrator.core.setting import Flags, Scalar, Setting
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, SEND_CONNECTOR
from orchestrator.exchange.takeover import Stranding, TakeOver
from tests.exchange.sample import INTERNET, config, frontend, off, receive, refused, seen, send

_LEAVING = receive("EX01")


def _judge(*others: Observation, also: tuple[Setting, ...] = ()) -> tuple[Verdict, ...]:
    """Return the verdicts on turning the partner's connector off on EX01, beside *others*."""
    facts = seen(_LEAVING, *others)
    after = foresee((off(_LEAVING), *also), facts)
    return tuple(TakeOver().judge(off(_LEAVING), facts, after))


def _why(verdicts: tuple[Verdict, ...]) -> dict[str, str]:
    return {
        sign.subject: sign.value
        for verdict in verdicts
        for sign in verdict.evidence
        if sign.property == "lacks"
    }


def test_the_default_connector_takes_over_and_is_named_with_every_sign() -> None:
    (verdict,) = _judge(frontend("EX01"))
    assert isinstance(verdict, Consequence)
    assert verdict.text.endswith(
        "EX01\\From Fabrikam comes in through EX01\\Default Frontend EX01."
    )
    shown = {(sign.subject, sign.property) for sign in verdict.evidence}
    assert {("EX01\\Default Frontend EX01", "PermissionGroups")} <= shown
    assert {("EX01\\From Fabrikam", "RemoteIPRanges")} <= shown


def test_hybrid_capabilities_on_the_default_connector_do_not_keep_it_from_taking_over() -> None:
    capable = ("mail.protection.outlook.com:AcceptOorgProtocol",)
    assert not refused(_judge(frontend("EX01", TlsDomainCapabilities=capable)))


@pytest.mark.parametrize(
    ("changed", "lacks"),
    [
        ({"Enabled": False}, "is off after this plan"),
        ({"TransportRole": "HubTransport"}, "belongs to another transport service"),
        ({"Bindings": ("[::]:25",)}, "does not listen"),
        ({"Bindings": ("0.0.0.0:587",)}, "does not listen"),
        ({"Bindings": ("192.0.2.1:25",)}, "does not listen"),
        ({"RemoteIPRanges": ("203.0.113.0/25",)}, "remote addresses"),
        ({"RemoteIPRanges": ("::/0",)}, "remote addresses"),
        ({"PermissionGroups": ("ExchangeUsers", "ExchangeServers")}, "anonymous sessions"),
        ({"PermissionGroups": ()}, "anonymous sessions"),
        ({"RequireTLS": True}, "requires TLS"),
        ({"AuthMechanism": ("Tls", "ExternalAuthoritative")}, "ExternalAuthoritative"),
    ],
)
def test_a_connector_that_lacks_anything_does_not_take_over(
    changed: dict[str, Value], lacks: str
) -> None:
    verdicts = _judge(frontend("EX01", **changed))
    assert refused(verdicts) == ["take-over"]
    assert lacks in _why(verdicts)["EX01\\Default Frontend EX01"]


@pytest.mark.parametrize("name", ["Enabled", "Bindings", "RemoteIPRanges", "Server"])
def test_what_the_other_connector_did_not_show_is_not_guessed(name: str) -> None:
    other = frontend("EX01", **{name: ""})
    if name == "Server":
        other = Observation(
            other.ref.__class__(RECEIVE_CONNECTOR, other.ref.guid, "Default Frontend EX01"),
            other.properties,
        )
    with pytest.raises(UnknownFact, match=r"Default Frontend EX01.*(show|say)"):
        _judge(other)


def test_what_the_leaving_connector_did_not_show_is_not_guessed() -> None:
    for name in ("Bindings", "RemoteIPRanges"):
        leaving = receive("EX01", **{name: ()})
        facts = seen(leaving, frontend("EX01"))
        with pytest.raises(UnknownFact, match=name):
            TakeOver().judge(off(leaving), facts, foresee((off(leaving),), facts))


def test_a_range_that_cannot_be_read_refuses() -> None:
    with pytest.raises(UnknownFact, match="cannot be read"):
        _judge(frontend("EX01", RemoteIPRanges=("everybody",)))


def test_receive_connectors_that_are_not_known_refuse() -> None:
    facts = seen(_LEAVING)
    with pytest.raises(UnknownFact, match="access is denied"):
        TakeOver().judge(off(_LEAVING), facts, seen(unknown=[RECEIVE_CONNECTOR]))


def test_a_connector_of_another_server_does_not_take_over() -> None:
    verdicts = _judge(frontend("EX02"), frontend("EX01", Enabled=False))
    assert refused(verdicts) == ["take-over"]
    assert "EX02\\Default Frontend EX02" not in _why(verdicts)


def test_servers_are_the_same_with_and_without_their_domain() -> None:
    assert not refused(_judge(frontend("ex01.contoso.example")))


def test_without_roles_as_in_2010_the_default_takes_over_only_with_anonymous_users() -> None:
    leaving = receive("EX01", TransportRole="")
    default = frontend("EX01", TransportRole="", PermissionGroups=("ExchangeUsers",))
    for groups, answer in ((("ExchangeUsers",), ["take-over"]), (("AnonymousUsers",), [])):
        facts = seen(leaving, default.changed("PermissionGroups", groups))
        after = foresee((off(leaving),), facts)
        assert refused(TakeOver().judge(off(leaving), facts, after)) == answer


def test_two_connectors_that_both_go_do_not_vouch_for_each_other() -> None:
    wide = receive(
        "EX01", "From All", PermissionGroups=("AnonymousUsers",), RemoteIPRanges=("203.0.0.0/8",)
    )
    assert not refused(_judge(wide))
    verdicts = _judge(wide, also=(off(wide),))
    assert _why(verdicts) == {"EX01\\From All": "is off after this plan"}


def test_the_last_connector_of_a_port_is_said_to_be_the_last() -> None:
    other = frontend("EX01", Bindings=("0.0.0.0:587",))
    (verdict,) = _judge(other)
    assert isinstance(verdict, Refusal)
    assert "the port would be closed" in verdict.reason
    (verdict,) = _judge(frontend("EX01", PermissionGroups=("Partners",)))
    assert isinstance(verdict, Refusal)
    assert "the port would be closed" not in verdict.reason


def test_a_later_change_of_the_plan_that_shuts_anonymous_out_is_seen() -> None:
    default = frontend("EX01")
    later = Flags(default.ref, "PermissionGroups", ("ExchangeServers",))
    assert refused(_judge(default, also=(later,))) == ["take-over"]


@pytest.mark.parametrize(
    ("changed", "steals"),
    [
        ({"RemoteIPRanges": ("203.0.113.10",)}, True),
        ({"RemoteIPRanges": ("203.0.113.10", "10.0.0.0/8", "172.16.0.0/12", "::/0")}, True),
        ({"RemoteIPRanges": ("203.0.113.0/24",)}, True),
        ({"RemoteIPRanges": ("203.0.0.0/8",)}, True),
        ({"RemoteIPRanges": ("198.51.100.0/24",)}, False),
        ({"RemoteIPRanges": ("203.0.113.10",), "Enabled": False}, False),
        ({"RemoteIPRanges": ("203.0.113.10",), "Bindings": ("0.0.0.0:587",)}, False),
        ({"RemoteIPRanges": ("203.0.113.10",), "Bindings": ("192.0.2.1:25",)}, True),
        ({"RemoteIPRanges": ("203.0.113.10",), "PermissionGroups": ("AnonymousUsers",)}, False),
        (
            {
                "RemoteIPRanges": ("203.0.113.10",),
                "PermissionGroups": ("AnonymousUsers",),
                "RequireTLS": True,
            },
            True,
        ),
        (
            {
                "RemoteIPRanges": ("203.0.113.10",),
                "PermissionGroups": ("AnonymousUsers", "ExchangeServers"),
                "AuthMechanism": ("ExternalAuthoritative",),
            },
            True,
        ),
    ],
)
def test_a_more_specific_connector_that_turns_mail_away_is_seen(
    changed: dict[str, Value],
    steals: bool,  # noqa: FBT001 - a table
) -> None:
    verdicts = _judge(frontend("EX01"), receive("EX01", "From Adatum", **changed))
    assert refused(verdicts) == (["take-over"] if steals else [])


def test_equal_ranges_that_turn_away_refuse_because_nobody_knows_who_gets_the_mail() -> None:
    default = frontend("EX01", RemoteIPRanges=("0.0.0.0/0",))
    equal = receive("EX01", "Equal", RemoteIPRanges=("0.0.0.0/0",), Bindings=("192.0.2.1:25",))
    (refusal, _) = _judge(default, equal)
    assert isinstance(refusal, Refusal)
    assert "EX01\\Equal would take part of the mail" in refusal.reason


def test_a_less_specific_connector_that_turns_mail_away_is_no_thief() -> None:
    heir = receive(
        "EX01", "Heir", PermissionGroups=("AnonymousUsers",), RemoteIPRanges=("203.0.113.0/24",)
    )
    assert not refused(_judge(heir, frontend("EX01", PermissionGroups=("Partners",))))


def test_mail_goes_to_the_most_specific_of_those_that_would_take_it() -> None:
    narrow = receive(
        "EX01", "Narrow", PermissionGroups=("AnonymousUsers",), RemoteIPRanges=("203.0.0.0/16",)
    )
    (verdict,) = _judge(frontend("EX01"), narrow)
    assert isinstance(verdict, Consequence)
    assert verdict.text.endswith("comes in through EX01\\Narrow.")
    twin = narrow.changed("Bindings", ("0.0.0.0:25", "[::]:25"))
    twin = Observation(receive("EX01", "Twin").ref, twin.properties)
    (verdict,) = _judge(narrow, twin)
    assert isinstance(verdict, Consequence)
    assert verdict.text.endswith("comes in through EX01\\Narrow or EX01\\Twin.")


def test_only_turning_a_connector_of_its_kind_off_concerns_a_rule() -> None:
    facts = seen(_LEAVING, INTERNET, config())
    on = Scalar(_LEAVING.ref, "Enabled", value=True)
    for rule, settings in ((TakeOver(), (on, off(INTERNET))), (Stranding(), (on, off(_LEAVING)))):
        assert [rule.judge(setting, facts, facts) for setting in settings] == [(), ()]


def _strand(leaving: Observation, *others: Observation) -> tuple[Verdict, ...]:
    facts: Facts = seen(leaving, *others)
    after = foresee((off(leaving),), facts)
    return tuple(Stranding().judge(off(leaving), facts, after))


_PARTNER = send("To Fabrikam", "SMTP:fabrikam.com;1", "SMTP:*.fabrikam.com;1")


@pytest.mark.parametrize(
    "other",
    [
        None,
        send("To Internet", "SMTP:*;1", Enabled=False),
        send("To Internet", "SMTP:*;1", IsScopedConnector=True),
        send("To Adatum", "SMTP:adatum.com;1"),
        send("Site", "--"),
        send("X400", "X400:*;1"),
    ],
    ids=lambda other: other.ref.label if other else "nobody",
)
def test_the_only_connector_that_carries_a_domain_is_not_disabled(
    other: Observation | None,
) -> None:
    verdicts = _strand(_PARTNER, *([other] if other else []))
    assert refused(verdicts) == ["stranded", "stranded"]


def test_every_address_space_needs_somebody_who_carries_on() -> None:
    verdicts = _strand(_PARTNER, send("To Domain", "fabrikam.com"))
    assert refused(verdicts) == ["stranded"]
    assert [v.text for v in verdicts if isinstance(v, Consequence)] == [
        "Mail for fabrikam.com goes out through To Domain."
    ]


def test_mail_goes_out_by_the_most_specific_space_and_then_the_cheapest() -> None:
    verdicts = _strand(
        send("To Fabrikam", "SMTP:mail.fabrikam.com;1"),
        INTERNET,
        send("Dear", "SMTP:*.fabrikam.com;50"),
        send("Cheap", "SMTP:*.fabrikam.com;5"),
    )
    assert [v.text for v in verdicts if isinstance(v, Consequence)] == [
        "Mail for mail.fabrikam.com goes out through Cheap."
    ]


def test_a_send_connector_that_does_not_say_whether_it_is_on_carries_nothing_for_sure() -> None:
    with pytest.raises(UnknownFact, match="Enabled"):
        _strand(_PARTNER, send("To Internet", "SMTP:*;1", Enabled=""))


def test_the_rules_ask_for_all_connectors() -> None:
    (query,) = TakeOver().queries()
    assert query.kind == RECEIVE_CONNECTOR
    assert {"Bindings", "RemoteIPRanges", "PermissionGroups", "TransportRole"} <= {
        *query.properties
    }
    (query,) = Stranding().queries()
    assert query.kind == SEND_CONNECTOR
    assert {"AddressSpaces", "IsScopedConnector"} <= {*query.properties}
