"""The event logs of an organization's servers, read side by side; one that cannot be is named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.app.batch import side_by_side
from orchestrator.app.workplace import Workplace
from orchestrator.core.errors import (
    NotLetIn,
    OrchestratorError,
    ProgramFailed,
    TransportError,
    Unreachable,
)
from orchestrator.core.facts import Facts, Observation, Query, Unknown
from orchestrator.core.inventory import Organization, Server
from orchestrator.eventlog.live import LogRead, read_log
from orchestrator.exchange.family import SECURITY_EVENTS
from orchestrator.exchange.incident import Bookmark
from orchestrator.exchange.objects import EXCHANGE_SERVER

FORKS = 10
"""Servers that are asked at the same time."""

_TRANSPORT = frozenset({"mailbox", "hubtransport", "clientaccess", "frontendtransport"})
"""Roles of a server on which a transport service runs [doc]."""

_DMZ = "an Edge server stands in a DMZ and is not read"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are wanted: from each server's bookmark on, or from *since*, else all."""

    ids: tuple[int, ...] = tuple(SECURITY_EVENTS)
    since: datetime | None = None
    bookmarks: Mapping[str, Bookmark] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogSeen:
    """What came of one server: its log, or why there is none of it. *server* is its full name."""

    server: str
    log: LogRead | None = None
    error: OrchestratorError | None = None


def read_logs(
    workplace: Workplace, organization: Organization, wanted: Wanted
) -> tuple[LogSeen, ...]:
    """Return what each transport server of *organization* logged, in the inventory's order.

    Where the inventory does not name them (``winrm: servers``) they are asked of Exchange, and
    where that fails, the servers of the inventory are taken, and that is said.
    """
    servers, missed = transport_servers(workplace, organization)
    read = side_by_side(
        workplace,
        servers,
        lambda server: _seen(workplace, organization, server, wanted),
        forks=FORKS,
    )
    return (*read, *missed)


def _seen(
    workplace: Workplace, organization: Organization, server: Server, wanted: Wanted
) -> LogSeen:
    try:
        log = read_log(
            workplace.host(server, organization),
            wanted.ids,
            bookmark=wanted.bookmarks.get(server.name.lower()),
            since=wanted.since,
        )
    except OrchestratorError as error:
        return LogSeen(server.name, error=_explained(error, organization))
    return LogSeen(server.name, log)


_READERS = (
    "Reading the log is not enough for this: a command shell opens to administrators only, and not "
    "to Event Log Readers. Name an account that is one, or register a JEA endpoint and name it in "
    "the inventory ('winrm: configuration', docs/events.md)."
)


def _explained(error: OrchestratorError, organization: Organization) -> OrchestratorError:
    """Return *error*, with what this endpoint is known to be refused for."""
    if isinstance(error, NotLetIn) and not organization.winrm.configuration:
        error.advice = f"{_READERS} {error.advice}".strip()
    if isinstance(error, ProgramFailed) and error.code in {5, None}:
        error.advice = error.advice or "Let the account into the group Event Log Readers there."
    return error


def transport_servers(
    workplace: Workplace, organization: Organization
) -> tuple[tuple[Server, ...], tuple[LogSeen, ...]]:
    """Return the servers to read, and those that are not read, each with the reason."""
    winrm = organization.winrm
    if winrm.servers:
        return winrm.servers, ()
    listed = {
        each.name.lower(): Server(each.name, each.address, winrm.port)
        for each in organization.servers
    }
    try:
        session = workplace.session(organization)
        try:
            session.pin()
            facts = session.ask((_SERVERS,))
        finally:
            session.close()
    except TransportError as error:
        unknown = Unreachable(f"the other servers are not known: {error.message}", error.advice)
        return tuple(listed.values()), (LogSeen("?", error=unknown),)
    return _found(facts, listed, winrm.port)


_SERVERS = Query(EXCHANGE_SERVER, ("Fqdn", "ServerRole"))


def _found(
    facts: Facts, listed: Mapping[str, Server], port: int
) -> tuple[tuple[Server, ...], tuple[LogSeen, ...]]:
    known = facts.known[EXCHANGE_SERVER]
    if isinstance(known, Unknown):
        error = Unreachable(
            f"the other servers are not known: {known.reason}",
            "Grant 'View-Only Configuration', or name the servers in 'winrm: servers'.",
        )
        return tuple(listed.values()), (LogSeen("?", error=error),)
    servers, missed = dict(listed), []
    for each in known:
        name = _name(each, listed)
        roles = {role.casefold() for role in each.members("ServerRole")}
        if "edge" in roles:
            servers.pop(name.lower(), None)
            missed.append(LogSeen(name, error=Unreachable(_DMZ, "Export its log, and read that.")))
        elif roles & _TRANSPORT or not roles:
            servers.setdefault(name.lower(), Server(name, name, port))
    return tuple(servers.values()), tuple(missed)


def _name(server: Observation, listed: Iterable[str]) -> str:
    """Return a server's full name, as the inventory has it where it knows the host."""
    name = server.text("Fqdn") or server.text("Name")
    host = name.partition(".")[0].lower()
    return next((each for each in listed if each.partition(".")[0] == host), name)
