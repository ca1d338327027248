"""What was asked of an organization, and what is known of it: the ground planning stands on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from orchestrator.core.command import Command, Plain, Result

Value: TypeAlias = bool | int | str | tuple[str, ...] | None
"""A property as decisions see it: lists and flags are tuples of text, whatever shape they had."""


class ObjectRef(Plain, frozen=True):
    r"""An object by its Guid; *label* is what people call it, as in ``EX01\From Fabrikam``."""

    kind: str
    guid: str
    label: str


class Query(Plain, frozen=True):
    """A question: *properties* of all objects of *kind*, or only of those called *names*."""

    kind: str
    properties: tuple[str, ...]
    names: tuple[str, ...] = ()


class Unknown(Plain, frozen=True):
    """Why nothing can be said about a kind of object. Never the same as "there are none"."""

    reason: str


class UnknownFact(Exception):
    """A decision needs something that is not known. It becomes a refusal of the plan."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(f"{subject}: {reason}")
        self.subject = subject
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Observation:
    """One object as it was seen, or as it will be once the changes before it are made."""

    ref: ObjectRef
    properties: Mapping[str, Value]

    def get(self, name: str) -> Value:
        """Return a property, or None where it is empty or this version of Exchange lacks it."""
        return self.properties.get(name)

    def text(self, name: str) -> str:
        """Return a property as text, empty where there is none."""
        value = self.get(name)
        return "" if value is None else str(value)

    def members(self, name: str) -> tuple[str, ...]:
        """Return a list or flags property, empty where there is none."""
        value = self.get(name)
        return value if isinstance(value, tuple) else ()

    def flag(self, name: str) -> bool:
        """Return a boolean property. Raises UnknownFact where the server did not say."""
        value = self.get(name)
        if not isinstance(value, bool):
            raise UnknownFact(self.ref.label, f"the server did not say whether {name} is set")
        return value

    def changed(self, name: str, value: Value) -> "Observation":
        """Return the object with one property changed."""
        return replace(self, properties={**self.properties, name: value})


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known, by kind of object.

    *controller* is the domain controller that answered, *server* the one that runs the session.
    """

    known: Mapping[str, tuple[Observation, ...] | Unknown] = field(default_factory=dict)
    controller: str = ""
    server: str = ""

    def of(self, kind: str) -> tuple[Observation, ...]:
        """Return every object of *kind*. Raises UnknownFact where that is not known."""
        found = self.known.get(kind, Unknown("nobody asked for it"))
        if isinstance(found, Unknown):
            raise UnknownFact(kind, found.reason)
        return found

    def maybe(self, kind: str) -> tuple[Observation, ...]:
        """Return every object of *kind* that is known: for what is good to know, not needed."""
        found = self.known.get(kind, ())
        return () if isinstance(found, Unknown) else found

    def one(self, ref: ObjectRef) -> Observation:
        """Return the object *ref* names. Raises UnknownFact where it is gone or not known."""
        for observation in self.of(ref.kind):
            if observation.ref.guid == ref.guid:
                return observation
        raise UnknownFact(ref.label, "the object is no longer there")

    def changed(self, ref: ObjectRef, name: str, value: Value) -> "Facts":
        """Return the facts as they will be once a property of *ref* is *value*."""
        objects = tuple(
            seen.changed(name, value) if seen.ref.guid == ref.guid else seen
            for seen in self.of(ref.kind)
        )
        return replace(self, known={**self.known, ref.kind: objects})


def unite(queries: Iterable[Query]) -> tuple[Query, ...]:
    """Return one query per kind that asks for everything *queries* ask for, in order.

    A query for all objects of a kind swallows queries for named ones.
    """
    united: dict[str, Query] = {}
    for query in queries:
        known = united.get(query.kind)
        united[query.kind] = query if known is None else _union(known, query)
    return tuple(united.values())


def _union(one: Query, other: Query) -> Query:
    names = dict.fromkeys(one.names + other.names) if one.names and other.names else ()
    return Query(one.kind, tuple(dict.fromkeys(one.properties + other.properties)), tuple(names))


class Reader(Protocol):
    """What planning, verification and diagnosis are handed: it has no way to write."""

    def ask(self, queries: Sequence[Query]) -> Facts:
        """Return what is known. Raises TransportError when the wire fails."""


class Writer(Protocol):
    """What the runner alone is handed."""

    def send(self, command: Command) -> Result:
        """Send one write. Raises TransportError; ConnectionLost leaves its effect unknown."""
