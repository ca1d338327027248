"""Event XML: one event, a list, or one after the other, in either quoting, with any namespace.

The text goes to expat event by event, inside an element of ours. So a document type declaration
is never well-formed here, and with it no entity can be declared. An event leaves the tree as soon
as it is complete; a broken one costs itself alone.
"""

import contextlib
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from orchestrator.eventlog.damage import MOST, Damage, Entry
from orchestrator.eventlog.moment import instant
from orchestrator.eventlog.source import LARGEST_EVENT, Source
from orchestrator.exchange.event import RawEvent

CUT_OFF = "the text ends in the middle of this event"

_START = re.compile(r"<(?:[\w.-]+:)?Events?[\s/>]")
_EVENT = re.compile(r"<(?:[\w.-]+:)?Event[\s/>]")
_END = re.compile(r"</(?:[\w.-]+:)?Event\s*>")
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_ILLEGAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F])|0*(?:[0-8]|1[124-9]|2\\d|3[01]));"
)
_MARK = "<_/>"
_DEEPEST = 4


def sniff(opening: str) -> bool:
    """Say whether *opening* begins a document of events."""
    return opening.startswith("<") and _START.search(opening) is not None


def read(source: Source) -> Iterator[Entry]:
    """Yield the events one by one."""
    return _Stream().entries(source.text())


def single(text: str, place: str) -> Entry:
    """Return the one event that *text* is."""
    entries = list(_Stream(place).entries(iter((text,))))
    events = [entry for entry in entries if isinstance(entry, RawEvent)]
    if len(events) == 1:
        return events[0]
    reason = next((e.reason for e in entries if isinstance(e, Damage)), "it is not one event")
    return Damage(place, reason)


class _Tree:
    """What expat makes of one event after the other."""

    def __init__(self) -> None:
        builder = TreeBuilder()
        self._root = builder.start("_root", {})
        self._parser = XMLParser(target=builder)  # noqa: S314 - entities cannot be declared inside an element
        self._parser.feed("<_log>")

    def feed(self, text: str) -> Element | None:
        """Take *text*, and return the event that ends with it, if one does."""
        self._parser.feed(text)
        self._parser.feed(_MARK)
        node = self._root[0]
        for _ in range(_DEEPEST):
            if not len(node):
                return None
            if node[-1].tag == "_":
                event = node[-2] if len(node) > 1 and _local(node[-2]) == "Event" else None
                del node[:]
                return event
            if _local(node[-1]) == "Event":
                return None
            node = node[-1]
        return None

    def unfinished(self, text: str) -> Element | None:
        """Take the last *text* of all, and return the event that has begun in it, if any."""
        with contextlib.suppress(ParseError):
            self._parser.feed(text)
        return next((e for e in self._root.iter() if _local(e) == "Event"), None)

    def close(self) -> None:
        """Raise ParseError where the document is not at its end."""
        self._parser.feed("</_log>")
        self._parser.close()


class _Stream:
    """The events of one text, and how much went wrong in it so far."""

    def __init__(self, place: str = "") -> None:
        self._place = place
        self._tree = _Tree()
        self._count = 0
        self._pending = 0
        self._damages = 0
        self._resumed = False

    def entries(self, texts: Iterator[str]) -> Iterator[Entry]:
        rest, first = "", True
        for text in texts:
            rest += _DECLARATION.sub("", text, count=1) if first and text else text
            first = first and not text
            start = 0
            for end in _END.finditer(rest):
                yield from self._piece(rest[start : end.end()])
                start = end.end()
                if self._damages >= MOST:
                    yield Damage(self._where(), "too much of it is broken: the rest was not read")
                    return
            rest = rest[start:]
            if len(rest) > LARGEST_EVENT:
                yield self._give_up("it is larger than any event can be")
                # What belongs to it goes on until the end of an event is seen.
                rest = rest[-64:] if _EVENT.search(rest) else ""
        yield from self._tail(rest)

    def _piece(self, text: str) -> Iterator[Entry]:
        self._pending += len(text)
        if self._pending > LARGEST_EVENT:
            yield self._give_up("it is larger than any event can be")
            return
        try:
            event = self._tree.feed(text)
        except ParseError as error:
            event = self._mended(text)
            if event is None:
                yield self._give_up(f"not well-formed: {error}")
                return
        if event is not None:
            self._pending = 0
            self._count += 1
            yield self._described(event)

    def _mended(self, text: str) -> Element | None:
        """Return the event of *text* once characters that XML cannot hold are taken out."""
        begun = _EVENT.search(text)
        if begun is None or not _ILLEGAL.search(text):
            return None
        tree = _Tree()
        try:
            event = tree.feed(_ILLEGAL.sub("\ufffd", text[begun.start() :]))
        except ParseError:
            return None
        self._tree, self._resumed = tree, True
        return event

    def _give_up(self, reason: str) -> Damage:
        self._count += 1
        self._damages += 1
        self._pending = 0
        self._tree, self._resumed = _Tree(), True
        return Damage(self._where(), reason)

    def _tail(self, rest: str) -> Iterator[Entry]:
        event = self._tree.unfinished(rest)
        if event is not None:
            self._count += 1
            entry = describe(event, self._where(), (CUT_OFF,))
            yield Damage(self._where(), CUT_OFF) if isinstance(entry, Damage) else entry
            return
        if self._resumed:
            return
        try:
            self._tree.close()
        except ParseError as error:
            yield Damage(self._where(), f"the end is missing or broken: {error}")

    def _described(self, event: Element) -> Entry:
        entry = describe(event, self._where())
        if isinstance(entry, Damage):
            self._damages += 1
        return entry

    def _where(self) -> str:
        return self._place or f"event {self._count}"


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def describe(event: Element, place: str, faults: tuple[str, ...] = ()) -> Entry:
    """Return what an ``Event`` element says. *faults* are handed on."""
    parts: dict[str, Element] = {}
    for part in event:
        parts.setdefault(_local(part), part)
    system = parts.get("System")
    if system is None:
        return Damage(place, "it has no System part")
    fields: dict[str, Element] = {}
    for field in system:
        fields.setdefault(_local(field), field)
    number = _text(fields.get("EventID"))
    provider = _attribute(fields.get("Provider"), "Name")
    if not number.isdecimal() or len(number) > 10 or not provider:
        return Damage(place, "its provider or its id is missing")
    data, named = strings(parts.get("EventData"))
    written = _attribute(fields.get("TimeCreated"), "SystemTime")
    record = _text(fields.get("EventRecordID"))
    return RawEvent(
        provider,
        int(number),
        _text(fields.get("Computer")),
        instant(written, utc=True),
        written,
        data,
        named,
        message=_message(parts.get("RenderingInfo")),
        record=int(record) if record.isdecimal() and len(record) < 20 else None,
        place=place,
        faults=faults,
    )


def _text(element: Element | None) -> str:
    return "" if element is None else (element.text or "").strip()


def _attribute(element: Element | None, name: str) -> str:
    return "" if element is None else element.get(name, "")


def strings(data: Element | None) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the insertion strings below *data*: those without a name in order, the others by it.

    Some tools write all of them as ``<string>`` elements, escaped, into one ``Data`` [seen].
    """
    unnamed: list[str] = []
    named: dict[str, str] = {}
    for each in () if data is None else data:
        if _local(each) in ("Data", "Param"):
            name = each.get("Name")
            if name is None:
                unnamed.append(each.text or "")
            else:
                named.setdefault(name, each.text or "")
    if len(unnamed) == 1 and _ARRAY.fullmatch(unnamed[0]):
        unnamed = _STRING.findall(unnamed[0])
    return tuple(unnamed), named


_STRING = re.compile(r"<string>([^<]*)</string>")
_ARRAY = re.compile(r"\s*(?:<string>[^<]*</string>\s*)+")


def _message(rendering: Element | None) -> str:
    for each in () if rendering is None else rendering:
        if _local(each) == "Message":
            return each.text or ""
    return ""
