"""One question, asked at five moments, is what is still to be done to make a setting true."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.core.command import Argument, Delta, command, powershell
from orchestrator.core.facts import (
    Facts,
    ObjectRef,
    Observation,
    Query,
    Unknown,
    UnknownFact,
    Value,
    unite,
)
from orchestrator.core.setting import (
    Difference,
    Flags,
    Member,
    Scalar,
    Setting,
    diff,
    follows,
    project,
    same,
    touched,
    wanted,
)
from orchestrator.exchange.objects import OBJECT_KINDS

_CONFIG = ObjectRef("TransportConfig", "1", "TransportConfig")
_RECEIVE = ObjectRef("ReceiveConnector", "2", "EX01\\From Fabrikam")
_LIST = "TLSReceiveDomainSecureList"
_NOW = Observation(
    _RECEIVE,
    {
        "Enabled": True,
        "Comment": "old",
        "AuthMechanism": ("Tls", "Integrated"),
        "PermissionGroups": (),
        "Fqdn": None,
        "TransportRole": ("odd",),
        "RequireTLS": None,
        "RemoteIPRanges": "text",
    },
)


def _listed(*entries: str) -> Observation:
    return Observation(_CONFIG, {_LIST: entries})


def _diff(setting: Setting, now: Observation) -> Difference | None:
    return diff(setting, now, OBJECT_KINDS, "dc01")


def _said(difference: Difference, name: str) -> tuple[Argument, Argument]:
    return dict(difference.apply.parameters)[name], dict(difference.undo.parameters)[name]


@pytest.mark.parametrize(
    ("present", "stored", "forth", "back", "untouched"),
    [
        (False, ("a.com", "B.com"), Delta(remove=("B.com",)), Delta(add=("B.com",)), 1),
        (True, ("a.com",), Delta(add=("b.com",)), Delta(remove=("b.com",)), 1),
        (True, (), Delta(add=("b.com",)), Delta(remove=("b.com",)), 0),
    ],
)
def test_a_member_goes_and_comes_as_it_is_stored(
    present: bool,  # noqa: FBT001 - a table
    stored: tuple[str, ...],
    forth: Delta,
    back: Delta,
    untouched: int,
) -> None:
    found = _diff(Member(_CONFIG, _LIST, "b.com", present), _listed(*stored))
    assert found is not None
    assert _said(found, _LIST) == (forth, back)
    assert found.untouched == untouched


@pytest.mark.parametrize(
    ("setting", "forth", "back"),
    [
        (Scalar(_RECEIVE, "Enabled", value=False), False, True),
        (Scalar(_RECEIVE, "Comment", "new"), "new", "old"),
        (Scalar(_RECEIVE, "Fqdn", "mx.contoso.com"), "mx.contoso.com", None),
        (Flags(_RECEIVE, "AuthMechanism", ("Tls",)), "Tls", "Tls, Integrated"),
        (Flags(_RECEIVE, "AuthMechanism", ()), "None", "Tls, Integrated"),
        (Flags(_RECEIVE, "PermissionGroups", ("Partners",)), "Partners", "None"),
    ],
)
def test_a_value_and_its_way_back(setting: Setting, forth: Argument, back: Argument) -> None:
    found = _diff(setting, _NOW)
    assert found is not None
    assert _said(found, setting.property) == (forth, back)
    assert found.untouched is None


@pytest.mark.parametrize(
    ("setting", "now"),
    [
        (Member(_CONFIG, _LIST, "B.COM", present=True), _listed("b.com")),
        (Member(_CONFIG, _LIST, "b.com", present=False), _listed("a.com", "sub.b.com")),
        (Member(_CONFIG, _LIST, "b.com", present=False), Observation(_CONFIG, {_LIST: None})),
        (Scalar(_RECEIVE, "Enabled", value=True), _NOW),
        (Scalar(_RECEIVE, "Comment", "OLD"), _NOW),
        (Scalar(_RECEIVE, "Fqdn", ""), _NOW),
        (Flags(_RECEIVE, "AuthMechanism", ("integrated", "TLS")), _NOW),
        (Flags(_RECEIVE, "PermissionGroups", ()), _NOW),
    ],
)
def test_what_is_so_already_is_nothing_to_do(setting: Setting, now: Observation) -> None:
    assert _diff(setting, now) is None


@pytest.mark.parametrize(
    ("setting", "now", "reason"),
    [
        (Scalar(_RECEIVE, "Banner", "x"), _NOW, "did not show Banner"),
        (Scalar(_RECEIVE, "RequireTLS", value=True), _NOW, "did not say whether RequireTLS"),
        (Scalar(_RECEIVE, "Comment", value=True), _NOW, "did not say whether Comment"),
        (Scalar(_RECEIVE, "TransportRole", "x"), _NOW, "TransportRole is no scalar"),
        (Flags(_RECEIVE, "Comment", ("x",)), _NOW, "Comment is no flags"),
        (Flags(_RECEIVE, "Fqdn", ("x",)), _NOW, "Fqdn is no flags"),
        (Member(_RECEIVE, "RemoteIPRanges", "x", present=False), _NOW, "is no member: text"),
        (
            Scalar(_RECEIVE, "enabled", value=False),
            Observation(_RECEIVE, {"enabled": True}),
            "enabled is no property, as it is spelled",
        ),
    ],
)
def test_what_cannot_be_restored_or_recognised_is_unknown(
    setting: Setting, now: Observation, reason: str
) -> None:
    with pytest.raises(UnknownFact, match=reason):
        _diff(setting, now)


def test_commands_name_the_object_by_guid_and_the_domain_controller() -> None:
    found = _diff(Scalar(_RECEIVE, "Enabled", value=False), _NOW)
    assert found is not None
    assert powershell(found.apply) == (
        "Set-ReceiveConnector -Identity '2' -Enabled $false -DomainController 'dc01' "
        "-Confirm:$false"
    )
    listed = _diff(Member(_CONFIG, _LIST, "b.com", present=False), _listed("b.com"))
    assert listed is not None
    assert powershell(listed.undo) == (
        "Set-TransportConfig -TLSReceiveDomainSecureList @{Add='b.com'} -DomainController 'dc01' "
        "-Confirm:$false"
    )


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("A", "a", True),
        ("strasse", "stra\u00dfe", False),
        (("A", "b"), ("B", "a"), True),
        (("a",), ("a", "b"), False),
        (5000, "5000", True),
        (True, 1, False),
        (True, "True", True),
        (None, "", True),
        (None, (), False),
        (None, False, False),
        (0, False, False),
    ],
)
def test_values_are_equal_as_exchange_compares_them(one: Value, other: Value, answer: bool) -> None:  # noqa: FBT001 - a table
    assert same(one, other) is answer
    assert same(other, one) is answer


_NAMES = st.sampled_from(["a.com", "A.com", "b.com", "B.COM", "c.com"])


@given(st.lists(_NAMES, unique_by=str.lower), _NAMES, st.booleans())
def test_a_projected_setting_holds_and_touches_nothing_else(
    entries: list[str],
    member: str,
    present: bool,  # noqa: FBT001 - drawn
) -> None:
    setting = Member(_CONFIG, _LIST, member, present)
    later = project(setting, _listed(*entries))
    assert _diff(setting, later) is None
    others = [entry for entry in entries if not same(entry, member)]
    assert [entry for entry in later.members(_LIST) if not same(entry, member)] == others
    assert (touched(setting, later) is not None) is present


@given(
    st.sampled_from(
        [
            Scalar(_RECEIVE, "Enabled", value=False),
            Scalar(_RECEIVE, "Comment", "new"),
            Flags(_RECEIVE, "AuthMechanism", ("Tls",)),
        ]
    )
)
def test_a_projected_value_holds(setting: Setting) -> None:
    assert _diff(setting, project(setting, _NOW)) is None
    assert wanted(setting) == project(setting, _NOW).get(setting.property)


def test_a_member_kept_keeps_its_spelling() -> None:
    setting = Member(_CONFIG, _LIST, "B.com", present=True)
    assert wanted(setting, "b.COM") == "b.COM"
    assert wanted(setting) == "B.com"
    assert wanted(Member(_CONFIG, _LIST, "B.com", present=False), "b.COM") is None


def test_a_property_that_is_missing_is_empty_only_where_that_is_harmless() -> None:
    assert (_NOW.text("Fqdn"), _NOW.text("Nothing"), _NOW.text("Comment")) == ("", "", "old")
    assert _NOW.members("Comment") == ()
    assert _NOW.flag("Enabled") is True
    for name in ("Nothing", "RequireTLS", "Comment"):
        with pytest.raises(UnknownFact, match=name):
            _NOW.flag(name)


def test_what_nobody_asked_for_or_could_read_is_never_empty() -> None:
    facts = Facts({"ReceiveConnector": (_NOW,), "SendConnector": Unknown("denied")})
    assert facts.of("ReceiveConnector") == (_NOW,)
    assert facts.one(_RECEIVE) is _NOW
    for kind, reason in (("SendConnector", "denied"), ("TransportConfig", "nobody asked")):
        with pytest.raises(UnknownFact, match=reason):
            facts.of(kind)
        assert facts.maybe(kind) == ()
    with pytest.raises(UnknownFact, match="no longer there") as caught:
        facts.one(ObjectRef("ReceiveConnector", "9", "EX09\\Gone"))
    assert (caught.value.subject, caught.value.reason) == (
        "EX09\\Gone",
        "the object is no longer there",
    )


def test_questions_about_one_kind_become_one_question() -> None:
    united = unite(
        [
            Query("A", ("x",), ("one",)),
            Query("B", ("z",)),
            Query("A", ("y", "x"), ("two", "one")),
        ]
    )
    assert united == (Query("A", ("x", "y"), ("one", "two")), Query("B", ("z",)))
    assert unite([*united, Query("A", ("w",))])[0] == Query("A", ("x", "y", "w"))


def test_a_recorded_difference_has_to_follow_from_its_setting() -> None:
    setting = Member(_CONFIG, _LIST, "x.com", present=False)
    seen = Observation(setting.ref, {setting.property: ("X.com", "y.com")})
    good = diff(setting, seen, OBJECT_KINDS, "dc")
    assert good is not None
    assert follows(setting, good, OBJECT_KINDS, "dc")
    wrong = [
        replace(good, apply=command("Remove-Mailbox")),
        replace(good, undo=command("Remove-Mailbox")),
        replace(good, before="y.com"),
        replace(good, after="X.com"),
    ]
    assert not any(follows(setting, each, OBJECT_KINDS, "dc") for each in wrong)
    assert not follows(setting, good, OBJECT_KINDS, "dc2")
    assert not follows(setting, good, {}, "dc")
    other = Scalar(ObjectRef("ExchangeServer", "g", "s"), "Comment", "x")
    unwritable = Difference("", "x", command(""), command(""))
    assert not follows(other, unwritable, OBJECT_KINDS, "dc")
