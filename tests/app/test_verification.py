"""Proof after a change, over the real wire, with a clock that the test moves."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from orchestrator.app.passages import FOLDERS
from orchestrator.app.verification import verify, wait
from orchestrator.core.events import Outcome, ProofObserved
from orchestrator.core.inventory import Inventory
from orchestrator.core.proof import Finding, Standing, Verdict
from orchestrator.core.run import Run
from orchestrator.lab import Lab, load_scenario, parse_scenario
from orchestrator.lab.faults import live
from orchestrator.lab.faults.world import ControllerGone
from tests.app.conftest import REMOVE, Desk

Open = Callable[..., Desk]
FRONTEND, TRANSPORT = "MSExchangeFrontEndTransport", "MSExchangeTransport"
CONNECTOR = "Default Frontend EX01"
HOUR = timedelta(hours=1)


@dataclass
class Time:
    """A clock that stands until it is moved."""

    now: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def forward(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)

    def steady(self) -> float:
        """Tell seconds that only ever pass."""
        return self.now.timestamp()


@pytest.fixture
def time() -> Time:
    """The time of lab and jump host alike."""
    return Time()


@pytest.fixture
def lagging(time: Time) -> Iterator[Lab]:
    """Two sites that replicate only when somebody has them do it."""
    with Lab("lagging-controllers", clock=time) as lab:
        yield lab


@pytest.fixture
def desk(lagging: Lab, open_desk: Open, time: Time) -> Desk:
    """A jump host beside the two sites."""
    return open_desk(lagging, clock=time)


def applied(desk: Desk) -> Run:
    done = desk.carry_out(desk.plan(REMOVE, domain="fabrikam.com"))
    assert done.run is not None, done.error
    assert done.run.outcome is Outcome.SUCCEEDED
    return done.run


def looked(desk: Desk, run: Run) -> Run:
    done = verify(desk.workplace, run.id, desk.heard)
    assert done.error is None, done.error
    assert done.run is not None
    return done.run


def found(desk: Desk, run: Run, proof: str) -> Finding:
    return looked(desk, run).proofs[proof].finding


def log(
    lab: Lab, number: int, *strings: str, server: str = "EX01", provider: str = FRONTEND
) -> None:
    lab.organization.logs[server].write(provider, number, strings)


HEAD = (
    "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,"
    "event,data,context"
)


def attempt(
    lab: Lab, time: Time, answer: str, server: str = "EX01", domain: str = "fabrikam.com"
) -> None:
    """Have a sender come by, as the server's protocol log has it."""
    at = f"{time.now:%Y-%m-%dT%H:%M:%S}.000Z"
    start = f"{at},{server}\\Default Frontend {server},08D9{time.now:%H%M%S}"
    ends = "192.0.2.10:25,203.0.113.7:4711"
    lines = [
        HEAD,
        f"{start},0,{ends},+,,",
        f"{start},1,{ends},<,EHLO mail.{domain},",
        f"{start},2,{ends},>,250 {server} Hello,",
        f"{start},3,{ends},<,MAIL FROM:<anna@{domain}>,",
        f"{start},4,{ends},>,{answer},",
        f"{start},5,{ends},-,,Local",
    ]
    path = f"{FOLDERS[0]}\\RECV{time.now:%Y%m%d%H}-1.LOG"
    lab.organization.disks[server].append(path, "\r\n".join(lines) + "\r\n")


def texts(finding: Finding) -> str:
    return "\n".join(f"{each.holds} {each.text}" for each in finding.evidence)


def test_a_run_that_was_read_back_is_applied_and_its_proof_is_pending(
    desk: Desk, time: Time
) -> None:
    run = applied(desk)
    assert run.proof is not None
    assert run.proof.standing is Standing.PENDING
    assert run.proof.since == time.now


def test_a_server_whose_controller_lags_behind_is_pending_until_sites_have_replicated(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    time.forward(minutes=1)
    finding = found(desk, run, "every_controller")
    assert finding.verdict is Verdict.PENDING
    assert run.ended is not None
    assert finding.until == run.ended + timedelta(minutes=180)
    assert "True EX01 reads from dc01" in texts(finding)
    assert "False EX02 reads from dc03" in texts(finding)

    lagging.directory.replicate()
    finding = found(desk, run, "every_controller")
    assert finding.verdict is Verdict.PROVED


def test_a_change_that_never_arrives_is_evidence_against_it(desk: Desk, time: Time) -> None:
    run = applied(desk)
    time.forward(hours=4)
    assert found(desk, run, "every_controller").verdict is Verdict.CONTRARY
    proof = looked(desk, run).proof
    assert proof is not None
    assert proof.standing is Standing.CONTRARY


def test_looking_elsewhere_leaves_the_pinned_controller_pinned(desk: Desk, lagging: Lab) -> None:
    run = applied(desk)
    looked(desk, run)
    undone = desk.roll_back(run.id)
    assert undone.run is not None
    assert undone.run.outcome is Outcome.ROLLED_BACK
    assert undone.run.proof is None
    reads = [
        (call.cmdlet, call.parameters.get("DomainController"))
        for call in lagging.commands
        if call.cmdlet.endswith("TransportConfig")
    ]
    assert ("Get-TransportConfig", "dc03.contoso.example") in reads
    assert reads[-1] == ("Get-TransportConfig", "dc01.contoso.example")
    assert lagging.open_shells == 0


def test_a_controller_that_does_not_answer_is_named_and_not_awaited(
    desk: Desk, lagging: Lab
) -> None:
    run = applied(desk)
    lagging.faults.append(live(ControllerGone(controller="dc03")))
    finding = found(desk, run, "every_controller")
    assert finding.verdict is Verdict.PROVED
    assert "None EX02: not looked at: its domain controller dc03" in texts(finding)


def test_the_audit_log_has_our_entry_and_is_waited_for_as_long_as_entries_lag(
    desk: Desk, time: Time
) -> None:
    run = applied(desk)
    finding = found(desk, run, "audit_log")
    assert finding.verdict is Verdict.PENDING
    assert finding.until == run.sent[0] + timedelta(minutes=15)
    time.forward(minutes=15)
    finding = found(desk, run, "audit_log")
    assert finding.verdict is Verdict.PROVED
    assert "True Set-TransportConfig on Transport Settings by CONTOSO\\ops" in texts(finding)


def test_what_another_administrator_did_to_the_same_list_is_evidence_against(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    time.forward(minutes=2)
    lagging.edit("TransportConfig", TLSReceiveDomainSecureList=("northwindtraders.com",))
    finding = found(desk, run, "audit_log")
    assert finding.verdict is Verdict.CONTRARY
    assert "another change: Set-TransportConfig" in texts(finding)


def test_nothing_new_is_not_recorded_again(desk: Desk) -> None:
    run = applied(desk)
    looked(desk, run)
    before = len(desk.events)
    looked(desk, run)
    assert len(desk.events) == before
    assert any(isinstance(event, ProofObserved) for event in desk.events)


def test_without_the_role_the_audit_log_is_not_known(open_desk: Open, time: Time) -> None:
    scenario = load_scenario("default")
    user = scenario.users[0]
    roles = tuple(role for role in user.roles if "Audit" not in role)
    limited = replace(scenario, users=(replace(user, roles=roles),))
    with Lab(limited, clock=time) as lab:
        desk = open_desk(lab, clock=time)
        run = applied(desk)
        finding = found(desk, run, "audit_log")
        assert finding.verdict is Verdict.UNKNOWN
        assert "View-Only Audit Logs" in texts(finding)


def test_a_server_that_is_down_is_named_and_the_others_are_looked_at(
    desk: Desk, lagging: Lab
) -> None:
    run = applied(desk)
    lagging.kill("EX02")
    finding = found(desk, run, "every_controller")
    assert finding.verdict is Verdict.PROVED
    assert "True EX01 reads from dc01" in texts(finding)
    assert "None EX02: not looked at: it is down" in texts(finding)


def test_when_a_change_arrived_is_told_by_the_controllers_not_by_when_somebody_looked(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    time.forward(minutes=20)
    lagging.directory.replicate()
    arrived = time.now
    time.forward(hours=2)
    finding = found(desk, run, "every_controller")
    assert finding.verdict is Verdict.PROVED
    assert finding.since == arrived


def test_another_run_of_ours_on_the_same_list_is_no_other_change(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    first = applied(desk)
    time.forward(minutes=30)
    second = desk.carry_out(desk.plan(REMOVE, domain="northwindtraders.com")).run
    assert second is not None
    time.forward(minutes=30)
    finding = found(desk, first, "audit_log")
    assert finding.verdict is Verdict.PROVED
    assert f"run {second.id}" in texts(finding)
    assert len(lagging.audit()) == 2


class Pauses(threading.Event):
    """Whoever waits for it lets time pass instead; *meanwhile* is told which pause it is."""

    def __init__(self, time: Time, meanwhile: Callable[[int], None]) -> None:
        super().__init__()
        self.time, self.meanwhile, self.number = time, meanwhile, 0

    def wait(self, timeout: float | None = None) -> bool:
        """Let that much time pass."""
        assert timeout is not None
        self.number += 1
        self.time.forward(seconds=timeout)
        self.meanwhile(self.number)
        return self.is_set()


@pytest.mark.slow
def test_waiting_looks_again_until_nothing_is_pending_and_holds_nothing(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    shells: list[int] = []

    def meanwhile(number: int) -> None:
        shells.append(lagging.open_shells)
        owner = desk.workplace.owner()
        desk.workplace.store.hold(run.plan.organization.guid, owner, HOUR).release()
        if number == 3:
            lagging.directory.replicate()

    desk.workplace.stop = Pauses(time, meanwhile)
    desk.workplace.steady = time.steady
    done = wait(desk.workplace, run.id, desk.heard, 3 * HOUR)
    assert done.error is None
    assert done.run is not None
    assert done.run.proofs["every_controller"].finding.verdict is Verdict.PROVED
    assert done.run.proofs["audit_log"].finding.verdict is Verdict.PROVED
    assert set(shells) == {0}
    assert time.now < run.sent[0] + HOUR


def test_waiting_ends_when_its_time_is_over_or_somebody_wants_to_leave_and_can_be_taken_up(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    desk.workplace.steady = time.steady
    desk.workplace.stop = Pauses(time, lambda _: None)
    done = wait(desk.workplace, run.id, desk.heard, timedelta(minutes=2.5))
    assert done.run is not None
    assert done.run.proof is not None
    assert done.run.proof.standing is Standing.PENDING
    assert time.now == run.sent[0] + timedelta(minutes=2.5)

    leaving = desk.workplace.stop = Pauses(time, lambda _: leaving.set())
    wait(desk.workplace, run.id, desk.heard, HOUR)
    assert leaving.number == 1

    desk.workplace.stop = threading.Event()
    lagging.directory.replicate()
    assert found(desk, run, "every_controller").verdict is Verdict.PROVED


def test_whoever_waits_tries_again_where_nobody_answers_for_the_moment(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)

    def meanwhile(number: int) -> None:
        for server in ("EX01", "EX02"):
            (lagging.kill if number == 1 else lagging.revive)(server)
        lagging.directory.replicate()

    desk.workplace.steady = time.steady
    desk.workplace.stop = Pauses(time, meanwhile)
    done = wait(desk.workplace, run.id, desk.heard, timedelta(minutes=2.5))
    assert done.error is None
    assert done.run is not None
    assert done.run.proofs["every_controller"].finding.verdict is Verdict.PROVED


def test_silence_is_no_contrary_evidence_once_a_hidden_event_would_have_shown(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    lagging.directory.replicate()
    log(lagging, 11012, "fabrikam.com", CONNECTOR)
    time.forward(minutes=20)
    assert found(desk, run, "no_events").verdict is Verdict.PENDING
    time.forward(minutes=1)
    finding = found(desk, run, "no_events")
    assert finding.verdict is Verdict.CLEAR
    assert "before every server can have known" in texts(finding)
    assert found(desk, run, "every_controller").since == run.ended


def test_an_event_that_comes_back_is_contrary_evidence_and_says_which(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    lagging.directory.replicate()
    time.forward(minutes=12)
    log(lagging, 11021, "fabrikam.com", CONNECTOR, server="EX02")
    log(lagging, 11012, "adatum.com", CONNECTOR)
    finding = found(desk, run, "no_events")
    assert finding.verdict is Verdict.CONTRARY
    assert "ex02.contoso.example logged 11021 for fabrikam.com on ex02" in texts(finding)
    assert "adatum.com" not in texts(finding)


def test_while_a_controller_lags_no_event_counts_and_silence_is_awaited(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    time.forward(hours=1)
    log(lagging, 11012, "fabrikam.com", CONNECTOR)
    finding = found(desk, run, "no_events")
    assert finding.verdict is Verdict.PENDING
    assert run.ended is not None
    assert finding.until == run.ended + timedelta(minutes=200)


def test_reloads_support_and_trouble_warns(desk: Desk, lagging: Lab, time: Time) -> None:
    run = applied(desk)
    time.forward(minutes=1)
    log(lagging, 16022, provider=TRANSPORT)
    assert found(desk, run, "config_reloaded").verdict is Verdict.CLEAR
    log(lagging, 16027, provider=TRANSPORT)
    finding = found(desk, run, "config_reloaded")
    assert finding.verdict is Verdict.CONTRARY
    stands = looked(desk, run).proof
    assert stands is not None
    assert stands.standing is Standing.PENDING


def test_a_server_whose_log_cannot_be_read_never_looks_like_silence(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    lagging.directory.replicate()
    found(desk, run, "every_controller")
    lagging.kill("EX02")
    time.forward(minutes=30)
    finding = found(desk, run, "no_events")
    assert finding.verdict is Verdict.CLEAR
    assert "None ex02.contoso.example: not read" in texts(finding)


OK, REFUSED = "250 2.1.0 Sender OK", "530 5.7.1 Not authenticated"


def test_an_accepted_message_of_the_partner_is_the_positive_proof(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    attempt(lagging, time, REFUSED)
    time.forward(minutes=1)
    run = applied(desk)
    lagging.directory.replicate()
    assert found(desk, run, "accepted_message").verdict is Verdict.UNKNOWN
    time.forward(minutes=6)
    attempt(lagging, time, OK)
    finding = found(desk, run, "accepted_message")
    assert finding.verdict is Verdict.PROVED
    assert "True ex01" in texts(finding)
    assert "from 203.0.113.7 on EX01\\Default Frontend EX01" in texts(finding)
    time.forward(minutes=20)
    stands = looked(desk, run).proof
    assert stands is not None
    assert stands.standing is Standing.PROVED


def test_no_traffic_is_told_apart_from_mended(desk: Desk, lagging: Lab, time: Time) -> None:
    run = applied(desk)
    lagging.directory.replicate()
    time.forward(minutes=30)
    for server in ("EX01", "EX02"):
        attempt(lagging, time, OK, server, domain="adatum.com")
    assert found(desk, run, "accepted_message").verdict is Verdict.SILENT
    stands = looked(desk, run).proof
    assert stands is not None
    assert stands.standing is Standing.SILENT


def test_a_partner_that_is_still_refused_is_contrary_evidence(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    lagging.directory.replicate()
    time.forward(minutes=8)
    attempt(lagging, time, OK)
    attempt(lagging, time, REFUSED, "EX02")
    finding = found(desk, run, "accepted_message")
    assert finding.verdict is Verdict.CONTRARY
    assert "False ex02" in texts(finding)


def test_servers_without_a_protocol_log_do_not_count_as_no_traffic(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    attempt(lagging, time, OK, domain="adatum.com")
    time.forward(minutes=5)
    run = applied(desk)
    lagging.directory.replicate()
    time.forward(minutes=30)
    finding = found(desk, run, "accepted_message")
    assert finding.verdict is Verdict.UNKNOWN
    assert "have nothing since the change" in texts(finding)
    assert "there are no protocol logs" in texts(finding)
    stands = looked(desk, run).proof
    assert stands is not None
    assert stands.standing is Standing.CLEAR


def test_a_log_that_was_overwritten_since_the_change_is_not_silence(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    lagging.directory.replicate()
    time.forward(minutes=10)
    for server in ("EX01", "EX02"):
        lagging.organization.logs[server].limit(1)
        log(lagging, 11012, "fabrikam.com", CONNECTOR, server=server)
        log(lagging, 1000, provider="Something else", server=server)
    time.forward(minutes=20)
    finding = found(desk, run, "no_events")
    assert finding.verdict is Verdict.UNKNOWN
    assert "overwritten" in texts(finding)


def test_through_an_endpoint_of_few_programs_protocol_logs_are_not_known(
    desk: Desk, lagging: Lab, time: Time
) -> None:
    run = applied(desk)
    lagging.directory.replicate()
    (organization,) = desk.workplace.inventory.organizations
    winrm = msgspec.structs.replace(organization.winrm, configuration="OrchestratorEvents")
    narrow = msgspec.structs.replace(organization, winrm=winrm)
    desk.workplace.inventory = Inventory((narrow,))
    time.forward(minutes=30)
    stands = looked(desk, run)
    assert stands.proofs["no_events"].finding.verdict is Verdict.CLEAR
    accepted = stands.proofs["accepted_message"].finding
    assert accepted.verdict is Verdict.UNKNOWN
    assert "there are no protocol logs" not in texts(accepted)


PARTNER = """
title: A partner that does not start TLS
description: Its mail comes each minute, to either server.
receive_list: [fabrikam.com]
send_connectors:
  - name: To Internet
    properties: {AddressSpaces: ["SMTP:*;1"], DNSRoutingEnabled: true}
traffic: [{domain: fabrikam.com, addresses: [203.0.113.10], every: 60}]
"""


def test_a_right_fix_is_proved_by_the_partners_own_mail_and_a_wrong_one_refuted_by_it(
    open_desk: Open, time: Time
) -> None:
    with Lab(parse_scenario(PARTNER), clock=time) as lab:
        desk = open_desk(lab, clock=time)
        time.forward(minutes=30)
        run = applied(desk)
        time.forward(minutes=25)
        mended = looked(desk, run)
        verdicts = {name: each.finding.verdict for name, each in mended.proofs.items()}
        assert verdicts == {
            "every_controller": Verdict.PROVED,
            "audit_log": Verdict.PROVED,
            "accepted_message": Verdict.PROVED,
            "no_events": Verdict.CLEAR,
            "config_reloaded": Verdict.CLEAR,
        }
        assert mended.proof is not None
        assert mended.proof.standing is Standing.PROVED

        lab.edit("TransportConfig", TLSReceiveDomainSecureList=("fabrikam.com",))
        time.forward(minutes=25)
        again = looked(desk, run).proofs
        assert "logged 11012 for fabrikam.com" in texts(again["no_events"].finding)
        assert "530 5.7.1" in texts(again["accepted_message"].finding)
        assert {
            each.finding.verdict for name, each in again.items() if name != "config_reloaded"
        } == {Verdict.CONTRARY}
