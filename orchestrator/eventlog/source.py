"""The bytes of a file or of standard input, in bounded pieces, as text whatever the encoding."""

import codecs
import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from orchestrator.core.errors import ConfigurationError

LARGEST_FILE = 2 * 1024**3
LARGEST_EVENT = 1024**2
"""Bytes of a file, and characters of one event. Windows keeps an event below 64 KiB [doc]."""

PIECE = 64 * 1024


class Broken(Exception):
    """From here on the file cannot be read. The text says why, for people."""


class Source:
    """A file that is read once, from its beginning; *head* may be looked at before.

    *path* is None for standard input.
    """

    def __init__(self, stream: BinaryIO, name: str, path: Path | None) -> None:
        self.name = name
        self.path = path
        self._stream = stream
        self.head = stream.read(PIECE)
        self.encoding = _encoding(self.head)

    @property
    def opening(self) -> str:
        """The text at the beginning, without what stands before the first word."""
        return self.head.decode(self.encoding, "replace").lstrip("\ufeff \t\r\n")

    def chunks(self) -> Iterator[bytes]:
        """Yield everything, in pieces of at most 64 KiB.

        Raises ConfigurationError where there is more than 2 GiB, or the disk fails.
        """
        size, piece = 0, self.head
        while piece:
            size += len(piece)
            if size > LARGEST_FILE:
                raise _too_large(self.name)
            yield piece
            try:
                piece = self._stream.read(PIECE)
            except OSError as error:
                raise _unreadable(self.name, error) from None

    def text(self) -> Iterator[str]:
        """Yield everything as text, without a byte order mark; what is no text is U+FFFD."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        first = True
        for chunk in self.chunks():
            text = decoder.decode(chunk)
            yield text.removeprefix("\ufeff") if first else text
            first = False
        yield decoder.decode(b"", final=True)

    def lines(self) -> Iterator[str]:
        """Yield the lines, each with its end. Raises Broken for one that is too long."""
        rest = ""
        for text in self.text():
            *whole, rest = (rest + text).split("\n")
            for line in whole:
                yield line + "\n"
            if len(rest) > LARGEST_EVENT:
                raise Broken("a line is longer than any event can be")
        if rest:
            yield rest


@contextlib.contextmanager
def open_source(name: str) -> Iterator[Source]:
    """Open the file *name*, or standard input for ``-``.

    Raises ConfigurationError where there is none, it is none, or it is larger than 2 GiB.
    """
    if name == "-":
        yield Source(sys.stdin.buffer, "standard input", None)
        return
    try:
        path = Path(name)
        stream = path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a name with a zero character
        raise _unreadable(name, error) from None
    with stream:
        if path.stat().st_size > LARGEST_FILE:
            raise _too_large(name)
        try:
            source = Source(stream, name, path)
        except OSError as error:
            raise _unreadable(name, error) from None
        yield source


def _unreadable(name: str, error: OSError | ValueError) -> ConfigurationError:
    if isinstance(error, FileNotFoundError):
        return ConfigurationError("there is no such file", file=name)
    if isinstance(error, IsADirectoryError) or Path(name).is_dir():
        return ConfigurationError("this is a directory", "Name a file in it.", file=name)
    reason = getattr(error, "strerror", None) or str(error)
    return ConfigurationError(f"the file cannot be read: {reason}", file=name)


def _too_large(name: str) -> ConfigurationError:
    advice = "Export the events of the two providers alone, or of fewer days."
    return ConfigurationError("the file is larger than 2 GiB", advice, file=name)


_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_SINGLE_BYTE = re.compile(
    r"(windows-125\d|iso-8859-\d{1,2}|us-ascii|ascii|cp\d{3,4})", re.IGNORECASE
)


def _encoding(head: bytes) -> str:
    """Return the encoding: by mark, by the zeros of UTF-16, as declared, else UTF-8.

    A declaration of UTF-16 in text without zeros is a left-over of a conversion.
    """
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if len(head) > 1 and (head[0] == 0) != (head[1] == 0):
        return "utf-16-be" if head[0] == 0 else "utf-16-le"
    declared = _DECLARED.match(head)
    if declared and _SINGLE_BYTE.fullmatch(name := declared[1].decode("ascii")):
        with contextlib.suppress(LookupError):
            return codecs.lookup(name).name
    return "utf-8"
