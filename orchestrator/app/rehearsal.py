"""Rehearsals as written: a playbook, and what has to come of it in simulated organizations.

The file ``tests/playbooks/<name>.yaml`` is the rehearsal of the playbook ``<name>``. This module
says what such a file may contain and reads it strictly; ``stage`` performs it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from msgspec import UNSET, Meta, UnsetType

from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError, OrchestratorError, UsageError
from orchestrator.core.inventory import Protection, Variable, Words
from orchestrator.core.playbook import Playbook
from orchestrator.document import Document, convert, nearest, parse, schema
from orchestrator.document import Path as Place
from orchestrator.lab import load_scenario
from orchestrator.loader import find_playbook, load_playbook, read_text
from orchestrator.steps.inputs import parse_inputs

Simple: TypeAlias = bool | int | str | tuple[str, ...] | None


HOME = Path("tests") / "playbooks"
"""Where the rehearsals of playbooks lie, beside the directory of these."""


class Result(StrEnum):
    """How carrying out the plan ends."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DRIFTED = "drifted"


class Edit(Plain, frozen=True, kw_only=True):
    """What another administrator does to one object."""

    object: Annotated[
        Words, Meta(description=r"TransportConfig, or a connector's name or SERVER\Name.")
    ]
    set: Annotated[
        Mapping[str, Simple],
        Meta(min_length=1, description="Exchange's names of properties, and their whole values."),
    ]


class ExpectedChange(Plain, frozen=True, kw_only=True):
    """One change of the plan, and of the organization."""

    object: Annotated[
        Words, Meta(description=r"TransportConfig, a send connector's name, or SERVER\Name.")
    ]
    property: Annotated[Words, Meta(description="Exchange's name of the property.")]
    before: Annotated[
        Simple, Meta(description="What it was; of a list only the entry that goes.")
    ] = None
    after: Annotated[
        Simple, Meta(description="What it is then; of a list only the entry that comes.")
    ] = None


Rules: TypeAlias = Words | tuple[Words, ...]


class Expected(Plain, frozen=True, kw_only=True):
    """What has to come of a case: ``changes`` or ``refused``, and what belongs to it."""

    changes: Annotated[
        tuple[ExpectedChange, ...] | UnsetType,
        Meta(description="All changes, in order; [] says that there is nothing to do."),
    ] = UNSET
    refused: Annotated[
        Rules | UnsetType, Meta(description="The rule that refuses the plan, or all that do.")
    ] = UNSET
    evidence: Annotated[
        tuple[Words, ...],
        Meta(description="Objects that the refusals show signs of; there may be others."),
    ] = ()
    follows: Annotated[
        tuple[Words, ...],
        Meta(description="Rules that say what follows from the changes; there may be others."),
    ] = ()
    result: Annotated[Result, Meta(description="How it ends: succeeded, failed or drifted.")] = (
        Result.SUCCEEDED
    )
    again: Annotated[
        Rules | UnsetType,
        Meta(description="Rules that refuse a second run, where it is not simply nothing to do."),
    ] = UNSET


class Case(Plain, frozen=True, kw_only=True):
    """The playbook in one organization, with one set of inputs."""

    name: Annotated[Words, Meta(description="What this case shows, as a sentence.")]
    scenario: Annotated[
        Words, Meta(description="'orchestrator lab scenarios' names them; or a file beside this.")
    ] = "default"
    user: Annotated[
        str, Meta(description="The account; without it the first one of the scenario.")
    ] = ""
    inputs: Annotated[
        Mapping[str, Variable], Meta(description="Values for the playbook's inputs.")
    ] = {}
    protect: Annotated[
        Protection, Meta(description="What the inventory protects in this organization.")
    ] = Protection()
    given: Annotated[
        tuple[Edit, ...], Meta(description="What was edited before the plan is made.")
    ] = ()
    meanwhile: Annotated[
        tuple[Edit, ...], Meta(description="What is edited between the plan and its application.")
    ] = ()
    expect: Annotated[Expected, Meta(description="What has to come of it.")]


class Written(Plain, frozen=True, kw_only=True):
    """A rehearsal file."""

    playbook: Annotated[Words, Meta(description="The playbook's name, or its file from here.")]
    cases: Annotated[
        tuple[Case, ...], Meta(min_length=1, description="Each begins in a fresh organization.")
    ]


class Rehearsal(Plain, frozen=True):
    """A rehearsal that can be performed: every scenario exists and every input is legal.

    *directory* is where the names of scenario files begin.
    """

    file: str
    playbook: Playbook
    cases: tuple[Case, ...]
    directory: str

    def scenario(self, case: Case) -> str:
        """Return the scenario's name, or where its file is."""
        return _scenario(case.scenario, Path(self.directory))


def load_rehearsal(path: Path) -> Rehearsal:
    """Return the rehearsal in the file *path*. Raises ConfigurationError."""
    document = parse(read_text(path), str(path))
    written = convert(document, Written)
    directory = path.absolute().parent
    playbook = load_playbook(_playbook(document, written.playbook, directory))
    rehearsal = Rehearsal(str(path), playbook, written.cases, str(directory))
    for position, case in enumerate(rehearsal.cases):
        _check(document, position, case, rehearsal)
    return rehearsal


def rehearsal_schema() -> dict[str, Any]:
    """Return the JSON Schema of rehearsal files, for editors."""
    return schema(Written, "Rehearsal of a playbook of the orchestrator")


def _playbook(document: Document, name: str, directory: Path) -> Path:
    """Return the playbook's file: a path from here, or a name in ``../../playbooks`` or shipped."""
    with _at(document, ("playbook",)):
        return directory / find_playbook(name, (directory.parent.parent / "playbooks",))


def _scenario(name: str, directory: Path) -> str:
    return str(directory / name) if name.endswith((".yaml", ".yml")) else name


def _check(document: Document, position: int, case: Case, rehearsal: Rehearsal) -> None:
    path = ("cases", position)
    if (case.expect.changes is UNSET) == (case.expect.refused is UNSET):
        message = "exactly one of 'changes' and 'refused' is expected"
        raise document.error((*path, "expect"), message, "'changes: []' says: nothing to do.")
    if case.name in [each.name for each in rehearsal.cases[:position]]:
        raise document.error((*path, "name"), "another case has this name")
    with _at(document, (*path, "inputs")):
        parse_inputs(rehearsal.playbook, texts(case.inputs), {})
    with _at(document, (*path, "scenario")):
        load_scenario(rehearsal.scenario(case))


def texts(inputs: Mapping[str, Variable]) -> dict[str, str]:
    """Return *inputs* as an operator would type them."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in inputs.items()
    }


@contextmanager
def _at(document: Document, path: Place) -> Iterator[None]:
    """Give a place in *document* to whatever error has none of its own."""
    try:
        yield
    except OrchestratorError as error:
        if isinstance(error, ConfigurationError) and error.file:
            raise
        raise document.error(path, error.message, error.advice) from None


def find_rehearsal(name_or_path: str) -> Path:
    """Return the file of a rehearsal, given a playbook's name or file, or the rehearsal's own.

    Raises UsageError for a name that nothing is rehearsed by.
    """
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        beside = path.absolute().parent.parent / HOME / path.name
        return beside if beside.is_file() else path
    known = {each.stem: each for each in (*_shipped().glob("*.yaml"), *rehearsals(Path()))}
    if name_or_path not in known:
        raise UsageError(f"there is no rehearsal of '{name_or_path}'", nearest(name_or_path, known))
    return known[name_or_path]


def rehearsals(top: Path) -> tuple[Path, ...]:
    """Return the rehearsals under *top*, or where it has none those that are shipped."""
    here = sorted((top / HOME).glob("*.yaml"))
    return tuple(here or sorted(_shipped().glob("*.yaml")))


def _shipped() -> Path:
    """Return the directory of the shipped rehearsals, in a wheel or in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "rehearsals"
    return inside if inside.is_dir() else package.parent / HOME
