"""Forms of values with several members, in every shape that a wire may carry them."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.lab.clixml import Writer
from orchestrator.lab.forms import Form, Unfit, fold, shown


@dataclass(frozen=True, slots=True)
class Table:
    """A dictionary from names to type names, as the parameters of a command are listed."""

    title: str = (
        "System.Collections.Generic.Dictionary`2[[System.String, mscorlib, Version=4.0.0.0, "
        "Culture=neutral, PublicKeyToken=b77a5c561934e089],"
        "[System.Management.Automation.ParameterMetadata, System.Management.Automation, "
        "Version=3.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35]]"
    )

    def read(self, argument: object) -> object:
        """Nothing is ever read into one."""
        raise Unfit(f"{argument!r} is no dictionary.")

    def write(self, out: Writer, value: object, name: str | None = None) -> None:
        """Write the entries in order."""
        out.begin((self.title, "System.Object"), None, name)
        out.open("DCT")
        for key, text in value.items() if isinstance(value, Mapping) else ():
            out.open("En")
            out.leaf("S", str(key), "Key")
            out.leaf("S", str(text), "Value")
            out.close("En")
        out.close("DCT")
        out.end()


@dataclass(frozen=True, slots=True)
class Many:
    """A multivalued property: stored as a tuple, written in the shape that the style asks for."""

    item: Form
    element: str
    outer: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The collection's type, as a conversion error names it."""
        return f"Microsoft.Exchange.Data.MultiValuedProperty`1[{self.element.partition(',')[0]}]"

    @property
    def types(self) -> tuple[str, ...]:
        """The collection's type names [seen]."""
        own = f"Microsoft.Exchange.Data.MultiValuedProperty`1[[{self.element}]]"
        return (
            *self.outer,
            own,
            "Microsoft.Exchange.Data.MultiValuedPropertyBase",
            "System.Object",
        )

    def read(self, argument: object) -> object:
        """Read a plain value: it replaces the whole list; duplicates in any case are refused."""
        given = argument if isinstance(argument, (list, tuple)) else (argument,)
        values = tuple(self.item.read(one) for one in given)
        seen: set[str] = set()
        for value in values:
            if fold(value) in seen:
                raise Unfit(f'The value "{shown(value)}" is already present in the collection.')
            seen.add(fold(value))
        return values

    def write(self, out: Writer, value: object, name: str | None = None) -> None:
        """Write the members in the style's shape."""
        members = value if isinstance(value, tuple) else ()
        style = out.style
        if not members and style.empty == "nil":
            out.nil(name)
        elif style.lists == "multivalued":
            self._write_list(out, members, name)
        elif style.lists == "joined":
            out.leaf("S", ", ".join(map(shown, members)), name)
        elif style.lists == "scalar" and len(members) == 1:
            out.leaf("S", shown(members[0]), name)
        elif style.lists == "holder":
            _write_holder(out, members, name)
        else:
            write_strings(out, tuple(map(shown, members)), name)

    def _write_list(self, out: Writer, members: tuple[object, ...], name: str | None) -> None:
        out.begin(self.types, None, name)
        out.open("LST")
        for member in members:
            self.item.write(out, member)
        out.close("LST")
        out.end()


def _write_holder(out: Writer, members: tuple[object, ...], name: str | None) -> None:
    out.begin(("System.Management.Automation.PSCustomObject", "System.Object"), None, name)
    out.open("MS")
    write_strings(out, tuple(map(shown, members)), "value")
    out.leaf("I32", str(len(members)), "Count")
    out.close("MS")
    out.end()


def write_strings(out: Writer, texts: tuple[str, ...], name: str | None = None) -> None:
    """Write an array of strings."""
    out.begin(("System.Collections.ArrayList", "System.Object"), None, name)
    out.open("LST")
    for text in texts:
        out.leaf("S", text)
    out.close("LST")
    out.end()
