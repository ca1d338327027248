"""What follows from a change is said in words, and only where it follows."""

import pytest

from orchestrator.core.facts import Facts, ObjectRef, Observation, UnknownFact, Value
from orchestrator.core.playbook import Consequence, Verdict
from orchestrator.core.setting import Flags, Member, Scalar, Setting
from orchestrator.exchange.domains import LIMIT
from orchestrator.exchange.lists import HalfRemedy, ReceiveList, SendList
from orchestrator.exchange.lowering import Lowering
from orchestrator.exchange.objects import (
    CMDLET,
    RECEIVE_CONNECTOR,
    RECEIVE_LIST,
    SEND_LIST,
    TRANSPORT_CONFIG,
)
from orchestrator.exchange.rights import Rights
from tests.exchange.sample import (
    INTERNET,
    config,
    frontend,
    off,
    receive,
    refused,
    seen,
    send,
    told,
)

_OFF_LIST = Member(config().ref, RECEIVE_LIST, "fabrikam.com", present=False)
_ON_LIST = Member(config().ref, RECEIVE_LIST, "fabrikam.com", present=True)
_OFF_SEND = Member(config().ref, SEND_LIST, "fabrikam.com", present=False)
_ON_SEND = Member(config().ref, SEND_LIST, "fabrikam.com", present=True)


def _receive(setting: Setting, now: Facts, after: Facts | None = None) -> list[Verdict]:
    return list(ReceiveList().judge(setting, now, after or now))


def _texts(verdicts: list[Verdict], rule: str) -> list[str]:
    return [v.text for v in verdicts if isinstance(v, Consequence) and v.rule == rule]


def test_removing_a_domain_says_what_is_lost_and_what_cannot_be_known() -> None:
    verdicts = _receive(_OFF_LIST, seen(config(), frontend("EX01")))
    assert told(verdicts) == [
        ("receive-list", "security"),
        ("receive-list", "mail-flow"),
        ("forged-sender", "unknown"),
        ("propagation", "unknown"),
    ]


@pytest.mark.parametrize(
    ("connector", "named"),
    [
        (receive("EX01"), True),
        (receive("EX01", Enabled=""), True),
        (receive("EX01", PermissionGroups=("partners", "ExchangeServers")), True),
        (receive("EX01", Enabled=False), False),
        (receive("EX01", PermissionGroups=("Partners", "AnonymousUsers")), False),
        (receive("EX01", PermissionGroups=("ExchangeUsers",)), False),
    ],
)
def test_a_partners_only_connector_that_stays_on_is_named(
    connector: Observation,
    named: bool,  # noqa: FBT001 - a table
) -> None:
    texts = _texts(_receive(_OFF_LIST, seen(config(), connector)), "partners-only")
    assert [("EX01\\From Fabrikam" in text) for text in texts] == [True] * named


def test_many_partners_only_connectors_are_counted_and_those_that_go_are_not() -> None:
    many = [receive(f"EX{number:02}") for number in range(7)]
    (text,) = _texts(_receive(_OFF_LIST, seen(config(), *many)), "partners-only")
    assert "EX04\\From Fabrikam and 2 more" in text
    after = seen(config(), *(each.changed("Enabled", value=False) for each in many))
    assert not _texts(_receive(_OFF_LIST, seen(config(), *many), after), "partners-only")


@pytest.mark.parametrize(("entry", "said"), [("FABRIKAM.com", 1), ("mail.fabrikam.com", 0)])
def test_what_stays_demanded_on_the_way_out_is_said(entry: str, said: int) -> None:
    texts = _texts(_receive(_OFF_LIST, seen(config(send=[entry]))), "send-list")
    assert len(texts) == said


def test_connectors_that_are_not_known_refuse_and_are_not_none() -> None:
    for setting in (_OFF_LIST, _ON_LIST):
        with pytest.raises(UnknownFact, match="denied"):
            _receive(setting, seen(config(()), unknown=[RECEIVE_CONNECTOR]))


def test_adding_a_domain_says_that_mail_is_refused_again() -> None:
    verdicts = _receive(_ON_LIST, seen(config(()), frontend("EX01")))
    assert told(verdicts) == [("receive-list", "mail-flow")]
    assert not refused(verdicts)


@pytest.mark.parametrize(
    "changed",
    [
        {"Enabled": False},
        {"Enabled": ""},
        {"DomainSecureEnabled": False},
        {"AuthMechanism": ("Integrated",)},
    ],
)
def test_a_domain_is_not_added_where_no_connector_could_take_its_mail(
    changed: dict[str, Value],
) -> None:
    verdicts = _receive(_ON_LIST, seen(config(()), frontend("EX01", **changed)))
    assert refused(verdicts) == ["no-domain-secure-connector"]


@pytest.mark.parametrize(("count", "answer"), [(LIMIT, ["list-full"]), (LIMIT - 1, [])])
def test_a_full_list_takes_no_other_entry(count: int, answer: list[str]) -> None:
    entries = [f"partner{number}.example" for number in range(count)]
    facts = seen(config(entries, entries), frontend("EX01"))
    assert refused(_receive(_ON_LIST, facts)) == answer
    assert refused(list(SendList().judge(_ON_SEND, facts, facts))) == answer


def test_each_list_has_a_rule_of_its_own() -> None:
    facts = seen(config(), receive("EX01"))
    for setting in (_OFF_SEND, off(receive("EX01"))):
        assert not _receive(setting, facts)
    for setting in (_OFF_LIST, off(receive("EX01"))):
        assert not SendList().judge(setting, facts, facts)


def test_taking_a_domain_off_the_send_list_lowers_security_and_changes_rules() -> None:
    facts = seen(config(send=["fabrikam.com"]))
    verdicts = list(SendList().judge(_OFF_SEND, facts, facts))
    assert told(verdicts) == [("send-list", "security"), ("send-list", "note")]
    assert "match fabrikam.com no longer" in _texts(verdicts, "send-list")[1]


@pytest.mark.parametrize(
    ("connector", "warned"),
    [
        (send("To Fabrikam", "fabrikam.com"), False),
        (send("To Fabrikam", "fabrikam.com", "*.fabrikam.com"), False),
        (send("To Fabrikam", "b\u00fccher.example"), True),
        (send("To Fabrikam", "fabrikam.com", Enabled=False), True),
        (send("To Fabrikam", "fabrikam.com", DomainSecureEnabled=False), True),
        (INTERNET, True),
    ],
)
def test_a_domain_on_the_send_list_needs_a_connector_that_can(
    connector: Observation,
    warned: bool,  # noqa: FBT001 - a table
) -> None:
    facts = seen(config(), connector)
    verdicts = list(SendList().judge(_ON_SEND, facts, facts))
    assert told(verdicts) == [
        ("send-list", "outbound"),
        ("send-list", "note"),
        *([("send-list", "outbound")] if warned else []),
    ]
    assert "match fabrikam.com again" in _texts(verdicts, "send-list")[1]


@pytest.mark.parametrize(
    ("listed", "domains", "said"),
    [
        (["fabrikam.com"], ("fabrikam.com",), "If fabrikam.com stays on"),
        (["Fabrikam.com", "adatum.com"], ("fabrikam.com",), "If fabrikam.com stays on"),
        (["adatum.com"], ("fabrikam.com",), None),
        (["adatum.com"], (), "If its partner stays on"),
        ([], (), None),
        ([], ("fabrikam.com",), None),
    ],
)
def test_a_connector_that_goes_while_its_domain_stays_brings_the_event_back(
    listed: list[str], domains: tuple[str, ...], said: str | None
) -> None:
    facts = seen(config(listed), receive("EX01"))
    texts = _texts(
        list(HalfRemedy(domains).judge(off(receive("EX01")), facts, facts)), "half-remedy"
    )
    assert [text.startswith(said or "?") for text in texts] == [True] * (said is not None)


@pytest.mark.parametrize(
    ("listed", "said"),
    [(["fabrikam.com"], 1), (["FABRIKAM.COM"], 1), (["adatum.com"], 0), ([], 0)],
)
def test_a_send_connector_that_goes_while_its_domain_stays_queues_mail(
    listed: list[str], said: int
) -> None:
    connector = send("To Fabrikam", "SMTP:fabrikam.com;1")
    facts = seen(config(send=listed), connector)
    verdicts = list(HalfRemedy(("fabrikam.com",)).judge(off(connector), facts, facts))
    assert told(verdicts) == [("half-remedy", "outbound")] * said


def test_half_a_remedy_is_judged_by_what_the_whole_plan_leaves() -> None:
    now, after = seen(config(), receive("EX01")), seen(config(()), receive("EX01"))
    assert not HalfRemedy(("fabrikam.com",)).judge(off(receive("EX01")), now, after)
    assert not HalfRemedy(()).judge(_OFF_LIST, now, after)


_R, _S = receive("EX01").ref, send("To Fabrikam", "fabrikam.com").ref


@pytest.mark.parametrize(
    ("setting", "lowers"),
    [
        (Scalar(_R, "Enabled", value=False), "prove who it is from"),
        (Scalar(_R, "DomainSecureEnabled", value=False), "not a remedy"),
        (Scalar(_R, "RequireTLS", value=False), "without TLS"),
        (Scalar(_R, "SuppressXAnonymousTls", value=True), "without TLS"),
        (Scalar(_S, "IgnoreSTARTTLS", value=True), "TLS is not used"),
        (Scalar(_S, "TlsAuthLevel", "EncryptionOnly"), "less closely"),
        (Scalar(_S, "TlsAuthLevel", None), "less closely"),
        (Flags(_R, "AuthMechanism", ("Integrated",)), "no longer offered"),
        (Flags(_R, "PermissionGroups", ("Partners", "anonymousUsers")), "let in"),
        (Scalar(_R, "Enabled", value=True), None),
        (Scalar(_R, "DomainSecureEnabled", value=True), None),
        (Scalar(_S, "TlsAuthLevel", "DomainValidation"), None),
        (Scalar(_S, "TlsAuthLevel", "Strange"), None),
        (Scalar(_R, "Comment", "text"), None),
        (Flags(_R, "AuthMechanism", ("Tls", "Integrated")), None),
        (Flags(_R, "PermissionGroups", ("Partners", "ExchangeUsers")), None),
        (_OFF_LIST, None),
    ],
)
def test_whatever_takes_protection_away_is_a_concern_of_security(
    setting: Setting, lowers: str | None
) -> None:
    connector = send("To Fabrikam", "fabrikam.com", TlsAuthLevel="CertificateValidation")
    facts = seen(config(), receive("EX01"), connector)
    texts = _texts(list(Lowering().judge(setting, facts, facts)), "lowering")
    assert [lowers is not None and lowers in text for text in texts] == [True] * bool(lowers)
    assert Lowering().queries() == ()


def test_turning_off_what_demanded_nothing_lowers_nothing() -> None:
    facts = seen(receive("EX01", DomainSecureEnabled=False))
    assert told(Lowering().judge(off(receive("EX01")), facts, facts)) == [
        ("re-validation", "unknown")
    ]


@pytest.mark.parametrize(
    ("had", "has", "said"),
    [
        (("AnonymousUsers",), ("Partners",), True),
        (("AnonymousUsers",), ("AnonymousUsers", "Partners"), False),
        (("Partners",), ("ExchangeUsers",), False),
    ],
)
def test_shutting_out_who_does_not_authenticate_is_said(
    had: tuple[str, ...],
    has: tuple[str, ...],
    said: bool,  # noqa: FBT001 - a table
) -> None:
    facts = seen(receive("EX01", PermissionGroups=had))
    verdicts = Lowering().judge(Flags(_R, "PermissionGroups", has), facts, facts)
    assert told(verdicts) == [("shut-out", "mail-flow")] * said


@pytest.mark.parametrize(("valid", "signs"), [(True, 0), (None, 0), (False, 1)])
def test_a_connector_that_is_not_valid_may_not_come_back(valid: Value, signs: int) -> None:
    facts = seen(receive("EX01", IsValid=valid))
    verdicts = Lowering().judge(Scalar(_R, "Enabled", value=True), facts, facts)
    assert told(verdicts) == [("re-validation", "unknown")]
    assert len(verdicts[0].evidence) == signs


def _cmdlets(*granted: tuple[str, tuple[str, ...]]) -> Facts:
    objects = tuple(
        Observation(
            ObjectRef(CMDLET, name.casefold(), name), {"Name": name, "Parameters": parameters}
        )
        for name, parameters in granted
    )
    return Facts({CMDLET: objects})


@pytest.mark.parametrize(
    ("facts", "refusal", "advice"),
    [
        (_cmdlets(("Set-TransportConfig", (RECEIVE_LIST, "DomainController"))), None, ""),
        (_cmdlets(("set-transportconfig", (RECEIVE_LIST.upper(), "domaincontroller"))), None, ""),
        (_cmdlets(), "this account has no Set-TransportConfig", "Organization Transport Settings"),
        (
            _cmdlets(("Set-TransportConfig", ("JournalingReportNdrTo", "DomainController"))),
            f"without -{RECEIVE_LIST}",
            "Organization Transport Settings",
        ),
        (_cmdlets(("Set-TransportConfig", (RECEIVE_LIST,))), "without -DomainController", "role"),
    ],
)
def test_rights_are_tested_by_cmdlet_and_by_parameter(
    facts: Facts, refusal: str | None, advice: str
) -> None:
    verdicts = Rights((TRANSPORT_CONFIG,)).judge(_OFF_LIST, facts, facts)
    assert refused(verdicts) == ["rights"] * (refusal is not None)
    assert all(
        refusal and refusal in str(verdict) and advice in str(verdict) for verdict in verdicts
    )


@pytest.mark.parametrize(
    "facts", [Facts(), seen(unknown=[CMDLET]), _cmdlets(("Set-TransportConfig", ()))]
)
def test_rights_that_are_not_known_are_said_and_not_refused(facts: Facts) -> None:
    verdicts = Rights((TRANSPORT_CONFIG,)).judge(_OFF_LIST, facts, facts)
    assert told(verdicts) == [("rights", "unknown")]


def test_a_cmdlet_without_a_known_role_is_refused_without_advice() -> None:
    server = Scalar(ObjectRef("ExchangeServer", "1", "EX01"), "Comment", "x")
    (verdict,) = Rights(("ExchangeServer",)).judge(server, _cmdlets(), _cmdlets())
    assert "way_out=''" in str(verdict)


def test_rights_ask_only_for_cmdlets_that_write() -> None:
    (query,) = Rights((TRANSPORT_CONFIG, "ExchangeServer")).queries()
    assert (query.kind, query.names) == (CMDLET, ("Set-TransportConfig",))


def test_every_rule_about_lists_asks_for_both() -> None:
    for rule in (ReceiveList(), SendList(), HalfRemedy(())):
        assert (TRANSPORT_CONFIG, (RECEIVE_LIST, SEND_LIST)) in {
            (query.kind, query.properties) for query in rule.queries()
        }


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "with TLS where the partner offers it"),
        ({"RequireTLS": True}, "demands TLS by itself"),
        ({"TlsAuthLevel": "CertificateValidation"}, "demands TLS by itself"),
    ],
)
def test_a_domain_off_the_send_list_still_goes_out_through_its_own_connector(
    changed: dict[str, Value], words: str
) -> None:
    own = send("To Fabrikam", "SMTP:fabrikam.com;1", **changed)
    setting = Member(config().ref, SEND_LIST, "fabrikam.com", present=False)
    facts = seen(config(), own, INTERNET)
    found = SendList().judge(setting, facts, facts)
    assert told(found) == [("send-list", each) for each in ("security", "outbound", "note")]
    assert "still goes out through To Fabrikam" in str(found[1])
    assert words in str(found[1])
