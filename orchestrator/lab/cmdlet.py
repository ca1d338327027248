"""What a cmdlet is to the lab: its parameters, and a coroutine that does its work."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.lab.forms import Form
from orchestrator.lab.organization import Organization
from orchestrator.lab.output import Cell, Output
from orchestrator.lab.records import Problem
from orchestrator.lab.scenario import User


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. A *form* of None takes anything; *switch* takes no value.

    *position* is its place among unnamed arguments. *mandatory* is waived by a pipe. *listed*
    takes a list even where the form reads one value.
    """

    form: Form | None = None
    switch: bool = False
    position: int | None = None
    mandatory: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Delta:
    """Members to add to and remove from a list, already read by the list's form."""

    add: tuple[object, ...] = ()
    remove: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """Who runs a pipeline, where, and which cmdlets and parameters exist for them."""

    organization: Organization
    server: str
    user: User
    rights: Mapping[str, tuple[str, ...] | None]


class Streams(Protocol):
    """Where a running cmdlet speaks."""

    def write(self, output: Output | Cell) -> None:
        """Pass an output on."""

    def error(self, problem: Problem) -> None:
        """Write to the error stream; the pipeline goes on."""

    def warn(self, text: str) -> None:
        """Write to the warning stream."""

    def tell(self, line: str) -> None:
        """Write a line to the client's host."""

    async def confirm(self, message: str) -> bool:
        """Ask the client's user. Raises Stopped where nobody can be asked."""


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation: the cmdlet, its bound arguments by the parameter's own name, its input."""

    cmdlet: "Cmdlet"
    arguments: Mapping[str, object]
    session: Session
    streams: Streams
    inputs: Sequence[Output | Cell] | None = None


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """A cmdlet: its name, the class behind it (error ids carry that), its parameters, its work.

    *stock* cmdlets belong to the runspace and need no role.
    """

    name: str
    implementation: str
    run: Callable[[Call], Awaitable[None]]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    stock: bool = False
