"""Who came with the partner's mail since a change, and what we said: by the servers' protocol logs.

The files are on the servers' disks, and reached as the event logs are.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from orchestrator.app.batch import side_by_side
from orchestrator.app.logs import FORKS, transport_servers
from orchestrator.app.workplace import Workplace
from orchestrator.core.command import Host
from orchestrator.core.errors import OrchestratorError, ProgramFailed
from orchestrator.core.inventory import Organization, Server
from orchestrator.eventlog.protocol import covers, listed
from orchestrator.exchange.senders import is_known
from orchestrator.exchange.silence import Passage, PassagesOf
from orchestrator.exchange.smtplog import Attempt, ProtocolLog

_ROOT = r"C:\Program Files\Microsoft\Exchange Server"
FOLDERS = (
    rf"{_ROOT}\V15\TransportRoles\Logs\FrontEnd\ProtocolLog\SmtpReceive",
    rf"{_ROOT}\V15\TransportRoles\Logs\Hub\ProtocolLog\SmtpReceive",
    rf"{_ROOT}\V14\TransportRoles\Logs\ProtocolLog\SmtpReceive",
)
"""Where servers write these logs unless somebody moved them [doc]; an inventory can say where."""

MOST = 50
"""Files of one folder that are read at most: the latest."""

_SILENT = (
    "its protocol logs have nothing since the change; connectors may not write any "
    "(ProtocolLoggingLevel)"
)


def passages(
    workplace: Workplace, organization: Organization, domains: Collection[str], since: datetime
) -> tuple[PassagesOf, ...]:
    """Return what was said to *domains* since then, of every transport server."""
    servers, missed = transport_servers(workplace, organization)
    hours = _hours(since, workplace.clock())

    def look(server: Server) -> PassagesOf:
        try:
            host = workplace.host(server, organization)
            return _read(host, server.name, organization, domains, since, hours)
        except OrchestratorError as error:
            return PassagesOf(server.name, unread=error.message)

    read = side_by_side(workplace, servers, look, forks=FORKS)
    unread = (
        PassagesOf(each.server, unread=each.error.message if each.error else "") for each in missed
    )
    return (*read, *unread)


def _read(  # noqa: PLR0913, PLR0917 - a look has that many sides
    host: Host,
    name: str,
    organization: Organization,
    domains: Collection[str],
    since: datetime,
    hours: Sequence[datetime],
) -> PassagesOf:
    files = [path for folder in _folders(organization) for path in _files(host, folder, hours)]
    if not files:
        return PassagesOf(name, unread="there are no protocol logs since the change")
    log, found = ProtocolLog(), []
    for path in files:
        text = host.run("type", [path]).decode("utf-8", "replace")
        found += [_passage(each, organization) for each in log.read(text.splitlines())]
    if log.last is None or log.last <= since:
        return PassagesOf(name, unread=_SILENT)
    mine = tuple(each for each in found if each is not None and each.domain in domains)
    return PassagesOf(name, mine)


def _folders(organization: Organization) -> Sequence[str]:
    return organization.protocol_logs or FOLDERS


def _files(host: Host, folder: str, moments: Sequence[datetime]) -> Iterator[str]:
    """Yield the files that can hold what was written at one of *moments*, oldest first."""
    try:
        names = [name for name in listed(host, folder) if covers(name, moments)]
    except ProgramFailed as error:
        if error.code is None:  # a JEA endpoint without such a program, not a missing folder
            raise
        return
    yield from (f"{folder}\\{name}" for name in reversed(names[:MOST]))


def _hours(since: datetime, now: datetime) -> tuple[datetime, ...]:
    """Return the moments of each hour from *since* to *now*, the last MOST of them."""
    number = max(0, int((now - since) / _HOUR))
    return (*(now - _HOUR * at for at in range(min(number, MOST) + 1)), since)


_HOUR = timedelta(hours=1)


def _passage(attempt: Attempt, organization: Organization) -> Passage | None:
    """Return an attempt that was answered, and whether it came from where the partner is known."""
    if attempt.at is None or not attempt.code:
        return None
    partner = organization.partners.get(attempt.domain)
    known = is_known(attempt.remote, partner.addresses) if partner and partner.addresses else None
    answer = f"{attempt.code} {attempt.text}".strip()
    return Passage(attempt.at, attempt.connector, attempt.remote, attempt.domain, answer, known)
