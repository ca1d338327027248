"""Entries of a playbook: one word that names what it is, its arguments, and when it counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, NoneType
from typing import Any, NamedTuple

import msgspec

from orchestrator.core.command import Plain
from orchestrator.core.playbook import (
    Input,
    InputType,
    Invocation,
    Literal,
    placeholder,
)
from orchestrator.document import Document, Path, Tree, convert, nearest, scalars
from orchestrator.steps import PREDICATES, PROOFS, STEP_KINDS


class Section(NamedTuple):
    """A part of a playbook that is a list of entries: what one is called, and which there are."""

    noun: str
    kinds: Mapping[str, type[Plain]]


# Every kind is a frozen value, whatever protocol its table promises beside that.
SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        "require": Section("predicate", dict[str, Any](PREDICATES)),
        "steps": Section("kind of step", dict[str, Any](STEP_KINDS)),
        "verify": Section("proof", dict[str, Any](PROOFS)),
    }
)

SAMPLES: Mapping[InputType, bool | int | str] = MappingProxyType(
    {
        InputType.DOMAIN: "fabrikam.com",
        InputType.RECEIVE_CONNECTOR: r"EX01\From Fabrikam",
        InputType.BOOLEAN: True,
        InputType.INTEGER: 1,
        InputType.TEXT: "text",
    }
)
"""A value that each type of input may hold; its Python type is that of all the others."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the entries of one playbook. Every method raises ConfigurationError."""

    document: Document
    inputs: Mapping[str, Input]

    def section(self, name: str, entries: tuple[Any, ...]) -> tuple[Invocation, ...]:
        """Return the entries of a section."""
        return tuple(self.entry((name, i), each, name) for i, each in enumerate(entries))

    def entry(self, path: Path, written: Tree, section: str) -> Invocation:
        """Return one entry: a word alone, or a mapping of one word to its arguments."""
        noun, kinds = SECTIONS[section]
        entry = {written: None} if isinstance(written, str) else written
        if not isinstance(entry, dict):
            raise self.document.error(path, f"a {noun} is expected", nearest("", kinds))
        kind = self.kind(path, entry, section)
        arguments = self.arguments((*path, kind), entry[kind], kinds[kind])
        guard = self.guard((*path, "when"), entry["when"]) if "when" in entry else None
        return Invocation(kind, arguments, guard, self.document.line(path))

    def kind(self, path: Path, entry: Mapping[str, Tree], section: str) -> str:
        """Return the only key that names what *entry* is."""
        noun, kinds = SECTIONS[section]
        named = [key for key in entry if key in kinds]
        for key in entry:
            if key not in {*kinds, "when"}:
                message = f"unknown key '{key}'" if named else f"there is no {noun} '{key}'"
                advice = _elsewhere(key) or nearest(key, ["when"] if named else kinds)
                raise self.document.error((*path, key), message, advice)
        if len(named) != 1:
            message = f"an entry names exactly one {noun}, not {' and '.join(named) or 'none'}"
            advice = "Make it several entries." if named else nearest("", kinds)
            raise self.document.error(path, message, advice)
        return named[0]

    def arguments(self, path: Path, written: Tree, kind: type[Plain]) -> dict[str, Literal]:
        """Return the arguments as written, once they fit the kind for whatever inputs."""
        given = {} if written is None else written
        if not isinstance(given, dict):
            advice = f"They are {', '.join(kind.__struct_fields__)}."
            raise self.document.error(path, "arguments are expected, each under its name", advice)
        for empty in (False, True):
            sample = {
                key: self.sample((*path, key), each, kind, empty=empty)
                for key, each in given.items()
            }
            convert(self.document.part(path, sample), kind)
        return msgspec.convert(given, dict[str, Literal])

    def sample(self, path: Path, argument: Tree, kind: type[Plain], *, empty: bool) -> Tree:
        """Return *argument*, or for a placeholder what its input may hold (if *empty*, None)."""
        name = placeholder(argument) if isinstance(argument, str) else None
        if name is None:
            self.check_literal(path, argument)
            return argument
        if name not in self.inputs:
            message = f"there is no input '{name}'"
            raise self.document.error(path, message, nearest(name, self.inputs))
        given = self.inputs[name]
        if path[-1] in kind.__struct_fields__:
            self.check_input(path, given, scalars(kind, path[-1:]))
        return None if empty and _may_be_empty(given) else SAMPLES[given.type]

    def check_literal(self, path: Path, argument: Tree) -> None:
        """Refuse a placeholder that is only a part of *argument*."""
        members = argument if isinstance(argument, list) else [argument]
        if any(isinstance(member, str) and "{{" in member for member in members):
            advice = 'Write "{{ name }}" and nothing beside it.'
            raise self.document.error(path, "a placeholder stands for a whole value", advice)

    def check_input(self, path: Path, given: Input, legal: frozenset[type]) -> None:
        """Refuse an input of which not every value may stand at *path*."""
        if type(SAMPLES[given.type]) not in legal:
            message = f"the input '{given.name}' is of the type {given.type}"
            advice = "Write the value itself, or use an input of another type."
            raise self.document.error(path, f"{message}, which cannot stand here", advice)
        if _may_be_empty(given) and NoneType not in legal:
            message = f"the input '{given.name}' may be left out, and here a value is needed"
            advice = f"Give '{given.name}' a default, or write 'required: true' there."
            raise self.document.error(path, message, advice)

    def guard(self, path: Path, written: Tree) -> str | Invocation:
        """Return what ``when`` says: the name of a boolean input, or a predicate."""
        if isinstance(written, dict) and "when" not in written:
            return self.entry(path, written, "require")
        boolean = [each.name for each in self.inputs.values() if each.type is InputType.BOOLEAN]
        if isinstance(written, str) and written in boolean:
            return written
        word = written if isinstance(written, str) else ""
        message = "the name of a boolean input, or a predicate with its arguments, is expected"
        advice = nearest(placeholder(word) or word, [*boolean, *PREDICATES])
        raise self.document.error(path, message, advice)


def _may_be_empty(given: Input) -> bool:
    return not given.required and given.default is None


def _elsewhere(word: str) -> str:
    homes = (name for name, (_, kinds) in SECTIONS.items() if word in kinds)
    return "".join(f"'{word}' belongs under '{name}'." for name in homes)


_PLACEHOLDER = {
    "description": "The value of an input.",
    "type": "string",
    "pattern": r"^\s*\{\{\s*[A-Za-z_][A-Za-z0-9_]*\s*\}\}\s*$",
}


def entry_schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the JSON Schema of an entry of each section, and the definitions that they use."""
    kinds = [kind for section in SECTIONS.values() for kind in section.kinds.values()]
    _, found = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    for definition in found.values():
        for name, value in definition.get("properties", {}).items():
            definition["properties"][name] = {"anyOf": [value, _PLACEHOLDER]}
    guard = {
        "description": "A boolean input, or a predicate: without it the entry does not count.",
        "anyOf": [{"type": "string"}, *_forms("require", {})],
    }
    entries = {name: {"anyOf": [*_forms(name, {"when": guard})]} for name in SECTIONS}
    return entries, found


def _forms(section: str, more: Mapping[str, Any]) -> list[dict[str, Any]]:
    forms: list[dict[str, Any]] = []
    for name, kind in SECTIONS[section].kinds.items():
        arguments: dict[str, Any] = {"$ref": f"#/$defs/{kind.__name__}"}
        if not any(each.required for each in msgspec.structs.fields(kind)):
            forms.append({"const": name})
            arguments = {"anyOf": [arguments, {"type": "null"}]}
        forms.append(
            {
                "type": "object",
                "properties": {name: arguments, **more},
                "required": [name],
                "additionalProperties": False,
            }
        )
    return forms
