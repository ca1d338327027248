"""Lines for people: hostile text made harmless, wrapping, and the tone a line is said in."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

LIMIT = 2000
"""Characters of one value that are shown; what is longer is cut, visibly."""

WIDTH = 80

# Control characters with ANSI's escape among them, what turns the direction of text, what is not
# seen at all (Unicode's Default_Ignorable_Code_Point, and Braille's blank), line and paragraph
# separators, tags, what is no character, and halves of surrogate pairs.
_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff]"
)


def safe(text: str, limit: int = LIMIT) -> str:
    r"""Return *text* so that printing it prints nothing but characters that are seen.

    Control, bidirectional and invisible characters become ``\x1b`` or ``\u202e``; what is
    longer than *limit* is cut and says by how much.
    """
    escaped = _HOSTILE.sub(lambda found: _escape(found[0]), text[:limit])
    return escaped if len(text) <= limit else f"{escaped}... ({len(text) - limit} more characters)"


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Tone(StrEnum):
    """How a line is meant. Nothing is said by the tone alone: a terminal may have no colors."""

    PLAIN = "plain"
    HEADING = "heading"
    COMMAND = "command"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    QUIET = "quiet"


class Line(NamedTuple):
    """One line of output, safe to print."""

    text: str
    tone: Tone = Tone.PLAIN


Lines = Iterator[Line]
BLANK = Line("")


class Look(NamedTuple):
    """What the reader's terminal can show: *width* columns; *ascii* alone, or marks beyond it.

    *options* are those that a suggested command needs, as ``" -i lab.yaml"``, or nothing.
    """

    width: int = WIDTH
    ascii: bool = False
    options: str = ""

    @property
    def arrow(self) -> str:
        """From before to after."""
        return "->" if self.ascii else "\u2192"

    def mark(self, *, holds: bool | None) -> str:
        """Return a tick, a cross, or room for one, two columns wide."""
        if holds is None:
            return "  "
        if self.ascii:
            return "ok" if holds else "NO"
        return "\u2713 " if holds else "\u2717 "


def wrapped(
    text: str, tone: Tone = Tone.PLAIN, *, indent: int = 0, bullet: str = "", width: int = WIDTH
) -> Lines:
    """Yield *text* in lines of at most *width* columns; words that are longer stay whole.

    *bullet* stands before the first line, under which the others are aligned.
    """
    first = " " * indent + bullet
    pieces = textwrap.wrap(
        safe(text),
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
    for piece in pieces:
        yield Line(piece, tone)


def heading(text: str) -> Lines:
    """Yield an empty line and *text* as a heading."""
    yield BLANK
    yield Line(safe(text), Tone.HEADING)


def command_line(text: str, *, indent: int = 4, label: str = "") -> Line:
    """Return a command to be copied: it is never wrapped, and never cut."""
    return Line(" " * indent + label + safe(text, limit=len(text)), Tone.COMMAND)


def plural(number: int, noun: str, several: str = "") -> str:
    """Return ``1 change`` or ``2 changes``."""
    return f"{number} {noun}" if number == 1 else f"{number} {several or noun + 's'}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, indent: int = 0) -> Lines:
    """Yield a table with columns as wide as their widest cell; the last one is not padded."""
    cells = [tuple(heads), *(tuple(safe(cell, 200) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        padded = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield Line((" " * indent + padded).rstrip(), Tone.PLAIN if number else Tone.HEADING)
