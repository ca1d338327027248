"""A remote command shell of ordinary WinRM: one program after the other, bytes coming back."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from orchestrator.lab.cmdlet import Session
from orchestrator.lab.host.programs import Machine, run_line
from orchestrator.lab.shell import INVALID_SELECTORS
from orchestrator.lab.soap import Fault

RESOURCE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"


@dataclass(slots=True)
class Command:
    """A program that was run, and what of its output was not fetched yet."""

    program: str
    out: bytes
    err: bytes
    code: int


@dataclass(slots=True)
class Console:
    """A shell from Create to Delete. *codepage* is the one its programs write in."""

    session: Session
    codepage: int
    closed: Callable[["Console"], None]
    identifier: str = field(default_factory=lambda: str(uuid4()).upper())
    resource: str = RESOURCE
    pipelines: dict[str, Command] = field(default_factory=dict)

    def start(self, program: str, arguments: str) -> str:
        """Run a program and return its number."""
        machine = Machine(self.session.organization, self.session.server)
        ran = run_line(machine, f"{program} {arguments}")
        number = str(uuid4()).upper()
        encoding = "utf-16-le" if ran.wide else _encoding(self.codepage)
        self.pipelines[number] = Command(
            program.strip('^"'),
            ran.out.encode(encoding, "replace"),
            ran.err.encode(_encoding(self.codepage), "replace"),
            ran.code,
        )
        return number

    def take(self, number: str, limit: int) -> tuple[bytes, bytes, int | None]:
        """Return more of both streams, and the exit code with the last of it. Raises Fault."""
        command = self._command(number)
        out, command.out = command.out[:limit], command.out[limit:]
        err, command.err = command.err[:limit], command.err[limit:]
        return out, err, None if command.out or command.err else command.code

    def cmdlets(self, number: str) -> tuple[str, ...]:
        """Return the program; nothing for one that is not there."""
        found = self.pipelines.get(number.upper())
        return (found.program,) if found else ()

    def signal(self, number: str, code: str) -> None:
        """Release a program, whatever the signal says. Raises Fault."""
        del code
        self._command(number)
        del self.pipelines[number.upper()]

    def delete(self) -> None:
        """End the shell."""
        self.pipelines.clear()
        self.closed(self)

    def _command(self, number: str) -> Command:
        found = self.pipelines.get(number.upper())
        if found is None:
            raise INVALID_SELECTORS
        return found


def known(codepage: str) -> int:
    """Return the code page that Create asks for, 437 without a wish. Raises Fault."""
    try:
        number = int(codepage or "437")
        codecs.lookup(_encoding(number))
    except (ValueError, LookupError):
        raise Fault(87, "w:InvalidParameter", "The parameter is incorrect. ") from None
    return number


def _encoding(codepage: int) -> str:
    return "utf-8" if codepage == 65001 else f"cp{codepage}"
