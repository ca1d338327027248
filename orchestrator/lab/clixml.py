"""A writer of CLIXML, the XML in which PowerShell remoting carries objects [MS-PSRP 2.2.5].

It writes what a Windows server writes: type names without ``Deserialized.``, repeated type names
as ``TNRef``, no namespace, no white space. It is the lab's own so that nothing a client decodes
was encoded by the same library.
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Lists = Literal["multivalued", "strings", "joined", "holder", "scalar"]


@dataclass(frozen=True, slots=True)
class Style:
    """How values look on the wire; real clients and versions differ in exactly these.

    *lists*: ``multivalued`` (an object of type MultiValuedProperty around an ``LST``, as Exchange
    sends it [seen]), ``strings`` (a plain array of strings), ``joined`` (one string, ``a, b``),
    ``holder`` (an object whose property ``value`` holds the list) or ``scalar`` (one entry as a
    bare string, several as an array). *empty* sends an empty list as ``nil`` instead. *enums* as
    ``text`` sends bare strings. *prefix* puts ``Deserialized.`` before every type name. *noise*
    adds the ``SerializationData`` that Exchange attaches to its values.
    """

    lists: Lists = "multivalued"
    empty: Literal["list", "nil"] = "list"
    enums: Literal["object", "text"] = "object"
    prefix: bool = False
    noise: bool = True


_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\U00010000-\U0010ffff]|_(?=x[0-9A-Fa-f]{4}_)")


def escape(text: str) -> str:
    """Return *text* as CLIXML character data: control characters as ``_xHHHH_`` code units."""
    if _UNSAFE.search(text):
        text = _UNSAFE.sub(_code_units, text)
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def _code_units(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"_x{units[at]:02X}{units[at + 1]:02X}_" for at in range(0, len(units), 2))


def attribute(name: str | None) -> str:
    """Return the attribute that names a property, or nothing for a member of a list."""
    return f' N="{escape(name).replace(chr(34), "&quot;")}"' if name is not None else ""


@lru_cache(maxsize=4096)
def noise(type_name: str, text: str) -> str:
    """Return a value for ``SerializationData``: base64 that no client should look into."""
    blob = b"\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x0c\x02"
    return b64encode(
        blob + type_name.encode() + b"\x02\x00\x00\x00" + text.encode() + b"\x0b"
    ).decode()


class Writer:
    """Writes one CLIXML document; what is begun has to be ended in order."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self._parts: list[str] = []
        self._objects = 0
        self._types: dict[tuple[str, ...], int] = {}
        self._named: dict[str, int] = {}

    def leaf(self, tag: str, text: str, name: str | None = None) -> None:
        """Write a primitive: *tag* is ``S``, ``B``, ``I32`` and so on, *text* is unescaped."""
        self._parts.append(f"<{tag}{attribute(name)}>{escape(text)}</{tag}>")

    def nil(self, name: str | None = None) -> None:
        """Write null."""
        self._parts.append(f"<Nil{attribute(name)} />")

    def begin(
        self, types: tuple[str, ...], text: str | None = None, name: str | None = None
    ) -> None:
        """Begin an object with its type names, most derived first, and its ToString."""
        self._parts.append(f'<Obj{attribute(name)} RefId="{self._objects}">')
        if name is not None:
            self._named.setdefault(name, self._objects)
        self._objects += 1
        if types:
            self._write_types(types)
        if text is not None:
            self._parts.append(f"<ToString>{escape(text)}</ToString>")

    def _write_types(self, types: tuple[str, ...]) -> None:
        known = self._types.get(types)
        if known is not None:
            self._parts.append(f'<TNRef RefId="{known}" />')
            return
        self._types[types] = number = len(self._types)
        prefix = "Deserialized." if self.style.prefix else ""
        names = "".join(f"<T>{prefix}{escape(one)}</T>" for one in types)
        self._parts.append(f'<TN RefId="{number}">{names}</TN>')

    def again(self, written: str, name: str) -> bool:
        """Write a reference to the object first written as *written*, if there is one."""
        number = self._named.get(written)
        if number is not None:
            self._parts.append(f'<Ref{attribute(name)} RefId="{number}" />')
        return number is not None

    def end(self) -> None:
        """End the object begun last."""
        self._parts.append("</Obj>")

    def open(self, tag: str) -> None:
        """Begin a part of an object: ``Props``, ``MS``, ``LST``, ``DCT`` or ``En``."""
        self._parts.append(f"<{tag}>")

    def close(self, tag: str) -> None:
        """End such a part."""
        self._parts.append(f"</{tag}>")

    def noise(self, type_name: str, text: str) -> None:
        """Write the extended property that Exchange adds, if the style has it."""
        if self.style.noise:
            data = noise(type_name, text)
            self._parts.append(f'<MS><BA N="SerializationData">{data}</BA></MS>')

    def text(self) -> str:
        """Return the document."""
        return "".join(self._parts)
