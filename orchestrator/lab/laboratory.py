"""A running lab: organizations, a listener for each of their servers, one thread for all."""

import asyncio
import ssl
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count, repeat
from pathlib import Path
from typing import Self

from orchestrator.lab.connection import Conditions, Connection, RequestEntry, trouble
from orchestrator.lab.directory import Directory
from orchestrator.lab.endpoint import Endpoint
from orchestrator.lab.faults import Seen, Trouble, live
from orchestrator.lab.gate import Accounts, Scheme
from orchestrator.lab.inventory import Access, Place, inventory_text
from orchestrator.lab.mail import Message, Tls
from orchestrator.lab.organization import AuditEntry, CommandEntry, Organization
from orchestrator.lab.scenario import Scenario, load_scenario
from orchestrator.lab.service import Make, Service
from orchestrator.lab.traffic import Traffic

HTTP_SCHEMES: tuple[Scheme, ...] = ("negotiate", "ntlm", "basic")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Options:
    """How a lab listens.

    *port* 0 lets the system choose each server's port; otherwise servers count up from it.
    *delay* is in seconds for each HTTP request. *quota* overrides the scenario's sessions per
    user. *organizations* hosts that many copies, named ``contoso001`` and on, of the first server
    each. Kerberos takes the keytab that ``KRB5_KTNAME`` names; *hostname* is what the servers are
    called in a ticket, empty for each one's own full name.
    """

    address: str = "127.0.0.1"
    port: int = 0
    auth: tuple[Scheme, ...] = HTTP_SCHEMES
    https: bool = False
    delay: float = 0.0
    quota: int | None = None
    organizations: int = 1
    hostname: str = ""


@dataclass(frozen=True, slots=True)
class Requests:
    """The HTTP requests so far."""

    log: tuple[RequestEntry, ...]

    @property
    def total(self) -> int:
        """How many there were."""
        return len(self.log)

    @property
    def by_action(self) -> Mapping[str, int]:
        """How many of each action."""
        return Counter(entry.action for entry in self.log)


@dataclass(frozen=True, slots=True)
class _Door:
    """Where a server listens, so that it can be closed and opened again."""

    endpoint: Endpoint
    make: Make
    port: int
    context: ssl.SSLContext | None = None


class Lab:
    """A simulated organization on loopback, from ``with`` to the end of it.

    *clock* is what the servers take for the time; replication follows it.
    """

    def __init__(
        self,
        scenario: Scenario | str,
        *,
        options: Options | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.scenario = load_scenario(scenario) if isinstance(scenario, str) else scenario
        self.options = options or Options()
        names = _names(self.scenario.organization, self.options.organizations)
        self.organizations = {name: Organization(name, self.scenario, clock) for name in names}
        self._conditions = Conditions(
            self.options.auth, self.options.delay, [live(row) for row in self.scenario.faults]
        )
        self._conditions.world, self._conditions.kill = self, self._kill
        self.traffic = {one.name: Traffic(one) for one in self.organizations.values()}
        for organization in self.organizations.values():
            organization.troubles = self._conditions.troubles
            organization.catch_up = self.traffic[organization.name].catch_up
        self._endpoints: list[Endpoint] = []
        self._doors: list[_Door] = []
        self._service: Service | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.servers: tuple[Place, ...] = ()
        self.ca_file: Path | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, in a thread of its own. OSError where a port cannot be had."""
        self._folder = tempfile.TemporaryDirectory(prefix="orchestrator-lab-")
        self._service = Service()
        try:
            self.servers = tuple(self._listen(self._service, Path(self._folder.name)))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Close every listener and connection and end the thread. May be called twice."""
        if self._service is not None:
            self._service.stop()
            self._service = None
        for endpoint in self._endpoints:
            endpoint.shells.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _listen(self, service: Service, folder: Path) -> Iterator[Place]:
        options = self.options
        context = self._context(folder)
        ports = count(options.port) if options.port else repeat(0)
        for name, organization in self.organizations.items():
            file = _accounts_file(organization, folder / f"{name}.accounts")
            hosts = list(organization.servers)[: 1 if len(self.organizations) > 1 else None]
            for host in hosts:
                spn_host = options.hostname or organization.full_name(host)
                accounts = Accounts(organization.account, str(file), spn_host)
                endpoint = self._endpoint(organization, host)
                make = self._factory(endpoint, accounts)
                plain = service.listen(make, options.address, next(ports))
                self._doors.append(_Door(endpoint, make, plain))
                sealed = None
                if context is not None:
                    sealed = service.listen(make, options.address, next(ports), context)
                    self._doors.append(_Door(endpoint, make, sealed, context))
                yield Place(name, organization.full_name(host), host, plain, sealed)

    def _context(self, folder: Path) -> ssl.SSLContext | None:
        if not self.options.https:
            return None
        from orchestrator.lab.certificate import server_context  # noqa: PLC0415 - rarely needed

        servers = [
            one.full_name(host) for one in self.organizations.values() for host in one.servers
        ]
        names = (self.options.address, "localhost", *servers)
        self.ca_file, context = server_context(folder, names)
        return context

    def _endpoint(self, organization: Organization, host: str) -> Endpoint:
        quota = self.options.quota or self.scenario.session_quota
        before, after = partial(self._trouble, after=False), partial(self._trouble, after=True)
        endpoint = Endpoint(organization, host, quota, before, after)
        self._endpoints.append(endpoint)
        return endpoint

    def _factory(self, endpoint: Endpoint, accounts: Accounts) -> Make:
        return lambda opened: Connection(endpoint, accounts, self._conditions, opened)

    async def _trouble(self, seen: Seen, *, after: bool) -> None:
        await trouble(self._conditions, seen, after=after)

    async def _kill(self, server: str, back_after: float | None) -> None:
        for endpoint, doors in self._behind(server):
            endpoint.lose()
            endpoint.organization.down.add(endpoint.server.casefold())
            if self._service is not None:
                await self._service.cut_off(endpoint, [door.port for door in doors])
        if back_after is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(back_after, lambda: self._later(loop.create_task(self._revive(server))))

    def _later(self, task: "asyncio.Task[None]") -> None:
        self._reviving = task

    async def _revive(self, server: str) -> None:
        for endpoint, doors in self._behind(server):
            endpoint.organization.down.discard(endpoint.server.casefold())
            for door in doors:
                if self._service is not None:
                    await self._service.reopen(
                        door.make, self.options.address, door.port, door.context
                    )

    def _behind(self, server: str) -> Iterator[tuple[Endpoint, "list[_Door]"]]:
        host = server.casefold().partition(".")[0]
        for endpoint in self._endpoints:
            if endpoint.server.casefold() == host:
                yield endpoint, [door for door in self._doors if door.endpoint is endpoint]

    def kill(self, server: str) -> None:
        """End a server: nobody listens, its shells are lost."""
        if self._service is not None:
            self._service.call(self._kill(server, None))

    def revive(self, server: str) -> None:
        """Have a killed server listen again on its port. OSError where that cannot be had."""
        if self._service is not None:
            self._service.call(self._revive(server))

    @property
    def organization(self) -> Organization:
        """The organization, or the first of several."""
        return next(iter(self.organizations.values()))

    @property
    def directory(self) -> Directory:
        """The directory of the organization."""
        return self.organization.directory

    @property
    def faults(self) -> list[Trouble]:
        """What goes wrong from now on; append to it."""
        return self._conditions.troubles

    @property
    def requests(self) -> Requests:
        """The HTTP requests so far."""
        return Requests(tuple(self._conditions.log))

    @property
    def commands(self) -> tuple[CommandEntry, ...]:
        """Every cmdlet as received, of all organizations."""
        return tuple(one for each in self.organizations.values() for one in each.commands)

    @property
    def open_shells(self) -> int:
        """How many shells are open on all servers."""
        return sum(len(endpoint.shells) for endpoint in self._endpoints)

    @property
    def open_pipelines(self) -> int:
        """How many pipelines were begun and not released."""
        shells = (shell for endpoint in self._endpoints for shell in list(endpoint.shells.values()))
        return sum(len(shell.pipelines) for shell in shells)

    def audit(self) -> tuple[AuditEntry, ...]:
        """Return the admin audit log, of all organizations."""
        return tuple(one for each in self.organizations.values() for one in each.audit)

    def snapshot(self, controller: str | None = None) -> dict[str, dict[str, object]]:
        """Return every object as plain values, by ``Kind:label``; see ``Organization.snapshot``."""
        return self.organization.snapshot(controller)

    def edit(
        self,
        identity: str,
        /,
        *,
        who: str = "CONTOSO\\other",
        controller: str | None = None,
        **changes: object,
    ) -> None:
        r"""Change an object as another administrator would; ``remove=True`` removes it.

        *identity* is a Guid, ``SERVER\Name``, a name, or ``TransportConfig``.
        """
        self.organization.edit(identity, changes, who, controller)

    def supplant(self, identity: str) -> None:
        """Put another object of the same name and values in the place of one: another Guid."""
        self.organization.supplant(identity, "CONTOSO\\other")

    def send(self, domain: str, address: str, *, server: str = "", tls: Tls = "none") -> str:
        """Send one message to a server, the first one unless it is named; return its answer.

        It is logged as the message of any sender is.
        """
        organization = self.organization
        host = server.upper() or next(iter(organization.servers))
        return self.traffic[organization.name].send(host, Message(domain, address, tls)).reply

    def run_traffic(self) -> None:
        """Have everything arrive that is due by now; whoever reads a log over the wire does so."""
        for organization in self.organizations.values():
            organization.catch_up()

    def replicate(self) -> None:
        """Bring every domain controller up to date."""
        for organization in self.organizations.values():
            organization.directory.replicate()

    def inventory_text(
        self,
        *,
        user: str | None = None,
        auth: str = "ntlm",
        encryption: str = "auto",
        credential: str = "env:ORCHESTRATOR_LAB_PASSWORD",
        ssl: bool = False,
    ) -> str:
        """Return an inventory of this lab, as the product reads one."""
        access = Access(user, auth, encryption, credential, ssl)
        return inventory_text(self.organizations, self.servers, self.options.address, access)


def _names(organization: str, number: int) -> list[str]:
    if number == 1:
        return [organization]
    return [f"{organization}{at + 1:03}" for at in range(number)]


def _accounts_file(organization: Organization, file: Path) -> Path:
    """Write the file that the NTLM acceptor reads: one line for each spelling of each account."""
    scenario = organization.scenario
    lines = [
        f"{domain}:{name}:{user.password}"
        for user in scenario.users
        for domain, name in (
            (scenario.netbios, user.name),
            (scenario.domain, user.name),
            ("", user.name),
            ("", f"{user.name}@{scenario.domain}"),
        )
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file
