"""Traffic: a wrong fix keeps producing events or refusals, a right one stops them.

No test waits: each has a clock of its own to move.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.core.errors import ConfigurationError
from orchestrator.lab import Lab, Scenario, load_scenario, parse_scenario
from tests.lab.outsider import Client

FOLDER = (
    "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\TransportRoles\\Logs\\FrontEnd"
    "\\ProtocolLog\\SmtpReceive"
)
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
EVER = datetime.min.replace(tzinfo=UTC)
OK = "250 2.1.0 Sender OK"
STRANGER = "530 5.7.1 Client was not authenticated"
PARTNER = "203.0.113.10"
SETTLED = timedelta(minutes=5 + 15)
"""A reload and a throttle: from then on, silence begins to mean something."""

HEAD = "title: t\ndescription: d\nreceive_list: [fabrikam.com]\n"
SENDER = f"traffic: [{{domain: fabrikam.com, addresses: [{PARTNER}], every: 30}}]\n"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Return what it shows."""
        return self.now

    def pass_(self, **duration: float) -> None:
        """Let time pass, as for ``timedelta``."""
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    """A clock for the test to move."""
    return Clock()


@pytest.fixture
def lab_of(clock: Clock) -> Callable[[str | Scenario], Lab]:
    """Make labs that follow the clock; nothing listens."""

    def make(scenario: str | Scenario) -> Lab:
        known = parse_scenario(scenario) if isinstance(scenario, str) else scenario
        return Lab(known, clock=clock)

    return make


Make = Callable[[str | Scenario], Lab]


def events(lab: Lab, since: datetime = EVER) -> set[tuple[str, int]]:
    """Return which server logged which event since then."""
    lab.run_traffic()
    return {
        (host, record.id)
        for host, log in lab.organization.logs.items()
        for record in log.records()
        if record.at >= since
    }


def ids(lab: Lab, since: datetime) -> set[int]:
    """Return what was logged anywhere since then."""
    return {number for _, number in events(lab, since)}


def protocol(lab: Lab, server: str = "EX01") -> str:
    """Return all of a server's protocol log of the front end."""
    lab.run_traffic()
    disk = lab.organization.disks[server]
    names = disk.names(FOLDER) or ()
    return "".join(disk.read(f"{FOLDER}\\{name}") or "" for name in names)


def test_a_partner_without_tls_is_logged_on_every_server_it_reaches(
    clock: Clock, lab_of: Make
) -> None:
    lab = lab_of(HEAD + SENDER)
    clock.pass_(minutes=1)
    assert events(lab) == {("EX01", 11012), ("EX02", 11012)}
    (record, *_) = lab.organization.logs["EX02"].records()
    assert record.strings == ("fabrikam.com", "Default Frontend EX02")
    assert record.provider == "MSExchangeFrontEndTransport"
    assert record.at == START + timedelta(seconds=30)


def test_an_event_is_logged_once_in_fifteen_minutes_and_domain(clock: Clock, lab_of: Make) -> None:
    other = "  - {domain: adatum.com, addresses: [192.0.2.25], every: 60, servers: [ex01]}\n"
    mine = f"  - {{domain: fabrikam.com, addresses: [{PARTNER}], every: 30, servers: [EX01]}}\n"
    lab = lab_of(
        f"title: t\ndescription: d\nreceive_list: [fabrikam.com, adatum.com]\n"
        f"traffic:\n{mine}{other}"
    )
    clock.pass_(minutes=44)
    lab.run_traffic()
    logged = [(one.strings[0], one.at - START) for one in lab.organization.logs["EX01"].records()]
    quarters = [timedelta(minutes=15 * number) for number in range(3)]
    assert [at for domain, at in logged if domain == "fabrikam.com"] == quarters
    assert [at for domain, at in logged if domain == "adatum.com"] == quarters
    assert protocol(lab).count("530 5.7.1 Not authenticated") == 44 * 2 + 1 + 45


def test_the_log_is_the_same_however_often_it_is_looked_at(clock: Clock, lab_of: Make) -> None:
    scenario = load_scenario("incident-dedicated")
    patient, curious = lab_of(scenario), lab_of(scenario)
    for _ in range(60):
        clock.pass_(minutes=1)
        curious.run_traffic()
    patient.run_traffic()
    assert protocol(patient, "EX02") == protocol(curious, "EX02")
    assert list(patient.organization.logs["EX02"].records()) == list(
        curious.organization.logs["EX02"].records()
    )


def test_the_right_fix_stops_the_events_after_the_reload(clock: Clock, lab_of: Make) -> None:
    lab = lab_of(HEAD + SENDER)
    clock.pass_(minutes=16)
    lab.edit("TransportConfig", TLSReceiveDomainSecureList=[])
    fixed = clock.now
    clock.pass_(hours=3)
    assert events(lab, fixed + SETTLED) == set()
    assert lab.send("fabrikam.com", PARTNER) == OK


def test_a_server_decides_by_what_it_has_loaded(clock: Clock, lab_of: Make) -> None:
    lab = lab_of(HEAD)
    lab.edit("TransportConfig", TLSReceiveDomainSecureList=[])
    clock.pass_(seconds=299)
    assert lab.send("fabrikam.com", PARTNER).startswith("530 5.7.1")
    clock.pass_(seconds=1)
    assert lab.send("fabrikam.com", PARTNER) == OK


def test_a_change_does_not_reach_back_behind_its_own_time(clock: Clock, lab_of: Make) -> None:
    lab = lab_of(HEAD + SENDER)
    clock.pass_(hours=1)
    lab.edit("TransportConfig", TLSReceiveDomainSecureList=[])
    times = [one.at - START for one in lab.organization.logs["EX01"].records()]
    assert times == [timedelta(minutes=15 * number) for number in range(5)]


def rows(lab: Lab) -> list[list[str]]:
    """Return the rows of EX01's protocol log."""
    lines = protocol(lab).splitlines()
    return [line.split(",") for line in lines if not line.startswith("#")]


def retire(lab: Lab) -> None:
    """Switch the partner's connector off on every server."""
    for host in lab.organization.servers:
        lab.edit(f"{host}\\From Fabrikam", Enabled=False)


def remove(lab: Lab) -> None:
    """Take the partner off the receive list."""
    lab.edit("TransportConfig", TLSReceiveDomainSecureList=["northwindtraders.com"])


def switch_off(lab: Lab) -> None:
    """Take Domain Security off the partner's connectors, the domain staying listed."""
    for host in lab.organization.servers:
        lab.edit(f"{host}\\From Fabrikam", DomainSecureEnabled=False)


def test_the_dedicated_connector_alone_leads_to_the_default_one(clock: Clock, lab_of: Make) -> None:
    lab = lab_of(load_scenario("incident-dedicated"))
    retire(lab)
    fixed = clock.now
    clock.pass_(hours=1)
    assert {(f"EX0{at}", 11012) for at in (1, 2)} <= events(lab, fixed + SETTLED)
    last = list(lab.organization.logs["EX01"].records())[-1]
    assert last.strings == ("fabrikam.com", "Default Frontend EX01")


def test_domain_security_off_on_the_connector_turns_into_a_deferral(
    clock: Clock, lab_of: Make
) -> None:
    lab = lab_of(load_scenario("incident-dedicated"))
    switch_off(lab)
    fixed = clock.now
    clock.pass_(hours=1)
    assert ids(lab, fixed + SETTLED) == {11021}
    assert lab.send("fabrikam.com", PARTNER).startswith("451 4.7.3")


def test_the_list_alone_leaves_a_connector_that_refuses_silently(
    clock: Clock, lab_of: Make
) -> None:
    lab = lab_of(load_scenario("incident-dedicated"))
    remove(lab)
    fixed = clock.now
    clock.pass_(hours=1)
    assert ids(lab, fixed + SETTLED) == set()
    assert lab.send("fabrikam.com", PARTNER) == STRANGER
    assert "530 5.7.1 Client was not authenticated" in protocol(lab)


def test_the_list_and_every_connector_together_let_the_mail_in(clock: Clock, lab_of: Make) -> None:
    lab = lab_of(load_scenario("incident-dedicated"))
    remove(lab)
    retire(lab)
    fixed = clock.now
    clock.pass_(hours=1)
    assert ids(lab, fixed + SETTLED) == set()
    answers = {lab.send("fabrikam.com", PARTNER, server=f"EX0{at}") for at in (1, 2)}
    assert answers == {OK}


def test_a_server_behind_a_lagging_controller_goes_on_longer(clock: Clock, lab_of: Make) -> None:
    lab = lab_of(
        HEAD + SENDER + "controllers: [{name: dc01}, {name: dc02, site: Branch}]\n"
        "servers: [{name: EX01}, {name: EX02, site: Branch}]\n"
        "replication: {between: 10800}\n"
    )
    lab.edit("TransportConfig", controller="dc01.contoso.example", TLSReceiveDomainSecureList=[])
    clock.pass_(hours=6)
    assert {host for host, _ in events(lab, START + SETTLED)} == {"EX02"}
    assert events(lab, START + timedelta(hours=3) + SETTLED) == set()


def test_a_reload_is_logged_where_something_changed_and_when(clock: Clock, lab_of: Make) -> None:
    lab = lab_of(load_scenario("incident-dedicated"))
    clock.pass_(minutes=10)
    assert 16028 not in ids(lab, START)
    lab.edit("EX02\\From Fabrikam", Enabled=False)
    changed = clock.now
    clock.pass_(hours=1)
    assert {one for one in events(lab, changed) if one[1] == 16028} == {("EX02", 16028)}
    times = [one.at for one in lab.organization.logs["EX02"].records() if one.id == 16028]
    assert times == [START + timedelta(minutes=15)]


def test_a_server_that_is_down_takes_no_mail(clock: Clock) -> None:
    with Lab(parse_scenario(HEAD + SENDER), clock=clock) as lab:
        lab.kill("EX02")
        clock.pass_(hours=1)
        assert events(lab) == {("EX01", 11012)}
        assert protocol(lab, "EX02") == ""
        lab.revive("EX02")
        clock.pass_(hours=1)
        assert events(lab) == {("EX01", 11012), ("EX02", 11012)}


def test_2010_logs_as_its_only_service(clock: Clock, lab_of: Make) -> None:
    lab = lab_of(HEAD + "generation: 2010\n")
    lab.edit("EX01\\Default EX01", ProtocolLoggingLevel="Verbose")
    clock.pass_(minutes=5)
    lab.send("fabrikam.com", PARTNER)
    records = list(lab.organization.logs["EX01"].records())
    assert {record.id for record in records} == {11012, 16028}
    assert {record.provider for record in records} == {"MSExchangeTransport"}
    folder = FOLDER.replace("V15", "V14").replace("\\FrontEnd", "")
    assert lab.organization.disks["EX01"].names(folder) == ("RECV20260302-1.LOG",)


def test_where_nobody_listens_nothing_is_logged(lab_of: Make) -> None:
    lab = lab_of(HEAD + "servers: [{name: EX01, connectors: false}]\n")
    assert lab.send("fabrikam.com", PARTNER).startswith("421")
    assert events(lab) == set()
    assert protocol(lab) == ""


def test_the_protocol_log_tells_the_session(lab_of: Make) -> None:
    lab = lab_of(HEAD)
    lab.send("fabrikam.com", PARTNER)
    lab.send("adatum.com", "2001:db8::25", tls="started")
    text = protocol(lab)
    assert text.startswith("#Software: Microsoft Exchange Server\r\n#Version: ")
    assert "\r\n#Date: 2026-03-02T06:00:00.000Z\r\n#Fields: date-time,connector-id," in text
    assert "\r\n2026-03-02T06:00:00.000Z,EX01\\Default Frontend EX01," in text
    assert ",<,MAIL FROM:<news@fabrikam.com> SIZE=1234,\r\n" in text
    assert ",>,530 5.7.1 Not authenticated,\r\n" in text
    assert ",<,STARTTLS," in text
    assert ",[2001:db8::25]:" in text
    assert ",>,250 2.1.0 Sender OK," in text
    assert text.count("#Software") == 1


def test_custom_connectors_keep_no_protocol_log_by_default(lab_of: Make) -> None:
    quiet = load_scenario("partners-only")
    lab = lab_of(quiet)
    assert lab.send("fabrikam.com", PARTNER).startswith("530")
    assert protocol(lab) == ""


def test_a_gateway_is_all_that_the_servers_see(clock: Clock, lab_of: Make) -> None:
    lab = lab_of(load_scenario("relay-in-front"))
    clock.pass_(minutes=5)
    lab.run_traffic()
    refused = {one.strings[0] for one in lab.organization.logs["EX01"].records()}
    assert len(refused) > 1
    gateways = {sender.via for sender in lab.scenario.traffic}
    assert {row[5].partition(":")[0] for row in rows(lab)} == gateways


def test_a_forger_is_told_by_the_protocol_log_alone(clock: Clock, lab_of: Make) -> None:
    lab = lab_of(load_scenario("forged-sender"))
    clock.pass_(minutes=5)
    assert ids(lab, EVER) == {11012}
    answers = {
        (row[7], row[5].rpartition(":")[0])
        for row in rows(lab)
        if row[7].startswith(("250 2", "530"))
    }
    assert answers == {
        (OK, "203.0.113.10"),
        ("530 5.7.1 Not authenticated", "192.0.2.66"),
        ("530 5.7.1 Not authenticated", "198.51.100.7"),
    }


def test_our_own_side_at_fault_is_told_by_other_events(clock: Clock, lab_of: Make) -> None:
    lab = lab_of(load_scenario("our-side"))
    clock.pass_(minutes=5)
    assert events(lab) == {("EX01", 11018), ("EX01", 12016), ("EX02", 11018)}
    lab.edit("EX02\\Partners", AuthMechanism="Tls")
    repaired = clock.now
    clock.pass_(hours=1)
    assert {host for host, _ in events(lab, repaired + SETTLED)} == {"EX01"}


def test_a_read_over_the_wire_does_not_bring_the_future_forward(clock: Clock, lab_of: Make) -> None:
    late = (
        HEAD
        + SENDER
        + "controllers: [{name: dc01}, {name: dc02, site: B}]\n"
        + ("servers: [{name: EX01, site: B}]\nreplication: {between: 3600}\n")
    )
    lab = lab_of(late)
    lab.edit("TransportConfig", controller="dc01.contoso.example", TLSReceiveDomainSecureList=[])
    clock.pass_(hours=3)
    lab.snapshot()
    lab.run_traffic()
    times = [one.at - START for one in lab.organization.logs["EX01"].records() if one.id == 11012]
    assert times == [timedelta(minutes=15 * number) for number in range(4)]


@pytest.mark.parametrize(
    ("sender", "said"),
    [
        ("{domain: a.example, addresses: [192.0.2.1], servers: [EX09]}", "did you mean 'EX0"),
        ("{domain: a.example, addresses: [nowhere]}", "'nowhere' is no IP address"),
        ("{domain: a.example, addresses: [192.0.2.1], via: x}", "'x' is no IP address"),
        ("{domain: a.example, addresses: []}", "length >= 1"),
        ("{domain: a.example, addresses: [192.0.2.1], every: 0}", "> 0"),
        ("{domain: a.example, addresses: [192.0.2.1], tls: maybe}", "'maybe'"),
        ("{domain: a.example, adresses: [192.0.2.1]}", "did you mean 'addresses'"),
    ],
)
def test_a_sender_that_cannot_be_is_refused_before_anything_starts(sender: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Lab(parse_scenario(f"{HEAD}traffic: [{sender}]"))
    assert said in str(caught.value)


def test_the_audit_log_may_be_late(clock: Clock) -> None:
    scenario = parse_scenario(HEAD + "audit_lag: 900\n")
    with Lab(scenario, clock=clock) as lab, Client(lab) as client:
        lab.edit("TransportConfig", TLSReceiveDomainSecureList=[])
        assert client.run("Search-AdminAuditLog").records == []
        clock.pass_(minutes=15)
        (entry,) = client.run("Search-AdminAuditLog").records
        assert entry["CmdletName"] == "Set-TransportConfig"


def test_what_a_client_changes_is_what_the_servers_go_by(clock: Clock) -> None:
    with Lab(parse_scenario(HEAD + SENDER), clock=clock) as lab, Client(lab) as client:
        clock.pass_(minutes=16)
        answer = client.run(
            "Set-TransportConfig",
            TLSReceiveDomainSecureList={"Remove": "fabrikam.com"},
            Confirm=False,
        )
        assert not answer.errors
        changed = clock.now
        clock.pass_(hours=1)
        assert events(lab, changed + SETTLED) == set()
        assert {("EX01", 11012), ("EX01", 16028)} <= events(lab)
