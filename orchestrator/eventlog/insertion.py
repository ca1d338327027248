"""The insertion strings of an event, in all the shapes that exports give them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import ParseError, TreeBuilder, XMLParser

from orchestrator.eventlog.xml import strings

LOST: Final = (
    "the data fields: the export kept the name of their type alone; "
    "export XML, or use ConvertTo-Json -Depth 4"
)

_LARGEST = 100_000
_NET: Final = ("System.Diagnostics.", "System.String[]", "System.Collections.", "System.Object[]")


@dataclass(frozen=True, slots=True)
class Insertion:
    """Strings in order, or by name. *joined*: the one in *data* is all of them, with ", " between.

    *lost* says that PowerShell wrote only what type they were of.
    """

    data: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    joined: bool = False
    lost: bool = False


def insertion(value: object, *, joined: bool = False) -> Insertion:
    """Return the strings that *value* holds: a list, an object, or a text with XML or JSON in it.

    *joined* says what one text means that is neither.
    """
    match value:
        case None | "":
            return Insertion()
        case str():
            return _from_text(value, joined=joined)
        case Mapping():
            return _from_object(value, joined=joined)
        case list() | tuple():
            return _from_list(value)
        case _:
            return Insertion((str(value),))


def _from_list(values: Sequence[object]) -> Insertion:
    texts = tuple(_one(value) for value in values)
    lost = any(text.startswith(_NET) for text in texts)
    return Insertion(lost=True) if lost else Insertion(texts)


def _one(value: object) -> str:
    if isinstance(value, Mapping):
        folded = {str(key).casefold(): each for key, each in value.items()}
        value = next((folded[key] for key in ("value", "#text") if key in folded), "")
    return "" if value is None else str(value)


def _from_object(value: Mapping[object, object], *, joined: bool) -> Insertion:
    folded = {str(key).casefold(): each for key, each in value.items()}
    for key in ("data", "#text", "value"):
        if key in folded and not isinstance(folded[key], bool):
            return insertion(folded[key], joined=joined)
    return Insertion(named={key: _one(each) for key, each in folded.items()})


def _from_text(text: str, *, joined: bool) -> Insertion:
    stripped = text.strip()
    if stripped.startswith((*_NET, "{System.")):
        return Insertion(lost=True)
    if stripped.startswith("<"):
        return _from_xml(stripped)
    if stripped.startswith(("{", "[")) and not joined:
        return _from_json(stripped)
    if not joined:
        return Insertion((text,))
    inside = stripped[1:-1] if stripped[:1] == "{" and stripped[-1:] == "}" else text
    return Insertion((inside,), joined=True)


def _from_xml(text: str) -> Insertion:
    builder = TreeBuilder()
    parser = XMLParser(target=builder)  # noqa: S314 - entities cannot be declared inside an element
    try:
        parser.feed(f"<_>{text[:_LARGEST]}</_>")
        root = parser.close()
    except ParseError:
        return Insertion()
    for element in root.iter():
        data, named = strings(element)
        if data or named:
            return Insertion(data, named)
    return Insertion()


_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def decoded(text: str) -> object:
    """Return what JSON says; half a character, which it can spell, is U+FFFD as anywhere else.

    Raises ValueError or RecursionError.
    """
    value: object = json.loads(text)
    if not _SURROGATE.search(text):
        return value
    units = json.dumps(value, ensure_ascii=False).encode("utf-16-le", "surrogatepass")
    whole: object = json.loads(units.decode("utf-16-le", "replace"))
    return whole


def _from_json(text: str) -> Insertion:
    try:
        value = decoded(text[:_LARGEST])
    except (ValueError, RecursionError):
        return Insertion((text,))
    return insertion(value)
