"""What must be true of one property of one object, and what is still to be done about it.

``diff(setting, now)`` is the one question of this package. Dry run, idempotence, verification,
recovery and rollback are that question asked at five moments; "nothing" is None.
"""

from collections.abc import Mapping
from typing import TypeAlias, assert_never

from orchestrator.core.command import Argument, Command, Delta, Plain
from orchestrator.core.facts import ObjectRef, Observation, UnknownFact, Value


class Member(Plain, frozen=True, tag="member", tag_field="type"):
    """A multivalued property holds *member*, or does not. Compared case-insensitively."""

    ref: ObjectRef
    property: str
    member: str
    present: bool


class Scalar(Plain, frozen=True, tag="value", tag_field="type"):
    """A single-valued property equals *value*."""

    ref: ObjectRef
    property: str
    value: bool | int | str | None


class Flags(Plain, frozen=True, tag="flags", tag_field="type"):
    """A flags property is exactly *flags*. Exchange has no delta form for these."""

    ref: ObjectRef
    property: str
    flags: tuple[str, ...]


Setting: TypeAlias = Member | Scalar | Flags


class ObjectKind(Plain, frozen=True):
    """A kind of Exchange object: the cmdlets that read and write it.

    *types* are the last segments of its .NET type names. *named* says whether its Set cmdlet
    takes ``-Identity``; an object of which an organization has one takes none. *shapes* tells
    how to read each known property: bool, int, text, list or flags.
    """

    name: str
    get: str
    set: str
    named: bool
    types: tuple[str, ...]
    shapes: Mapping[str, str]

    def spelled(self, name: str) -> str:
        """Return the property as Exchange spells it: to PowerShell case does not count."""
        return next((known for known in self.shapes if known.lower() == name.lower()), name)


Kinds: TypeAlias = Mapping[str, ObjectKind]


class Difference(Plain, frozen=True):
    """One command that makes a setting true, and the one that makes it untrue again.

    *before* and *after* are only the touched part of the property: the member as it is stored,
    or None; the value; the flags. *untouched* counts the other members, which stay.
    """

    before: Value
    after: Value
    apply: Command
    undo: Command
    untouched: int | None = None


def same(one: Value, other: Value) -> bool:
    """Say whether two touched parts are equal as Exchange compares them.

    Case does not count, but letters do (``strasse`` is not ``stra\u00dfe``). A number equals its
    text, because properties that may be ``Unlimited`` arrive as text; no text equals empty text.
    """
    return _key(one) == _key(other)


def _key(value: Value) -> object:
    match value:
        case tuple():
            return frozenset(member.lower() for member in value)
        case None:
            return ""
        case _:
            return str(value).lower()


def touched(setting: Setting, now: Observation) -> Value:
    """Return the part of *now* that *setting* is about.

    Raises UnknownFact where the server did not show the property, or showed something of which
    that cannot be a part: what was before could then not be restored.
    """
    if setting.property not in now.properties:
        raise UnknownFact(now.ref.label, f"the server did not show {setting.property}")
    value = now.get(setting.property)
    match setting:
        case Member(member=member):
            _expect(now, setting, value is None or isinstance(value, tuple))
            stored = now.members(setting.property)
            return next((entry for entry in stored if same(entry, member)), None)
        case Scalar(value=bool()):
            return now.flag(setting.property)
        case Scalar():
            _expect(now, setting, not isinstance(value, tuple))
            return value
        case Flags():
            _expect(now, setting, isinstance(value, tuple))
            return value
        case _:
            assert_never(setting)


def _expect(now: Observation, setting: Setting, fits: bool) -> None:  # noqa: FBT001 - it is an assertion
    if not fits:
        kind = type(setting).__name__.lower()
        raise UnknownFact(
            now.ref.label, f"{setting.property} is no {kind}: {now.text(setting.property)}"
        )


def wanted(setting: Setting, before: Value = None) -> Value:
    """Return the touched part once *setting* is true; *before* keeps a member's stored spelling."""
    match setting:
        case Member(member=member, present=present):
            return (before or member) if present else None
        case Scalar(value=value):
            return value
        case Flags(flags=flags):
            return flags
        case _:
            assert_never(setting)


def diff(setting: Setting, now: Observation, kinds: Kinds, controller: str) -> Difference | None:
    """Return what is still to be done to make *setting* true, or None when it is.

    The commands name *controller*, so that what was read there is changed there. Raises
    UnknownFact where the property is spelled in a way that no rule would recognise.
    """
    kind = kinds[setting.ref.kind]
    before = touched(setting, now)
    after = wanted(setting, before)
    if kind.spelled(setting.property) != setting.property:
        raise UnknownFact(now.ref.label, f"{setting.property} is no property, as it is spelled")
    if same(before, after):
        return None
    forth, back = _arguments(setting, before, after)
    return Difference(
        before,
        after,
        _write(kind, setting, forth, controller),
        _write(kind, setting, back, controller),
        untouched=_untouched(setting, now, before),
    )


def follows(setting: Setting, difference: Difference, kinds: Kinds, controller: str) -> bool:
    """Say whether what *difference* would send is what makes *setting* true, and undoes that.

    For what was recorded: nothing is known of how things are now.
    """
    kind, before, after = kinds.get(setting.ref.kind), difference.before, difference.after
    if kind is None or not same(after, wanted(setting, before)):
        return False
    if isinstance(setting, Member) and not same(before or after, setting.member):
        return False
    both = tuple(
        _write(kind, setting, given, controller) for given in _arguments(setting, before, after)
    )
    return bool(kind.set) and both == (difference.apply, difference.undo)


def _arguments(setting: Setting, before: Value, after: Value) -> tuple[Argument, Argument]:
    match setting:
        case Member():
            member = str(before or after)
            add, remove = Delta(add=(member,)), Delta(remove=(member,))
            return (add, remove) if setting.present else (remove, add)
        case Flags():
            return _flags(after), _flags(before)
        case Scalar():
            return after, before
        case _:
            assert_never(setting)


def _flags(value: Value) -> str:
    return (", ".join(value) if isinstance(value, tuple) else "") or "None"


def _write(kind: ObjectKind, setting: Setting, argument: Argument, controller: str) -> Command:
    identity = (("Identity", setting.ref.guid),) if kind.named else ()
    return Command(
        kind.set,
        (
            *identity,
            (setting.property, argument),
            ("DomainController", controller),
            ("Confirm", False),
        ),
    )


def _untouched(setting: Setting, now: Observation, before: Value) -> int | None:
    if not isinstance(setting, Member):
        return None
    return len(now.members(setting.property)) - (before is not None)


def project(setting: Setting, now: Observation) -> Observation:
    """Return the object as it will be once *setting* is true."""
    before = touched(setting, now)
    if not isinstance(setting, Member):
        return now.changed(setting.property, wanted(setting))
    stored = now.members(setting.property)
    if setting.present:
        return now if before else now.changed(setting.property, (*stored, setting.member))
    kept = tuple(entry for entry in stored if not same(entry, setting.member))
    return now.changed(setting.property, kept)
