"""The Get cmdlets over directory objects."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from orchestrator.lab import vocabulary as v
from orchestrator.lab.cmdlet import Call, Cmdlet, Parameter
from orchestrator.lab.cmdlets.failure import NOT_FOUND, UNREACHABLE, failure
from orchestrator.lab.cmdlets.identity import controller, matching
from orchestrator.lab.directory import Entry
from orchestrator.lab.output import Cell

_STATUS = (
    "StaticConfigDomainController",
    "StaticDomainControllers",
    "StaticGlobalCatalogs",
    "StaticExcludedDomainControllers",
    "CurrentConfigDomainController",
    "CurrentDomainControllers",
    "CurrentGlobalCatalogs",
)

_BASE: Mapping[str, Parameter] = {
    "Identity": Parameter(v.TEXT, position=0),
    "DomainController": Parameter(v.FQDN),
}


def _reader(kind: str) -> Callable[[Call], Awaitable[None]]:
    async def read(call: Call) -> None:
        where = controller(call)
        for entry in _asked(call, kind, where):
            call.streams.write(call.session.organization.present(entry, where))

    return read


def _asked(call: Call, kind: str, where: str) -> list[Entry]:
    identity = call.arguments.get("Identity")
    server = call.arguments.get("Server")
    if identity is None:
        entries = call.session.organization.directory.entries(where, kind)
    else:
        entries = matching(call, kind, str(identity), where)
        if not entries and "*" not in str(identity):
            call.streams.error(
                failure(call, NOT_FOUND, "not-found", identity, where, target=str(identity))
            )
    if server is None:
        return entries
    host = str(server).partition(".")[0].casefold()
    return [entry for entry in entries if entry.server.casefold() == host]


async def _read_servers(call: Call) -> None:
    """Show servers; which controller each one uses only with ``-Status`` [doc].

    A server that is down cannot be asked: that is an error, and the others are shown [inf].
    """
    where = controller(call)
    organization = call.session.organization
    for entry in _asked(call, "ExchangeServer", where):
        output = organization.present(entry, where)
        down = entry.name.casefold() in organization.down
        if down and call.arguments.get("Status"):
            call.streams.error(failure(call, UNREACHABLE, "server-down", entry.name))
        if down or not call.arguments.get("Status"):
            blank = {name: Cell(v.TEXT, None) for name in _STATUS if name in output.adapted}
            output = replace(output, adapted={**output.adapted, **blank}, key=None)
        call.streams.write(output)


def _get(name: str, kind: str, task: str, **more: Parameter) -> Cmdlet:
    return Cmdlet(
        name,
        f"Microsoft.Exchange.Management.SystemConfigurationTasks.{task}",
        _read_servers if kind == "ExchangeServer" else _reader(kind),
        {**_BASE, **more},
    )


READING = (
    _get("Get-TransportConfig", "TransportConfig", "GetTransportConfig"),
    _get(
        "Get-ReceiveConnector",
        "ReceiveConnector",
        "GetReceiveConnector",
        Server=Parameter(v.TEXT),
    ),
    _get("Get-SendConnector", "SendConnector", "GetSendConnector"),
    _get(
        "Get-ExchangeServer",
        "ExchangeServer",
        "GetExchangeServer",
        Status=Parameter(switch=True),
        Domain=Parameter(v.TEXT),
    ),
    _get("Get-OrganizationConfig", "OrganizationConfig", "GetOrganizationConfig"),
    _get("Get-AcceptedDomain", "AcceptedDomain", "GetAcceptedDomain", ResultSize=Parameter(v.TEXT)),
    _get("Get-EdgeSubscription", "EdgeSubscription", "GetEdgeSubscription"),
)
