"""How much one batch may do, whose word counts, and how a batch begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from orchestrator.core.caps import Caps, excesses, waves
from orchestrator.core.limits import COUNTED, Ceiling, Limits
from orchestrator.core.plan import Identity, Plan, canonical, seal, unseal
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, SEND_CONNECTOR
from orchestrator.steps.connectors import DedicatedReceiveConnectors
from orchestrator.steps.domains import DomainSecureList
from tests.exchange.sample import INTERNET, config, frontend, plan, receive, seen

_CONNECTORS = frozenset({RECEIVE_CONNECTOR, SEND_CONNECTOR})
_PLAN = plan(
    DomainSecureList("receive", "fabrikam.com", "absent"),
    DedicatedReceiveConnectors("From Fabrikam", "disabled"),
    facts=seen(
        config(), INTERNET, frontend("EX01"), frontend("EX02"), receive("EX01"), receive("EX02")
    ),
)
"""Three changes, of two connectors and a list."""


def planned(name: str, limits: Limits | UnsetType = UNSET) -> Plan:
    """Return the plan for another organization, whose playbook has *limits*."""
    return replace(_PLAN, organization=Identity(name, f"guid of {name}"), limits=limits)


def said(plans: list[Plan], caps: Caps) -> list[str]:
    """Return every excess in words."""
    return [str(each) for each in excesses(plans, _CONNECTORS, caps)]


_TWO = [planned("a"), planned("b")]


def test_what_nobody_limits_has_no_limit() -> None:
    assert said(_TWO, Caps()) == []


def test_counted_is_over_all_organizations_and_connectors_once_each() -> None:
    caps = Caps(Limits(changes=5, organizations=1, connectors=3))
    assert said(_TWO, caps) == [
        "6 changes are planned, --max-changes allows 5",
        "2 organizations are planned, --max-organizations allows 1",
        "4 connectors are planned, --max-connectors allows 3",
    ]
    twice = replace(_PLAN, changes=(*_PLAN.changes, *_PLAN.changes))
    assert said([twice], Caps(Limits(changes=6, organizations=1, connectors=2))) == []


@pytest.mark.parametrize("counted", COUNTED)
def test_exactly_as_much_as_is_allowed_is_allowed(counted: str) -> None:
    count = {"changes": 6, "organizations": 2, "connectors": 4}[counted]
    assert said(_TWO, Caps(Limits(**{counted: count}))) == []
    assert len(said(_TWO, Caps(Limits(**{counted: count - 1})))) == 1


def test_the_lowest_of_playbook_and_inventory_counts_and_says_where_it_stands() -> None:
    plans = [planned("a", Limits(changes=4)), planned("b", Limits(changes=5))]
    [low] = excesses(plans, _CONNECTORS, Caps(inventory=Limits(changes=5)))
    assert (low.allowed, low.source) == (4, f"limits.changes of the playbook {_PLAN.playbook}")
    [low] = excesses(plans, _CONNECTORS, Caps(inventory=Limits(changes=3)))
    assert (low.allowed, low.source) == (3, "defaults.limits.changes of the inventory")
    assert low.way_out.endswith("--max-changes 6.")


def test_the_command_line_counts_instead_of_both_up_and_down() -> None:
    plans = [planned("a", Limits(changes=4))]
    assert said(plans, Caps(Limits(changes=3), Limits(changes=1))) == []
    assert said(plans, Caps(Limits(changes=2))) == ["3 changes are planned, --max-changes allows 2"]


def test_nothing_exceeds_what_an_organization_says_of_itself() -> None:
    enough = {"a": Ceiling(changes=3, connectors=2), "c": Ceiling(changes=1)}
    assert said(_TWO, Caps(own=enough)) == []
    own = {"a": Ceiling(changes=2), "b": Ceiling(connectors=1)}
    found = excesses(_TWO, _CONNECTORS, Caps(Limits(changes=100, connectors=100), own=own))
    assert [str(each) for each in found] == [
        "a: 3 changes are planned, organizations.a.limits.changes of the inventory allows 2",
        "b: 2 connectors are planned, organizations.b.limits.connectors of the inventory allows 1",
    ]
    assert all("No option" in each.way_out for each in found)


def test_a_plan_that_anybody_may_carry_out_is_written_as_before_any_was_attended() -> None:
    assert b"attended" not in canonical(planned("a"))
    assert b'"attended":true' in canonical(replace(planned("a"), attended=True))


def test_a_plan_without_limits_is_written_and_sealed_as_before_there_were_any() -> None:
    assert b"limits" not in canonical(planned("a"))
    limited = planned("a", Limits(changes=4))
    assert b'"limits":{"changes":4}' in canonical(limited)
    assert unseal(seal(limited)) == limited


def test_a_ramp_doubles_and_without_it_all_begin_together() -> None:
    assert list(waves(10, ramp=True)) == [1, 2, 4, 3]
    assert list(waves(1, ramp=True)) == [1]
    assert list(waves(10, ramp=False)) == [10]
    assert list(waves(0, ramp=True)) == list(waves(0, ramp=False)) == []


@given(st.integers(0, 5000))
def test_a_ramp_leaves_nobody_out(number: int) -> None:
    assert sum(waves(number, ramp=True)) == number
