"""Get-WinEvent and Get-EventLog through Export-Clixml: one object after the other."""

import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from orchestrator.core.command import Record
from orchestrator.eventlog.damage import MOST, Damage, Entry
from orchestrator.eventlog.fields import describe
from orchestrator.eventlog.source import LARGEST_EVENT, Broken, Source
from orchestrator.transports.clixml import ClixmlError, decode_element

_OPENING = re.compile(r"(?:#< CLIXML\s*)?(?:<\?xml[^>]*\?>\s*)?<Objs[\s>]")


def sniff(opening: str) -> bool:
    """Say whether *opening* begins a CLIXML document."""
    return _OPENING.match(opening) is not None


def read(source: Source) -> Iterator[Entry]:
    """Yield the objects. Raises Broken where the document is not well-formed."""
    damages = 0
    for number, element in enumerate(_objects(source), start=1):
        entry = _entry(element, f"object {number}")
        yield entry
        damages += isinstance(entry, Damage)
        if damages >= MOST:
            raise Broken("too much of it is no event: the rest was not read")


def _objects(source: Source) -> Iterator[Element]:
    """Yield the elements below ``Objs``; each leaves the tree as soon as it is complete."""
    builder = TreeBuilder()
    root = builder.start("_root", {})
    parser = XMLParser(target=builder)  # noqa: S314 - entities cannot be declared inside an element
    parser.feed("<_log>")
    pending, first = 0, True
    for text in source.text():
        piece = _DECLARED.sub("", text, count=1) if first else text
        first = False
        _feed(parser, piece)
        pending += len(text)
        document = root[0][0] if len(root[0]) else ()
        if len(document) > 1:
            yield from document[:-1]
            del document[:-1]  # type: ignore[union-attr] # only an element can be that long
            pending = len(text)
        if pending > LARGEST_EVENT:
            raise Broken("an object is larger than any event can be")
    _feed(parser, "</_log>")
    yield from root[0][0] if len(root[0]) else ()


_DECLARED = re.compile(r"\s*(?:#< CLIXML\s*)?(?:<\?xml[^>]*\?>)?")


def _feed(parser: XMLParser, text: str) -> None:
    try:
        parser.feed(text)
    except ParseError as error:
        raise Broken(f"not well-formed: {error}") from None


def _entry(element: Element, place: str) -> Entry:
    for each in element.iter():
        name = each.tag.rpartition("}")[2]
        # What is referred to may have left the tree. Type names are not asked for, and the strings
        # of an event are never shared between two of them.
        each.tag = {"TNRef": "TN", "Ref": "Nil"}.get(name, name)
    try:
        value = decode_element(element)
    except ClixmlError as error:
        return Damage(place, str(error))
    if not isinstance(value, Record) or not value.properties:
        return Damage(place, "it is not an event")
    return describe({name: _plain(each) for name, each in value.properties.items()}, place)


def _plain(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Record):
        if value.value is not None:
            return _plain(value.value)
        named = {name: _plain(each) for name, each in value.properties.items()}
        return named or value.text
    return value
