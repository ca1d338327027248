"""A document becomes a typed value, or an error that names place, expectation and nearest word.

msgspec decides what is legal. It names the first fault by a path in which keys of free mappings
are ``[...]``; here that path becomes a concrete one, and its terse words become sentences. What
a key is for comes from the types: ``Annotated[..., Meta(description="a sentence.")]`` is shown as
advice, and as help in an editor. ``Meta(extra={"secret": True})`` keeps a value out of messages.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from msgspec.inspect import Type, type_info

from orchestrator.core.errors import ConfigurationError
from orchestrator.document.kinds import choices, description, fields, is_secret, types_at
from orchestrator.document.location import at, locate, split
from orchestrator.document.tree import Document, Path, Tree, nearest

T = TypeVar("T")


def convert(
    document: Document, kind: type[T], hints: Mapping[str, str] = MappingProxyType({})
) -> T:
    """Return *document* as a value of *kind*, strictly: nothing is coerced, no key is ignored.

    *hints* has advice for keys that people expect but that do not exist, by key. Raises
    ConfigurationError for the first fault; one that *kind* itself raises is given a place.
    """
    try:
        return msgspec.convert(document.tree, kind)
    except msgspec.ValidationError as error:
        raise _explain(document, kind, str(error), hints) from None
    except ConfigurationError as error:
        raise document.error((), error.reason, error.advice) from None


def schema(kind: type, title: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of files that ``convert`` accepts as *kind*."""
    found = msgspec.json.schema(kind)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **found}


@dataclass(frozen=True, slots=True)
class _Fault:
    """One thing that msgspec refused: the part at *path*, or with *key* that part's key."""

    document: Document
    path: Path
    key: bool
    types: tuple[Type, ...]
    hints: Mapping[str, str]

    @property
    def value(self) -> Tree:
        """What stands at the path, or the key."""
        return str(self.path[-1]) if self.key else at(self.document.tree, self.path)

    @property
    def shown(self) -> str:
        """The value for a message: short, and without its text where that may be a secret."""
        if any(is_secret(each) for each in self.types):
            return "what is written there"
        text = repr(self.value)
        return text if len(text) <= 60 else text[:56] + " ..."

    @property
    def purpose(self) -> str:
        """What the types say that this part is for, or nothing."""
        return next(filter(None, map(description, self.types)), "")

    def error(self, message: str, advice: str = "", path: Path | None = None) -> ConfigurationError:
        """Return the ConfigurationError that this fault is."""
        return self.document.error(self.path if path is None else path, message, advice)


def _explain(
    document: Document, kind: type, text: str, hints: Mapping[str, str]
) -> ConfigurationError:
    message, key, pattern = split(text)
    path = locate(document.tree, kind, text, pattern)
    if len(path) < len(pattern):
        return document.error(path, f"{message}, in one of the entries")
    types = tuple(types_at(type_info(kind), path, key=key))
    fault = _Fault(document, path, key, types, hints)
    for words, tell in _SENTENCES:
        if found := words.fullmatch(message):
            return tell(fault, found)
    return fault.error(message, fault.purpose)


def _unknown(fault: _Fault, found: re.Match[str]) -> ConfigurationError:
    word = found[1]
    legal = [field.encode_name for each in fault.types for field in fields(each)]
    advice = fault.hints.get(word) or nearest(word, legal)
    return fault.error(f"unknown key '{word}'", advice, (*fault.path, word))


def _missing(fault: _Fault, found: re.Match[str]) -> ConfigurationError:
    inner = (f.type for t in fault.types for f in fields(t) if f.encode_name == found[1])
    needed = _Fault(fault.document, fault.path, key=False, types=tuple(inner), hints=fault.hints)
    words = [str(word) for each in needed.types for word in choices(each)]
    advice = needed.purpose or (nearest("", words) if words else "")
    return fault.error(f"the key '{found[1]}' is missing", advice)


def _enumerated(fault: _Fault, _: re.Match[str]) -> ConfigurationError:
    legal = [str(word) for each in fault.types for word in choices(each)]
    advice = nearest(str(fault.value), legal)
    return fault.error(f"{fault.shown} is not one of {', '.join(legal)}", advice)


def _mistyped(fault: _Fault, found: re.Match[str]) -> ConfigurationError:
    kinds = [_KINDS.get(each, each) for each in found[1].split(" | ")]
    wanted = " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
    given = _KINDS.get(found[2], found[2])
    shown = f" {fault.shown}" if isinstance(fault.value, str) else ""
    return fault.error(f"{wanted} is expected, not {given}{shown}", _hint(fault, found))


def _hint(fault: _Fault, found: re.Match[str]) -> str:
    if found[1] == "bool" and str(fault.value).lower() in _SWITCHES:
        return "Write true or false; yes, no, on and off are plain text here."
    if "str" in found[1].split(" | ") and found[2] in {"bool", "int"}:
        return "Put it in quotes if it is meant as text."
    return fault.purpose


def _bounded(fault: _Fault, found: re.Match[str]) -> ConfigurationError:
    kind, limit, bound = found[1], found[2], found[3]
    what = {"str": "text", "array": "a list", "object": "a mapping"}.get(kind)
    extent = "at least" if limit == ">=" else "at most"
    if what is None:
        shown = f"not {fault.value}"
        return fault.error(f"a number of {extent} {bound} is expected, {shown}", fault.purpose)
    one, many = ("character", "characters") if kind == "str" else ("entry", "entries")
    unit = one if bound == "1" else many
    return fault.error(f"{what} of {extent} {bound} {unit} is expected", fault.purpose)


def _unmatched(fault: _Fault, _: re.Match[str]) -> ConfigurationError:
    return fault.error(f"{fault.shown} is not allowed here", fault.purpose)


_SWITCHES = frozenset({"yes", "no", "on", "off", "y", "n", "true", "false"})
_KINDS: Mapping[str, str] = {
    "str": "text",
    "int": "a whole number",
    "bool": "true or false",
    "float": "a number",
    "null": "nothing",
    "array": "a list",
    "object": "a mapping",
}
_SENTENCES: tuple[
    tuple[re.Pattern[str], Callable[[_Fault, re.Match[str]], ConfigurationError]], ...
] = (
    (re.compile(r"Object contains unknown field `(.+)`", re.DOTALL), _unknown),
    (re.compile(r"Object missing required field `(.+)`"), _missing),
    (re.compile(r"Invalid enum value .+", re.DOTALL), _enumerated),
    (re.compile(r"Expected `(.+)`, got `(.+)`"), _mistyped),
    (re.compile(r"Expected `(\w+)` (?:of length )?([<>]=) (\S+)"), _bounded),
    (re.compile(r"Expected `str` matching regex .+", re.DOTALL), _unmatched),
)
