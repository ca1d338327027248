"""JSON: one object, an array, one object after the other, or what wraps events in either.

ConvertTo-Json, winlogbeat, NXLog, Wazuh, Azure: which fields are what, ``fields`` knows.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from orchestrator.eventlog.damage import MOST, Damage, Entry
from orchestrator.eventlog.fields import describe
from orchestrator.eventlog.insertion import decoded
from orchestrator.eventlog.source import Broken, Source
from orchestrator.eventlog.xml import single

LARGEST: Final = 16 * 1024**2
"""Characters of one value: a query's answer wraps many events into one."""

DEEPEST: Final = 64

_TOKEN = re.compile(r'"(?:[^"\\]*(?:\\.[^"\\]*)*")?|[{}\[\]]', re.DOTALL)
_BETWEEN = re.compile(r"[\s,\[\]\x1e]+")
_STRING = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"')
_LINE = re.compile(r"[^\n{\[]*[^\S\n]*\n?")


def sniff(opening: str) -> bool:
    """Say whether *opening* begins a value of JSON that can hold events."""
    return opening.startswith(("{", "[", '"<Event', '"\\u003cEvent'))


def read(source: Source) -> Iterator[Entry]:
    """Yield the events. Raises Broken where it cannot be said where a value ends."""
    damages = 0
    for number, text in enumerate(_values(source.text()), start=1):
        for entry in _entries(text, f"value {number}"):
            yield entry
            damages += isinstance(entry, Damage)
            if damages >= MOST:
                raise Broken("too much of it is no event: the rest was not read")


def _values(pieces: Iterator[str]) -> Iterator[str]:
    """Yield the objects that stand alone or in an array, and whatever is none as it is."""
    rest = ""
    more = True
    while more or rest:
        between = _BETWEEN.match(rest)
        rest = rest[between.end() :] if between else rest
        end = _end(rest) if rest else None
        if end is not None:
            yield rest[:end]
            rest = rest[end:]
            continue
        wanted = max(len(rest), 1)
        if wanted > LARGEST:
            raise Broken("a value is larger than 16 MiB")
        gained: list[str] = []
        while more and wanted > 0:
            piece = next(pieces, None)
            more = piece is not None
            gained.append(piece or "")
            wanted -= len(gained[-1])
        rest += "".join(gained)
        if not more and rest and _end(rest) is None and not _BETWEEN.fullmatch(rest):
            raise Broken("it ends in the middle of a value")


def _end(text: str) -> int | None:
    """Return where the value at the beginning of *text* ends, or None if that is not there yet."""
    if text[0] != "{":
        end = _STRING.match(text) or _LINE.match(text)
        if end and end.re is _STRING:
            return end.end()
        return end.end() if end and end.end() < len(text) and end.end() else None
    depth = 0
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{" | "[":
                depth += 1
                if depth > DEEPEST:
                    raise Broken(f"more than {DEEPEST} values inside one another")
            case "}" | "]":
                depth -= 1
                if depth == 0:
                    return token.end()
            case '"':
                return None
    return None


def _entries(text: str, place: str) -> Iterator[Entry]:
    try:
        value = decoded(text)
    except (ValueError, RecursionError):
        yield Damage(place, f"this is no JSON: {text[:60].strip()}")
        return
    if isinstance(value, str) and value.lstrip().startswith("<Event"):
        yield single(value.lstrip(), place)
        return
    if not isinstance(value, dict):
        yield Damage(place, "this is no object")
        return
    for number, fields in enumerate(_unwrapped(value), start=1):
        yield _described(fields, place if fields is value else f"{place}.{number}")


def _described(value: Mapping[str, object], place: str) -> Entry:
    """Return the event that *value* is, or that stands inside it beside what is about it."""
    inside = [each for name in _INSIDE if isinstance(each := value.get(name), dict)]
    found = [describe(fields, place) for fields in (value, *inside)]
    return next((entry for entry in found if not isinstance(entry, Damage)), found[0])


_INSIDE: Final = ("fields", "properties")
"""Where search engines [doc], and the diagnostics of Azure [seen], put the fields of an event."""


_LISTS: Final = ("value", "records", "results", "events", "rows", "hits")


def _unwrapped(value: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield the objects that *value* wraps, or itself."""
    inner = _inside(value)
    if inner is not value:
        yield inner
        return
    tables = value.get("tables")
    if isinstance(tables, list):
        for table in tables:
            yield from _rows(table)
        return
    hits = value.get("hits")
    inside = hits if isinstance(hits, dict) else value
    found = next((inside[name] for name in _LISTS if isinstance(inside.get(name), list)), None)
    if not isinstance(found, list):
        yield value
        return
    for each in found:
        if isinstance(each, dict):
            yield _inside(each)


def _inside(value: Mapping[str, object]) -> Mapping[str, object]:
    """Return what search engines wrap into *value*, or *value*."""
    found = (value.get(name) for name in ("_source", "result"))
    return next((each for each in found if isinstance(each, dict)), value)


def _rows(table: object) -> Iterator[Mapping[str, object]]:
    """Yield the rows of an answer of Log Analytics, each with the names of its columns [doc]."""
    if not isinstance(table, dict):
        return
    columns, rows = table.get("columns"), table.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list):
        return
    names = [str(column.get("name")) for column in columns if isinstance(column, dict)]
    for row in rows:
        if isinstance(row, list):
            yield dict(zip(names, row, strict=False))
