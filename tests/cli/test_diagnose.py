"""``orchestrator diagnose``, and runs that answer an incident, beside a lab."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.door import AGREED, Answer, Door

FRONT = "MSExchangeFrontEndTransport"
INCIDENT = "contoso-fabrikam.com-1"
EVENT = """<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>
<Provider Name='MSExchangeFrontEndTransport'/><EventID Qualifiers='49156'>11012</EventID>
<TimeCreated SystemTime='2026-11-23T08:00:00Z'/><EventRecordID>{record}</EventRecordID>
<Computer>EX01.contoso.example</Computer></System>
<EventData><Data>{domain}</Data><Data>{connector}</Data></EventData></Event>"""
HEAD = (
    "#Software: Microsoft Exchange Server\r\n#Fields: date-time,connector-id,session-id,"
    "sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n"
)


def logged(
    door: Door,
    domain: str = "fabrikam.com",
    connector: str = "From Fabrikam",
    *,
    number: int = 11012,
    server: str = "EX01",
) -> None:
    """Have a server log an event, and read the logs."""
    door.lab.organization.logs[server].write(FRONT, number, (domain, connector))
    read = door("events")
    assert read.code == 0, read.words


def diagnosed(door: Door, *arguments: str) -> tuple[Answer, dict[str, object]]:
    """Return the answer, and the one diagnosis in its document."""
    answer = door("diagnose", *arguments, "--output", "json")
    (found,) = answer.document["diagnoses"]
    return answer, found


def protocol(*refused: str, domain: str = "fabrikam.com", connector: str = "From Fabrikam") -> str:
    """Return a protocol log in which mail was refused from these addresses."""
    rows = []
    for number, address in enumerate(refused):
        fixed = f"EX01\\{connector},S{number},{{}},10.0.0.1:25,{address}:4711"
        at = "2026-11-23T08:00:00.000Z"
        rows += [
            f"{at},{fixed.format(0)},+,,",
            f"{at},{fixed.format(1)},<,MAIL FROM:<anna@{domain}> SIZE=10,",
            f"{at},{fixed.format(2)},>,530 5.7.1 Not authenticated,",
            f"{at},{fixed.format(3)},-,,Local",
        ]
    return HEAD + "".join(f"{row}\r\n" for row in rows)


def test_a_dedicated_pair_is_diagnosed_and_retired_through_its_incident(door: Door) -> None:
    logged(door)
    answer, found = diagnosed(door, "fabrikam.com")
    assert (answer.code, found["verdict"]) == (0, "retire-dedicated")
    command = f"orchestrator run retire-dedicated-connectors --incident {INCIDENT} --dry-run"
    assert found["command"] == command
    assert {"dedicated", "half-list", "half-connector"} <= _rules(found)
    shown = door("diagnose", INCIDENT).words
    assert "event 11012 comes back" in shown
    assert command in shown
    assert door.received() == []

    assert door(*command.split()[1:]).code == 0
    run = door("run", "retire-dedicated-connectors", "--incident", INCIDENT, *AGREED)
    assert run.code == 0, run.words
    kept = door("incidents", "list", "--output", "json").document["incidents"]
    assert len(kept[0]["runs"]) == 1
    again, after = diagnosed(door, INCIDENT)
    assert (again.code, after["verdict"]) == (0, "nothing-to-do")


def _rules(found: dict[str, object]) -> set[str]:
    findings = found["findings"]
    assert isinstance(findings, list)
    return {finding["rule"] for finding in findings}


def test_without_any_event_it_says_so_and_decides_nothing(door: Door) -> None:
    answer, found = diagnosed(door, "fabrikam.com")
    assert (answer.code, found["verdict"]) == (4, "needs-a-person")
    assert "no-event" in _rules(found)
    assert not (door.folder / "store").exists()


def test_a_domain_that_is_not_listed_needs_nothing(door: Door) -> None:
    answer, found = diagnosed(door, "nobody.example")
    assert (answer.code, found["verdict"], found["command"]) == (0, "nothing-to-do", "")


def test_events_of_a_file_are_evidence_and_the_command_then_says_everything(
    door: Door, tmp_path: Path
) -> None:
    file = tmp_path / "events.xml"
    connector = "Default Frontend EX01"
    file.write_text(EVENT.format(record=1, domain="fabrikam.com", connector=connector))
    answer, found = diagnosed(door, "fabrikam.com", "--file", str(file))
    assert (answer.code, found["verdict"]) == (0, "remove-from-list")
    command = found["command"]
    assert isinstance(command, str)
    assert command.startswith("orchestrator run remove-domain-security --limit contoso --set")
    assert f"'connector=EX01\\{connector}'" in command


@pytest.mark.parametrize(
    ("addresses", "verdict", "code"),
    [
        (("10.0.0.5",), "relay-in-front", 0),
        (("198.51.100.66",), "needs-a-person", 4),
        (("203.0.113.10",), "retire-dedicated", 0),
        (("203.0.113.10", "198.51.100.66"), "needs-a-person", 4),
    ],
    ids=["a gateway", "a forger", "the partner", "both"],
)
def test_a_protocol_log_tells_who_was_refused(
    door: Door, tmp_path: Path, addresses: tuple[str, ...], verdict: str, code: int
) -> None:
    _knows_partner(door)
    logged(door)
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "RECV2026112308-1.LOG").write_text(protocol(*addresses))
    answer, found = diagnosed(door, "fabrikam.com", "--protocol-log", str(folder))
    assert (answer.code, found["verdict"]) == (code, verdict)
    assert found["refused"] == ["anna@fabrikam.com"]
    told = found["addresses"]
    assert isinstance(told, list)
    assert {each["address"] for each in told} == set(addresses)


def _knows_partner(door: Door) -> None:
    inventory = door.folder / "inventory.yaml"
    text = inventory.read_text()
    partner = "    partners: {fabrikam.com: {addresses: [203.0.113.0/24]}}\n"
    inventory.write_text(text.replace("\n    servers:", f"\n{partner}    servers:", 1))


def test_logs_are_fetched_from_the_server_that_logged_the_event(door: Door) -> None:
    _knows_partner(door)
    logged(door)
    at = door.lab.organization.clock()
    folder = (
        "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\TransportRoles\\Logs\\FrontEnd"
        "\\ProtocolLog\\SmtpReceive"
    )
    door.lab.organization.disks["EX01"].write(
        f"{folder}\\RECV{at:%Y%m%d%H}-1.LOG", protocol("198.51.100.66")
    )
    answer, found = diagnosed(door, "fabrikam.com", "--protocol-log", "auto")
    assert (answer.code, found["verdict"]) == (4, "needs-a-person")
    assert "forged-sender" in _rules(found)
    gaps = found["gaps"]
    assert isinstance(gaps, list)
    assert any("\\Hub\\" in gap for gap in gaps)


def test_a_plan_is_refused_that_would_take_another_listed_partners_connector(door: Door) -> None:
    logged(door)
    other = _another_listed(door)
    logged(door, other)
    answer, found = diagnosed(door, INCIDENT)
    assert (answer.code, found["verdict"]) == (4, "needs-a-person")
    assert "shared-connector" in _rules(found)
    planned = door("run", "retire-dedicated-connectors", "--incident", INCIDENT, "--dry-run")
    assert planned.code == 4
    assert "shared-connector" in planned.words


def _another_listed(door: Door) -> str:
    listed = next(
        properties["TLSReceiveDomainSecureList"]
        for properties in door.lab.snapshot().values()
        if "TLSReceiveDomainSecureList" in properties
    )
    assert isinstance(listed, tuple | list)
    return next(str(entry) for entry in listed if str(entry).lower() != "fabrikam.com")


def test_what_the_incident_does_not_say_is_asked_for(door: Door) -> None:
    logged(door)
    logged(door, connector="Default Frontend EX01")
    answer = door("run", "retire-dedicated-connectors", "--incident", INCIDENT, "--dry-run")
    assert answer.code == 2
    assert "name several connectors" in answer.words
    _, found = diagnosed(door, INCIDENT)
    command = found["command"]
    assert isinstance(command, str)
    assert "--set 'connector=EX01\\From Fabrikam'" in command


def test_an_incident_that_nobody_recorded_is_a_clear_error(door: Door) -> None:
    answer = door("run", "remove-domain-security", "--incident", "x-1", "--dry-run")
    assert answer.code == 2
    assert "'orchestrator events' reads the servers' logs" in answer.words
    logged(door)
    wrong = door("run", "remove-domain-security", "--incident", "contoso-fabrikam.com-7")
    assert wrong.code == 2
    assert f"Did you mean '{INCIDENT}'?" in wrong.words
    assert door("diagnose", "not a domain").code == 2


def test_an_incident_says_where_and_limit_may_not_contradict_it(
    open_door: Callable[..., Door],
) -> None:
    door = open_door("dedicated-pair", organizations=2)
    names = list(door.lab.organizations)
    door.lab.organizations[names[0]].logs["EX01"].write(
        FRONT, 11012, ("fabrikam.com", "From Fabrikam")
    )
    assert door("events", "--limit", "all").code == 0
    incident = f"{names[0]}-fabrikam.com-1"
    plain = door(
        "plan",
        "retire-dedicated-connectors",
        "--incident",
        incident,
        "--out",
        str(door.folder / "fix.plan"),
        "--output",
        "json",
    )
    assert [row["organization"] for row in plain.document["organizations"]] == [names[0]]
    assert plain.document["organizations"][0]["plan"]["incident"] == incident
    against = door(
        "run",
        "retire-dedicated-connectors",
        "--incident",
        incident,
        "--limit",
        names[1],
        "--dry-run",
    )
    assert against.code == 2
    assert "Leave --limit away" in against.words


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "verdict", "rule", "command"),
    [
        ("forged-sender", "needs-a-person", "accepted-elsewhere", ""),
        ("relay-in-front", "relay-in-front", "relay-in-front", ""),
        ("our-side", "fix-our-side", "tls-not-offered", "run offer-tls --incident"),
        ("incident", "remove-from-list", "serves-everybody", "run remove-domain-security"),
        ("incident-dedicated", "retire-dedicated", "dedicated", "run retire-dedicated-connectors"),
    ],
)
def test_what_the_traffic_of_a_simulated_organization_left_behind_is_told_apart(
    open_door: Callable[..., Door], scenario: str, verdict: str, rule: str, command: str
) -> None:
    door = open_door(scenario)
    assert door("events").code == 0
    answer, found = diagnosed(door, "fabrikam.com", "--protocol-log", "auto")
    assert (found["verdict"], found["decided_by"]) == (verdict, rule)
    assert answer.code == (4 if verdict == "needs-a-person" else 0)
    assert found["protocol_logs"]
    assert all("\\Hub\\" in gap for gap in _texts(found["gaps"]))
    assert command in str(found["command"])
    assert bool(found["command"]) is bool(command)
    if command:
        planned = door(*shlex.split(str(found["command"]))[1:])
        assert planned.code == 0, planned.words


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return value


def test_a_name_that_cannot_be_typed_as_it_is_shown_is_put_into_no_command(door: Door) -> None:
    logged(door, connector="Default Frontend EX01\u202e")
    _, found = diagnosed(door, "fabrikam.com")
    assert "\u202e" not in str(found["command"])
    assert "\u202e" not in door("diagnose", "fabrikam.com").out
