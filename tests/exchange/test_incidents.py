"""What many events of one domain add up to, and what becomes of it."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator.app import incidents as store
from orchestrator.core.errors import JournalDamaged
from orchestrator.exchange import incident as subject
from orchestrator.exchange.event import RawEvent, interpret
from orchestrator.exchange.incident import (
    Bookmark,
    FileRead,
    Happening,
    IncidentAnswered,
    IncidentClosed,
    Ledger,
    LogRead,
    Sighting,
    WordGiven,
    evolve,
    merge,
    sighting,
)
from tests.exchange.sample import NOW

FRONT = "MSExchangeFrontEndTransport"
GOLDEN = Path(__file__).parents[1] / "core" / "golden" / "incidents-1.jsonl"


def seen(
    domain: str = "fabrikam.com", connector: str = "EX01\\From Fabrikam", **more: object
) -> Sighting:
    """One event a minute ago, unless it is said otherwise."""
    known = Sighting(11012, FRONT, domain, connector, "ex01.contoso.example", first=NOW, last=NOW)
    return replace(known, **more)


def ledger(*events: Happening) -> Ledger:
    """What is known after *events*."""
    found = Ledger("contoso")
    for event in events:
        found = evolve(found, event)
    return found


def read(*sightings: Sighting, record: int = 1) -> LogRead:
    return LogRead(at=NOW, server="ex01", bookmark=Bookmark(record, NOW), sightings=sightings)


def test_an_event_is_a_sighting_of_where_it_was_read() -> None:
    raw = RawEvent(FRONT, 11012, "EX01.contoso.example", NOW, data=("Fabrikam.com", "C"))
    event = interpret(raw)
    assert event is not None
    found = sighting(event, "a.xml")
    assert (found.domain, found.connector, found.server) == (
        "Fabrikam.com",
        "EX01\\C",
        "EX01.contoso.example",
    )
    assert (found.origins, found.count, found.first, found.last) == (("a.xml",), 1, NOW, NOW)
    nameless = interpret(replace_data(raw))
    assert nameless is not None
    assert sighting(nameless, "a.xml").connector == "C"


def replace_data(raw: RawEvent) -> RawEvent:
    return RawEvent(raw.provider, raw.id, "", raw.at, data=raw.data)


def test_sightings_of_one_connector_are_one_and_the_latest_speaks() -> None:
    later = NOW + timedelta(minutes=20)
    newer = seen(last=later, first=later, details=(("status", "new"),), origins=("b",))
    undated = seen(first=None, last=None, connector="ex01\\from fabrikam", origins=("c",))
    for order in ((seen(origins=("a",)), newer, undated), (newer, undated, seen(origins=("a",)))):
        (found,) = merge(order)
        assert (found.count, found.first, found.last) == (3, NOW, later)
        assert dict(found.details) == {"status": "new"}
        assert set(found.origins) == {"a", "b", "c"}
    others = (seen(id=11017), seen(server="ex02"), seen("adatum.com"))
    assert len(merge((seen(), *others))) == 4


def test_without_any_time_there_is_no_first_and_no_last() -> None:
    (found,) = merge((seen(first=None, last=None), seen(first=None, last=None)))
    (incident,) = ledger(read(found)).incidents
    assert (incident.first, incident.last, incident.count) == (None, None, 2)


def test_events_of_a_domain_join_its_open_incident_in_whatever_form_it_is_written() -> None:
    found = ledger(read(seen("Bücher.example")), read(seen("xn--bcher-kva.example", id=11017)))
    (incident,) = found.incidents
    assert (incident.id, incident.ids) == ("contoso-xn--bcher-kva.example-1", (11012, 11017))
    assert [one.id for one in incident.of(11017)] == [11017]
    assert found.open_of("BÜCHER.example") == incident
    assert found.find(incident.id) == incident
    assert (found.find("nothing"), found.open_of("else.example")) == (None, None)


def test_after_the_end_of_an_incident_an_event_opens_another() -> None:
    name = "contoso-fabrikam.com-1"
    found = ledger(
        read(seen()),
        IncidentAnswered(at=NOW, incident=name, run="r/contoso"),
        WordGiven(at=NOW, incident=name, actor="ann@jump", word="called them"),
        IncidentClosed(at=NOW, incident=name, reason="mended"),
        read(seen(), record=2),
    )
    first, second = found.incidents
    assert (first.runs, first.closed) == (("r/contoso",), "mended")
    assert first.words == ("2026-11-23 09:00 UTC ann@jump: called them",)
    assert (second.id, second.closed) == ("contoso-fabrikam.com-2", "")


def test_what_names_no_domain_is_kept_as_evidence() -> None:
    found = ledger(read(seen("", id=12014)), read(seen("", id=12014)))
    assert ([one.count for one in found.evidence], found.incidents) == ([2], ())


def test_another_domain_on_a_connector_is_known_also_when_its_incident_is_over() -> None:
    found = ledger(
        read(seen(), seen("woodgrove.example")),
        IncidentClosed(at=NOW, incident="contoso-woodgrove.example-1", reason="x"),
        read(seen("adatum.com", "EX02\\Other")),
    )
    assert found.others_on("ex01\\FROM FABRIKAM", "Fabrikam.com") == ("woodgrove.example",)


def test_a_stranger_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "LARGEST", 2)
    found = ledger(
        read(*(seen(f"d{number}.example", count=2) for number in range(4))),
        read(*(seen("d0.example", f"EX01\\C{number}") for number in range(4))),
        read(*(seen("", f"EX01\\C{number}") for number in range(4))),
    )
    assert [len(one.sightings) for one in found.incidents] == [2, 1]
    assert (found.beyond, len(found.evidence)) == (7, 2)


def test_a_file_and_a_bookmark_are_remembered() -> None:
    found = ledger(FileRead(at=NOW, digest="d", sightings=(seen(),)), read(record=7))
    assert found.digests == {"d"}
    assert found.bookmarks == {"ex01": Bookmark(7, NOW)}


EVENTS: tuple[Happening, ...] = (
    read(seen(details=(("domain", "fabrikam.com"),), origins=("ex01",), incomplete=("x",))),
    FileRead(at=NOW, digest="d", sightings=(seen(),)),
    IncidentAnswered(at=NOW, incident="contoso-fabrikam.com-1", run="20261123-090000-abcd/contoso"),
    WordGiven(at=NOW, incident="contoso-fabrikam.com-1", actor="ann@jump", word="called"),
    IncidentClosed(at=NOW, incident="contoso-fabrikam.com-1", reason="mended"),
)


def test_what_was_recorded_by_this_release_is_read_by_every_later_one() -> None:
    lines = GOLDEN.read_bytes().splitlines()
    assert tuple(map(store.decode, lines)) == EVENTS
    assert [store.encode(event) for event in EVENTS] == lines


@pytest.mark.parametrize("payload", [b"{", b"{}", b'{"schema": 2, "event": {}}', b"\xff"])
def test_what_cannot_be_read_is_damage(payload: bytes) -> None:
    with pytest.raises(JournalDamaged):
        store.decode(payload)
