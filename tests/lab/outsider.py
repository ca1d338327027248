"""A client of the lab that nobody here wrote: pypsrp as it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from xml.etree import ElementTree as ET

from pypsrp.host import PSHost, PSHostUserInterface
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import NAMESPACES, SelectorSet, WSMan

from orchestrator.lab import PASSWORD, Lab

Step = tuple[str, Mapping[str, object]]
"""A cmdlet and its parameters; a parameter whose value is ``...`` is a switch."""


@dataclass
class Answer:
    """What one pipeline returned."""

    output: list[Any]
    errors: list[Any]
    warnings: list[str]
    host: list[str]
    failed: bool

    @property
    def records(self) -> list[dict[str, Any]]:
        """The outputs as dictionaries of their properties."""
        return [properties(one) for one in self.output]

    @property
    def error(self) -> str:
        """The FullyQualifiedErrorId of the only error."""
        (record,) = self.errors
        return str(record.fq_error)


class Screen(PSHostUserInterface):
    """A host that writes down what it is told, and answers questions with a number."""

    def __init__(self, choice: int | None) -> None:
        super().__init__(raw_ui=None)
        self.choice = choice
        self.lines: list[str] = []
        self.questions: list[str] = []
        self.before: Callable[[], None] | None = None

    def WriteLine2(  # noqa: N802 - the protocol's name
        self, runspace: object, pipeline: object, value: str, *_: object
    ) -> None:
        """Write down a line."""
        del runspace, pipeline
        self.lines.append(value)

    def PromptForChoice(  # noqa: N802 - the protocol's name
        self, runspace: object, pipeline: object, *asked: object
    ) -> int:
        """Answer, or refuse where there is no answer."""
        del runspace, pipeline
        self.questions.append(str(asked[1]))
        if self.before is not None:
            self.before()
        if self.choice is None:
            raise Refused
        return self.choice


class Refused(Exception):
    """The host will not answer."""


class Client:
    """A session on one server of a lab."""

    def __init__(self, lab: Lab, **given: Any) -> None:
        self._lab, self._given = lab, dict(given)
        at = given.pop("server", 0)
        auth = given.pop("auth", "basic")
        self.screen = Screen(given.pop("choice", None))
        host = PSHost(None, None, False, "outsider", None, self.screen, "1.0")
        ssl = given.get("ssl", False)
        place = lab.servers[at]
        self.connection = WSMan(
            "127.0.0.1",
            **{
                "port": place.https_port if ssl else place.port,
                "ssl": ssl,
                "path": given.pop("path", "PowerShell"),
                "auth": auth,
                "encryption": "never" if auth == "basic" and not ssl else "auto",
                "username": f"CONTOSO\\{given.pop('user', 'ops')}",
                "password": PASSWORD,
                **{
                    key: value
                    for key, value in given.items()
                    if key not in ("configuration", "host")
                },
            },
        )
        self.pool = RunspacePool(
            self.connection,
            host=host if given.get("host", True) else None,
            configuration_name=given.get("configuration", "Microsoft.Exchange"),
        )

    def __enter__(self) -> Self:
        try:
            self.pool.open()
        except BaseException:
            self.connection.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pool.close()
        self.connection.close()

    def twin(self, **given: Any) -> "Client":
        """Return a client of the same server and user with a connection of its own."""
        return Client(self._lab, **{**self._given, **given})

    def run(self, name: str, /, **parameters: object) -> Answer:
        """Run one cmdlet."""
        return self.pipe([(name, parameters)])

    def pipe(self, *statements: list[Step]) -> Answer:
        """Run statements, each a list of cmdlets piped into one another."""
        shell = PowerShell(self.pool)
        for at, statement in enumerate(statements):
            if at:
                shell.add_statement()
            for name, parameters in statement:
                shell.add_cmdlet(name)
                for key, value in parameters.items():
                    shell.add_parameter(key, None if value is ... else value)
        return self.invoke(shell)

    def invoke(self, shell: PowerShell) -> Answer:
        """Run a pipeline made by hand."""
        self.screen.lines.clear()
        try:
            output = shell.invoke()
        finally:
            if shell.state in (3, 4, 5):
                shell.close()
        warnings = [str(one) for one in shell.streams.warning]
        return Answer(
            output, shell.streams.error, warnings, list(self.screen.lines), shell.state == 5
        )


def receive_element(shell: PowerShell) -> ET.Element:
    """Return the body that asks for a pipeline's output."""
    namespace = NAMESPACES["rsp"]
    receive = ET.Element(f"{{{namespace}}}Receive")
    wanted = ET.SubElement(receive, f"{{{namespace}}}DesiredStream", CommandId=shell.id)
    wanted.text = "stdout"
    return receive


def properties(record: Any) -> dict[str, Any]:
    """Return all properties of a decoded object."""
    return {**record.adapted_properties, **record.extended_properties}


def selectors(shell: str | None) -> SelectorSet:
    """Name a shell as a request does."""
    named = SelectorSet()
    named.add_option("ShellId", str(shell))
    return named
