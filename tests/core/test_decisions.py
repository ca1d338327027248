"""A plan is what follows from what was seen; what it rests on is looked at again."""

from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from orchestrator.core.command import Command, command
from orchestrator.core.drift import check_commands, check_recorded, drifts
from orchestrator.core.errors import ConfigurationError, JournalDamaged
from orchestrator.core.facts import Facts, ObjectRef, Observation, Query, UnknownFact, Value
from orchestrator.core.inventory import Protection
from orchestrator.core.plan import (
    Drift,
    Plan,
    Sealed,
    canonical,
    label,
    refers_to,
    seal,
    unseal,
    words,
)
from orchestrator.core.planning import Draft
from orchestrator.core.playbook import Concern, Ground, Refusal, Rule, Settled, Sign
from orchestrator.core.setting import Flags, Member, Scalar, Setting
from orchestrator.exchange.objects import (
    OBJECT_KINDS,
    RECEIVE_CONNECTOR,
    RECEIVE_LIST,
    SEND_CONNECTOR,
    SEND_LIST,
    TRANSPORT_CONFIG,
)
from orchestrator.exchange.protection import Linked
from orchestrator.exchange.rules import rules
from orchestrator.steps.connectors import DedicatedReceiveConnectors
from orchestrator.steps.domains import DomainSecureList
from orchestrator.steps.predicates import AcceptsAnonymous, Listed
from orchestrator.steps.property import Property
from tests.exchange.sample import (
    CONTROLLER,
    INTERNET,
    config,
    frontend,
    plan,
    receive,
    refused,
    seen,
)

_OFF_LIST = DomainSecureList("receive", "fabrikam.com", "absent")
_ON_LIST = DomainSecureList("receive", "fabrikam.com", "present")
_RETIRE = DedicatedReceiveConnectors("From Fabrikam", "disabled")
_OBJECTS = (
    config(["adatum.com", "fabrikam.com"]),
    INTERNET,
    frontend("EX01"),
    frontend("EX02"),
    receive("EX01"),
    receive("EX02"),
)
_FACTS = seen(*_OBJECTS)
_PLAN = plan(_OFF_LIST, _RETIRE, facts=_FACTS)
_ALL = range(len(_PLAN.changes))


def _rules(made: Plan) -> tuple[Rule, ...]:
    return rules(made.asked, Protection(), made.domains)


def _with(*others: Observation) -> Facts:
    """Return what was seen, with *others* in place of the objects of the same Guid."""
    changed = {other.ref.guid: other for other in others}
    kept = [changed.pop(each.ref.guid, each) for each in _OBJECTS]
    return seen(*kept, *changed.values())


@dataclass(frozen=True)
class _Wants:
    """A step that wants *settings* if the world is as it thinks."""

    settings: tuple[Setting, ...]
    asks: tuple[Query, ...] = ()
    fails: bool = False
    refusals: tuple[Refusal, ...] = field(default=())

    def queries(self) -> tuple[Query, ...]:
        return self.asks

    def settle(self, seen: Facts) -> Settled:
        if self.fails:
            raise UnknownFact("the step", "it has no idea")
        del seen
        return Settled(self.settings, refusals=self.refusals)


def test_a_plan_says_what_it_was_made_from_and_when_it_expires() -> None:
    assert not _PLAN.refusals
    assert (_PLAN.controller, _PLAN.server) == (CONTROLLER, "EX01.contoso.example")
    assert (_PLAN.expires - _PLAN.made).total_seconds() == 8 * 3600
    assert {query.kind for query in _PLAN.asked} == {TRANSPORT_CONFIG, RECEIVE_CONNECTOR}
    assert refers_to(_PLAN) == (config().ref, receive("EX01").ref, receive("EX02").ref)
    assert _PLAN.lowers_security


def test_a_draft_asks_each_kind_once_for_steps_guards_requirements_and_rules() -> None:
    draft = Draft(
        playbook="test",
        playbook_digest="",
        title="",
        inputs={},
        require=(AcceptsAnonymous(None),),
        steps=((Listed("send", "fabrikam.com"), _OFF_LIST), (None, _ON_LIST)),
        rules=(Linked(),),
        domains=(),
    )
    assert draft.asked == (Query(TRANSPORT_CONFIG, (RECEIVE_LIST,)),)
    asked = {query.kind: query.properties for query in draft.queries()}
    assert asked[TRANSPORT_CONFIG] == (RECEIVE_LIST, SEND_LIST)
    assert asked[SEND_CONNECTOR] == ("LinkedReceiveConnector",)
    assert "PermissionGroups" in asked[RECEIVE_CONNECTOR]
    assert len(asked) == len(draft.queries())


def test_the_proofs_of_a_plan_are_those_whose_guard_holds_or_cannot_be_judged() -> None:
    blind = AcceptsAnonymous("From Fabrikam")
    made = plan(
        _OFF_LIST,
        facts=seen(config(), unknown=["ReceiveConnector"]),
        proofs=[
            (None, "every_controller"),
            (Listed("receive", "fabrikam.com"), "audit_log"),
            (Listed("send", "fabrikam.com"), "no_events"),
            (blind, "accepted_message"),
        ],
    )
    assert made.proofs == ("every_controller", "audit_log", "accepted_message")
    assert plan(_OFF_LIST, facts=_FACTS).proofs is UNSET


def test_a_step_whose_guard_does_not_hold_is_left_out() -> None:
    guards = [Listed("send", "fabrikam.com")]
    assert not plan(_OFF_LIST, facts=_FACTS, guards=guards).changes
    listed = _with(config(["fabrikam.com"], ["fabrikam.com"]))
    assert len(plan(_OFF_LIST, facts=listed, guards=guards).changes) == 1


def test_a_later_step_meets_what_an_earlier_one_leaves() -> None:
    there_and_back = plan(_OFF_LIST, _ON_LIST, facts=_FACTS)
    assert [change.difference.untouched for change in there_and_back.changes] == [1, 1]
    nothing = plan(_ON_LIST, _OFF_LIST, facts=seen(config(()), frontend("EX01")))
    assert [change.difference.before for change in nothing.changes] == [None, "fabrikam.com"]
    guarded = plan(
        _OFF_LIST, _ON_LIST, facts=_FACTS, guards=[None, Listed("receive", "fabrikam.com")]
    )
    assert [change.difference.after for change in guarded.changes] == [None]


def test_there_and_back_and_there_again_is_three_changes() -> None:
    made = plan(_OFF_LIST, _ON_LIST, _OFF_LIST, facts=_FACTS)
    assert [change.difference.after for change in made.changes] == [None, "fabrikam.com", None]


def test_a_rule_judges_by_the_state_after_the_whole_plan() -> None:
    shut = Property(
        "ReceiveConnector",
        "PermissionGroups",
        identity="EX02\\Default Frontend EX02",
        flags="ExchangeServers",
    )
    assert refused(plan(_RETIRE, shut, facts=_FACTS).refusals) == ["take-over"]


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (_Wants((), fails=True), "the step: it has no idea"),
        (
            _Wants(
                (Scalar(ObjectRef(RECEIVE_CONNECTOR, "9", "EX09\\Gone"), "Enabled", value=True),)
            ),
            "EX09\\Gone: the object is no longer there",
        ),
        (
            _Wants((Scalar(receive("EX01").ref, "Banner", "x"),)),
            "EX01\\From Fabrikam: the server did not show Banner",
        ),
    ],
)
def test_what_is_unknown_refuses_and_is_never_empty(step: _Wants, reason: str) -> None:
    made = plan(step, facts=_FACTS)
    assert refused(made.refusals) == ["unknown-state"]
    assert reason in made.refusals[0].reason
    assert not made.changes


def test_what_a_requirement_or_a_guard_cannot_know_refuses() -> None:
    blind = seen(config(), unknown=[RECEIVE_CONNECTOR])
    required = plan(
        facts=blind, require=[AcceptsAnonymous("From Fabrikam"), AcceptsAnonymous(None)]
    )
    assert refused(required.refusals) == ["unknown-state"]
    guarded = plan(_OFF_LIST, facts=blind, guards=[AcceptsAnonymous("From Fabrikam")])
    assert "unknown-state" in refused(guarded.refusals)
    assert not guarded.changes


def test_what_a_rule_cannot_know_refuses() -> None:
    made = plan(_OFF_LIST, facts=seen(config(), unknown=[RECEIVE_CONNECTOR]))
    assert refused(made.refusals) == ["unknown-state"]


def test_a_refusal_is_told_once() -> None:
    twice = Refusal("because", "of that")
    made = plan(_Wants((), refusals=(twice,)), _Wants((), refusals=(twice,)), facts=_FACTS)
    assert made.refusals == (twice,)
    unreadable = (frontend("EX01", RemoteIPRanges=("all",)), frontend("EX02"))
    blind = seen(config(()), INTERNET, *unreadable, receive("EX01"), receive("EX01", "Second"))
    both = _Wants(
        tuple(Scalar(c.ref, "Enabled", value=False) for c in (_r("From Fabrikam"), _r("Second"))),
        asks=(Query(RECEIVE_CONNECTOR, ("Enabled",)),),
    )
    assert refused(plan(both, facts=blind).refusals) == ["unknown-state"]


def _r(name: str) -> Observation:
    return receive("EX01", name)


def test_consequences_come_in_the_order_in_which_an_operator_wants_them() -> None:
    order = list(Concern)
    for change in _PLAN.changes:
        concerns = [order.index(consequence.concern) for consequence in change.consequences]
        assert concerns == sorted(concerns)


def test_a_plan_that_lowers_nothing_says_so() -> None:
    assert not plan(_ON_LIST, facts=seen(config(()), frontend("EX01"))).lowers_security


def test_nothing_drifts_where_nothing_changed() -> None:
    assert drifts(_PLAN, _ALL, _FACTS, _rules(_PLAN)) == ()


@pytest.mark.parametrize(
    "facts",
    [
        _with(config(["fabrikam.com", "adatum.com", "litware.com"])),
        _with(config(["FABRIKAM.COM"])),
        _with(config(["fabrikam.com"], ["tailspin.com"])),
        seen(*_OBJECTS, receive("EX07", "Relay", PermissionGroups=("ExchangeUsers",))),
        _with(frontend("EX01", Comment="somebody was here", Fqdn="mx")),
    ],
)
def test_what_has_nothing_to_do_with_a_plan_is_no_drift(facts: Facts) -> None:
    assert drifts(_PLAN, _ALL, facts, _rules(_PLAN)) == ()


@pytest.mark.parametrize(
    ("facts", "drift"),
    [
        (
            _with(config(["adatum.com"])),
            Drift(f"TransportConfig {RECEIVE_LIST}", "fabrikam.com", "absent", "absent"),
        ),
        (
            _with(receive("EX02", Enabled=False)),
            Drift("EX02\\From Fabrikam Enabled", "True", "False", "False"),
        ),
        (
            _with(receive("EX02", Enabled="")),
            Drift(
                "EX02\\From Fabrikam Enabled", "True", "False", "the server did not show Enabled"
            ),
        ),
        (
            _with(receive("EX02", RemoteIPRanges=("203.0.113.0/25",))),
            Drift("EX02\\From Fabrikam RemoteIPRanges", "203.0.113.0/24", "", "203.0.113.0/25"),
        ),
        (
            seen(*_OBJECTS[:-1]),
            Drift("EX02\\From Fabrikam Enabled", "True", "False", "the object is no longer there"),
        ),
    ],
)
def test_what_a_plan_rests_on_is_told_as_planned_wanted_and_now(facts: Facts, drift: Drift) -> None:
    assert drift in drifts(_PLAN, _ALL, facts, _rules(_PLAN))


@pytest.mark.parametrize(
    "facts",
    [
        _with(frontend("EX01", PermissionGroups=("ExchangeServers",))),
        _with(frontend("EX01", RequireTLS=True)),
        _with(frontend("EX01", Enabled=False)),
        _with(frontend("EX01", RemoteIPRanges=("0.0.0.0/0",))),
        _with(frontend("EX01", Bindings=("0.0.0.0:25", "0.0.0.0:2525"))),
        seen(*_OBJECTS, receive("EX01", "Thief", RemoteIPRanges=("203.0.113.9",))),
        seen(*_OBJECTS, unknown=["SendConnector"]),
        _with(config(["fabrikam.com"], ["fabrikam.com"])),
    ],
)
def test_what_a_rule_judged_by_is_drift_when_it_changes(facts: Facts) -> None:
    assert drifts(_PLAN, _ALL, facts, _rules(_PLAN))


def test_a_refusal_that_was_not_there_is_drift_with_its_evidence() -> None:
    linked = INTERNET.changed("LinkedReceiveConnector", "EX01\\From Fabrikam")
    found = drifts(_PLAN, _ALL, _with(linked), _rules(_PLAN))
    assert found == (
        Drift(
            "EX01\\From Fabrikam Enabled",
            "EX01\\From Fabrikam is the receiving half of To Internet (To Internet "
            "LinkedReceiveConnector EX01\\From Fabrikam)",
            "",
            "not known when planned",
        ),
    )


def test_only_what_is_still_to_be_done_can_drift() -> None:
    done = _with(config(["adatum.com"]), receive("EX01", Enabled=False))
    assert drifts(_PLAN, [2], done, _rules(_PLAN)) == ()
    assert drifts(_PLAN, [1, 2], done, _rules(_PLAN))


def test_grounds_that_the_plan_itself_changes_are_no_drift() -> None:
    own = Ground(config().ref, RECEIVE_LIST, ("fabrikam.com",))
    made = msgspec.structs.replace(_PLAN, grounds=(own,))
    assert drifts(made, _ALL, _with(config(["fabrikam.com", "x.com"])), _rules(made)) == ()


def test_a_sealed_plan_is_the_plan_and_an_edited_one_is_not() -> None:
    sealed = seal(_PLAN)
    assert unseal(sealed) == _PLAN
    assert unseal(msgspec.json.decode(canonical(sealed), type=Sealed)) == _PLAN
    edited = msgspec.structs.replace(sealed, plan=msgspec.structs.replace(_PLAN, server="EX09"))
    with pytest.raises(ConfigurationError, match="not what was sealed"):
        unseal(edited)


_STEAL = Scalar(frontend("EX01").ref, "Enabled", value=False)


def _edited(**changed: object) -> Plan:
    change = _PLAN.changes[1]
    difference = msgspec.structs.replace(change.difference, **changed)
    return msgspec.structs.replace(
        _PLAN, changes=(msgspec.structs.replace(change, difference=difference),)
    )


@pytest.mark.parametrize(
    "made",
    [
        _edited(apply=command("Remove-ReceiveConnector", Identity="x")),
        _edited(undo=command("Remove-ReceiveConnector", Identity="x")),
        _edited(after=True),
        _edited(before=False),
        msgspec.structs.replace(_PLAN, controller="dc99"),
        msgspec.structs.replace(_PLAN, asked=(Query(TRANSPORT_CONFIG, (RECEIVE_LIST,)),)),
        msgspec.structs.replace(
            _PLAN,
            asked=(*_PLAN.asked, Query(RECEIVE_CONNECTOR, ("enabled",))),
            changes=(
                msgspec.structs.replace(
                    _PLAN.changes[1], setting=Scalar(receive("EX01").ref, "enabled", value=False)
                ),
            ),
        ),
        msgspec.structs.replace(
            _PLAN, changes=(msgspec.structs.replace(_PLAN.changes[1], setting=_STEAL),)
        ),
    ],
)
def test_a_plan_sealed_again_by_hand_carries_only_what_follows_from_it(made: Plan) -> None:
    with pytest.raises(ConfigurationError, match="does not follow from its setting"):
        check_commands(unseal(seal(made)), _FACTS, OBJECT_KINDS)


def test_a_recorded_command_that_does_not_follow_from_its_setting_is_a_damaged_journal() -> None:
    check_recorded(_PLAN, OBJECT_KINDS)
    other = msgspec.structs.replace(
        _PLAN.changes[0].difference, undo=Command("Remove-ReceiveConnector")
    )
    forged = msgspec.structs.replace(_PLAN.changes[0], difference=other)
    with pytest.raises(JournalDamaged, match="does not follow"):
        check_recorded(msgspec.structs.replace(_PLAN, changes=(forged,)), OBJECT_KINDS)


def test_the_commands_of_a_plan_as_it_was_made_follow_from_it() -> None:
    check_commands(_PLAN, _FACTS, OBJECT_KINDS)
    check_commands(_PLAN, _with(config(["fabrikam.com", "x.com"])), OBJECT_KINDS)
    with pytest.raises(ConfigurationError):
        check_commands(_PLAN, _with(receive("EX01", Enabled=False)), OBJECT_KINDS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "absent"),
        (True, "True"),
        ((), "empty"),
        (("a", "b"), "a, b"),
        ("x", "x"),
        (25, "25"),
    ],
)
def test_values_are_told_in_words(value: Value, text: str) -> None:
    assert words(value) == text


def test_a_setting_is_called_by_its_object_and_property() -> None:
    assert label(_STEAL) == "EX01\\Default Frontend EX01 Enabled"


_TEXT = st.text(max_size=12)
_REF = st.builds(ObjectRef, st.just(RECEIVE_CONNECTOR), _TEXT, _TEXT)
_SETTINGS = st.one_of(
    st.builds(Member, _REF, _TEXT, _TEXT, st.booleans()),
    st.builds(Scalar, _REF, _TEXT, st.none() | st.booleans() | st.integers(-9, 9) | _TEXT),
    st.builds(Flags, _REF, _TEXT, st.lists(_TEXT, max_size=3).map(tuple)),
)


@given(_SETTINGS, st.lists(st.builds(Sign, _TEXT, _TEXT, _TEXT), max_size=2).map(tuple))
def test_any_plan_survives_being_written_and_read(
    setting: Setting, signs: tuple[Sign, ...]
) -> None:
    change = msgspec.structs.replace(_PLAN.changes[0], setting=setting)
    made = msgspec.structs.replace(_PLAN, changes=(change,), found=signs)
    sealed = seal(made)
    read = msgspec.json.decode(canonical(sealed), type=Sealed)
    assert unseal(read) == made
    assert canonical(read) == canonical(sealed)
