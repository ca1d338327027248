"""What crosses the wire, as data: cmdlet calls going out, records coming back.

A command is a name and parameters, never script text. The Exchange endpoint runs in no-language
mode and accepts nothing else, and nothing can be injected into data.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from msgspec import Struct


class Plain(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of immutable values that are written to disk: compared, hashed and encoded by field."""


class Delta(Plain, frozen=True, tag="delta", tag_field="type"):
    """Members added to and removed from a multivalued property, ``@{Add=...; Remove=...}``."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


Argument: TypeAlias = bool | int | str | tuple[str, ...] | Delta | None


class Command(Plain, frozen=True):
    """One cmdlet call. ``Confirm`` and ``WhatIf`` are switches: True or False.

    A parameter without a name is an argument by its place, as programs take them.
    """

    name: str
    parameters: tuple[tuple[str, Argument], ...] = ()


Statement: TypeAlias = tuple[Command, ...]
"""Commands piped into one another: ``Get-TransportConfig | Select-Object ...``."""


def command(name: str, /, **parameters: Argument) -> Command:
    """Return a call of the cmdlet *name*."""
    return Command(name, tuple(parameters.items()))


# What render.text writes by its number: a line that is shown has to be the line that would run.
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff]"
)
# PowerShell takes the typographic single quotes for the plain one.
_QUOTE = re.compile("(['\u2018\u2019\u201a\u201b])")


_SWITCHES = frozenset({"Confirm", "WhatIf"})


def powershell(statement: Command | Sequence[Command]) -> str:
    """Return the PowerShell line an administrator would have typed.

    The line is for people: it is never sent. Control and bidirectional characters are written
    as ``[char]0x..`` so that what is read is what would run.
    """
    calls = (statement,) if isinstance(statement, Command) else statement
    return " | ".join(" ".join([call.name, *map(_parameter, call.parameters)]) for call in calls)


def _parameter(parameter: tuple[str, Argument]) -> str:
    name, value = parameter
    if not name:
        return _literal(value)
    if name not in _SWITCHES:
        return f"-{name} {_literal(value)}"
    return f"-{name}" if value is True else f"-{name}:{_literal(value)}"


def _literal(value: Argument) -> str:
    match value:
        case None:
            return "$null"
        case bool():
            return "$true" if value else "$false"
        case int():
            return str(value)
        case str():
            return quote(value)
        case Delta(add, remove):
            halves = [f"{key}={_members(m)}" for key, m in (("Add", add), ("Remove", remove)) if m]
            return "@{" + "; ".join(halves) + "}"
        case _:
            return _members(value)


def _members(members: Sequence[str]) -> str:
    return "@()" if not members else ",".join(map(quote, members))


def quote(text: str) -> str:
    """Return *text* as a PowerShell expression that evaluates to exactly it."""
    if not _CONTROL.search(text):
        doubled = _QUOTE.sub(r"\1\1", text)
        return f"'{doubled}'"
    pieces = [
        _by_number(piece) if _CONTROL.fullmatch(piece) else quote(piece)
        for piece in re.split(f"({_CONTROL.pattern})", text)
        if piece
    ]
    return "('' + " + " + ".join(pieces) + ")"


def _by_number(character: str) -> str:
    number = ord(character)
    wide = number > 0xFFFF  # PowerShell's characters are of 16 bits
    return f"[char]::ConvertFromUtf32(0x{number:x})" if wide else f"[char]0x{number:04x}"


@dataclass(frozen=True, slots=True)
class Record:
    """One object that a server returned.

    *types* are its .NET type names, most derived first, as sent. *text* is its ToString.
    *value* is what it wraps, if anything: a primitive, or a tuple or mapping for a collection.
    *properties* holds adapted, extended and note properties together, by name, in wire order;
    every one of them is optional, because Exchange versions differ.
    """

    types: tuple[str, ...] = ()
    text: str | None = None
    value: object = None
    properties: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """One error of a pipeline: of the error stream, or the one that ended it (*terminating*)."""

    message: str
    error_id: str = ""
    exception: str = ""
    category: str = ""
    target: str = ""
    terminating: bool = False

    @property
    def failure(self) -> str:
        """What failed, free of language: the exception's type or the leading error id.

        Exchange 2013 and later put ``[FailureCategory=Cmdlet-<ExceptionType>]`` into the
        FullyQualifiedErrorId, which is the only part of an Exchange error that is not localised.
        """
        named = re.search(r"FailureCategory=[A-Za-z]+-([A-Za-z0-9_.]+)", self.error_id)
        if named:
            return named[1]
        return self.error_id.partition(",")[0] or self.exception.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Result:
    """Everything one pipeline returned.

    *output* holds primitives and Records in the order in which they came; outputs of several
    statements follow one another without boundaries. *host* are lines written to the host,
    which is where ``-WhatIf`` speaks.
    """

    output: tuple[object, ...] = ()
    errors: tuple[ErrorRecord, ...] = ()
    warnings: tuple[str, ...] = ()
    host: tuple[str, ...] = ()


class Transport(Protocol):
    """One open session on one server. It belongs to one thread."""

    def invoke(self, *statements: Statement) -> Result:
        """Run *statements* as one pipeline and return what came back.

        A remote error is part of the result. An exception means that the wire failed, and is
        always a TransportError, whatever library raised it. More than one statement is for
        reads only: an error in one does not stop the next.
        """

    def close(self) -> None:
        """Release the session on the server and every connection. Never raises."""


class Host(Protocol):
    """Programs on one server, over ordinary WinRM or a JEA endpoint: not the Exchange endpoint.

    It has other rights than a Transport, and another way in. It belongs to one thread.
    """

    def run(self, program: str, arguments: Sequence[str]) -> bytes:
        """Run *program* and return the bytes it wrote to its standard output.

        The arguments arrive exactly as given. Always a TransportError where it fails:
        ProgramFailed where the program ended with a code other than 0.
        """
