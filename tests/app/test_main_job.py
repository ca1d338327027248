"""The main job over the real wire: plan, apply, read back, roll back, resume."""

from collections.abc import Callable

import pytest

from orchestrator.app.execution import check_mandate
from orchestrator.core.errors import HeldError, RefusedError, UsageError
from orchestrator.core.events import (
    ChangeFoundDone,
    ChangeStarted,
    Event,
    Mandate,
    OnFailure,
    Outcome,
)
from orchestrator.core.playbook import Concern
from orchestrator.core.run import Status
from orchestrator.lab import DropAfter, DropBefore, Lab
from tests.app.conftest import REMOVE, RETIRE, Desk

Open = Callable[..., Desk]
TIED = {"domain": "fabrikam.com", "connector": "EX01\\From Fabrikam"}


def test_planning_sends_no_write(dedicated: Lab, open_desk: Open) -> None:
    desk = open_desk(dedicated)
    plan = desk.planned(RETIRE, **TIED, include_send="true")
    assert len(plan.changes) == 5
    assert not dedicated.audit()
    assert {call.cmdlet.partition("-")[0] for call in dedicated.commands} <= {"Get", "Select"}


def test_both_remedies_apply_verify_and_roll_back_with_everything_else_untouched(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    before = desk.state()

    done = desk.carry_out(desk.plan(RETIRE, **TIED, include_send="true"))

    assert done.error is None
    assert done.run is not None
    assert done.run.outcome is Outcome.SUCCEEDED
    assert desk.writes() == [
        "Set-TransportConfig Transport Settings",
        "Set-ReceiveConnector EX01\\From Fabrikam",
        "Set-ReceiveConnector EX02\\From Fabrikam",
        "Set-TransportConfig Transport Settings",
        "Set-SendConnector To Fabrikam",
    ]
    changed = {label for label, seen in desk.state().items() if seen != before[label]}
    assert len(changed) == 4

    undone = desk.roll_back(done.run.id)

    assert undone.run is not None
    assert undone.run.outcome is Outcome.ROLLED_BACK
    assert desk.state() == before
    assert dedicated.open_shells == 0


def test_a_second_plan_after_the_first_was_carried_out_is_empty(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    desk.carry_out(desk.plan(RETIRE, **TIED))
    assert not desk.planned(RETIRE, **TIED).changes


def test_the_entry_is_removed_and_put_back_as_it_was_spelled(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    done = desk.carry_out(desk.plan(RETIRE, **TIED))
    assert done.run is not None
    assert done.run.plan.changes[0].difference.before == "Fabrikam.com"
    desk.roll_back(done.run.id)
    lists = str(dedicated.snapshot())
    assert "Fabrikam.com" in lists


def test_removing_only_the_domain_is_refused_where_the_named_connector_takes_partners_only(
    dedicated: Lab, open_desk: Open
) -> None:
    plan = open_desk(dedicated).planned(REMOVE, **TIED)
    assert [refusal.rule for refusal in plan.refusals] == ["partners-only"]
    assert "retire-dedicated-connectors" in plan.refusals[0].way_out


def test_a_plan_with_refusals_is_never_carried_out(dedicated: Lab, open_desk: Open) -> None:
    desk = open_desk(dedicated)
    done = desk.carry_out(desk.plan(REMOVE, **TIED))
    assert isinstance(done.error, RefusedError)
    assert not dedicated.audit()


def test_what_lowers_security_needs_a_reason_before_anything_is_sent(
    dedicated: Lab, open_desk: Open
) -> None:
    plan = open_desk(dedicated).planned(REMOVE, domain="fabrikam.com")
    assert any(c.concern is Concern.SECURITY for c in plan.changes[0].consequences)
    with pytest.raises(UsageError, match="reason"):
        check_mandate(plan, Mandate("tester"))


def test_a_change_made_by_somebody_else_after_planning_is_drift_and_nothing_is_sent(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    planned = desk.plan(RETIRE, **TIED)
    dedicated.edit("EX02\\From Fabrikam", RemoteIPRanges=("198.51.100.0/24",))
    done = desk.carry_out(planned)
    assert done.run is not None
    assert done.run.outcome is Outcome.DRIFTED
    assert "RemoteIPRanges" in done.run.details[0]
    assert not desk.writes()


def test_an_unrelated_entry_added_meanwhile_does_not_count(dedicated: Lab, open_desk: Open) -> None:
    desk = open_desk(dedicated)
    planned = desk.plan(RETIRE, **TIED)
    dedicated.edit(
        "TransportConfig",
        TLSReceiveDomainSecureList=("adatum.com", "Fabrikam.com", "litware.com", "proseware.com"),
    )
    done = desk.carry_out(planned)
    assert done.run is not None
    assert done.run.outcome is Outcome.SUCCEEDED
    assert "proseware.com" in str(dedicated.snapshot())


def test_a_used_plan_is_not_carried_out_again(dedicated: Lab, open_desk: Open) -> None:
    desk = open_desk(dedicated)
    planned = desk.plan(RETIRE, **TIED)
    first = desk.carry_out(planned)
    assert first.run is not None
    again = desk.carry_out(planned)
    assert isinstance(again.error, RefusedError)
    assert first.run.id in str(again.error)


@pytest.mark.parametrize(
    ("fault", "effective"),
    [
        (DropBefore("Command", cmdlet="Set-TransportConfig", nth=None), "not carried out"),
        (DropAfter("Command", cmdlet="Set-TransportConfig", nth=None), "carried out"),
    ],
)
def test_a_connection_lost_at_a_write_is_looked_at_and_the_write_takes_effect_once(
    dedicated: Lab, open_desk: Open, fault: DropBefore | DropAfter, effective: str
) -> None:
    desk = open_desk(dedicated)
    planned = desk.plan(REMOVE, domain="fabrikam.com")
    dedicated.faults.append(fault)

    def heal(_run: object, event: Event) -> None:
        desk.events.append(event)
        if type(event).__name__ == "ContactLost":
            dedicated.faults.clear()

    done = desk.carry_out(planned, listener=heal)

    assert done.run is not None
    assert done.run.outcome is Outcome.SUCCEEDED
    assert desk.writes() == ["Set-TransportConfig Transport Settings"]
    found = [event for event in desk.events if isinstance(event, ChangeFoundDone)]
    sent = [event for event in desk.events if isinstance(event, ChangeStarted)]
    assert (len(found), len(sent)) == ((1, 1) if effective == "carried out" else (0, 2))
    assert dedicated.open_shells == 0


def test_a_change_of_unknown_authorship_is_undone_only_on_a_persons_word(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    before = desk.state()
    planned = desk.plan(REMOVE, domain="fabrikam.com")
    dedicated.faults.append(DropAfter("Command", cmdlet="Set-TransportConfig"))

    def heal(_run: object, event: Event) -> None:
        if type(event).__name__ == "ContactLost":
            dedicated.faults.clear()

    done = desk.carry_out(planned, listener=heal)
    assert done.run is not None
    assert done.run.statuses == (Status.FOUND_DONE,)

    held = desk.roll_back(done.run.id)
    assert held.run is not None
    assert held.run.outcome is Outcome.ROLLBACK_HELD
    assert desk.state() != before

    undone = desk.roll_back(done.run.id, in_doubt=True)
    assert undone.run is not None
    assert undone.run.outcome is Outcome.ROLLED_BACK
    assert desk.state() == before


def test_rollback_sends_nothing_for_what_somebody_else_has_put_back_already(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    done = desk.carry_out(desk.plan(RETIRE, **TIED))
    assert done.run is not None
    dedicated.edit("EX02\\From Fabrikam", Enabled=True)
    sent = len(desk.writes())
    undone = desk.roll_back(done.run.id)
    assert undone.run is not None
    assert undone.run.outcome is Outcome.ROLLED_BACK
    assert not [line for line in desk.writes()[sent:] if "Set-ReceiveConnector EX02" in line]


def test_drift_between_two_changes_holds_what_was_done(open_desk: Open, dedicated: Lab) -> None:
    desk = open_desk(dedicated)

    def meddle(_run: object, event: object) -> None:
        if type(event).__name__ == "ChangeApplied":
            dedicated.edit("EX02\\From Fabrikam", PermissionGroups="Partners, AnonymousUsers")

    done = desk.carry_out(desk.plan(RETIRE, **TIED), listener=meddle)
    assert done.run is not None
    assert done.run.outcome is Outcome.DRIFTED
    assert [status.value for status in done.run.statuses] == ["verified", "drifted", "pending"]
    assert desk.writes()[0] == "Set-TransportConfig Transport Settings"
    assert not [
        line for line in desk.writes() if line == "Set-ReceiveConnector EX01\\From Fabrikam"
    ]


def test_a_failing_change_rolls_back_where_that_was_asked_for(
    open_desk: Open, dedicated: Lab
) -> None:
    desk = open_desk(dedicated)
    before = desk.state()
    planned = desk.plan(RETIRE, **TIED)

    def meddle(_run: object, event: object) -> None:
        if type(event).__name__ == "ChangeVerified":
            dedicated.edit("EX02\\From Fabrikam", Enabled=False)

    done = desk.carry_out(planned, on_failure=OnFailure.ROLLBACK, listener=meddle)
    assert done.run is not None
    assert done.run.outcome is Outcome.ROLLED_BACK
    dedicated.edit("EX02\\From Fabrikam", Enabled=True)
    assert desk.state() == before


def test_a_second_run_is_told_who_holds_the_organization(dedicated: Lab, open_desk: Open) -> None:
    desk, other = open_desk(dedicated), open_desk(dedicated)
    second = other.plan(REMOVE, domain="adatum.com")
    refused: list[object] = []

    def intrude(_run: object, event: object) -> None:
        if type(event).__name__ == "ChangeStarted":
            refused.append(other.carry_out(second).error)

    desk.carry_out(desk.plan(REMOVE, domain="fabrikam.com"), listener=intrude)
    assert isinstance(refused[0], HeldError)
    assert "adatum.com" in str(dedicated.snapshot())


def test_whatif_asks_exchange_before_anything_is_changed(dedicated: Lab, open_desk: Open) -> None:
    desk = open_desk(dedicated)
    done = desk.carry_out(desk.plan(REMOVE, domain="fabrikam.com"), whatif=True)
    assert done.run is not None
    assert done.run.outcome is Outcome.SUCCEEDED
    names = [type(event).__name__ for event in desk.events]
    assert names.index("WhatIfAnswered") < names.index("ChangeStarted")


def test_what_was_required_when_planning_has_to_hold_when_sending(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    planned = desk.plan(REMOVE, domain="fabrikam.com", connector="EX01\\Default Frontend EX01")
    dedicated.edit("EX01\\Default Frontend EX01", PermissionGroups="ExchangeServers")
    done = desk.carry_out(planned)
    assert done.run is not None
    assert done.run.outcome is Outcome.DRIFTED
    assert not desk.writes()
