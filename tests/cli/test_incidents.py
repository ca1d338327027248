"""``orchestrator events`` on live servers, and the incidents that come of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.cli.events import beginning
from orchestrator.core.errors import UsageError
from tests.cli.door import Door
from tests.exchange.sample import NOW

FRONT = "MSExchangeFrontEndTransport"


def logged(door: Door, server: str, domain: str = "fabrikam.com") -> None:
    """Have a server log an 11012."""
    door.lab.organization.logs[server].write(FRONT, 11012, (domain, "From Fabrikam"))


def test_live_events_are_shown_and_open_an_incident(door: Door) -> None:
    logged(door, "EX01")
    logged(door, "EX02")
    answer = door("events")
    assert answer.code == 0
    assert "contoso-fabrikam.com-1: opened with 2 events" in answer.words
    assert "ex02.contoso.example: Application log, 1 event, 1 of the family" in answer.words
    assert door("events").words.startswith("No event of Domain Security was found.")
    logged(door, "EX01")
    assert "contoso-fabrikam.com-1: joined by 1 event" in door("events").words


def test_an_incident_is_listed_shown_annotated_and_closed(door: Door) -> None:
    logged(door, "EX01")
    door("events")
    listed = door("incidents", "list", "--output", "json").document["incidents"]
    assert [(one["id"], one["state"], one["count"]) for one in listed] == [
        ("contoso-fabrikam.com-1", "open", 1)
    ]
    assert door("incidents", "note", "fabrikam.com", "Told them by telephone").code == 0
    shown = door("incidents", "show", "fabrikam.com").words
    assert "11012 MessageNotAuthenticatedTlsNotStarted on ex01\\From Fabrikam" in shown
    assert "Told them by telephone" in shown
    assert door("incidents", "close", "contoso-fabrikam.com-1", "--reason", "mended").code == 0
    assert "No incident is recorded." in door("incidents", "list").words
    assert "closed already" in door("incidents", "close", listed[0]["id"], "--reason", "x").words
    logged(door, "EX01")
    assert "contoso-fabrikam.com-2: opened with 1 event" in door("events").words
    everything = door("incidents", "list", "--all").words
    assert "contoso-fabrikam.com-1" in everything


def test_an_incident_that_is_not_there_is_a_clear_error(door: Door) -> None:
    logged(door, "EX01")
    door("events")
    answer = door("incidents", "show", "contoso-fabrikam.com-11")
    assert answer.code == 2
    assert "Did you mean 'contoso-fabrikam.com-1'?" in answer.words
    assert door("incidents", "note", "fabrikam.com", " ").code == 2


def test_a_server_that_is_down_is_named_and_no_silence_is_kept(door: Door) -> None:
    logged(door, "EX01")
    door.lab.kill("EX02")
    answer = door("events")
    assert answer.code == 8
    assert "ex02.contoso.example" in answer.words
    assert "opened with 1 event" in answer.words


def test_looking_back_records_nothing(door: Door) -> None:
    logged(door, "EX01")
    for way in (("--all",), ("--since", "1h")):
        answer = door("events", *way, "--output", "json").document
        assert (len(answer["events"]), answer["incidents"]) == (1, [])
    assert not (door.folder / "store").exists()
    assert door("events", "--since", "soon").code == 2
    assert door("events", "--all", "--file", "x").code == 2


def test_an_exported_log_is_recorded_once(door: Door) -> None:
    file = str(Path("tests/eventlog/data/list.xml").resolve())
    first = door("events", "--file", file, "--limit", "contoso", "--output", "json").document
    assert {one["domain"] for one in first["incidents"]} == {"fabrikam.com"}
    again = door("events", "--file", file, "--limit", "contoso", "--output", "json").document
    assert again["incidents"] == []


def test_events_of_files_belong_to_one_organization(open_door: Callable[..., Door]) -> None:
    door = open_door("default", organizations=2)
    file = str(Path("tests/eventlog/data/list.xml").resolve())
    assert door("events", "--file", file, "--limit", "all").code == 2


@pytest.mark.parametrize("text", ["2x", "tomorrow", "-1h", "2026-13-01"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        beginning(text, NOW)
