"""Live event logs: nothing twice, nothing missed, and no silence about what cannot be read."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.app import incidents
from orchestrator.app.logs import LogSeen, Wanted, read_logs
from orchestrator.core.command import Host
from orchestrator.core.errors import ConnectionLost, NotLetIn, Unreachable
from orchestrator.core.inventory import Organization, Server
from orchestrator.eventlog import live
from orchestrator.exchange.incident import Ledger
from orchestrator.lab import Lab, Options, parse_scenario
from tests.app.conftest import Desk

THREE = """
title: Three servers
description: Three servers with a log each, and people with different rights.
servers: [{name: EX01}, {name: EX02}, {name: EX03}]
receive_list: [fabrikam.com, northwindtraders.com]
users:
  - {name: ops}
  - {name: reader, local: event-log-reader}
"""
FRONT = "MSExchangeFrontEndTransport"
START = datetime(2026, 11, 25, 8, tzinfo=UTC)


@pytest.fixture
def lab() -> "Lab":
    """Three servers, and a clock that stands still until it is moved."""
    return Lab(parse_scenario(THREE))


def logged(lab: Lab, server: str, domain: str = "fabrikam.com", id_: int = 11012) -> None:
    """Log an event of a domain on the server's default connector."""
    strings = (domain, f"Default Frontend {server}")
    lab.organization.logs[server].write(FRONT, id_, strings)


def passes(desk: Desk) -> tuple[tuple[LogSeen, ...], Ledger]:
    """Read once as a pass does, record, and return what is known then."""
    place = desk.workplace
    organization = place.inventory.organizations[0]
    marks = incidents.load(place.store, organization.name).ledger.bookmarks
    seen = read_logs(place, organization, Wanted(bookmarks=marks))
    return seen, incidents.record_logs(place, organization.name, seen)[1]


def test_three_servers_are_read_side_by_side_into_one_incident(
    lab: Lab, open_desk: Callable[..., Desk]
) -> None:
    with lab:
        for server in ("EX01", "EX02", "EX03", "EX01"):
            logged(lab, server)
        logged(lab, "EX02", "northwindtraders.com", 11017)
        seen, ledger = passes(open_desk(lab))
        assert [(one.server, len(one.log.events) if one.log else None) for one in seen] == [
            ("ex01.contoso.example", 2),
            ("ex02.contoso.example", 2),
            ("ex03.contoso.example", 1),
        ]
        first, second = ledger.incidents
        assert (first.id, first.count) == ("contoso-fabrikam.com-1", 4)
        assert [one.connector for one in first.sightings] == [
            "ex01\\Default Frontend EX01",
            "ex02\\Default Frontend EX02",
            "ex03\\Default Frontend EX03",
        ]
        assert (second.domain, second.ids) == ("northwindtraders.com", (11017,))


def test_nothing_is_read_twice_and_nothing_is_missed(
    lab: Lab, open_desk: Callable[..., Desk]
) -> None:
    with lab:
        logged(lab, "EX01")
        desk = open_desk(lab)
        passes(desk)
        assert passes(desk)[1].incidents[0].count == 1
        logged(lab, "EX01")
        lab.organization.logs["EX01"].write("Somebody", 11012, ("fabrikam.com", "x"))
        assert passes(desk)[1].incidents[0].count == 2
        assert len(desk.workplace.store.read("incidents/contoso")) == 2


def test_a_log_of_many_pages_is_read_whole(
    lab: Lab, open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PAGE", 7)
    with lab:
        for _ in range(21):
            logged(lab, "EX02")
        assert passes(open_desk(lab))[1].incidents[0].count == 21


def test_a_pass_that_cannot_read_all_goes_on_where_it_ended(
    lab: Lab, open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PAGE", 2)
    monkeypatch.setattr(live, "PAGES", 2)
    with lab:
        for _ in range(7):
            logged(lab, "EX02")
        desk = open_desk(lab)
        seen, ledger = passes(desk)
        assert (ledger.incidents[0].count, seen[1].log and seen[1].log.more) == (4, True)
        assert passes(desk)[1].incidents[0].count == 7


def test_a_log_that_was_cleared_is_read_from_its_beginning(
    lab: Lab, open_desk: Callable[..., Desk]
) -> None:
    with lab:
        for _ in range(3):
            logged(lab, "EX01")
        desk = open_desk(lab)
        passes(desk)
        lab.organization.logs["EX01"].clear()
        logged(lab, "EX01")
        seen, ledger = passes(desk)
        assert seen[0].log is not None
        assert seen[0].log.began_anew
        assert ledger.incidents[0].count == 4
        assert passes(desk)[1].incidents[0].count == 4


def test_a_log_that_was_cleared_and_grew_past_the_bookmark_is_noticed_too(
    lab: Lab, open_desk: Callable[..., Desk]
) -> None:
    with lab:
        for _ in range(2):
            logged(lab, "EX01")
        desk = open_desk(lab)
        passes(desk)
        lab.organization.logs["EX01"].clear()
        for _ in range(5):
            logged(lab, "EX01")
        assert passes(desk)[1].incidents[0].count == 7


def test_records_that_were_overwritten_before_anybody_read_them_are_said(
    lab: Lab, open_desk: Callable[..., Desk]
) -> None:
    log = lab.organization.logs["EX01"]
    log.limit(3)
    with lab:
        logged(lab, "EX01")
        desk = open_desk(lab)
        passes(desk)
        for _ in range(6):
            logged(lab, "EX01")
        seen, ledger = passes(desk)
        assert seen[0].log is not None
        assert (seen[0].log.lost, seen[0].log.began_anew) == (True, False)
        assert ledger.incidents[0].count == 4


def test_an_empty_log_after_a_bookmark_is_no_loss_of_it(
    lab: Lab, open_desk: Callable[..., Desk]
) -> None:
    with lab:
        logged(lab, "EX01")
        desk = open_desk(lab)
        passes(desk)
        lab.organization.logs["EX01"].clear()
        assert passes(desk)[1].incidents[0].count == 1


def test_a_server_that_cannot_be_read_is_named_and_the_others_count(
    lab: Lab, open_desk: Callable[..., Desk]
) -> None:
    with lab:
        for server in ("EX01", "EX02", "EX03"):
            logged(lab, server)
        lab.kill("EX02")
        seen, ledger = passes(open_desk(lab))
        assert [type(one.error) for one in seen] == [type(None), Unreachable, type(None)]
        assert ledger.incidents[0].count == 2


def test_logs_are_read_over_https_and_only_from_servers_whose_certificate_is_trusted(
    open_desk: Callable[..., Desk],
) -> None:
    with Lab(parse_scenario(THREE), options=Options(https=True)) as lab:
        logged(lab, "EX01")
        text = lab.inventory_text(auth="basic", ssl=True)
        trusting = text.replace("    winrm:\n", f"    ca_file: {lab.ca_file}\n    winrm:\n")
        assert passes(open_desk(lab, text=trusting))[1].incidents[0].count == 1
        seen, _ = passes(open_desk(lab, text=text))
        assert {type(one.error) for one in seen} == {Unreachable}
        assert "TLS" in str(seen[0].error)


def test_an_event_log_reader_is_told_why_the_shell_stays_shut(
    lab: Lab, open_desk: Callable[..., Desk]
) -> None:
    with lab:
        text = lab.inventory_text(user="CONTOSO\\reader")
        seen, _ = passes(open_desk(lab, text=text))
        assert isinstance(seen[0].error, NotLetIn)
        assert "JEA" in seen[0].error.advice


def test_the_same_reader_gets_everything_through_the_endpoint_made_for_it(
    lab: Lab, open_desk: Callable[..., Desk]
) -> None:
    with lab:
        for _ in range(600):
            logged(lab, "EX03")
        text = lab.inventory_text(user="CONTOSO\\reader")
        text = text.replace("    winrm:\n", "    winrm:\n      configuration: OrchestratorEvents\n")
        desk = open_desk(lab, text=text)
        assert passes(desk)[1].incidents[0].count == 600
        logged(lab, "EX03")
        assert passes(desk)[1].incidents[0].count == 601


def test_an_endpoint_that_is_not_registered_is_named(
    lab: Lab, open_desk: Callable[..., Desk]
) -> None:
    with lab:
        text = lab.inventory_text().replace(
            "    winrm:\n", "    winrm:\n      configuration: Elsewhere\n"
        )
        seen, _ = passes(open_desk(lab, text=text))
        assert "Elsewhere" in str(seen[0].error)


def test_without_a_list_the_servers_are_those_that_exchange_names(
    open_desk: Callable[..., Desk],
) -> None:
    edge = THREE.replace("{name: EX03}", "{name: EDGE01, edge: true}")
    with Lab(parse_scenario(edge)) as lab:
        listed = f"    winrm: {{port: {lab.servers[0].port}}}\n"
        text = lab.inventory_text().partition("    winrm:")[0] + listed
        seen, _ = passes(open_desk(lab, text=text))
        assert [one.server for one in seen] == [
            "ex01.contoso.example",
            "ex02.contoso.example",
            "edge01.contoso.example",
        ]
        assert seen[0].log is not None
        assert "DMZ" in str(seen[2].error)


class Quitter:
    """A host that answers the first questions and then breaks off."""

    def __init__(self, host: Host, answers: int) -> None:
        self._host = host
        self._left = answers

    def run(self, program: str, arguments: Sequence[str]) -> bytes:
        """Answer, or break."""
        self._left -= 1
        if self._left < 0:
            raise ConnectionLost("the connection broke")
        return self._host.run(program, arguments)


def test_a_log_that_breaks_off_in_the_middle_is_read_again_from_the_same_bookmark(
    lab: Lab, open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PAGE", 2)
    with lab:
        for _ in range(5):
            logged(lab, "EX01")
        desk = open_desk(lab)
        place = desk.workplace

        def reach(organization: Organization, server: Server) -> Host:
            place.reach = None
            host = place.host(server, organization)
            place.reach = reach
            return Quitter(host, 2)

        place.reach = reach
        seen, ledger = passes(desk)
        assert isinstance(seen[0].error, ConnectionLost)
        assert ledger.incidents == ()
        place.reach = None
        assert passes(desk)[1].incidents[0].count == 5


class Cutter:
    """A host whose first answer ends in the middle of its last event."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._cut = False

    def run(self, program: str, arguments: Sequence[str]) -> bytes:
        """Answer, the first time not to the end."""
        output = self._host.run(program, arguments)
        if self._cut:
            return output
        self._cut = True
        return output[: output.rindex(b"<EventData>") + 20]


def test_an_event_that_came_half_is_named_and_asked_for_again(
    lab: Lab, open_desk: Callable[..., Desk]
) -> None:
    with lab:
        for _ in range(3):
            logged(lab, "EX01")
        desk = open_desk(lab)
        place = desk.workplace

        def reach(organization: Organization, server: Server) -> Host:
            place.reach = None
            host = place.host(server, organization)
            place.reach = reach
            return Cutter(host) if server.name.startswith("ex01") else host

        place.reach = reach
        seen, ledger = passes(desk)
        assert seen[0].log is not None
        assert len(seen[0].log.damages) == 1
        assert ledger.incidents[0].count == 2
        place.reach = None
        assert passes(desk)[1].incidents[0].count == 3


def test_two_readers_side_by_side_count_once(lab: Lab, open_desk: Callable[..., Desk]) -> None:
    with lab:
        for _ in range(3):
            logged(lab, "EX01")
        desk = open_desk(lab)
        place, organization = desk.workplace, desk.workplace.inventory.organizations[0]
        one = read_logs(place, organization, Wanted())
        logged(lab, "EX01")
        other = read_logs(place, organization, Wanted())
        for seen in (one, other, one):
            _, ledger = incidents.record_logs(place, organization.name, seen)
        assert ledger.incidents[0].count == 4


def test_looking_back_takes_what_came_since_then(lab: Lab, open_desk: Callable[..., Desk]) -> None:
    with lab:
        log = lab.organization.logs["EX01"]
        for hours in (5, 1):
            at = datetime.now(UTC) - timedelta(hours=hours)
            log.write(FRONT, 11012, ("fabrikam.com", "Default Frontend EX01"), at=at)
        desk = open_desk(lab)
        place, organization = desk.workplace, desk.workplace.inventory.organizations[0]
        since = datetime.now(UTC) - timedelta(hours=2)
        seen = read_logs(place, organization, Wanted(since=since))
        assert seen[0].log is not None
        assert len(seen[0].log.events) == 1
