"""Text: what Event Viewer copies, in any language, and lists as PowerShell prints them.

The field labels are read, and the event XML beneath them where it was copied along. The sentence
is handed on as it is. What stands in a description is no field: it may quote other events.
"""

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.eventlog.damage import MOST, Damage, Entry
from orchestrator.eventlog.insertion import LOST, insertion
from orchestrator.eventlog.label import Role, labelled
from orchestrator.eventlog.moment import instant
from orchestrator.eventlog.source import LARGEST_EVENT, Broken, Source
from orchestrator.eventlog.xml import single
from orchestrator.exchange.event import RawEvent

_XML = re.compile(r"\s*<Event[\s>]")
_XML_END: Final = "</Event>"
_ID = re.compile(r"-?[0-9]{1,10}")
_NUMBERED = re.compile(r"\s*Event\[[0-9]+\]:?\s*")
"""What wevtutil writes above each event of its text form [seen]."""
# Format-List indents what belongs to the value above; a table of PowerShell has no such lines.
_CONTINUED = re.compile(r"\s{6,}")


def sniff(opening: str) -> bool:
    """Say whether *opening* has lines that name a provider and an id."""
    found = (labelled(line) for line in opening.splitlines())
    return {Role.PROVIDER, Role.ID} <= {role for role, _ in filter(None, found)}


def read(source: Source) -> Iterator[Entry]:
    """Yield the events."""
    paste, damages = _Paste(), 0
    for line in source.lines():
        for entry in paste.take(line):
            yield entry
            damages += isinstance(entry, Damage)
        if damages >= MOST:
            raise Broken("too much of it is no event: the rest was not read")
    yield from paste.end()


class _Paste:
    """The event that is being read, line by line."""

    def __init__(self) -> None:
        self._number = 0
        self._begun = 0
        self._fields: dict[Role, str] = {}
        self._told = False
        self._xml: list[str] | None = None
        self._size = 0

    def take(self, line: str) -> Iterator[Entry]:
        self._number += 1
        self._grow(line)
        if self._xml is not None or _XML.match(line):
            yield from self._markup(line)
            return
        if _NUMBERED.fullmatch(line):
            yield from self.end()
            return
        found = labelled(line)
        if self._told:
            # Within a description nothing but the head of another event counts.
            if found is None or found[0] is not Role.LOG:
                self._fields[Role.MESSAGE] = self._fields.get(Role.MESSAGE, "") + line
                return
        elif found is None:
            self._continue(line)
            return
        yield from self._field(*found)

    def _grow(self, line: str) -> None:
        self._size += len(line)
        if self._size > LARGEST_EVENT:
            raise Broken(f"line {self._begun}: this event is larger than any event can be")

    def _field(self, role: Role, value: str) -> Iterator[Entry]:
        if role is Role.LOG or (role is not Role.OTHER and role in self._fields):
            yield from self.end()
        if not self._fields:
            self._begun = self._number
        self._fields[role] = value
        self._told = role is Role.MESSAGE and Role.LOG in self._fields

    def _continue(self, line: str) -> None:
        """Take a line without a label: a list goes on, or a description without its heading."""
        if _CONTINUED.match(line) and Role.MESSAGE in self._fields:
            self._fields[Role.MESSAGE] += " " + line.strip()
        elif line.strip() and Role.COMPUTER in self._fields and Role.LOG in self._fields:
            self._told = True
            self._fields[Role.MESSAGE] = line

    def _markup(self, line: str) -> Iterator[Entry]:
        if self._xml is None:
            self._xml = []
        self._xml.append(line)
        if _XML_END in line:
            yield single("".join(self._xml), f"line {self._begun or self._number}")
            self._reset()

    def end(self) -> Iterator[Entry]:
        """Yield the event whose fields have been seen."""
        fields, xml, place = self._fields, self._xml, f"line {self._begun}"
        self._reset()
        if xml is not None:
            yield single("".join(xml), place)
        elif Role.PROVIDER in fields and _ID.fullmatch(fields.get(Role.ID, "")):
            yield _event(fields, place)
        elif Role.PROVIDER in fields or Role.ID in fields:
            yield Damage(place, "its provider or its id is missing")

    def _reset(self) -> None:
        self._fields, self._told, self._xml = {}, False, None
        self._size, self._begun = 0, 0


def _event(fields: dict[Role, str], place: str) -> RawEvent:
    found = insertion(fields.get(Role.STRINGS), joined=True)
    record = fields.get(Role.RECORD, "")
    return RawEvent(
        fields[Role.PROVIDER],
        int(fields[Role.ID]),
        fields.get(Role.COMPUTER, ""),
        instant(fields.get(Role.TIME, "")),
        fields.get(Role.TIME, ""),
        found.data,
        joined=found.joined,
        message=fields.get(Role.MESSAGE, ""),
        record=int(record) if record.isdecimal() and len(record) < 20 else None,
        place=place,
        faults=(LOST,) if found.lost else (),
    )
