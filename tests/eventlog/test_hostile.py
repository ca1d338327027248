"""Files made to do harm, or cut and mangled: bounded time and memory, and no surprise."""

import io
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core.errors import ConfigurationError
from orchestrator.eventlog import Damage, Entry, Source, read_events
from orchestrator.exchange.event import RawEvent, interpret
from tests.eventlog.test_forms import DATA

EVENT = (DATA / "wevtutil.xml").read_text(encoding="utf-8").splitlines()[0]
MEBIBYTE = 1024 * 1024


def read(content: bytes | str) -> list[Entry]:
    """Return what comes of *content*."""
    raw = content.encode() if isinstance(content, str) else content
    return list(read_events(Source(io.BytesIO(raw), "a stream", None)).entries)


def events(content: bytes | str) -> list[RawEvent]:
    """Return the events of *content*."""
    return [entry for entry in read(content) if isinstance(entry, RawEvent)]


def damages(content: bytes | str) -> list[str]:
    """Return what could not be read of *content*."""
    return [entry.reason for entry in read(content) if isinstance(entry, Damage)]


def test_an_event_larger_than_any_can_be_ends_the_reading() -> None:
    large = EVENT.replace("fabrikam.com", "x" * 2 * MEBIBYTE)
    content = f"<Events>{EVENT}{large}{EVENT}</Events>"
    assert len(events(content)) == 1
    assert damages(content) == ["event 2 is larger than any event can be"]


@pytest.mark.parametrize(("begin", "end"), [("<![CDATA[", "]]>"), ("<!--", "-->"), ("<?a ", "?>")])
def test_what_an_event_quotes_is_no_event(begin: str, end: str) -> None:
    quoting = EVENT.replace("11012", "1").replace("fabrikam.com", begin + EVENT * 3 + end)
    for text in (quoting, quoting.replace("</Data>", "</Data><a></b>", 1)):
        found = events(f"<Events>{text}{EVENT}</Events>")
        assert [event.id for event in found][-1:] == [11012]
        assert len([event for event in found if event.id == 11012]) == 1
    open_ended = EVENT.replace("11012", "1").replace("fabrikam.com", begin + EVENT * 5)
    [found_last] = events(f"<Events>{open_ended}")
    assert found_last.id == 1
    assert found_last.faults


def test_an_event_that_never_ends_is_refused() -> None:
    for endless in ("<Event>" + "<a>" * MEBIBYTE, "<Event><!--" + EVENT * 5000):
        assert not events(endless)
        assert damages(endless)


def test_a_file_of_which_all_is_broken_is_given_up() -> None:
    content = "<Events>" + "<Event><System></Event>" * 5000 + "</Events>"
    assert len(damages(content)) < 150
    assert "too much of it is broken" in damages(content)[-1]


def test_objects_that_are_no_events_are_given_up() -> None:
    for content in ('{"a": 1}\n' * 5000, "[" + '"a",\n' * 5000, "Id,b\n" + "x,y\n" * 5000):
        assert 90 < len(damages(content)) < 150
        assert "the rest was not read" in damages(content)[-1]


def test_values_inside_one_another_are_given_up() -> None:
    assert "inside one another" in damages('{"a":' * 5000)[-1]
    assert "inside one another" in damages('{"a":[' + "[" * 5000)[-1]


def test_a_value_larger_than_any_answer_is_refused() -> None:
    assert "16 MiB" in damages('{"a": "' + "x" * 40 * MEBIBYTE)[-1]


def test_a_row_or_a_cell_larger_than_any_event_is_refused() -> None:
    head = "Id,ProviderName,Message\n"
    for rest in ('"' + "x\n" * MEBIBYTE, "x" * 3 * MEBIBYTE, '"a\n",' * MEBIBYTE):
        assert damages(head + rest)
        assert not events(head + rest)


def test_a_description_larger_than_any_event_is_refused() -> None:
    head = "Log Name: Application\nSource: MSExchangeTransport\nEvent ID: 11012\nDescription:\n"
    assert "larger than any event" in damages(head + "words\n" * MEBIBYTE)[-1]


def test_an_object_of_clixml_that_never_ends_is_refused() -> None:
    objs = '<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    assert "larger than any event" in damages(objs + "<Obj><MS>" + "<S>a</S>" * MEBIBYTE)[-1]
    assert "not well-formed" in damages(objs + "<Obj></Nil>")[-1]
    assert damages(objs + "<S>text</S></Objs>") == ["it is not an event"]


def test_what_a_collector_hides_in_a_text_is_bounded_too() -> None:
    base = (
        '{"Source": "MSExchangeTransport", "EventID": 11012, "Computer": "EX01", "EventData": %s}'
    )
    bomb = '"<!DOCTYPE x [<!ENTITY a \\"b\\">]><Data>&a;</Data>"'
    for data in (bomb, '"' + "[" * 50_000 + '"', '"<Data>cut off"', "12", '{"a": null}', "true"):
        [event] = events(base % data)
        assert event.provider == "MSExchangeTransport"


@pytest.mark.parametrize("number", ["٣", "²", "1" * 30, "-1", "11012.0", "", "0x2B04"])
def test_ids_that_are_no_numbers_are_no_events_of_ours(number: str) -> None:
    found = events(EVENT.replace(">11012<", f">{number}<"))
    assert not [event for event in found if interpret(event)]


def _mangled(content: bytes, luck: random.Random) -> Iterator[bytes]:
    for _ in range(30):
        at, length = luck.randrange(len(content)), luck.randrange(1, 40)
        piece = luck.randbytes(length)
        yield content[:at] + piece + content[at + length :]
        yield content[:at] + content[at + length :]
        yield content[:at]
        yield content[:at] + content[at : at + length] * luck.randrange(2, 50) + content[at:]


@pytest.mark.parametrize("path", sorted(DATA.iterdir()), ids=lambda path: path.name)
def test_a_mangled_file_is_read_or_refused(path: Path) -> None:
    luck = random.Random(path.name)  # noqa: S311 - repeatable, not secret
    for content in _mangled(path.read_bytes(), luck):
        try:
            entries = read(content)
        except ConfigurationError as error:
            assert error.file == "a stream"  # noqa: PT017 - one of two ways that are right
            continue
        for entry in entries:
            if isinstance(entry, RawEvent):
                interpret(entry)


_MEASURE = """
import io, sys, resource
from orchestrator.eventlog import Source, read_events
from orchestrator.exchange.event import interpret
from orchestrator.exchange.tally import Tally

class Endless(io.RawIOBase):
    def __init__(self, head, piece, tail, times):
        self.parts = iter([head, *[piece] * times, tail]); self.rest = b""
    def read(self, size=-1):
        while len(self.rest) < size:
            more = next(self.parts, None)
            if more is None: break
            self.rest += more
        given, self.rest = self.rest[:size], self.rest[size:]
        return given

def run(times):
    tally = Tally(); read = 0
    head, piece, tail = (part.encode() for part in sys.argv[1:])
    source = Source(Endless(head, piece, tail, times), "a stream", None)
    for entry in read_events(source).entries:
        read += 1
        event = interpret(entry)
        tally.add(event)
    return read

few = run(200)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
many = run(20000)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(few, many, after - before)
"""

_JSON = (DATA / "winevent-lines.json").read_text(encoding="utf-8").splitlines()[0] + "\n"
_CSV = '"1","MSExchangeTransport","11012","words\nand more"\n'


@pytest.mark.skipif(sys.platform == "win32", reason="it measures with the resource module")
@pytest.mark.parametrize(
    ("head", "piece", "tail"),
    [
        ("<Events>", EVENT, "</Events>"),
        ("", _JSON, ""),
        ("RecordId,Source,EventID,Message\n", _CSV, ""),
    ],
    ids=["xml", "json", "csv"],
)
def test_a_hundred_times_the_events_take_no_more_memory(head: str, piece: str, tail: str) -> None:
    ended = subprocess.run(  # noqa: S603 - this interpreter, with a script of ours
        [sys.executable, "-c", _MEASURE, head, piece, tail],
        capture_output=True,
        text=True,
        check=True,
    )
    few, many, kibibytes = map(int, ended.stdout.split())
    assert (few, many) == (200, 20000)
    assert kibibytes < 4096


def test_half_a_character_in_json_is_a_character_that_was_lost() -> None:
    [event] = events(json.dumps({"RawXml": EVENT.replace("fabrikam", "fabri\ud800kam")}))
    found = interpret(event)
    assert found is not None
    assert found.incomplete == ("domain: characters of it were lost",)
    row = {"Id": 11012, "ProviderName": "MSExchangeTransport", "Message": "\ud83d\ude00\udc00"}
    assert [each.message for each in events(json.dumps(row))] == ["\U0001f600\ufffd"]


def test_a_number_with_a_separator_of_records_behind_it_is_a_number() -> None:
    [event] = events('Id,ProviderName\n"11012\x1e",MSExchangeTransport\n')
    assert event.id == 11012


@pytest.mark.parametrize(
    "line", [" " * 500_000, "> " * 250_000, "Source" + " " * 500_000, "a" * 500_000]
)
def test_a_long_line_of_text_takes_no_longer_than_many_short_ones(line: str) -> None:
    begun = time.process_time()
    [event] = events(f"Source: MSExchangeTransport\nEvent ID: 11012\n{line}\n")
    assert time.process_time() - begun < 1
    assert event.id == 11012
