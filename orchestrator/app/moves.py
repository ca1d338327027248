"""What differs between two snapshots of a simulated organization, one thing at a time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

Snapshot: TypeAlias = Mapping[str, Mapping[str, object]]
"""Properties of every object, by ``Kind:label``, as the lab gives them."""


class Moved(NamedTuple):
    """One thing that is not as it was: of a list one entry, else a whole property.

    What was not there before, or is not after, is empty text. An object that came or went has no
    property.
    """

    object: str
    property: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.object} {self.property} from {self.before!r} to {self.after!r}"


def moves(before: Snapshot, after: Snapshot) -> list[Moved]:
    """Return what differs between two snapshots; the order of a list is not looked at."""
    found: list[Moved] = []
    for key in sorted({*before, *after}):
        old, new = before.get(key, {}), after.get(key, {})
        label = _label(key)
        if not old or not new:
            found.append(Moved(label, "", "there" if old else "", "there" if new else ""))
            continue
        for name in sorted({*old, *new}):
            found += _of_property(label, name, old.get(name), new.get(name))
    return found


def _label(key: str) -> str:
    kind, _, label = key.partition(":")
    return kind if kind == "TransportConfig" else label


def _of_property(label: str, name: str, old: object, new: object) -> Iterator[Moved]:
    if isinstance(old, list) and isinstance(new, list):
        had, has = Counter(map(str, old)), Counter(map(str, new))
        yield from (Moved(label, name, each, "") for each in had - has)
        yield from (Moved(label, name, "", each) for each in has - had)
    elif old != new:
        yield Moved(label, name, text(old), text(new))


def text(value: object) -> str:
    """Return a value as one text; flags and lists are joined, and nothing is empty."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
