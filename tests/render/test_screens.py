"""The screens: a plan, its refusals, a run and its ways on, from values made by hand."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from orchestrator.core.command import Delta, command
from orchestrator.core.events import (
    ChangeApplied,
    ChangeFailed,
    ChangeFoundDone,
    ChangeStarted,
    ChangeVerified,
    ContactLost,
    Event,
    Mandate,
    OnFailure,
    Outcome,
    RunFinished,
    RunInterrupted,
    RunStarted,
)
from orchestrator.core.facts import ObjectRef
from orchestrator.core.plan import Change, Drift, Identity, Plan, seal
from orchestrator.core.playbook import Concern, Consequence, Refusal, Sign
from orchestrator.core.run import Run, Status, rebuild
from orchestrator.core.setting import Difference, Flags, Member, Scalar
from orchestrator.render.drift import show_drifts
from orchestrator.render.event import tell
from orchestrator.render.history import show_history
from orchestrator.render.plan import show_plan, stated
from orchestrator.render.run import show_run, show_undo
from orchestrator.render.sheet import csv_lines, defused, is_overdue, list_exceptions, list_runs
from orchestrator.render.text import Line, Look

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CONFIG = ObjectRef("TransportConfig", "8ebfe4c2-85f3-54b3-a75b-fd62309b4cdc", "TransportConfig")
CONNECTOR = ObjectRef(
    "ReceiveConnector", "fab57632-673c-5a89-80ca-1e4121414504", "EX01\\From Fabrikam"
)
LOOK = Look()

OFF_THE_LIST = Change(
    Member(CONFIG, "TLSReceiveDomainSecureList", "fabrikam.com", present=False),
    Difference(
        "fabrikam.com",
        None,
        command("Set-TransportConfig", TLSReceiveDomainSecureList=Delta(remove=("fabrikam.com",))),
        command("Set-TransportConfig", TLSReceiveDomainSecureList=Delta(add=("fabrikam.com",))),
        untouched=199,
    ),
    (
        Consequence("receive-list", Concern.SECURITY, "Anybody can send mail as fabrikam.com."),
        Consequence("propagation", Concern.UNKNOWN, "When each server acts on the change."),
    ),
)
DISABLED = Change(
    Scalar(CONNECTOR, "Enabled", value=False),
    Difference(
        before=True,
        after=False,
        apply=command("Set-ReceiveConnector", Identity=CONNECTOR.guid, Enabled=False),
        undo=command("Set-ReceiveConnector", Identity=CONNECTOR.guid, Enabled=True),
    ),
    (
        Consequence("propagation", Concern.UNKNOWN, "When each server acts on the change."),
        Consequence(
            "take-over",
            Concern.MAIL_FLOW,
            "Mail comes in through another connector.",
            (Sign("EX01\\Default Frontend EX01", "Enabled", "True"),),
        ),
    ),
)
PLAN = Plan(
    playbook="retire-dedicated-connectors",
    playbook_digest="0" * 64,
    title="Retire a partner's connectors",
    organization=Identity("contoso", "8ebfe4c2-85f3-54b3-a75b-fd62309b4cdc"),
    inputs={"domain": "fabrikam.com", "include_send": False, "connector": None},
    controller="dc01.contoso.example",
    server="ex01.contoso.example",
    found=(
        Sign("TransportConfig", "TLSReceiveDomainSecureList", "holds fabrikam.com"),
        Sign("EX01\\From Fabrikam", "PermissionGroups", "Partners", holds=True),
        Sign("EX01\\From Fabrikam", "DomainSecureEnabled", "False", holds=False),
    ),
    grounds=(),
    changes=(OFF_THE_LIST, DISABLED),
    refusals=(),
    notes=("Another flow is left alone.",),
    asked=(),
    domains=("fabrikam.com",),
    made=NOON,
    expires=NOON + timedelta(hours=8),
)
REFUSAL = Refusal(
    "never-disabled",
    "EX01\\Default is one of the connectors that setup makes",
    "Remove only the domain.",
    (
        Sign("EX01\\Default", "Name", "Default EX01", holds=False),
        Sign("EX01\\Default", "AuthMechanism", "Tls", holds=True),
    ),
)


def text(lines: Iterable[Line]) -> str:
    return "\n".join(line.text for line in lines)


def words(lines: Iterable[Line]) -> str:
    return " ".join(text(lines).split())


def test_a_plan_says_what_was_found_what_changes_and_what_follows() -> None:
    said = words(show_plan(PLAN, LOOK))
    assert "contoso: Retire a partner's connectors" in said
    assert "with domain=fabrikam.com, include_send=false" in said
    assert "from the domain controller dc01.contoso.example, through the server ex01" in said
    assert "2 changes, made one at a time" in said
    assert "fabrikam.com: present \u2192 absent; 199 other entries stay" in said
    assert "True \u2192 False" in said
    assert "do Set-TransportConfig -TLSReceiveDomainSecureList @{Remove='fabrikam.com'}" in said
    assert "undo Set-TransportConfig -TLSReceiveDomainSecureList @{Add='fabrikam.com'}" in said
    assert "! Anybody can send mail as fabrikam.com. (change 1)" in said
    assert "seen: EX01\\Default Frontend EX01: Enabled True" in said
    assert "Another flow is left alone." in said
    assert "until 2026-11-23 20:00 UTC" in said


def test_what_follows_is_grouped_and_the_lost_protection_comes_first() -> None:
    said = text(show_plan(PLAN, LOOK))
    places = [
        said.index(heading)
        for heading in (
            "What was found",
            "made one at a time",
            "What is no longer protected",
            "Mail coming in",
            "What cannot be known from here",
        )
    ]
    assert places == sorted(places)
    assert said.count("When each server acts on the change.") == 1
    assert "When each server acts on the change. (changes 1, 2)" in said


def test_a_sign_has_a_tick_a_cross_or_neither() -> None:
    said = text(show_plan(PLAN, LOOK))
    assert "\u2713  PermissionGroups" in said
    assert "\u2717  DomainSecureEnabled" in said
    plain = text(show_plan(PLAN, Look(ascii=True)))
    assert plain.isascii()
    assert "ok PermissionGroups" in plain
    assert "NO DomainSecureEnabled" in plain


def test_a_plan_that_is_refused_ends_with_the_rule_every_sign_and_the_way_out() -> None:
    refused = replace(PLAN, refusals=(REFUSAL, replace(REFUSAL, rule="another-rule")))
    said = words(show_plan(refused, LOOK))
    assert "It asks for 2 changes" in said
    assert "Nothing of this plan is carried out." in said
    assert "never-disabled: EX01\\Default is one of the connectors that setup makes." in said
    assert "\u2717 Name Default EX01" in said
    assert "\u2713 AuthMechanism Tls" in said
    assert "Way out: Remove only the domain." in said
    assert said.count("Default EX01") == 1
    assert "The signs are those shown above." in said
    assert "can be carried out until" not in said


def test_a_plan_without_changes_says_that_nothing_is_to_do() -> None:
    assert "Nothing to do" in words(show_plan(replace(PLAN, changes=()), LOOK))


def test_nothing_but_commands_is_wider_than_the_screen() -> None:
    for plan in (PLAN, replace(PLAN, refusals=(REFUSAL,))):
        for line in show_plan(plan, LOOK):
            assert len(line.text) <= 80 or "Set-" in line.text


def test_what_a_server_says_is_never_obeyed() -> None:
    hostile = "\x1b]0;owned\x07\u202e[red]"
    change = replace(
        DISABLED, setting=Scalar(replace(CONNECTOR, label=hostile), "Enabled", hostile)
    )
    plan = replace(
        PLAN,
        title=hostile,
        found=(Sign(hostile, hostile, hostile, holds=True),),
        changes=(change,),
        notes=(hostile,),
        controller=hostile,
    )
    refused = replace(plan, refusals=(Refusal(hostile, hostile, hostile, plan.found),))
    interrupted = RunInterrupted(at=NOON, reason=hostile)
    run = rebuild(_history(interrupted, plan=plan, mandate=Mandate(hostile, hostile)))
    drift = Drift(hostile, hostile, hostile, hostile)
    screens = [
        show_plan(plan, LOOK),
        show_plan(refused, LOOK),
        show_run(run, LOOK),
        show_undo(run, LOOK),
        show_history(run, _history(ChangeStarted(at=NOON, position=0), plan=plan), LOOK),
        show_drifts([drift], LOOK),
        list_runs([run]),
        [Line("".join(csv_lines([run])).replace("\r\n", ""))],
    ]
    for screen in screens:
        said = text(screen)
        assert not {"\x1b", "\x07", "\u202e"}.intersection(said)
        assert "\\x1b" in said


def _history(*events: Event, plan: Plan = PLAN, mandate: Mandate | None = None) -> list[Event]:
    started = RunStarted(
        at=NOON,
        run="20261123-120000-ab12/contoso",
        sealed=seal(plan),
        mandate=mandate or Mandate("alice@jump1", "Fabrikam mends its TLS", "CHG-1"),
        settle=30.0,
        on_failure=OnFailure.HOLD,
    )
    return [started, *events]


def _run(*events: Event, plan: Plan = PLAN) -> Run:
    return rebuild(_history(*events, plan=plan))


def _sent(position: int) -> ChangeStarted:
    return ChangeStarted(at=NOON, position=position)


def _verified(position: int) -> tuple[Event, ...]:
    return (
        _sent(position),
        ChangeApplied(at=NOON, position=position),
        ChangeVerified(at=NOON, position=position),
    )


SUCCEEDED = _run(*_verified(0), *_verified(1), RunFinished(at=NOON, outcome=Outcome.SUCCEEDED))
FAILED = _run(
    *_verified(0),
    _sent(1),
    ChangeFailed(at=NOON, position=1, reason="the binding is in use"),
    RunFinished(at=NOON, outcome=Outcome.FAILED),
)
BROKEN = _run(_sent(0), ContactLost(at=NOON, position=0, reason="the connection was reset"))
FOUND = _run(
    _sent(0),
    ChangeFoundDone(at=NOON, position=0, reason="found done after its effect was in doubt"),
    *_verified(1),
    RunFinished(at=NOON, outcome=Outcome.SUCCEEDED),
)


def test_a_run_that_succeeded_says_how_to_undo_it() -> None:
    said = words(show_run(SUCCEEDED, Look(options=" --store x")))
    assert "contoso: done; every change was read back" in said
    assert "EX01\\From Fabrikam Enabled: done and read back" in said
    assert "orchestrator rollback 20261123-120000-ab12/contoso --store x" in said
    assert "orchestrator resume" not in said


def test_a_failed_run_says_what_was_done_what_was_not_and_both_ways_on() -> None:
    said = words(show_run(FAILED, LOOK))
    assert "TLSReceiveDomainSecureList: done and read back" in said
    assert "Enabled: failed; it is as before" in said
    assert "the binding is in use" in said
    assert "orchestrator resume" in said
    assert "orchestrator rollback" in said


def test_a_run_whose_outcome_is_unknown_asks_for_resume_first() -> None:
    said = words(show_run(BROKEN, LOOK))
    assert "the effect of a command is not known" in said
    assert "sent, and its effect is not known" in said
    assert "Enabled: not begun" in said
    assert said.index("orchestrator resume") < said.index("orchestrator rollback")


def test_unknown_authorship_is_explained() -> None:
    said = words(show_run(FOUND, LOOK))
    assert "found done; who did it cannot be said" in said
    assert "A rollback leaves it alone unless you add --in-doubt." in said


def test_a_rollback_is_shown_from_the_last_change_to_the_first() -> None:
    said = text(show_undo(SUCCEEDED, LOOK))
    assert said.index("-Enabled $true") < said.index("@{Add='fabrikam.com'}")
    found = words(show_undo(FOUND, LOOK))
    assert "left alone, because it cannot be said who did it" in found
    assert "@{Add=" not in found
    assert "@{Add=" in words(show_undo(FOUND, LOOK, in_doubt=True))
    assert "looked at first" in words(show_undo(BROKEN, LOOK))


def test_a_history_has_who_why_when_and_the_commands() -> None:
    events = _history(*_verified(0))
    said = words(show_history(rebuild(events), events, LOOK))
    for part in (
        "alice@jump1",
        "Fabrikam mends its TLS",
        "CHG-1",
        "11-23 12:00:00 1/2 sends Set-TransportConfig",
        "read back: TransportConfig TLSReceiveDomainSecureList is as wanted",
        "undo Set-TransportConfig",
    ):
        assert part in said


def test_a_warning_of_the_server_is_passed_on() -> None:
    event = ChangeApplied(at=NOON, position=0, warnings=("It takes a while.",))
    assert tell(PLAN, event).text == (
        "1/2 the server reports success; the server warns: It takes a while."
    )


def test_drift_is_told_in_three_ways() -> None:
    said = words(show_drifts([Drift("EX01\\From Fabrikam Enabled", "True", "False", "gone")], LOOK))
    assert said == "EX01\\From Fabrikam Enabled planned on True wanted False now gone"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (OFF_THE_LIST.setting, "TransportConfig TLSReceiveDomainSecureList without fabrikam.com"),
        (DISABLED.setting, "EX01\\From Fabrikam Enabled is False"),
        (Flags(CONNECTOR, "AuthMechanism", ()), "EX01\\From Fabrikam AuthMechanism is (empty)"),
        (Scalar(CONNECTOR, "Comment", None), "EX01\\From Fabrikam Comment is (empty)"),
    ],
)
def test_a_setting_is_said_in_words(setting: Member | Scalar | Flags, said: str) -> None:
    assert stated(setting) == said


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\t=1"])
def test_a_cell_that_would_be_a_formula_is_defused(cell: str) -> None:
    assert defused(cell).startswith(("'", "\\x09"))


def test_every_change_is_a_row() -> None:
    rows = "".join(csv_lines([SUCCEEDED, FAILED])).split("\r\n")
    assert len(rows) == 6
    assert ",failed,the binding is in use," in rows[4]


def test_an_exception_past_its_review_stands_out() -> None:
    exception = {
        "organization": "contoso",
        "setting": "the list without fabrikam.com",
        "run": "r",
        "since": NOON,
        "reason": "why",
        "ticket": "",
        "approved_by": "bob",
        "review_by": "2026-11-22",
        "overdue": is_overdue("2026-11-22", NOON.date()),
    }
    assert "2026-11-22 OVERDUE" in words(list_exceptions([exception], LOOK))
    open_ended = {**exception, "review_by": "", "overdue": is_overdue("", NOON.date())}
    said = words(list_exceptions([open_ended], LOOK))
    assert "never: nobody named a day" in said
    assert "approved by bob" in said
    assert not is_overdue("2026-11-23", NOON.date())


def test_every_status_and_every_event_has_its_words() -> None:
    for status in Status:
        run = replace(SUCCEEDED, statuses=(status, Status.PENDING), outcome=None)
        assert text(show_run(run, LOOK))
        assert text(show_undo(run, LOOK))
