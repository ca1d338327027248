"""Forms of property values: how one is read from an argument and how it is written on the wire.

To add one: a frozen dataclass with ``read`` (raises Unfit) and ``write``, or one ``Spoken`` row.
Stored values are plain: bool, int, str, None, tuples of them, or a Link.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.lab.clixml import Writer

Properties = tuple[tuple[str, str, str], ...]
"""Name, CLIXML tag and text of each property of a nested object."""

ENUM_BASES = ("System.Enum", "System.ValueType", "System.Object")


class Unfit(Exception):
    """A value cannot be converted; the text is the server's reason."""


class Form(Protocol):
    """How values of one type are read and written."""

    @property
    def title(self) -> str:
        """The type's name as error messages show it."""

    def read(self, argument: object) -> object:
        """Return the stored value for an argument. Raises Unfit."""

    def write(self, out: Writer, value: object, name: str | None = None) -> None:
        """Write a stored value, never None."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """A CLIXML primitive stored as text or number."""

    title: str
    tag: str
    reader: Callable[[object], object]

    def read(self, argument: object) -> object:
        """Return what the reader makes of *argument*."""
        return self.reader(argument)

    def write(self, out: Writer, value: object, name: str | None = None) -> None:
        """Write one element."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        out.leaf(self.tag, text, name)


@dataclass(frozen=True, slots=True)
class Choice:
    """An enumeration, stored as the text of its ToString; *flags* combine with commas."""

    types: tuple[str, ...]
    members: Mapping[str, int]
    flags: bool = False

    @property
    def title(self) -> str:
        """The enumeration's type."""
        return self.types[0]

    def read(self, argument: object) -> object:
        """Accept names in any case, ``A, B`` or a list for flags, or the number."""
        if isinstance(argument, int) and not isinstance(argument, bool):
            return self._named(argument)
        given = argument if isinstance(argument, (list, tuple)) else str(argument).split(",")
        if len(given) > 1 and not self.flags:
            raise Unfit(f"Cannot convert more than one value to {self.title}.")
        return self._named(self._total([str(one).strip() for one in given]))

    def _total(self, names: list[str]) -> int:
        folded = {name.casefold(): number for name, number in self.members.items()}
        total = 0
        for name in names:
            if name.casefold() not in folded:
                legal = ", ".join(self.members)
                raise Unfit(
                    f"Unable to match the identifier name {name} to a valid enumerator name. "
                    f"Specify one of the following enumerator names and try again: {legal}"
                )
            total |= folded[name.casefold()]
        return total

    def _named(self, number: int) -> str:
        exact = [name for name, value in self.members.items() if value == number]
        parts = exact[:1] or [
            name for name, value in self.members.items() if value and value & number == value
        ]
        if sum(self.members[part] for part in parts) != number:
            raise Unfit(f"{number} is not a value of {self.title}.")
        return ", ".join(parts)

    def write(self, out: Writer, value: object, name: str | None = None) -> None:
        """Write the object with ToString and number, or the bare text."""
        if out.style.enums == "text":
            out.leaf("S", str(value), name)
            return
        out.begin((*self.types, *ENUM_BASES), str(value), name)
        out.leaf("I32", str(self._total([part.strip() for part in str(value).split(",")])))
        out.end()


@dataclass(frozen=True, slots=True)
class Spoken:
    """An object that is known by its ToString; its properties follow from that text."""

    types: tuple[str, ...]
    reader: Callable[[object], str]
    properties: Callable[[str], Properties] = lambda _: ()
    silent: bool = False

    @property
    def title(self) -> str:
        """The object's type."""
        return self.types[0]

    def read(self, argument: object) -> object:
        """Return the canonical text. Raises Unfit."""
        return self.reader(argument)

    def write(self, out: Writer, value: object, name: str | None = None) -> None:
        """Write ToString, properties, and the noise that real ones carry."""
        text = str(value)
        out.begin(self.types, text, name)
        properties = self.properties(text)
        if properties:
            out.open("Props")
            for key, tag, shown in properties:
                out.leaf(tag, shown, key)
            out.close("Props")
        if not self.silent:
            out.noise(self.types[0], text)
        out.end()


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to a directory object: what it is called, where it lies, which it is."""

    text: str
    path: str
    guid: str = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Reference:
    """The form of a Link, an ADObjectId [seen]. A written one is known by its text."""

    title: str = "Microsoft.Exchange.Data.Directory.ADObjectId"

    def read(self, argument: object) -> object:
        """Accept a Link or a name."""
        return argument if isinstance(argument, Link) else Link(str(argument), "")

    def write(self, out: Writer, value: object, name: str | None = None) -> None:
        """Write the object with its distinguished name and Guid."""
        link = value if isinstance(value, Link) else Link(str(value), "")
        types = (self.title, "Microsoft.Exchange.Data.ObjectId", "System.Object")
        out.begin(types, link.text, name)
        out.open("Props")
        out.leaf("B", "false", "IsDeleted")
        out.leaf("S", link.path.partition(",")[0], "Rdn")
        out.leaf("S", link.path, "DistinguishedName")
        out.leaf("B", "false", "IsRelativeDn")
        out.leaf("G", link.guid, "ObjectGuid")
        out.leaf("S", link.text.rpartition("\\")[2], "Name")
        out.close("Props")
        out.noise(self.title, link.path)
        out.end()


@dataclass(frozen=True, slots=True)
class Again:
    """A property whose value is the very object of another property, sent as a ``Ref`` [seen]."""

    other: str
    form: Form

    @property
    def title(self) -> str:
        """The other property's type."""
        return self.form.title

    def read(self, argument: object) -> object:
        """Read as the other property does."""
        return self.form.read(argument)

    def write(self, out: Writer, value: object, name: str | None = None) -> None:
        """Write the reference, or the object where the other property was not written."""
        if not out.again(self.other, name or ""):
            self.form.write(out, value, name)


def shown(value: object) -> str:
    """Return the ToString of a stored value."""
    return value.text if isinstance(value, Link) else str(value)


def fold(value: object) -> str:
    """Return what two values of one list are compared by: their text in any case."""
    return shown(value).casefold()
