"""Every kind of fault there is, and how a row of data becomes one that is switched on.

To add a kind: a class in ``wire``, ``world`` or ``calls``, and its name in ``AnyFault``.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

import msgspec

from orchestrator.core.errors import ConfigurationError
from orchestrator.lab.faults import calls, wire, world
from orchestrator.lab.faults.effect import Trouble
from orchestrator.lab.faults.row import CallRow, Live, Row

AnyFault = (
    wire.DroppedBefore
    | wire.DroppedAfter
    | wire.Late
    | wire.Stalled
    | wire.Answered
    | wire.Faulted
    | wire.TimedOut
    | wire.Quota
    | wire.Garbage
    | wire.Truncated
    | wire.Dripping
    | wire.Killed
    | world.Edited
    | world.Vanished
    | world.Replaced
    | world.ControllerGone
    | world.Lagging
    | calls.Slow
    | calls.Prompting
    | calls.Deaf
    | calls.RightLost
    | calls.Revalidated
    | calls.Transient
    | calls.Speaking
    | calls.Shaped
)

FAULTS: Mapping[str, type[Row]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(AnyFault)
}
"""The kinds by name."""

_R = TypeVar("_R", bound=Row)


def live(row: Row) -> Live:
    """Return *row* switched on."""
    return Live(row)


def fault(kind: str, **fields: Any) -> Live:
    """Return a fault of *kind*, switched on: ``lab.faults.append(fault("stall", action="Get"))``.

    Raises ConfigurationError, with the nearest legal word, for what does not exist.
    """
    return live(read({"kind": kind, **fields}))


def read(row: object) -> Row:
    """Return the fault that a decoded document describes. Raises ConfigurationError."""
    try:
        found: Row = msgspec.convert(row, AnyFault, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"not a fault: {error}{hint(row)}") from error
    return found


def hint(row: object) -> str:
    """Return ``; did you mean 'x'?`` for the first word of *row* that is not legal, or nothing."""
    if not isinstance(row, Mapping):
        return ""
    kind = FAULTS.get(str(row.get("kind")))
    if kind is None:
        return _near(str(row.get("kind")), FAULTS)
    legal = tuple(one.name for one in msgspec.structs.fields(kind))
    unknown = [str(key) for key in row if key not in (*legal, "kind")]
    return _near(unknown[0], legal) if unknown else ""


def _near(word: str, legal: Sequence[str] | Mapping[str, object]) -> str:
    near = difflib.get_close_matches(word, list(legal), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def active(troubles: Sequence[Trouble], kind: type[_R], cmdlet: str = "") -> Iterator[_R]:
    """Yield the faults of *kind* that strike now; of calls, those that are about *cmdlet*."""
    for trouble in list(troubles):
        if isinstance(trouble, Live) and trouble.active and isinstance(trouble.row, kind):
            row = trouble.row
            if not isinstance(row, CallRow) or not cmdlet or row.of(cmdlet, row.server):
                yield row


def count_call(troubles: Sequence[Trouble], cmdlet: str, server: str) -> None:
    """Tell every fault that *cmdlet* is called on *server*."""
    for trouble in list(troubles):
        if isinstance(trouble, Live):
            trouble.called(cmdlet, server)
