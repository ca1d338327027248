"""How proofs are judged: observations and a time in, a finding out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.core.command import ErrorRecord, Record, Result
from orchestrator.core.facts import Facts, Observation
from orchestrator.core.proof import Finding, Verdict
from orchestrator.exchange.audit import MOST, Entry, Sent, entries, in_the_audit_log, may_be, search
from orchestrator.exchange.proofs import (
    QUIET,
    RELOAD,
    REPLICATION,
    Replica,
    Times,
    on_every_controller,
)
from orchestrator.exchange.silence import (
    EventsOf,
    Logged,
    Passage,
    PassagesOf,
    accepted_message,
    config_reloaded,
    no_events,
)
from orchestrator.exchange.stamp import stamp
from orchestrator.steps.connectors import DedicatedReceiveConnectors
from orchestrator.steps.domains import DomainSecureList
from tests.exchange.sample import INTERNET, config, frontend, plan, receive, seen

T = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PLAN = plan(
    DomainSecureList("receive", "fabrikam.com", "absent"),
    DedicatedReceiveConnectors("From Fabrikam", "disabled"),
    facts=seen(
        config(), INTERNET, frontend("EX01"), frontend("EX02"), receive("EX01"), receive("EX02")
    ),
)
LIST, FIRST, SECOND = PLAN.changes


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def texts(finding: Finding) -> list[str]:
    marks = {True: "+", False: "-", None: "?"}
    return [f"{marks[each.holds]} {each.text}" for each in finding.evidence]


# Every controller


def after(*objects: Observation, changed: str = "2026-11-23T09:02:00Z") -> Facts:
    return seen(*(each.changed("WhenChangedUTC", changed) for each in objects))


DONE = (config(()), receive("EX01", Enabled=False), receive("EX02", Enabled=False))
OLD = (config(), receive("EX01"), receive("EX02"))


def controllers(*replicas: Replica, at: timedelta = timedelta()) -> Finding:
    return on_every_controller(PLAN.changes, replicas, T, T + at)


def test_a_change_on_each_servers_own_controller_is_proved_since_it_arrived_there() -> None:
    finding = controllers(
        Replica("EX01", "dc01", after(*DONE)),
        Replica("EX02.contoso.example", "dc03", after(*DONE, changed="2026-11-23T09:07:00Z")),
    )
    assert finding.verdict is Verdict.PROVED
    assert finding.since == T + minutes(7)
    assert [text.split(":")[0] for text in texts(finding)] == [
        "+ EX01 reads from dc01",
        "+ EX01 reads from dc01",
        "+ EX02.contoso.example reads from dc03",
        "+ EX02.contoso.example reads from dc03",
    ]


def test_a_controller_that_does_not_say_when_it_changed_leaves_the_arrival_open() -> None:
    finding = controllers(Replica("EX01", "dc01", seen(*DONE)))
    assert (finding.verdict, finding.since) == (Verdict.PROVED, None)


def test_a_server_without_a_changed_connector_lives_by_the_list_alone() -> None:
    finding = controllers(Replica("EX03", "dc01", after(*DONE)))
    assert len(finding.evidence) == 1
    assert on_every_controller((FIRST,), [Replica("EX03", "dc01")], T, T) == Finding(
        Verdict.UNKNOWN
    )


@pytest.mark.parametrize(
    ("at", "verdict", "until"),
    [
        (minutes(0), Verdict.PENDING, T + REPLICATION),
        (minutes(179), Verdict.PENDING, T + REPLICATION),
        (minutes(180), Verdict.CONTRARY, None),
    ],
)
def test_what_has_not_arrived_is_awaited_as_long_as_sites_take(
    at: timedelta, verdict: Verdict, until: datetime | None
) -> None:
    finding = controllers(
        Replica("EX01", "dc01", after(*DONE)), Replica("EX02", "dc03", after(*OLD)), at=at
    )
    assert (finding.verdict, finding.until) == (verdict, until)
    assert "fabrikam.com" in " ".join(texts(finding))


def test_nobody_to_look_at_proves_nothing_and_what_is_not_known_is_named() -> None:
    down = Replica("EX01", reason="it is down")
    blind = Replica("EX02", "dc03", seen(unknown=["TransportConfig", "ReceiveConnector"]))
    finding = controllers(down, blind)
    assert finding.verdict is Verdict.UNKNOWN
    assert "? EX01: not looked at: it is down" in texts(finding)
    assert any("is not known" in text for text in texts(finding))


# The audit log

LATER, SETTLED = minutes(5), minutes(16)
SENT = (Sent("r1", LIST, T), Sent("r1", FIRST, T + minutes(1)))
OURS = (
    Entry(
        "Set-TransportConfig",
        "Transport Settings",
        "CONTOSO\\ops",
        T,
        ("TLSReceiveDomainSecureList", "DomainController"),
        succeeded=True,
    ),
    Entry(
        "Set-ReceiveConnector",
        "EX01\\From Fabrikam",
        "contoso.example/Users/Operations",
        T + minutes(1),
        ("Enabled",),
        succeeded=True,
    ),
)


def entry(
    cmdlet: str = "Set-ReceiveConnector",
    about: str = "EX01\\From Fabrikam",
    caller: str = "CONTOSO\\eve",
    at: timedelta = LATER,
    parameters: tuple[str, ...] | None = ("Enabled",),
    *,
    succeeded: bool = True,
) -> Entry:
    return Entry(cmdlet, about, caller, T + at, parameters, succeeded)


def audit(
    *found: Entry,
    at: timedelta = SETTLED,
    sent: Sequence[Sent] = SENT,
    other: Sequence[Sent] = (),
) -> Finding:
    return in_the_audit_log(sent, other, tuple(found), "CONTOSO\\ops", T + at)


@pytest.mark.parametrize(
    ("others", "at", "verdict"),
    [
        ((), minutes(15), Verdict.PENDING),
        ((), minutes(16), Verdict.PROVED),
        ((entry(),), minutes(6), Verdict.CONTRARY),
        ((entry(parameters=None),), minutes(16), Verdict.CONTRARY),
        (
            (entry("Remove-ReceiveConnector", parameters=("Identity",)),),
            minutes(16),
            Verdict.CONTRARY,
        ),
        ((entry(parameters=("Comment",)),), minutes(16), Verdict.PROVED),
        ((entry(about="EX02\\From Fabrikam"),), minutes(16), Verdict.PROVED),
        ((entry("Set-SendConnector", "From Fabrikam"),), minutes(16), Verdict.PROVED),
        ((entry(succeeded=False),), minutes(16), Verdict.PROVED),
        ((entry(at=minutes(-30)),), minutes(16), Verdict.PROVED),
    ],
)
def test_our_entries_and_no_other_change_since(
    others: tuple[Entry, ...], at: timedelta, verdict: Verdict
) -> None:
    finding = audit(*OURS, *others, at=at)
    assert finding.verdict is verdict
    assert finding.until == (T + minutes(16) if verdict is Verdict.PENDING else None)


def test_an_entry_of_another_account_is_not_ours() -> None:
    stranger = entry("Set-TransportConfig", "Transport Settings", at=minutes(0), parameters=None)
    finding = audit(OURS[1], stranger)
    assert finding.verdict is Verdict.CONTRARY
    assert "? no entry of our Set-TransportConfig on TransportConfig" in texts(finding)[0]


def test_what_is_not_there_after_all_is_not_known() -> None:
    assert audit(at=minutes(10)).verdict is Verdict.PENDING
    assert audit().verdict is Verdict.UNKNOWN
    assert audit(sent=()).verdict is Verdict.UNKNOWN
    assert in_the_audit_log(SENT, (), "no right", "", T).verdict is Verdict.UNKNOWN


def test_what_another_run_of_ours_did_is_told_and_weighs_nothing() -> None:
    later = entry(caller="CONTOSO\\ops", at=minutes(60))
    elsewhere = (
        Sent("r2", FIRST, T + minutes(60)),
        Sent("r3", FIRST, T + minutes(500)),
        Sent("r4", SECOND, T + minutes(60)),
    )
    unrelated = entry(about="EX02\\From Fabrikam", caller="CONTOSO\\ops", at=minutes(60))
    finding = audit(*OURS, later, unrelated, at=minutes(99), other=elsewhere)
    assert finding.verdict is Verdict.PROVED
    assert [text for text in texts(finding) if "r2" in text]
    assert not [text for text in texts(finding) if "r3" in text or "r4" in text]


@pytest.mark.parametrize(
    ("account", "caller", "may"),
    [
        ("CONTOSO\\ops", "contoso\\OPS", True),
        ("ops@contoso.example", "CONTOSO\\ops", True),
        ("CONTOSO\\ops", "CONTOSO\\eve", False),
        ("CONTOSO\\ops", "contoso.example/Users/Eve", True),
        ("", "CONTOSO\\eve", True),
    ],
)
def test_accounts_are_compared_as_far_as_the_log_names_them(
    account: str,
    caller: str,
    may: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert may_be(account, caller) is may


def test_the_question_is_for_all_that_happened_to_these_objects_since() -> None:
    asked = dict(search(SENT).parameters)
    assert asked["StartDate"] == "2026-11-23T08:55:00Z"
    assert "Remove-ReceiveConnector" in str(asked["Cmdlets"])
    assert "Set-TransportConfig" in str(asked["Cmdlets"])


ROW = {
    "CmdletName": "Set-TransportConfig",
    "ObjectModified": Record(text="Transport Settings"),
    "Caller": Record(value="CONTOSO\\ops"),
    "RunDate": "2026-11-23T10:00:00.1234567+01:00",
    "CmdletParameters": Record(value=(Record(properties={"Name": "Enabled"}), "Comment: x")),
    "Succeeded": "True",
}


def test_entries_are_read_whatever_shape_their_values_have() -> None:
    second = {**ROW, "RunDate": "2026-11-23T08:00:00", "CmdletParameters": None, "Caller": None}
    found = entries(Result((Record(properties=ROW), Record(properties=second), "noise")))
    assert not isinstance(found, str)
    assert [each.at.hour for each in found] == [8, 9]
    assert found[1].parameters == ("Enabled", "Comment")
    assert found[0].parameters is None
    assert (found[1].caller, found[0].caller) == ("CONTOSO\\ops", "")


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (Result(errors=(ErrorRecord("no", "CommandNotFoundException"),)), "View-Only Audit Logs"),
        (Result(errors=(ErrorRecord("broken", "SomethingElse"),)), "broken"),
        (Result((Record(properties=ROW),) * MOST), "more than"),
        (Result((Record(properties={**ROW, "RunDate": "yesterday"}),)), "cannot be read"),
        (Result((Record(properties={**ROW, "CmdletName": None}),)), "cannot be read"),
    ],
)
def test_a_log_that_cannot_be_read_is_not_an_empty_one(result: Result, reason: str) -> None:
    found = entries(result)
    assert isinstance(found, str)
    assert reason in found


def test_a_stamp_without_an_offset_is_utc() -> None:
    assert stamp("2026-11-23T09:00:00") == T
    assert stamp("2026-11-23T10:00:00+01:00") == T
    assert stamp("soon") is None


# Silence

ARRIVED = Times(T, T + minutes(2))
ON_ITS_WAY = Times(T, None)
QUIET_SINCE = T + minutes(2) + RELOAD
COMPLETE = QUIET_SINCE + QUIET
OVER = COMPLETE + minutes(1)


def event(at: datetime | None, number: int = 11012, domain: str = "Fabrikam.com") -> Logged:
    return Logged(number, at, domain, "EX01\\Default Frontend EX01")


def events(
    *found: Logged, at: datetime = OVER, times: Times = ARRIVED, unread: str = ""
) -> Finding:
    return no_events(("fabrikam.com",), [EventsOf("EX01", found, unread)], times, at)


@pytest.mark.parametrize(
    ("found", "at", "times", "verdict"),
    [
        ((), OVER, ARRIVED, Verdict.CLEAR),
        ((), COMPLETE, ARRIVED, Verdict.PENDING),
        ((), OVER, ON_ITS_WAY, Verdict.PENDING),
        ((event(T + minutes(1)),), OVER, ARRIVED, Verdict.CLEAR),
        ((event(QUIET_SINCE),), OVER, ARRIVED, Verdict.CLEAR),
        ((event(None),), OVER, ARRIVED, Verdict.CLEAR),
        ((event(QUIET_SINCE + minutes(1)),), COMPLETE, ARRIVED, Verdict.CONTRARY),
        ((event(QUIET_SINCE + minutes(1)),), COMPLETE, ON_ITS_WAY, Verdict.PENDING),
        ((event(COMPLETE, 11021),), COMPLETE, ARRIVED, Verdict.CONTRARY),
        ((event(COMPLETE, 11014),), OVER, ARRIVED, Verdict.CLEAR),
        ((event(COMPLETE, domain="adatum.com"),), OVER, ARRIVED, Verdict.CLEAR),
        ((event(COMPLETE, domain=""),), OVER, ARRIVED, Verdict.CLEAR),
    ],
)
def test_silence_counts_once_every_server_knows_and_no_event_can_be_hidden(
    found: tuple[Logged, ...], at: datetime, times: Times, verdict: Verdict
) -> None:
    assert events(*found, at=at, times=times).verdict is verdict


@pytest.mark.parametrize("number", [11011, 11012, 11015, 11017, 11018, 11021])
def test_a_new_event_of_the_family_says_which_it_is(number: int) -> None:
    finding = events(event(COMPLETE, number))
    assert finding.verdict is Verdict.CONTRARY
    assert (
        f"- EX01 logged {number} for Fabrikam.com on EX01\\Default Frontend EX01"
        in texts(finding)[0]
    )


def test_a_server_that_cannot_be_read_is_named_and_never_looks_like_silence() -> None:
    assert events(unread="it is down").verdict is Verdict.UNKNOWN
    logs = [EventsOf("EX01", unread="it is down"), EventsOf("EX02")]
    finding = no_events(("fabrikam.com",), logs, ARRIVED, OVER)
    assert finding.verdict is Verdict.CLEAR
    assert texts(finding) == ["? EX01: not read: it is down"]
    assert no_events(("a.example",), [], ARRIVED, OVER).verdict is Verdict.UNKNOWN
    assert no_events(("a.example",), [], ARRIVED, T).verdict is Verdict.UNKNOWN


def test_a_run_that_is_about_no_domain_has_no_mail_to_be_judged_by() -> None:
    assert no_events((), [EventsOf("EX01")], ARRIVED, OVER).verdict is Verdict.UNKNOWN
    assert accepted_message((), [PassagesOf("EX01")], ARRIVED, OVER).verdict is Verdict.UNKNOWN


def test_an_event_that_does_not_say_for_which_domain_is_named() -> None:
    assert (
        "? EX01 logged 11012 for a domain that it does not name"
        in texts(events(event(COMPLETE, domain="")))[0]
    )


def test_an_event_without_a_connector_is_an_event() -> None:
    assert events(Logged(11012, COMPLETE, "fabrikam.com")).verdict is Verdict.CONTRARY


def passage(
    at: datetime, answer: str = "250 2.1.0 Sender OK", domain: str = "fabrikam.com"
) -> Passage:
    return Passage(at, "EX01\\Default Frontend EX01", "203.0.113.7", domain, answer)


REFUSED = "530 5.7.1 Not authenticated"


@pytest.mark.parametrize(
    ("found", "at", "times", "verdict"),
    [
        ((passage(T + minutes(1)),), T + minutes(2), ON_ITS_WAY, Verdict.PROVED),
        ((passage(T),), OVER, ARRIVED, Verdict.SILENT),
        ((), OVER, ARRIVED, Verdict.SILENT),
        ((), COMPLETE, ARRIVED, Verdict.PENDING),
        ((), OVER, ON_ITS_WAY, Verdict.PENDING),
        ((passage(T + minutes(3), REFUSED),), COMPLETE, ARRIVED, Verdict.PENDING),
        ((passage(COMPLETE, REFUSED),), COMPLETE, ARRIVED, Verdict.CONTRARY),
        ((passage(COMPLETE, "451 4.7.3 Later"),), COMPLETE, ARRIVED, Verdict.CONTRARY),
        ((passage(COMPLETE, REFUSED),), COMPLETE, ON_ITS_WAY, Verdict.PENDING),
        ((passage(COMPLETE, "421 4.4.2 Bye"),), OVER, ARRIVED, Verdict.SILENT),
        (
            (passage(T + minutes(9)), passage(COMPLETE, REFUSED)),
            COMPLETE,
            ARRIVED,
            Verdict.CONTRARY,
        ),
        ((passage(T + minutes(9), REFUSED), passage(COMPLETE)), COMPLETE, ARRIVED, Verdict.PROVED),
        ((passage(COMPLETE, domain="adatum.com"),), COMPLETE, ARRIVED, Verdict.PENDING),
    ],
)
def test_only_an_accepted_message_proves_and_no_traffic_is_not_mended(
    found: tuple[Passage, ...], at: datetime, times: Times, verdict: Verdict
) -> None:
    logs = [PassagesOf("EX01", found)]
    assert accepted_message(("fabrikam.com",), logs, times, at).verdict is verdict


def test_what_comes_from_elsewhere_than_the_partner_proves_nothing() -> None:
    came = passage(COMPLETE)
    stranger, partner = replace(came, known=False), replace(came, known=True)
    logs = [PassagesOf("EX01", (stranger,))]
    finding = accepted_message(("fabrikam.com",), logs, ARRIVED, OVER)
    assert finding.verdict is Verdict.SILENT
    assert texts(finding)[0].endswith("; that is no address known to be the partner's")
    logs.append(PassagesOf("EX02", (partner,)))
    assert accepted_message(("fabrikam.com",), logs, ARRIVED, OVER).verdict is Verdict.PROVED


def test_no_protocol_log_is_not_no_traffic() -> None:
    about, late = ("fabrikam.com",), OVER
    blind = PassagesOf("EX02", unread="the connector logs nothing")
    assert accepted_message(about, [], ARRIVED, late).verdict is Verdict.UNKNOWN
    assert accepted_message(about, [blind], ARRIVED, late).verdict is Verdict.UNKNOWN
    finding = accepted_message(about, [blind, PassagesOf("EX01")], ARRIVED, late)
    assert finding.verdict is Verdict.SILENT
    assert texts(finding) == ["? EX02: not read: the connector logs nothing"]


@pytest.mark.parametrize(
    ("found", "at", "verdict"),
    [
        ((Logged(16022, T + minutes(6)),), T + minutes(6), Verdict.CLEAR),
        ((Logged(16028, T + minutes(6)),), T + minutes(6), Verdict.CLEAR),
        ((Logged(16022, T), Logged(16022, None)), COMPLETE, Verdict.UNKNOWN),
        ((), QUIET_SINCE, Verdict.PENDING),
        ((), COMPLETE, Verdict.UNKNOWN),
        ((Logged(16027, T + minutes(6)), Logged(16022, COMPLETE)), COMPLETE, Verdict.CONTRARY),
    ],
)
def test_a_reload_that_is_logged_supports_and_trouble_warns(
    found: tuple[Logged, ...], at: datetime, verdict: Verdict
) -> None:
    assert config_reloaded([EventsOf("EX01", found)], ARRIVED, at).verdict is verdict


def test_of_several_things_logged_only_reloads_count() -> None:
    found = (Logged(11012, COMPLETE), Logged(16022, COMPLETE))
    assert config_reloaded([EventsOf("EX01", found)], ARRIVED, OVER).verdict is Verdict.CLEAR


def test_reloads_of_nobody_and_of_servers_that_cannot_be_read_are_not_known() -> None:
    assert config_reloaded([], ARRIVED, COMPLETE).verdict is Verdict.UNKNOWN
    finding = config_reloaded([EventsOf("EX01", unread="down")], ARRIVED, COMPLETE)
    assert texts(finding) == ["? EX01: not read: down"]
    assert config_reloaded([EventsOf("EX01")], ON_ITS_WAY, T).until == ON_ITS_WAY.complete
