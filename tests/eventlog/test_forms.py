"""Every form in which events are kept: one file each in data/, and what has to come of it."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator.core.errors import ConfigurationError
from orchestrator.eventlog import Damage, Source, open_source, read_events
from orchestrator.eventlog.evtx import read as read_evtx
from orchestrator.eventlog.source import LARGEST_FILE, Broken
from orchestrator.exchange.event import RawEvent, SecurityEvent, interpret
from tests.eventlog.evtx import Event, Node, evtx

DATA = Path(__file__).parent / "data"
FIRST = r"11012 fabrikam.com EX01\Default Frontend EX01 2026-11-12T14:14:15"
UNTIMED = FIRST.rpartition(" ")[0] + " -"
BARE = "11012 - - -"
SECOND = r"11012 fabrikam.com EX01\Default Frontend EX01 2026-11-12T14:30:15"

WHOLE = {
    "single.xml": ("event XML", FIRST),
    "list.xml": (
        "event XML",
        FIRST,
        r"11012 fabrikam.com EX02\From Fabrikam 2026-11-12T14:29:20",
    ),
    "wevtutil.xml": ("event XML", FIRST, SECOND),
    "rendered.xml": ("event XML", FIRST),
    "no-namespace.xml": ("event XML", FIRST),
    "bom.xml": ("event XML", FIRST),
    "utf16.xml": ("event XML", r"11012 müller.example EX01\Von Müller 2026-11-12T14:14:15"),
    "latin.xml": ("event XML", r"11012 fabrikam.com EX01\Von Müller 2026-11-12T14:14:15"),
    "forwarded.xml": (
        "event XML",
        r"11012 fabrikam.com EX07\Default Frontend EX01 2026-11-12T14:14:15",
    ),
    "string-array.xml": ("event XML", FIRST),
    "control.xml": ("event XML", FIRST, SECOND),
    "paste-en.txt": ("text with field labels", FIRST),
    "paste-de-xml.txt": ("text with field labels", FIRST),
    "winevent.json": ("JSON", FIRST),
    "winevent-array.json": ("JSON", FIRST, SECOND),
    "winevent-lines.json": ("JSON", FIRST.replace("14:15", "10:15"), SECOND),
    "eventlog.json": ("JSON", FIRST),
    "eventlog-instance.json": ("JSON", FIRST),
    "winlogbeat.ndjson": (
        "JSON",
        FIRST,
        SECOND,
        r"11012 fabrikam.com EX01\From Fabrikam 2026-11-12T14:45:15",
    ),
    "elastic-hits.json": ("JSON", FIRST),
    "nxlog-xml.json": ("JSON", FIRST),
    "azure.json": ("JSON", FIRST, FIRST, FIRST),
    "azure-tables.json": ("JSON", FIRST),
    "azure-diagnostics.json": ("JSON", FIRST),
    "evtx-dump.json": ("JSON", FIRST),
    "winevent-toxml.json": ("JSON", FIRST, SECOND),
    "winevent-toxml-lines.json": ("JSON", FIRST, SECOND),
    "elastic-fields.json": ("JSON", FIRST),
    "elastic-agent.ndjson": ("JSON", FIRST),
    "nxlog-data.json": ("JSON", FIRST),
    "azure-records.json": ("JSON", FIRST),
    "fluentd.json": ("JSON", FIRST),
    "xml-attributes.json": ("JSON", FIRST, SECOND),
    "joined-negative.xml": ("event XML", FIRST),
    "winevent.clixml": ("CLIXML", FIRST.replace("14:14", "14:31"), FIRST.replace("14:14", "14:32")),
    "eventlog.clixml": ("CLIXML", FIRST),
    "none.xml": ("event XML",),
}
"""Files in which nothing is missing."""

PARTIAL = {
    "paste-en-sentence.txt": (UNTIMED,),
    "paste-no-heading.txt": (UNTIMED,),
    "paste-two.txt": (UNTIMED, UNTIMED.replace("EX01\\", "EX02\\")),
    "paste-half-sentence.txt": (BARE,),
    "paste-de.txt": (BARE,),
    "paste-de-1252.txt": (BARE,),
    "paste-fr.txt": (BARE,),
    "paste-fr-1252.txt": (BARE,),
    "paste-es.txt": (BARE,),
    "paste-it.txt": (BARE,),
    "paste-ja.txt": (BARE,),
    "format-list.txt": ("11012 fabrikam.com - -",),
    "eventlog-list.txt": (UNTIMED,),
    "wevtutil.txt": (UNTIMED, SECOND),
    "splunk.json": (FIRST,),
    "winevent-shallow.json": ("11012 - - 2026-11-12T14:14:15",),
    "winevent-shallow.clixml": (FIRST.replace("14:14", "14:31"),),
    "nxlog.json": (UNTIMED, SECOND),
    "wazuh.json": (
        FIRST,
        r"11012 fabrikam.com EX01\From Fabrikam, Inc. 2026-11-12T14:14:15",
        "11011 - - 2026-11-12T14:14:15",
    ),
    "winevent.csv": (UNTIMED, BARE),
    "eventlog.csv": (UNTIMED, BARE),
    "azure.csv": (UNTIMED,),
    "viewer-de.csv": (BARE,),
    "viewer-en.tsv": ("11012 fabrikam.com - -",),
    "cut.xml": (FIRST, "11012 - - 2026-11-12T14:14:15"),
    "cut.json": (FIRST,),
    "broken-one.xml": (FIRST,),
    "gaps.xml": (
        "11012 - - 2026-11-12T14:14:15",
        "11012 fabrikam.com - 2026-11-12T14:14:15",
        "11012 fabrikam.com - 2026-11-12T14:14:15",
        "11012 fabrikam.com - 2026-11-12T14:14:15",
        r"11012 not a domain EX01\Default Frontend EX01 2026-11-12T14:14:15",
        UNTIMED,
        "11012 fabrikam.com - 2026-11-12T14:14:15",
        "11012 fabrikam.com EX01\\Von M\ufffdller 2026-11-12T14:14:15",
    ),
}
"""Files in which something is missing, broken, or not to be trusted."""


def found_in(path: Path) -> tuple[str, list[SecurityEvent], list[RawEvent], list[Damage]]:
    """Return the form of a file, its events of the family, all its events, and its damages."""
    with open_source(str(path)) as source:
        reading = read_events(source)
        entries = list(reading.entries)
    raw = [entry for entry in entries if isinstance(entry, RawEvent)]
    damages = [entry for entry in entries if isinstance(entry, Damage)]
    events = [event for event in map(interpret, raw) if event is not None]
    return reading.form.name, events, raw, damages


def said(events: Sequence[SecurityEvent]) -> tuple[str, ...]:
    """Return each event as its id, domain, connector and time."""
    return tuple(
        f"{event.id} {event.domain or '-'} {event.connector or '-'} "
        f"{event.at.strftime('%Y-%m-%dT%H:%M:%S') if event.at else '-'}"
        for event in events
    )


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_is_read_without_a_doubt(name: str) -> None:
    form, events, _, damages = found_in(DATA / name)
    assert (form, *said(events)) == WHOLE[name]
    assert not damages
    assert not [event.incomplete for event in events if event.incomplete]
    assert all(event.written for event in events)


@pytest.mark.parametrize("name", PARTIAL)
def test_what_is_missing_in_a_file_is_not_guessed(name: str) -> None:
    _, events, _, damages = found_in(DATA / name)
    assert said(events) == PARTIAL[name]
    doubts = [event for event in events if event.incomplete or event.from_sentence]
    assert doubts or damages
    for event in events:
        assert event.incomplete or (event.domain and event.connector and event.at)


def test_every_file_of_the_data_is_in_a_table() -> None:
    others = {
        "paste-quote.txt",
        "family.xml",
        "decoys.xml",
        "decoys.json",
        "unrelated.json",
        "entities.xml",
    }
    assert {path.name for path in DATA.iterdir()} == {*WHOLE, *PARTIAL, *others}


def test_other_events_of_the_family_are_what_they_are() -> None:
    _, events, _, damages = found_in(DATA / "family.xml")
    assert not damages
    assert [(event.id, event.domain, event.connector) for event in events] == [
        (11011, "fabrikam.com", r"EX01\From Fabrikam"),
        (11014, "fabrikam.com", "To Fabrikam"),
        (11018, "fabrikam.com", r"EX01\From Fabrikam"),
        (11021, "fabrikam.com", r"EX01\From Fabrikam"),
        (11022, "contoso.mail.onmicrosoft.com", r"EX01\Default Frontend EX01"),
        (12014, "", r"EX01\Default Frontend EX01"),
        (12016, "", ""),
        (12018, "", ""),
    ]
    assert not any(event.remediable or event.incomplete for event in events)
    assert events[0].details["status"] == "CertificateExpired"


@pytest.mark.parametrize("name", ["decoys.xml", "decoys.json"])
def test_what_only_looks_like_an_11012_is_none(name: str) -> None:
    _, events, raw, _ = found_in(DATA / name)
    assert len(raw) > 4
    assert not events


def test_an_event_quoted_in_the_description_of_another_is_none() -> None:
    _, events, raw, damages = found_in(DATA / "paste-quote.txt")
    assert [(event.provider, event.id) for event in raw] == [("Scribe", 1)]
    assert not events
    assert not damages


def test_a_broken_event_costs_itself_alone() -> None:
    _, events, _, [damage] = found_in(DATA / "broken-one.xml")
    assert damage.place == "event 1"
    assert [event.record for event in events] == [81232]


def test_a_document_type_declaration_is_never_read() -> None:
    _, events, raw, [damage] = found_in(DATA / "entities.xml")
    assert not events
    assert not raw
    assert "not well-formed" in damage.reason


def test_objects_of_no_known_shape_are_no_events() -> None:
    _, _, raw, damages = found_in(DATA / "unrelated.json")
    assert not raw
    assert [damage.place for damage in damages] == ["value 1", "value 2"]


def _event(domain: str, connector: str, provider: str = "MSExchangeTransport") -> Event:
    system: Node = (
        "System",
        {},
        [
            ("Provider", {"Name": provider}, ""),
            ("EventID", {"Qualifiers": "49156"}, "11012"),
            ("TimeCreated", {"SystemTime": "2026-11-12T14:14:15.000000000Z"}, ""),
            ("EventRecordID", {}, "7"),
            ("Computer", {}, "EX01.contoso.com"),
        ],
    )
    return system, (domain, connector)


def test_a_log_file_of_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "Application.evtx"
    events_written = [
        _event("fabrikam.com", "Default Frontend EX01"),
        _event("a.example", "B", "Scribe"),
    ]
    path.write_bytes(evtx(events_written))
    form, events, raw, damages = found_in(path)
    assert form == "event log file (.evtx)"
    assert said(events) == (FIRST,)
    assert len(raw) == 2
    assert not damages


def test_a_damaged_log_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "Application.evtx"
    content = bytearray(evtx([_event("fabrikam.com", "Default Frontend EX01")]))
    content[4096 + 512 + 40 : 4096 + 512 + 60] = b"\xff" * 20
    path.write_bytes(content)
    _, events, _, damages = found_in(path)
    assert not events
    assert damages


def test_a_cut_log_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "Application.evtx"
    path.write_bytes(evtx([_event("fabrikam.com", "Default Frontend EX01")])[:100])
    _, events, _, damages = found_in(path)
    assert not events
    assert damages


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x00" * 5000, b"<html></html>", b"a,b\n1,2\n", b"PK\x03\x04"]
)
def test_a_file_of_an_unknown_form_says_what_was_tried(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        found_in(path)
    assert "empty" in caught.value.message or "event XML, JSON, CSV" in caught.value.message
    assert caught.value.advice


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    for name in (tmp_path / "missing", tmp_path):
        with pytest.raises(ConfigurationError):
            found_in(name)


def test_a_log_file_that_its_reader_never_comes_back_from_is_given_up(tmp_path: Path) -> None:
    content = bytearray(evtx([_event("fabrikam.com", "Default Frontend EX01")]))
    here, there = 65000, 65100
    # Two names of the chunk's table of strings, each the next of the other.
    content[4096 + 128 : 4096 + 132] = here.to_bytes(4, "little")
    content[4096 + here : 4096 + here + 4] = there.to_bytes(4, "little")
    content[4096 + there : 4096 + there + 4] = here.to_bytes(4, "little")
    path = tmp_path / "Application.evtx"
    path.write_bytes(content)
    with open_source(str(path)) as source, pytest.raises(Broken, match=r"within 0\.5 seconds"):
        list(read_evtx(source, patience=0.5))


def test_a_log_file_comes_through_standard_input() -> None:
    content = evtx([_event("fabrikam.com", "Default Frontend EX01")])
    source = Source(io.BytesIO(content), "standard input", None)
    [event] = read_events(source).entries
    assert isinstance(event, RawEvent)
    assert event.data == ("fabrikam.com", "Default Frontend EX01")


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.xml"
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(ConfigurationError, match="larger than 2 GiB"):
        found_in(path)
