"""CSV with any separator: Export-Csv, what Event Viewer saves, Log Analytics."""

import csv
from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.eventlog.damage import MOST, Damage, Entry
from orchestrator.eventlog.fields import describe
from orchestrator.eventlog.label import COLUMNS, Role, role
from orchestrator.eventlog.source import LARGEST_EVENT, Broken, Source

_SEPARATORS: Final = (",", ";", "\t", "|")
_IDS: Final = frozenset({"id", "eventid", "instanceid", "winlog.event_id", "event.code"})
_SUFFIXES: Final = (" [utc]", " [local time]")


def sniff(opening: str) -> bool:
    """Say whether the first line of *opening* names columns of which one is the event's id."""
    return _heads(opening) is not None


def _heads(opening: str) -> tuple[str, list[str]] | None:
    """Return the separator and the names of the columns, or None where none is an event's id."""
    lines = (line for line in opening.splitlines() if not line.startswith("#TYPE"))
    first = next(lines, "")
    for separator in _SEPARATORS:
        names = [_name(cell) for cell in next(csv.reader([first], delimiter=separator), [])]
        if len(names) > 1 and any(name in _IDS or role(name) is Role.ID for name in names):
            return separator, names
    return None


def _name(head: str) -> str:
    name = head.strip().casefold()
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def read(source: Source) -> Iterator[Entry]:
    """Yield one event for each row. Raises Broken for a cell or a row beyond any event's size."""
    heads = _heads(source.opening)
    if heads is None:
        raise Broken("the first line names no columns that are known")
    separator, names = heads
    damages = 0
    for number, row in enumerate(_rows(source, separator), start=1):
        if not row:
            continue
        entry = _entry(names, row, f"row {number}")
        yield entry
        damages += isinstance(entry, Damage)
        if damages >= MOST:
            raise Broken("too much of it is no event: the rest was not read")


def _rows(source: Source, separator: str) -> Iterator[list[str]]:
    """Yield the rows after the names of the columns."""
    counter = _Counter(source.lines())
    rows = csv.reader(counter, delimiter=separator)
    begun = False
    try:
        for row in rows:
            counter.size = 0
            if begun:
                yield row
            elif row and not row[0].startswith("#TYPE"):
                begun = True
    except csv.Error as error:
        raise Broken(f"line {rows.line_num}: {error}") from None


class _Counter(Iterator[str]):
    """Lines, as long as one row does not become larger than an event can be."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.size = 0

    def __next__(self) -> str:
        line = next(self._lines)
        self.size += len(line)
        if self.size > LARGEST_EVENT:
            raise Broken("a row is larger than any event can be")
        return line


def _entry(names: Sequence[str], row: Sequence[str], place: str) -> Entry:
    # Event Viewer gives its last column, the sentence, no name [seen].
    heads = [*names, "message"] if len(row) == len(names) + 1 else names
    fields = dict(zip(heads, row, strict=False))
    entry = describe(fields, place)
    if not isinstance(entry, Damage):
        return entry
    return describe({COLUMNS.get(role(name), name): text for name, text in fields.items()}, place)
