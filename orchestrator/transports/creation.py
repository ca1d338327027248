"""The message that starts a pipeline, written as text: CREATE_PIPELINE, MS-PSRP 2.2.2.10.

It is byte for byte what pypsrp would send, which a test holds, at a twentieth of its cost: pypsrp
makes an object for every part, copies each of them deeply and then walks over the copies, which
took more time than anything else in a session [measured].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final
from xml.sax.saxutils import escape as entities

from orchestrator.core.command import Argument, Command, Delta, Statement
from orchestrator.transports.clixml import escape

_TYPES: Final[Mapping[str, str]] = {
    "apartment": "System.Management.Automation.Runspaces.ApartmentState",
    "options": "System.Management.Automation.Runspaces.RemoteStreamOptions",
    "merge": "System.Management.Automation.Runspaces.PipelineResultTypes",
    "commands": (
        "System.Collections.Generic.List`1[[System.Management.Automation.PSObject, "
        "System.Management.Automation, Version=1.0.0.0, Culture=neutral, "
        "PublicKeyToken=31bf3856ad364e35]]"
    ),
    "array": "System.Object[]",
    "table": "System.Collections.Hashtable",
}
_BASES: Final[Mapping[str, tuple[str, ...]]] = {
    "apartment": ("System.Enum", "System.ValueType"),
    "options": ("System.Enum", "System.ValueType"),
    "merge": ("System.Enum", "System.ValueType"),
    "array": ("System.Array",),
}
_ALWAYS: Final = ("MergeMyResult", "MergeToResult", "MergePreviousResults")
_SINCE_2_2: Final = ("MergeError", "MergeWarning", "MergeVerbose", "MergeDebug")
_SINCE_2_3: Final = ("MergeInformation",)
_I32: Final = range(-(2**31), 2**31)
_I64: Final = range(-(2**63), 2**63)
# A host with an interface that has no raw one: see pool.Pool.
_HOST: Final = (
    '<B N="_isHostNull">false</B><B N="_isHostUINull">false</B>'
    '<B N="_isHostRawUINull">true</B><B N="_useRunspaceHost">false</B>'
)


@dataclass(frozen=True, slots=True)
class Creation:
    """The message, in the shape in which pypsrp looks for one."""

    MESSAGE_TYPE: ClassVar[int] = 0x00021006

    xml: bytes


def creation(statements: Sequence[Statement], protocol: str) -> Creation:
    """Return what starts *statements* as one pipeline, under that version of the protocol."""
    newest = tuple(int(part) for part in protocol.split("."))
    merges = (*(_SINCE_2_2 if newest >= (2, 2) else ()), *(_SINCE_2_3 if newest >= (2, 3) else ()))
    return Creation("".join(_Writing(merges).message(statements)).encode())


class _Writing:
    """One message on its way: objects and types are numbered in the order of their appearance."""

    def __init__(self, merges: Sequence[str]) -> None:
        self._merges = merges
        self._objects = 0
        self._types: dict[str, int] = {}

    def message(self, statements: Sequence[Statement]) -> Iterator[str]:
        """Yield the whole message."""
        yield f'{self._open()}<MS><B N="NoInput">true</B>'
        yield self._enumeration("ApartmentState", "apartment", "UNKNOWN", 2)
        yield self._enumeration("RemoteStreamOptions", "options", "AddInvocationInfo", 15)
        yield f'<B N="AddToHistory">false</B>{self._open("HostInfo")}<MS>{_HOST}</MS></Obj>'
        yield f'{self._open("PowerShell")}<MS><B N="IsNested">false</B>'
        yield from self._extra(statements)
        yield from self._commands(statements[0])
        yield '<Nil N="History" /><B N="RedirectShellErrorOutputPipe">false</B></MS></Obj>'
        yield '<B N="IsNested">false</B></MS></Obj>'

    def _extra(self, statements: Sequence[Statement]) -> Iterator[str]:
        """Yield all statements once more where there are several: that is how they are sent."""
        if len(statements) == 1:
            yield '<Nil N="ExtraCmds" />'
            return
        yield f"{self._open('ExtraCmds')}{self._type('commands')}<LST>"
        for statement in statements:
            yield f"{self._open()}<MS>"
            yield from self._commands(statement)
            yield "</MS></Obj>"
        yield "</LST></Obj>"

    def _commands(self, statement: Statement) -> Iterator[str]:
        yield f"{self._open('Cmds')}{self._type('commands')}<LST>"
        for command in statement:
            yield from self._command(command)
        yield "</LST></Obj>"

    def _command(self, command: Command) -> Iterator[str]:
        yield f"{self._open()}<MS>{_leaf('S', command.name, 'Cmd')}"
        yield '<B N="IsScript">false</B><Nil N="UseLocalScope" />'
        yield from (self._enumeration(name, "merge", "None", 0) for name in _ALWAYS)
        yield f"{self._open('Args')}{self._type('commands')}"
        yield _parent("LST", [self._parameter(name, value) for name, value in command.parameters])
        yield "</Obj>"
        yield from (self._enumeration(name, "merge", "None", 0) for name in self._merges)
        yield "</MS></Obj>"

    def _parameter(self, name: str, value: Argument) -> str:
        named = _leaf("S", name, "N") if name else '<Nil N="N" />'
        return f"{self._open()}<MS>{named}{self._value(value, 'V')}</MS></Obj>"

    def _value(self, value: Argument, name: str) -> str:
        match value:
            case None:
                return f'<Nil N="{name}" />'
            case bool():
                return _leaf("B", str(value).lower(), name)
            case int():
                tag = "I32" if value in _I32 else "I64" if value in _I64 else "D"
                return _leaf(tag, str(value), name)
            case str():
                return _leaf("S", value, name)
            case Delta():
                return self._table(value, name)
            case _:
                return self._array(value, name)

    def _array(self, members: Sequence[str], name: str) -> str:
        head = f"{self._open(name)}{self._type('array')}"
        return f"{head}{_parent('LST', [_leaf('S', member) for member in members])}</Obj>"

    def _table(self, delta: Delta, name: str) -> str:
        head = f"{self._open(name)}{self._type('table')}"
        halves = (("Add", delta.add), ("Remove", delta.remove))
        entries = [
            f"<En>{_leaf('S', key, 'Key')}{self._array(members, 'Value')}</En>"
            for key, members in halves
            if members
        ]
        return f"{head}{_parent('DCT', entries)}</Obj>"

    def _enumeration(self, name: str, kind: str, text: str, number: int) -> str:
        head = f"{self._open(name)}{self._type(kind)}"
        return f"{head}<ToString>{text}</ToString><I32>{number}</I32></Obj>"

    def _open(self, name: str = "") -> str:
        number, self._objects = self._objects, self._objects + 1
        return f'<Obj RefId="{number}" N="{name}">' if name else f'<Obj RefId="{number}">'

    def _type(self, kind: str) -> str:
        known = self._types.get(kind)
        if known is not None:
            return f'<TNRef RefId="{known}" />'
        number = self._types[kind] = len(self._types)
        names = (_TYPES[kind], *_BASES.get(kind, ()), "System.Object")
        return f'<TN RefId="{number}">{"".join(f"<T>{name}</T>" for name in names)}</TN>'


def _leaf(tag: str, text: str, name: str = "") -> str:
    head = f'{tag} N="{name}"' if name else tag
    return f"<{head}>{entities(escape(text))}</{tag}>" if text else f"<{head} />"


def _parent(tag: str, children: Sequence[str]) -> str:
    return f"<{tag}>{''.join(children)}</{tag}>" if children else f"<{tag} />"
