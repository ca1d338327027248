"""The servers as Windows machines: programs over ordinary WinRM, by a client nobody here wrote."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import winrm
from hypothesis import given
from hypothesis import strategies as st
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from orchestrator.lab import PASSWORD, Lab, parse_scenario
from orchestrator.lab.eventlog import EventLog
from orchestrator.lab.host.line import Beyond, bare, split, words
from orchestrator.lab.host.xpath import Invalid, compile_query

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
PEOPLE = """
title: People with different rights on the servers
description: An administrator, somebody who may read logs, and somebody who may nothing.
users:
  - {name: ops}
  - {name: reader, roles: [], local: event-log-reader}
  - {name: nobody, roles: [], local: none}
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab whose first server has logged three events."""
    with Lab(parse_scenario(PEOPLE)) as running:
        for number in range(3):
            running.organization.logs["EX01"].write(
                "MSExchangeFrontEndTransport", 11012, (f"d{number}.example", "Für Ähren")
            )
        yield running


def session(lab: Lab, way: str = "ntlm", user: str = "ops") -> winrm.Session:
    url = f"http://127.0.0.1:{lab.servers[0].port}/wsman"
    account = (f"CONTOSO\\{user}", PASSWORD)
    return winrm.Session(url, auth=account, transport=way, ca_trust_path=None)


@pytest.mark.parametrize("way", ["ntlm", "basic"])
def test_wevtutil_answers_with_the_events_that_were_asked_for(lab: Lab, way: str) -> None:
    query = "\"/q:*[System[Provider[@Name='MSExchangeFrontEndTransport'] and EventRecordID>1]]\""
    ran = session(lab, way).run_cmd("wevtutil", ["qe", "Application", query, "/e:Events", "/c:1"])
    assert (ran.status_code, ran.std_err) == (0, b"")
    assert ran.std_out.startswith(b"<Events>")
    assert b"<EventRecordID>2</EventRecordID>" in ran.std_out
    assert ran.std_out.count(b"<Event ") == 1


def test_a_large_answer_comes_in_pieces_and_whole(lab: Lab) -> None:
    log = lab.organization.logs["EX01"]
    for number in range(1000):
        log.write("MSExchangeTransport", 11012, (f"d{number}.example", "C"))
    ran = session(lab).run_cmd("wevtutil", ["qe", "Application", "/f:RenderedXml"])
    assert ran.std_out.count(b"</Event>") == 1003


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["qe", "Nowhere"], 15007, b"could not be found"),
        (["qe", "Application", "/q:*[System[Nonsense=1]]"], 15001, b"query is invalid"),
        (["qe", "Application", "/zz:1"], 87, b"Invalid option zz"),
        (["bake"], 87, b"Invalid command"),
        (["qe", "Application", "/c:-1"], 87, b"option c"),
        (["qe", "Application", "/rd:perhaps"], 87, b"rd"),
        (["qe", "Application", f"/q:*[System[{'(' * 3000}]]"], 15001, b"query is invalid"),
    ],
)
def test_wevtutil_refuses_as_the_real_one_does(
    lab: Lab, arguments: list[str], code: int, complaint: bytes
) -> None:
    ran = session(lab).run_cmd("wevtutil", arguments)
    assert (ran.status_code, complaint in ran.std_err) == (code, True)


def test_a_program_that_is_not_there_is_told_as_cmd_does(lab: Lab) -> None:
    ran = session(lab).run_cmd("frobnicate", [])
    assert ran.status_code == 1
    assert b"is not recognized" in ran.std_err


def test_files_are_listed_and_read(lab: Lab) -> None:
    disk = lab.organization.disks["EX01"]
    disk.append("C:\\Logs\\Smtp Receive\\RECV1.LOG", "one\r\n")
    disk.append("c:\\logs\\smtp receive\\recv1.log", "two\r\n")
    disk.write("C:\\Logs\\Smtp Receive\\RECV2.LOG", "")
    ran = session(lab).run_cmd("dir", ["/b", "/o-n", '"C:\\LOGS\\Smtp Receive"'])
    assert ran.std_out == b"RECV2.LOG\r\nRECV1.LOG\r\n"
    ran = session(lab).run_cmd("type", ['"C:\\Logs\\Smtp Receive\\RECV1.LOG"'])
    assert ran.std_out == b"one\r\ntwo\r\n"
    assert session(lab).run_cmd("type", ["C:\\nothing"]).status_code == 1
    assert session(lab).run_cmd("dir", ["/b", "C:\\nothing"]).status_code == 1


@pytest.mark.parametrize("codepage", ["abc", "99999"])
def test_a_code_page_that_nobody_knows_is_a_fault(lab: Lab, codepage: str) -> None:
    protocol = session(lab).protocol
    with pytest.raises(Exception, match="parameter is incorrect"):
        protocol.open_shell(codepage=codepage)  # type: ignore[arg-type] # it is what a stranger sends


@pytest.mark.parametrize("user", ["reader", "nobody"])
def test_only_an_administrator_gets_a_shell(lab: Lab, user: str) -> None:
    with pytest.raises(Exception, match="Access is denied"):
        session(lab, user=user).run_cmd("wevtutil", ["qe", "Application"])


def test_a_reader_gets_the_events_through_the_endpoint_made_for_it(lab: Lab) -> None:
    wsman = WSMan(
        "127.0.0.1",
        port=lab.servers[0].port,
        path="wsman",
        ssl=False,
        auth="ntlm",
        username="CONTOSO\\reader",
        password=PASSWORD,
    )
    with wsman, RunspacePool(wsman, configuration_name="OrchestratorEvents") as pool:
        shell = PowerShell(pool)
        shell.add_cmdlet("wevtutil.exe")
        for argument in ("qe", "Application", "/q:*[System[EventRecordID=3]]", "/f:xml"):
            shell.add_argument(argument)
        shell.invoke()
        assert "d2.example" in "".join(shell.output)
        refused = PowerShell(pool)
        refused.add_cmdlet("wevtutil").add_argument("qe").add_argument("Nowhere")
        refused.invoke()
        assert "could not be found" in str(refused.streams.error[-1])


def test_what_a_shell_left_is_gone_with_it(lab: Lab) -> None:
    session(lab).run_cmd("wevtutil", ["qe", "Application"])
    assert lab.open_shells == 0


def test_a_cleared_log_begins_anew() -> None:
    log = EventLog("ex01.contoso.example", lambda: NOON)
    log.write("P", 1, ())
    log.clear()
    assert log.write("P", 2, ()).number == 1
    assert [one.id for one in log.records()] == [2]


def test_a_full_log_loses_its_oldest() -> None:
    log = EventLog("ex01.contoso.example", lambda: NOON, largest=2)
    for number in range(3):
        log.write("P", number, ())
    assert [one.number for one in log.records()] == [2, 3]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("*", [1, 2, 3]),
        ("*[System[(EventID>=11 and EventID<=12) or Level=4]]", [1, 2, 3]),
        ("*[System[Provider[@Name='A' or @Name='B'] and EventID!=12]]", [1]),
        ("*[System[TimeCreated[timediff(@SystemTime) <= 60000]]]", [3]),
        ("*[System[TimeCreated[@SystemTime>='2026-11-25T11:59:30.000000000Z']]]", [3]),
    ],
)
def test_queries_choose_as_documented(query: str, numbers: list[int]) -> None:
    log = EventLog("ex01.contoso.example", lambda: NOON)
    log.write("A", 11, (), at=NOON - timedelta(hours=2))
    log.write("B", 12, (), at=NOON - timedelta(hours=1))
    log.write("C", 13, (), at=NOON, level=4)
    test = compile_query(query)
    assert [one.number for one in log.records() if test(one, NOON)] == numbers


@pytest.mark.parametrize(
    "query",
    [
        "",
        "*[System]",
        "*[System[]]",
        "*[System[EventID]]",
        "*[System[EventID=x]]",
        "*[System[EventID=1]] or",
        "*[System[TimeCreated[@SystemTime>'yesterday']]]",
        "*[System[TimeCreated[@SystemTime>'2026-11-25T00:00:00']]]",
        "*[System[" + " or ".join(["EventID=1"] * 33) + "]]",
        "*[System[EventID # 1]]",
    ],
)
def test_queries_that_the_lab_does_not_take_are_refused(query: str) -> None:
    with pytest.raises(Invalid):
        compile_query(query)


@given(st.text('ab "\\', max_size=12))
def test_a_line_without_carets_is_left_to_the_program(line: str) -> None:
    assert bare(line) == line


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('a "b c" d', ["a", "b c", "d"]),
        (r'"a\\" b', ["a\\", "b"]),
        (r"a\"b", ['a"b']),
        ('^"a b^"', ["a b"]),
        ("a^&b", ["a&b"]),
        ('""', [""]),
        ("", []),
    ],
)
def test_lines_are_taken_apart_as_windows_does_it(line: str, found: list[str]) -> None:
    assert words(line) == found


def test_programs_are_not_chained() -> None:
    with pytest.raises(Beyond):
        words("a & b")
    assert split("a  b") == ["a", "b"]
