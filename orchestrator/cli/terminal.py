"""Where output goes: lines for people, one JSON document for programs, questions to a person."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import IO, Any

import click

from orchestrator.render.text import WIDTH, Line, Look, Tone

_WIDEST = 100
_STYLES: Mapping[Tone, dict[str, Any]] = {
    Tone.PLAIN: {},
    Tone.HEADING: {"bold": True},
    Tone.COMMAND: {"fg": "cyan"},
    Tone.GOOD: {"fg": "green"},
    Tone.WARNING: {"fg": "yellow"},
    Tone.BAD: {"fg": "red", "bold": True},
    Tone.QUIET: {"dim": True},
}


class Terminal:
    """What a command prints to.

    With *json*, standard output is for one document alone, and what is said to people goes to
    standard error. A reader that went away is no reason to stop work: what is written after that
    is dropped.
    """

    def __init__(self, *, json: bool = False, debug: bool = False) -> None:
        self.json = json
        self.debug = debug
        self.lost = ""
        """Why something could not be written, where it was not that the reader went away."""
        self.options = ""
        """The options that a suggested command needs to work on the same files."""
        self.color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def say(self, lines: Iterable[Line]) -> None:
        """Print what was asked for: on standard output, or with *json* not at all."""
        if not self.json:
            self._write(sys.stdout, lines)

    def tell(self, lines: Iterable[Line]) -> None:
        """Print what accompanies the work: standard output for people, else standard error."""
        self._write(sys.stderr if self.json else sys.stdout, lines)

    def warn(self, lines: Iterable[Line]) -> None:
        """Print to standard error."""
        self._write(sys.stderr, lines)

    def document(self, noun: str, facts: Mapping[str, object]) -> None:
        """Print the one JSON document, where programs asked for it. docs/output.md has the nouns.

        *facts* hold plain values, or values of msgspec.
        """
        if self.json:
            import msgspec  # noqa: PLC0415 - not for --help

            plain = msgspec.to_builtins({"schema": f"orchestrator/{noun}/1", **facts})
            self._print(sys.stdout, json.dumps(plain, indent=2, ensure_ascii=True))

    def raw(self, text: str) -> None:
        """Print *text*, which is safe already, as it is."""
        self._print(sys.stdout, text, end="")

    @property
    def width(self) -> int:
        """Columns for text: those of the terminal, but no more than reads well."""
        if not self.attended(sys.stdout):
            return WIDTH
        return min(shutil.get_terminal_size((WIDTH, 24)).columns, _WIDEST)

    @property
    def look(self) -> Look:
        """What can be shown, for the renderers."""
        return Look(self.width, self.plain, self.options)

    @property
    def interactive(self) -> bool:
        """Say whether a person can be asked."""
        return self.attended(sys.stdin)

    @property
    def live(self) -> bool:
        """Say whether a view that redraws itself can be shown."""
        return self.color and not self.json and self.attended(sys.stdout)

    @property
    def plain(self) -> bool:
        """Say whether output takes nothing beyond ASCII."""
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        try:
            "\u2713\u2717\u2192".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return True
        return False

    @staticmethod
    def attended(stream: IO[str] | None) -> bool:
        """Say whether *stream* is a terminal; a process without a console has no streams."""
        return stream is not None and stream.isatty()

    def confirm(self, question: str) -> bool:
        """Ask a person, for whom no is the default."""
        return click.confirm(question, default=False, err=self.json)

    def prompt(self, question: str) -> str:
        """Ask a person for words; empty ones are asked again."""
        return str(click.prompt(question, type=str, err=self.json)).strip()

    def _write(self, stream: IO[str], lines: Iterable[Line]) -> None:
        colored = self.color and self.attended(stream)
        for line in lines:
            text = click.style(line.text, **_STYLES[line.tone]) if colored else line.text
            self._print(stream, text)

    def _print(self, stream: IO[str], text: str, end: str = "\n") -> None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        try:
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + end)
            stream.flush()
        except BrokenPipeError:
            return
        except OSError as error:
            self.lost = error.strerror or type(error).__name__
