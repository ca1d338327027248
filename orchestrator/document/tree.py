"""YAML text to plain data that knows where every part of it was written.

It is built from the parser's events, not from its composer: events need no recursion, so the
limits hold while the text is being read and no nesting can exhaust the stack.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from orchestrator.core.errors import ConfigurationError

if TYPE_CHECKING:
    import yaml

Tree: TypeAlias = "bool | int | str | list[Tree] | dict[str, Tree] | None"
Path: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 1024 * 1024
MAX_NODES = 100_000
MAX_DEPTH = 32


class Place(NamedTuple):
    """A position in a text, both numbers counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says (*tree*), and where it says it.

    *places* has an entry for every part of the file; an entry of a mapping is found by its key.
    *root* is where the tree stands in the file; paths given to ``error`` begin there.
    """

    file: str
    tree: Tree
    places: Mapping[Path, Place]
    root: Path = ()

    def part(self, path: Path, tree: Tree) -> "Document":
        """Return the document of what stands at *path*, which is now to be read as *tree*."""
        return replace(self, tree=tree, root=(*self.root, *path))

    def line(self, path: Path) -> int:
        """Return the line, from 1, in which the part at *path* was written."""
        return self.places[(*self.root, *path)].line

    def error(self, path: Path, message: str, advice: str = "") -> ConfigurationError:
        """Return the error that *message* is, to be raised, with the place of *path*.

        A path that was not written, such as that of a missing key, has the place of the nearest
        part around it that was.
        """
        path = written = (*self.root, *path)
        while written and written not in self.places:
            written = written[:-1]
        return _error(self.file, self.places.get(written), message, advice, dotted(path))


def dotted(path: Path) -> str:
    """Return *path* as people write it: ``organizations.contoso.servers[0]``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def nearest(word: str, words: Iterable[str]) -> str:
    """Return a sentence that offers the one of *words* most like *word*, or all of them."""
    legal = sorted(set(words))
    lower = {each.lower(): each for each in reversed(legal)}
    close = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{lower[close[0]]}'?"
    return f"Possible here: {', '.join(legal)}." if legal else "There are none here."


def parse(text: str, file: str = "") -> Document:
    """Return what *text* says; *file* is its name in errors.

    Raises ConfigurationError for anything that is not one document of the small YAML described
    at the head of this package, or that is larger than a person would write.
    """
    import yaml  # noqa: PLC0415 - a heavy library that --help need not pay for

    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    _check_characters(lines, file)
    return _built(lines, file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _built(lines: str, file: str, loader: Any) -> Document:
    import yaml  # noqa: PLC0415 - as above

    builder = _Builder(file)
    try:
        for event in yaml.parse(lines, Loader=loader):
            builder.take(event)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an escape beyond Unicode
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        if problem == _TOO_DEEP:
            return _built(lines, file, yaml.SafeLoader)
        advice = _ESCAPE if "escape" in problem else _QUOTES
        raise _error(file, _place(mark), f"this is not YAML: {problem}", advice) from None
    return builder.document()


_TOO_DEEP = "exceeded maximum nesting depth"
"""What newer versions of libyaml say when they read ahead, before we would have refused."""


_ESCAPE = "In double quotes a backslash begins an escape: use single quotes."
_QUOTES = "Look for a missing quote, colon or space in this line and the one before it."

# What YAML does not allow, what cannot be seen (bidirectional marks, spaces without width), and
# what some readers take for the end of a line and others not.
_INVISIBLE = re.compile(
    "[^\t\n -~\xa0-\u200a\u200c\u200d\u2010-\u2027\u202f-\u205f\u2070-\ud7ff\ue000-\ufefe"
    "\uff00-\ufffd\U00010000-\U0010ffff]"
)
_INDENT = re.compile(r"^ *\t", re.MULTILINE)


def _check_characters(text: str, file: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        raise _error(file, None, f"the file is larger than {MAX_BYTES // 1024} KiB", "")
    if found := _INVISIBLE.search(text):
        message = f"the character U+{ord(found[0]):04X} cannot be seen and is not allowed"
        raise _error(file, _position(text, found.start()), message, "Delete it.")
    if found := _INDENT.search(text):
        place = _position(text, found.end() - 1)
        raise _error(file, place, "a tab is used to indent", "Write spaces instead.")


def _position(text: str, offset: int) -> Place:
    return Place(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


class _Mark(Protocol):
    """A position as both of PyYAML's parsers give it, counted from 0."""

    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


def _place(mark: _Mark | None) -> Place | None:
    return Place(mark.line + 1, mark.column + 1) if mark else None


def _error(
    file: str, place: Place | None, message: str, advice: str, path: str = ""
) -> ConfigurationError:
    line, column = place or (None, None)
    return ConfigurationError(message, advice, file=file, line=line, column=column, path=path)


@dataclass(slots=True)
class _Open:
    """A collection that has begun and not ended."""

    path: Path
    content: dict[str, Tree] | list[Tree]
    key: str | None = None


@dataclass(slots=True)
class _Builder:
    """Takes the events of one text, in order, and keeps what they have built so far."""

    file: str
    roots: list[Tree] = field(default_factory=list)
    places: dict[Path, Place] = field(default_factory=dict)
    open: list[_Open] = field(default_factory=list)

    def take(self, event: "yaml.Event") -> None:
        """Add what *event* says. Raises ConfigurationError for what is refused."""
        import yaml  # noqa: PLC0415 - loaded already; the name is needed here

        place = _place(event.start_mark) or Place(1, 1)
        match event:
            case yaml.AliasEvent():
                raise self._refusal(place, "anchors and aliases (& and *) are not used here", _STAR)
            case yaml.ScalarEvent():
                self._check(event, place)
                self._add(_plain(event.value) if event.implicit[0] else event.value, place)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._check(event, place)
                self._begin({} if isinstance(event, yaml.MappingStartEvent) else [], place)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.open.pop()
            case yaml.DocumentStartEvent() if self.roots:
                raise self._refusal(place, "a second document begins", "Use one file for each.")

    def document(self) -> Document:
        """Return what was built. Raises ConfigurationError if that is nothing."""
        root = self.roots[0] if self.roots else None
        if root is None:
            raise _error(self.file, None, "the file is empty", "")
        return Document(self.file, root, self.places)

    def _check(self, event: "yaml.NodeEvent", place: Place) -> None:
        if event.anchor is not None:
            raise self._refusal(place, "anchors and aliases (& and *) are not used here", _STAR)
        if getattr(event, "tag", None) is not None:
            raise self._refusal(place, "tags (!) are not used here", "Put text in quotes.")
        if found := _INVISIBLE.search(getattr(event, "value", "")):
            message = f"the character U+{ord(found[0]):04X} cannot be seen and is not allowed"
            raise self._refusal(place, message, "Delete it.")

    def _begin(self, content: dict[str, Tree] | list[Tree], place: Place) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise self._refusal(place, f"nested more than {MAX_DEPTH} deep", "")
        path = self._add(content, place)
        self.open.append(_Open(path, content))

    def _add(self, value: Tree, place: Place) -> Path:
        """Put *value* where it belongs and return its path; a key waits for its value."""
        if len(self.places) >= MAX_NODES:
            raise self._refusal(place, f"more than {MAX_NODES} parts", "Use several files.")
        if not self.open:
            self.roots.append(value)
            self.places[()] = place
            return ()
        top = self.open[-1]
        if isinstance(top.content, list):
            path = (*top.path, len(top.content))
            self.places[path] = place
            top.content.append(value)
            return path
        if top.key is None:
            return self._take_key(top, value, place)
        path, top.key = (*top.path, top.key), None
        top.content[str(path[-1])] = value
        return path

    def _take_key(self, top: _Open, value: Tree, place: Place) -> Path:
        if not isinstance(value, str) or not isinstance(top.content, dict):
            raise self._refusal(place, "a key has to be text", "Put it in quotes.")
        path = (*top.path, value)
        if value in top.content:
            first = self.places[path].line
            advice = "Keep one of them; what both say can be joined under it."
            raise self._refusal(place, f"'{value}' is written twice, first in line {first}", advice)
        top.key = value
        self.places[path] = place
        return path

    def _refusal(self, place: Place, message: str, advice: str) -> ConfigurationError:
        path = self.open[-1].path if self.open else ()
        return _error(self.file, place, message, advice, dotted(path))


_STAR = "Put text that begins with & or * in quotes."
# At most 18 digits: more does not fit in 64 bits, and nobody counts so far.
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_WORDS: Mapping[str, Tree] = {"true": True, "false": False, "null": None, "~": None, "": None}


def _plain(text: str) -> Tree:
    """Return what *text* means when it stands without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _NUMBER.fullmatch(text) else text
