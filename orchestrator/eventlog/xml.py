"""Event XML: one event, a list, or one after the other, in either quoting, with any namespace.

The text goes to expat event by event, inside an element of ours. So a document type declaration
is never well-formed here, and with it no entity can be declared. An event leaves the tree as soon
as it is complete; a broken one costs itself alone.
"""

import contextlib
import re
from collections.abc import Iterator
from functools import lru_cache
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from orchestrator.eventlog.damage import MOST, Damage, Entry
from orchestrator.eventlog.moment import instant
from orchestrator.eventlog.source import LARGEST_EVENT, Broken, Source
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
    """Yield the events one by one. Raises Broken where what follows cannot be relied on."""
    return _Stream().entries(source.text())


def single(text: str, place: str) -> Entry:
    """Return the one event that *text* is, or a Damage."""
    try:
        entries = list(_Stream(place).entries(iter((text,))))
    except Broken as broken:
        return Damage(place, str(broken))
    events = [entry for entry in entries if isinstance(entry, RawEvent)]
    if len(events) == 1:
        return events[0]
    reason = next((e.reason for e in entries if isinstance(e, Damage)), "it is not one event")
    return Damage(place, reason)


def _undeclared(texts: Iterator[str]) -> Iterator[str]:
    """Yield *texts* without the XML declaration at their head."""
    yield _DECLARATION.sub("", next(texts, ""), count=1)
    yield from texts


_QUOTATIONS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_QUOTATION = re.compile("|".join(map(re.escape, _QUOTATIONS)))


def _quoted(text: str, until: str) -> str:
    """Return what ends the comment, CDATA or instruction in which *text* ends, or nothing.

    *until* is that in which it begins. Nothing in there is markup, an end of an event least of
    all; and expat would begin anew with every piece of it.
    """
    at = 0
    while True:
        if until:
            end = text.find(until, at)
            if end < 0:
                return until
            at, until = end + len(until), ""
        begin = _QUOTATION.search(text, at)
        if begin is None:
            return ""
        at, until = begin.end(), _QUOTATIONS[begin[0]]


class _Tree:
    """What expat makes of one event after the other."""

    def __init__(self) -> None:
        builder = TreeBuilder()
        self._root = builder.start("_root", {})
        self._parser = XMLParser(target=builder)  # noqa: S314 - entities cannot be declared inside an element
        self._parser.feed("<_log>")

    def feed(self, text: str) -> list[Element]:
        """Take *text*, and return the events that are complete, if it ends with one."""
        self._parser.feed(text)
        self._parser.feed(_MARK)
        node = self._root[0]
        for _ in range(_DEEPEST):
            if not len(node) or _local(node[-1]) == "Event":
                return []
            if node[-1].tag == "_":
                events = [each for each in node if _local(each) == "Event"]
                del node[:]
                return events
            node = node[-1]
        return []

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
        self._held = ""
        self._until = ""

    def entries(self, texts: Iterator[str]) -> Iterator[Entry]:
        rest = ""
        for text in _undeclared(texts):
            rest += text
            start = 0
            for end in _END.finditer(rest):
                yield from self._piece(rest[start : end.end()])
                start = end.end()
            rest = rest[start:]
            self._grow(len(rest))
        yield from self._tail(rest)

    def _grow(self, size: int) -> None:
        """Raise Broken where the event that has begun is too large with *size* more characters.

        Nothing is read after it: what looks like another event may be quoted by this one.
        """
        if self._pending + size > LARGEST_EVENT:
            raise Broken(f"event {self._count + 1} is larger than any event can be")

    def _piece(self, text: str) -> Iterator[Entry]:
        self._grow(len(text))
        self._pending += len(text)
        self._held += text
        self._until = _quoted(text, self._until)
        if self._until:
            return
        whole, self._held = self._held, ""
        try:
            events = self._tree.feed(whole)
        except ParseError as error:
            events = self._mended(whole)
            if not events:
                yield self._give_up(f"not well-formed: {error}")
        for event in events:
            self._pending = 0
            self._count += 1
            yield self._described(event)

    def _mended(self, text: str) -> list[Element]:
        """Return the events of *text* once characters that XML cannot hold are taken out."""
        begun = _EVENT.search(text)
        if begun is None or not _ILLEGAL.search(text):
            return []
        tree = _Tree()
        try:
            events = tree.feed(_ILLEGAL.sub("\ufffd", text[begun.start() :]))
        except ParseError:
            return []
        self._tree, self._resumed = tree, True
        return events

    def _give_up(self, reason: str) -> Damage:
        self._count += 1
        self._harm()
        self._pending = 0
        self._tree, self._resumed = _Tree(), True
        return Damage(self._where(), reason)

    def _tail(self, rest: str) -> Iterator[Entry]:
        event = self._tree.unfinished(self._held + rest)
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
            self._harm()
        return entry

    def _harm(self) -> None:
        self._damages += 1
        if self._damages >= MOST:
            raise Broken("too much of it is broken: the rest was not read")

    def _where(self) -> str:
        return self._place or f"event {self._count}"


def _local(element: Element) -> str:
    tag = element.tag
    return _name(tag) if len(tag) < _LONG else tag.rpartition("}")[2]


_LONG = 256  # what is longer is not remembered: a stranger may have chosen it


@lru_cache(maxsize=_LONG)
def _name(tag: str) -> str:
    return tag.rpartition("}")[2]


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
    if not number.removeprefix("-").isdecimal() or len(number) > 11 or not provider:
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
    parts = () if rendering is None else rendering
    return next((each.text or "" for each in parts if _local(each) == "Message"), "")
