"""Playbooks: the file as it is written, checked against the tables of kinds before any run.

What an entry names must exist, its arguments must be the kind's own, and an input must be able
to stand where its placeholder does: a playbook that loads can be built for any legal inputs.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import Meta

from orchestrator.core.command import Plain
from orchestrator.core.inventory import Name, Words
from orchestrator.core.limits import Limits
from orchestrator.core.playbook import Answer, Input, InputType, Playbook
from orchestrator.document import Document, convert, parse, schema
from orchestrator.loader.entry import SAMPLES, Reader, entry_schemas
from orchestrator.loader.inventory import Identifier
from orchestrator.loader.text import decode, read_bytes

Entry = Annotated[Any, Meta(description="One key that names it, with its arguments; and 'when'.")]


class WrittenInput(Plain, frozen=True, kw_only=True):
    """A value that the operator supplies with ``--set``."""

    type: Annotated[InputType, Meta(description="What it may hold.")]
    description: Annotated[str, Meta(min_length=1, description="What to give, for the operator.")]
    required: Annotated[bool, Meta(description="Whether it has to be given.")] = False
    default: Annotated[
        bool | int | str | None, Meta(description="What it is where nobody gives it.")
    ] = None


class Written(Plain, frozen=True, kw_only=True):
    """A playbook file."""

    name: Annotated[Name, Meta(description="The name of the file, without .yaml.")]
    title: Annotated[Words, Meta(description="What it does, in one line.")]
    description: Annotated[str, Meta(min_length=1, description="When to use it, and what follows.")]
    answers: Annotated[
        tuple[Answer, ...], Meta(description="Events that it answers, by source and number.")
    ] = ()
    inputs: Annotated[
        Mapping[Identifier, WrittenInput], Meta(description="What the operator supplies, by name.")
    ] = {}
    require: Annotated[tuple[Entry, ...], Meta(description="What has to hold beforehand.")] = ()
    steps: Annotated[
        tuple[Entry, ...], Meta(min_length=1, description="What has to be true, in this order.")
    ]
    verify: Annotated[tuple[Entry, ...], Meta(description="What proves that it is done.")] = ()
    limits: Annotated[
        Limits, Meta(description="How much one batch may do, unless the command line says so.")
    ] = Limits()
    attended: Annotated[
        bool, Meta(description="Whether a person has to decide each time, or be named.")
    ] = False


_DEFAULTS = MappingProxyType(
    {
        bool: "Write true or false.",
        int: "Write a whole number.",
        str: "Write text, in quotes where it looks like a number.",
    }
)


def load_playbook(path: Path) -> Playbook:
    """Return the playbook in the file *path*. Raises ConfigurationError."""
    return parse_playbook(read_bytes(path), str(path))


def parse_playbook(content: bytes, file: str) -> Playbook:
    """Return the playbook that *content* describes; its name has to be that of *file*.

    Raises ConfigurationError for whatever could not be built, whichever inputs are given.
    """
    document = parse(decode(content, file), file)
    written = convert(document, Written)
    if written.name != Path(file).stem:
        advice = f"Write 'name: {Path(file).stem}', or rename the file."
        raise document.error(("name",), f"the file is not called {written.name}.yaml", advice)
    reader = Reader(document, _inputs(document, written))
    return Playbook(
        name=written.name,
        title=written.title,
        description=written.description.strip(),
        answers=written.answers,
        inputs=tuple(reader.inputs.values()),
        require=reader.section("require", written.require),
        steps=reader.section("steps", written.steps),
        verify=reader.section("verify", written.verify),
        digest=hashlib.sha256(content).hexdigest(),
        limits=written.limits,
        attended=written.attended,
    )


def _inputs(document: Document, written: Written) -> dict[str, Input]:
    """Return the inputs by name, each with a default of its own type."""
    for name, each in written.inputs.items():
        path = ("inputs", name, "default")
        if each.required and each.default is not None:
            advice = "Take away 'required' or 'default'."
            raise document.error(path, "what is required needs no default", advice)
        if each.default is not None and type(each.default) is not type(SAMPLES[each.type]):
            message = f"this is no default for an input of the type {each.type}"
            raise document.error(path, message, _DEFAULTS[type(SAMPLES[each.type])])
    return {
        name: Input(name, each.type, each.description.strip(), each.required, each.default)
        for name, each in written.inputs.items()
    }


def playbook_schema() -> dict[str, Any]:
    """Return the JSON Schema of playbook files, for editors; entries come from the tables."""
    found = schema(Written, "Playbook of the orchestrator")
    sections, kinds = entry_schemas()
    for name, entries in sections.items():
        found["$defs"]["Written"]["properties"][name]["items"] = entries
    found["$defs"].update(kinds)
    return found
