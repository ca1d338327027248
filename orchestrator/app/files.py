"""Plan files: one sealed plan per organization, in one JSON document."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import msgspec

from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError, StoreError, UsageError
from orchestrator.core.plan import SCHEMA, Plan, Sealed, canonical, seal, unseal

if TYPE_CHECKING:
    from tempfile import _TemporaryFileWrapper

LIMIT = 64 * 1024 * 1024
"""Bytes of the largest plan file that is read."""

_NO_PLACE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
"""Failures of the path that was given; a full disk, say, is the machine's."""

_AGAIN = "Make a new plan with 'orchestrator plan'."


class PlanFile(Plain, frozen=True):
    """What ``orchestrator plan --out`` writes."""

    plans: tuple[Sealed, ...]
    schema: int = SCHEMA


class _Layout(msgspec.Struct, frozen=True):
    schema: int


def write_plans(path: Path, plans: Sequence[Plan]) -> None:
    """Write *plans* to a new file, readable by its owner only. Raises UsageError, StoreError.

    An existing file is replaced as a whole, or not at all. The draft has a name that nobody can
    foresee: in a directory that others may write to, a link could lie in wait under any other.
    """
    document = canonical(PlanFile(tuple(seal(plan) for plan in plans)))
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=".plan-", delete=False) as draft:
            _fill(draft, document, path)
    except OSError as error:
        kind = UsageError if isinstance(error, _NO_PLACE) else StoreError
        raise kind(
            f"the plan cannot be written to {path}: {error.strerror}", "Name another file."
        ) from error


def _fill(draft: "_TemporaryFileWrapper[bytes]", document: bytes, path: Path) -> None:
    try:
        draft.write(document)
        draft.close()  # Windows renames no file that is open
        Path(draft.name).replace(path)
    except OSError:
        Path(draft.name).unlink()
        raise


def read_plans(path: Path) -> tuple[Plan, ...]:
    """Return the plans of a file. Raises ConfigurationError for one that is not as it was made."""
    try:
        with path.open("rb") as stream:
            document = stream.read(LIMIT + 1)
        if len(document) > LIMIT:
            raise ConfigurationError("the file is too large to be a plan", _AGAIN, file=str(path))
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
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ConfigurationError(
            f"this is not a plan that was left as it was made: {error}", _AGAIN, file=str(path)
        ) from error
