"""A writer of ``.evtx`` files: one chunk of records in binary XML.

The strings below ``EventData`` are written as Windows does it for classic events: one array, which
a template puts into a single ``Data`` element.

The layout is that of MS-EVEN6 2.2.17 (binary XML) and of the file headers as libyal documents
them. It shares nothing with the reader, which is a library's.
"""

import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime

_CHUNK = 65536
_RECORDS = 512

Node = tuple[str, dict[str, str], "Sequence[Node] | str"]
Event = tuple[Node, Sequence[str]]

_WRITTEN = datetime(2026, 11, 12, 14, 0, tzinfo=UTC)
_NAMESPACE = {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"}


def evtx(events: Sequence[Event]) -> bytes:
    """Return a file with one record for each of *events*: its System element and its strings."""
    chunk = bytearray(_RECORDS)
    last = _RECORDS
    for number, event in enumerate(events, start=1):
        last = len(chunk)
        chunk += _record(event, number, last)
    free = len(chunk)
    records = zlib.crc32(bytes(chunk[_RECORDS:free]))
    chunk += bytes(_CHUNK - len(chunk))
    head = struct.pack(
        "<8sQQQQIIII", b"ElfChnk\0", 1, len(events), 1, len(events), 128, last, free, records
    )
    chunk[: len(head)] = head
    chunk[124:128] = struct.pack("<I", zlib.crc32(bytes(chunk[:120]) + bytes(chunk[128:512])))
    return _file_header(len(events) + 1) + bytes(chunk)


def _file_header(following: int) -> bytes:
    head = struct.pack("<8sQQQIHHHH", b"ElfFile\0", 0, 0, following, 128, 1, 3, 4096, 1).ljust(
        120, b"\0"
    )
    return (head + struct.pack("<II", 0, zlib.crc32(head))).ljust(4096, b"\0")


def _record(event: Event, number: int, offset: int) -> bytes:
    system, strings = event
    body = b"\x0f\x01\x01\x00"
    data: Node = ("EventData", {}, [("Data", {}, _ARRAY)])
    body += _template(("Event", _NAMESPACE, [system, data]), offset + 24 + len(body))
    values = b"".join(text.encode("utf-16-le") + b"\0\0" for text in strings)
    body += struct.pack("<IHBB", 1, len(values), 0x81, 0) + values + b"\x00"
    size = 24 + len(body) + 4
    ticks = int((_WRITTEN - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000
    return struct.pack("<IIQQ", 0x00002A2A, size, number, ticks) + body + struct.pack("<I", size)


_ARRAY = "\0array"


def _template(node: Node, offset: int) -> bytes:
    """Return an instance of a template that is written in place."""
    start = 10
    definition = offset + start
    inner = b"\x0f\x01\x01\x00"
    inner += _element(node, definition + 24 + len(inner)) + b"\x00"
    head = struct.pack("<BBII", 0x0C, 1, 1, definition)
    return head + struct.pack("<I16sI", 0, bytes(16), len(inner)) + inner


def _element(node: Node, offset: int) -> bytes:
    name, attributes, content = node
    start = 1 + 2 + 4
    inner = _name(name, offset + start)
    if attributes:
        inner += _attributes(attributes, offset + start + len(inner))
    inner += b"\x02"
    if content == _ARRAY:
        inner += struct.pack("<BHB", 0x0D, 0, 0x81)
    elif isinstance(content, str):
        inner += _value(content)
    else:
        for child in content:
            inner += _element(child, offset + start + len(inner))
    inner += b"\x04"
    token = 0x41 if attributes else 0x01
    return struct.pack("<BHI", token, 0xFFFF, len(inner)) + inner


def _attributes(attributes: dict[str, str], offset: int) -> bytes:
    listed = b""
    for number, (name, value) in enumerate(attributes.items(), start=1):
        token = 0x06 if number == len(attributes) else 0x46
        listed += bytes([token])
        listed += _name(name, offset + 4 + len(listed))
        listed += _value(value)
    return struct.pack("<I", len(listed)) + listed


def _name(name: str, offset: int) -> bytes:
    """Return a name written in place: its offset is where it stands."""
    text = struct.pack("<IHH", 0, 0, len(name)) + name.encode("utf-16-le") + b"\0\0"
    return struct.pack("<I", offset + 4) + text


def _value(text: str) -> bytes:
    return b"\x05\x01" + struct.pack("<H", len(text)) + text.encode("utf-16-le")
