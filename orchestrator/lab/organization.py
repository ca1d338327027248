"""One simulated organization while it lives: its directory, its accounts, its audit log."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from threading import RLock
from typing import TypeVar
from uuid import UUID, uuid5

from orchestrator.lab.clixml import Style
from orchestrator.lab.directory import Controller, Directory, Entry
from orchestrator.lab.disk import Disk
from orchestrator.lab.eventlog import EventLog
from orchestrator.lab.faults import Trouble, active, count_call
from orchestrator.lab.faults.calls import Shaped, Speaking
from orchestrator.lab.faults.row import Row
from orchestrator.lab.faults.world import ControllerGone, Lagging
from orchestrator.lab.forms import shown
from orchestrator.lab.output import Cell, Output, clixml, present
from orchestrator.lab.population import (
    all_servers,
    home_controller,
    identifier,
    populate,
    read_values,
)
from orchestrator.lab.scenario import Scenario, Server, User

R = TypeVar("R", bound=Row)

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the admin audit log. *effective* tells whether anything changed by it."""

    number: int = 0
    at: datetime = _NEVER
    caller: str
    cmdlet: str
    parameters: Mapping[str, str]
    object: str
    guid: str
    effective: bool
    error: str = ""
    server: str


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One cmdlet as received: *pipeline* counts pipelines, *statement* those within one."""

    pipeline: int
    statement: int
    user: str
    server: str
    cmdlet: str
    parameters: Mapping[str, object]


class Organization:
    """The state that a scenario begins with and that cmdlets and other administrators change."""

    def __init__(self, name: str, scenario: Scenario, clock: Callable[[], datetime]) -> None:
        self.name = name
        self.scenario = scenario
        self.clock = clock
        self.servers: Mapping[str, Server] = {
            server.name.upper(): server for server in all_servers(scenario)
        }
        self.users: Mapping[str, User] = {user.name.casefold(): user for user in scenario.users}
        self.logs: Mapping[str, EventLog] = {
            host: EventLog(self.full_name(host), clock) for host in self.servers
        }
        self.disks: Mapping[str, Disk] = {host: Disk() for host in self.servers}
        self.audit: list[AuditEntry] = []
        self.commands: list[CommandEntry] = []
        self.pipelines = count(1)
        self.pushed: dict[str, Mapping[str, object]] = {}
        self.lock = RLock()
        self.troubles: list[Trouble] = []
        self.late: set[object] = set()
        self.down: set[str] = set()
        shapes = scenario.shapes
        self._style = Style(shapes.lists, shapes.empty, shapes.enums, shapes.prefix, shapes.noise)
        self.directory = Directory(
            (Controller(self.full_name(one.name), one.site) for one in scenario.controllers),
            clock,
            (scenario.replication.within, scenario.replication.between),
        )
        self.directory.lag = self._lag
        for entry in populate(scenario, name):
            self.directory.add(entry)
        self.catch_up: Callable[[], None] = lambda: None
        self.directory.before = self._before
        self._presented: dict[object, Output] = {}
        self._written: dict[object, str] = {}

    def _before(self) -> None:
        self.catch_up()

    def full_name(self, host: str) -> str:
        """Return the full name of a host of this organization."""
        return host if "." in host else f"{host.lower()}.{self.scenario.domain}"

    def home(self, server: str) -> str:
        """Return the controller that a server reads its configuration from."""
        return home_controller(self.scenario, self.servers[server])

    def account(self, spelling: str) -> User | None:
        r"""Return the user written as ``CONTOSO\ops``, ``ops@contoso.example`` or ``ops``."""
        domain, separator, name = spelling.rpartition("\\")
        if separator and domain.casefold() not in self._domains():
            return None
        name, separator, realm = name.partition("@")
        if separator and realm.casefold() not in self._domains():
            return None
        return self.users.get(name.casefold())

    def _domains(self) -> tuple[str, str]:
        return self.scenario.netbios.casefold(), self.scenario.domain.casefold()

    def present(self, entry: Entry, controller: str) -> Output:
        """Return an object as its Get cmdlet shows it."""
        key = (entry.guid, entry.version, controller)
        output = self._presented.get(key)
        if output is None:
            missing = self.scenario.shapes.missing.get(entry.kind, ())
            output = present(entry, controller, self.name, self.scenario.domain, missing)
            self._presented[key] = output
        return output

    def clixml(self, output: Output | Cell) -> str:
        """Return an output's document, written once for each state of the object behind it."""
        if isinstance(output, Cell) or output.key is None:
            return clixml(output, self.style)
        key = (self.style, output.key)
        written = self._written.get(key)
        if written is None:
            written = self._written[key] = clixml(output, self.style)
        return written

    def called(self, cmdlet: str, server: str) -> None:
        """Count the call of a cmdlet, for the faults that strike the nth one."""
        count_call(self.troubles, cmdlet, server)

    def troubled(self, kind: type[R], cmdlet: str = "") -> R | None:
        """Return the fault of *kind* that strikes *cmdlet* now, if there is one."""
        return next(active(self.troubles, kind, cmdlet), None)

    @property
    def language(self) -> str:
        """The language that errors and warnings come in."""
        row = self.troubled(Speaking)
        return row.to if row else self.scenario.language

    @property
    def style(self) -> Style:
        """How values look on the wire."""
        row = self.troubled(Shaped)
        if row is None:
            return self._style
        return Style(row.lists, row.empty, row.enums, row.prefix, self._style.noise)

    def gone(self, controller: str) -> bool:
        """Say whether a domain controller is not available, by host name or full name."""
        host = controller.casefold().partition(".")[0]
        lost = active(self.troubles, ControllerGone)
        return any(row.controller.casefold().partition(".")[0] == host for row in lost)

    def _lag(self) -> tuple[float, float] | None:
        row = self.troubled(Lagging)
        return (row.within, row.between) if row else None

    def supplant(self, identity: str, who: str) -> None:
        """Put another object of the same name and values in the place of one. Raises KeyError."""
        entry = self.find(identity)
        self.directory.supplant(entry.guid, str(uuid5(UUID(entry.guid), "supplanted")))
        self._recorded(entry, f"New-{entry.kind}", {"Name": entry.name}, who)

    def record(self, deed: AuditEntry) -> None:
        """Append to the audit log, numbered and dated."""
        with self.lock:
            number = len(self.audit) + 1
            self.audit.append(replace(deed, number=number, at=self.clock().astimezone(UTC)))

    def find(self, identity: str) -> Entry:
        r"""Return the object with this Guid, ``SERVER\Name``, name or kind. Raises KeyError."""
        first = next(iter(self.directory.controllers))
        entries = [
            entry
            for kind in ("TransportConfig", "ReceiveConnector", "SendConnector", "ExchangeServer")
            for entry in self.directory.entries(first, kind)
        ]
        folded = identity.casefold()
        for entry in entries:
            if folded in (entry.guid, entry.label.casefold(), entry.kind.casefold()):
                return entry
        raise KeyError(identity)

    def edit(
        self, identity: str, changes: Mapping[str, object], who: str, controller: str | None
    ) -> None:
        """Change an object as another administrator would, on one controller or on all.

        A change named ``remove`` with a true value removes the object. Raises KeyError for an
        unknown object, ConfigurationError for an unknown property or an illegal value.
        """
        entry = self.find(identity)
        values = None if changes.get("remove") else read_values(entry.kind, changes, identity)
        targets = [controller] if controller else [self.home(next(iter(self.servers)))]
        for target in targets:
            self.directory.write(target, entry.guid, values)
        if controller is None:
            self.directory.replicate()
        verb = "Remove" if values is None else "Set"
        self._recorded(entry, f"{verb}-{entry.kind}", changes, who)

    def _recorded(self, entry: Entry, cmdlet: str, changes: Mapping[str, object], who: str) -> None:
        self.record(
            AuditEntry(
                caller=who,
                cmdlet=cmdlet,
                parameters={name: _text(value) for name, value in changes.items()},
                object=entry.label,
                guid=entry.guid,
                effective=True,
                server=next(iter(self.servers)),
            )
        )

    def snapshot(self, controller: str | None = None) -> dict[str, dict[str, object]]:
        """Return every object by label: its kind, Guid and properties as plain values.

        The state is the one that *controller* has; without one, that of the first server's.
        """
        name = controller or self.home(next(iter(self.servers)))
        return {
            f"{entry.kind}:{entry.label}": {
                "Kind": entry.kind,
                "Guid": entry.guid,
                **{key: _plain(value) for key, value in entry.values.items()},
            }
            for kind in ("TransportConfig", "ReceiveConnector", "SendConnector")
            for entry in self.directory.entries(name, kind)
        }

    def guid(self, kind: str, name: str, server: str = "") -> str:
        """Return the Guid that the object of this kind and name has from the start."""
        return identifier(self.scenario, self.name, kind, server.upper(), name)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [shown(one) for one in value]
    return shown(value) if not isinstance(value, (bool, int, type(None))) else value


def _text(value: object) -> str:
    return ", ".join(map(shown, value)) if isinstance(value, (list, tuple)) else shown(value)
