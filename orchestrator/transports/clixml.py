"""CLIXML, the form in which PowerShell puts objects on the wire, read into plain values.

The reader knows every primitive type of MS-PSRP 2.2.5.1, every collection and every reference;
an element that it does not know is read as its text. What it returns:

==================================  =============================================================
CLIXML                              Python
==================================  =============================================================
S, URI, XD, SBK, Version, ToString  str, ``_xHHHH_`` escapes resolved
B, C                                bool, a str of one UTF-16 unit
By SB I16 U16 I32 U32 I64 U64       int
Sg, Db, D                           float, float, Decimal
DT                                  datetime, aware if an offset or Z was sent; 7th digit cut
TS                                  timedelta, 7th digit cut
G                                   str in lower case
BA                                  bytes
SS                                  SecureString, which holds nothing
Nil                                 None
LST IE QUE STK, DCT                 tuple in wire order, dict
Obj                                 Record; but an Obj that adds nothing but type names to one
                                    value (no text, no properties) is that value
Ref                                 the very object decoded before
==================================  =============================================================

A date or time span beyond what Python can express stays text. Properties named
SerializationData (a .NET blob which Exchange adds to its objects) are left out, undecoded.

The element tree comes from expat's C code and is walked once, so the time is linear in the size.
Document type declarations are refused before parsing, and with them every entity.
"""

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element, ParseError, XMLParser

from orchestrator.core.command import Record

DEEPEST: Final = 100
"""How many objects and collections may lie inside one another; Exchange needs under ten [seen]."""

LARGEST: Final = 4 * 1024 * 1024
"""Characters and elements that all references of one document may add up to, each counted as what
it leads to. References to references make a value of 2**n parts out of n lines, which is small in
memory until somebody writes it out."""


class ClixmlError(ValueError):
    """The text is not CLIXML. The transport turns this into a ProtocolViolation."""


@dataclass(frozen=True, slots=True)
class SecureString:
    """An encrypted string stood here. It was neither decrypted nor kept."""

    def __repr__(self) -> str:
        return "SecureString(***)"


def decode(xml: str | bytes) -> object:
    """Return the value of one CLIXML document; for an ``Objs`` root, the tuple of its objects.

    Bytes are UTF-8, with or without a byte order mark. Raises ClixmlError, nothing else.
    """
    return decode_element(parse(xml))


def parse(xml: str | bytes) -> Element:
    """Return the root of *xml*, its tags rid of namespaces, or raise ClixmlError."""
    nul, doctype = ("\0", "<!DOCTYPE") if isinstance(xml, str) else (b"\0", b"<!DOCTYPE")
    # A declaration of entities is the only way to make a small text large; PowerShell writes none.
    if doctype in xml:  # type: ignore[operator] # both are str or both are bytes
        raise ClixmlError("a document type declaration is not allowed")
    # Expat takes "<" and a NUL for UTF-16 whatever it was told, and would find a declaration there.
    if nul in xml:  # type: ignore[operator] # likewise
        raise ClixmlError("a NUL is not allowed")
    parser = XMLParser(encoding="utf-8")  # noqa: S314 - entities cannot be declared, see above
    try:
        parser.feed(xml)
        root = parser.close()
    except (ParseError, UnicodeError) as error:
        raise ClixmlError(f"not well-formed: {error}") from error
    if root.tag.startswith("{"):
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
    return root


def decode_element(element: Element) -> object:
    """Return the value of one parsed element; references reach no further than this element."""
    try:
        return _Reading().value(element)
    except ClixmlError:
        raise
    except (ValueError, ArithmeticError, LookupError) as error:
        raise ClixmlError(f"{type(error).__name__}: {error}") from error


class _Reading:
    """The references of one document, and the walk over its elements."""

    __slots__ = ("_complex", "_depth", "_objects", "_referred", "_sizes", "_types")

    def __init__(self) -> None:
        self._depth = 0
        self._referred = 0
        self._objects: dict[str, tuple[object, Element]] = {}
        self._sizes: dict[Element, tuple[int, int]] = {}
        self._types: dict[str, tuple[str, ...]] = {}
        self._complex: dict[str, Callable[[Element], object]] = {
            "Obj": self._object,
            "Ref": self._reference,
            "LST": self._list,
            "IE": self._list,
            "QUE": self._list,
            "STK": self._list,
            "DCT": self._dictionary,
            "Objs": self._list,
        }

    def value(self, element: Element) -> object:
        tag = element.tag
        if tag == "S":
            text = element.text
            return text if text is not None and "_" not in text else unescape(text or "")
        primitive = _PRIMITIVES.get(tag)
        if primitive is not None:
            return primitive(element.text or "")
        walk = self._complex.get(tag)
        if walk is None:
            return unescape("".join(element.itertext()))
        self._depth += 1
        if self._depth > DEEPEST:
            raise ClixmlError(f"more than {DEEPEST} elements inside one another")
        result = walk(element)
        self._depth -= 1
        return result

    def _object(self, element: Element) -> object:
        reference = element.get("RefId")
        if reference is None:
            return self._contents(element)
        # What a reference back into the object itself finds until the object is complete.
        self._objects[reference] = (None, _NOTHING)
        result = self._contents(element)
        self._objects[reference] = (result, element)
        return result

    def _contents(self, element: Element) -> object:
        types: tuple[str, ...] = ()
        text: str | None = None
        value: object = None
        properties: dict[str, object] = {}
        for child in element:
            tag = child.tag
            if tag in ("Props", "MS"):
                self._properties(child, properties)
            elif tag == "TN":
                types = tuple([unescape(name.text or "") for name in child])
                self._types[child.get("RefId", "")] = types
            elif tag == "TNRef":
                types = self._types[child.get("RefId", "")]
            elif tag == "ToString":
                text = unescape(child.text or "")
            else:
                value = self.value(child)
        if text is None and not properties and value is not None:
            return value
        return Record(types, text, value, properties)

    def _properties(self, parent: Element, properties: dict[str, object]) -> None:
        for child in parent:
            name = child.get("N")
            if name is None or name == "SerializationData":
                continue
            properties[unescape(name)] = self.value(child)

    def _reference(self, element: Element) -> object:
        value, source = self._objects[element.get("RefId", "")]
        if source is not _NOTHING:
            size, height = self._extent(source)
            self._sizes[element] = size, height
            self._referred += size
            if self._referred > LARGEST:
                raise ClixmlError("its references add up to more than any object has")
            if self._depth + height > DEEPEST:
                raise ClixmlError(f"more than {DEEPEST} elements inside one another")
        return value

    def _extent(self, element: Element) -> tuple[int, int]:
        """Return how much is written in *element*, references followed, and how far down."""
        known = self._sizes.get(element)
        if known is None:
            below = [self._extent(child) for child in element]
            size = 1 + len(element.text or "") + sum(size for size, _ in below)
            height = max((height for _, height in below), default=0)
            known = self._sizes[element] = size, height + (element.tag in self._complex)
        return known

    def _list(self, element: Element) -> tuple[object, ...]:
        value = self.value
        return tuple([value(child) for child in element])

    def _dictionary(self, element: Element) -> dict[object, object]:
        return dict(self._entry(entry) for entry in element)

    def _entry(self, entry: Element) -> tuple[object, object]:
        named = {child.get("N"): self.value(child) for child in entry}
        key = named["Key"]
        # Keys are primitives in practice; a Record, a dict or a Decimal's NaN cannot be one here.
        hashable = key if isinstance(key, str | int | float | bytes | None) else str(key)
        return hashable, named["Value"]


_NOTHING: Final = Element("")
_ESCAPE = re.compile("_[xX]([0-9A-Fa-f]{4})_")
_SURROGATE = re.compile("[\ud800-\udfff]")


def unescape(text: str) -> str:
    """Return *text* with ``_xHHHH_`` resolved (MS-PSRP 2.2.5.3.2).

    Two escaped surrogates make one character; a lone one becomes U+FFFD, because no file or
    terminal could hold it.
    """
    if "_" not in text:
        return text
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return _paired(plain) if _SURROGATE.search(plain) else plain


def _paired(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


# An underscore counts only before an x. The rest is what XML 1.0 cannot hold or would normalise.
_UNSAFE = re.compile("_(?=[xX])|[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """Return *text* as CLIXML wants it, so that ``unescape(escape(text)) == text``."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"_x{units[at : at + 2].hex().upper()}_" for at in range(0, len(units), 2))


_BOOLEANS: Final = {"true": True, "false": False, "True": True, "False": False}


def _character(text: str) -> str:
    return _paired(chr(int(text)))


def _moment(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


_SPAN = re.compile(
    r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,6})\d*)?S)?)?", re.ASCII
)


def _span(text: str) -> timedelta | str:
    match = _SPAN.fullmatch(text)
    if match is None:
        return text
    sign, days, hours, minutes, seconds, fraction = match.groups(default="0")
    microseconds = int(fraction.ljust(6, "0"))
    try:
        span = timedelta(
            int(days), int(seconds), microseconds, minutes=int(minutes), hours=int(hours)
        )
    except OverflowError:
        return text
    return -span if sign == "-" else span


_PRIMITIVES: Final[dict[str, Callable[[str], object]]] = {
    "S": unescape,
    "ToString": unescape,
    "URI": unescape,
    "XD": unescape,
    "SBK": unescape,
    "Version": str,
    "G": str.lower,
    "B": _BOOLEANS.__getitem__,
    "C": _character,
    **dict.fromkeys(("By", "SB", "I16", "U16", "I32", "U32", "I64", "U64"), int),
    "Sg": float,
    "Db": float,
    "D": Decimal,
    "DT": _moment,
    "TS": _span,
    "BA": b64decode,
    "SS": lambda _: SecureString(),
    "Nil": lambda _: None,
}
