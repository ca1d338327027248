"""Plan files: one sealed plan per organization, in one JSON document."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError, StoreError
from orchestrator.core.plan import SCHEMA, Plan, Sealed, canonical, seal, unseal

LIMIT = 64 * 1024 * 1024
"""Bytes of the largest plan file that is read."""

_AGAIN = "Make a new plan with 'orchestrator plan'."


class PlanFile(Plain, frozen=True):
    """What ``orchestrator plan --out`` writes."""

    plans: tuple[Sealed, ...]
    schema: int = SCHEMA


class _Layout(msgspec.Struct, frozen=True):
    schema: int


def write_plans(path: Path, plans: Sequence[Plan]) -> None:
    """Write *plans* to a new file, readable by its owner only. Raises StoreError.

    An existing file is replaced as a whole, or not at all.
    """
    document = canonical(PlanFile(tuple(seal(plan) for plan in plans)))
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.touch(mode=0o600)
        draft.write_bytes(document)
        draft.replace(path)
    except OSError as error:
        raise StoreError(
            f"the plan cannot be written to {path}: {error.strerror}", "Name another file."
        ) from error


def read_plans(path: Path) -> tuple[Plan, ...]:
    """Return the plans of a file. Raises ConfigurationError for one that is not as it was made."""
    try:
        if path.stat().st_size > LIMIT:
            raise ConfigurationError("the file is too large to be a plan", _AGAIN, file=str(path))
        document = path.read_bytes()
        if msgspec.json.decode(document, type=_Layout).schema > SCHEMA:
            raise ConfigurationError(
                "the plan was made by a newer version of this program",
                "Use that version.",
                file=str(path),
            )
        sealed = msgspec.json.decode(document, type=PlanFile).plans
        return tuple(unseal(each) for each in sealed)
    except OSError as error:
        raise ConfigurationError(
            f"the plan cannot be read: {error.strerror}", "Is the name right?", file=str(path)
        ) from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ConfigurationError(
            f"this is not a plan that was left as it was made: {error}", _AGAIN, file=str(path)
        ) from error
