"""The transport services of each server: where their protocol logs are [doc]."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid5

from orchestrator.lab import smtpreceive
from orchestrator.lab import vocabulary as v
from orchestrator.lab.cmdlet import Call, Cmdlet, Parameter
from orchestrator.lab.cmdlets.failure import NOT_FOUND, failure
from orchestrator.lab.cmdlets.identity import controller
from orchestrator.lab.output import Cell, Output

_TYPES = "Microsoft.Exchange.Data.Directory.Management"


def _reader(type_name: str, role: str) -> Callable[[Call], Awaitable[None]]:
    async def read(call: Call) -> None:
        where = controller(call)
        old = call.session.organization.scenario.generation == 2010
        folder = smtpreceive.folder("" if old else role)
        wanted = call.arguments.get("Identity")
        host = str(wanted or "").partition(".")[0].casefold()
        entries = call.session.organization.directory.entries(where, "ExchangeServer")
        found = [one for one in entries if host in {"", one.name.casefold()}]
        if wanted is not None and not found:
            call.streams.error(
                failure(call, NOT_FOUND, "not-found", wanted, where, target=str(wanted))
            )
        for entry in found:
            cells = {
                "Name": Cell(v.TEXT, entry.name),
                "Identity": Cell(v.TEXT, entry.name),
                "Guid": Cell(v.GUID, str(uuid5(UUID(entry.guid), role))),
                "OriginatingServer": Cell(v.TEXT, where),
                "ReceiveProtocolLogPath": Cell(v.TEXT, folder),
                "ReceiveProtocolLogMaxAge": Cell(v.TEXT, "30.00:00:00"),
                "ReceiveProtocolLogMaxDirectorySize": Cell(v.TEXT, "250 MB (262,144,000 bytes)"),
            }
            call.streams.write(Output((f"{_TYPES}.{type_name}", v.OBJECT), entry.name, cells))

    return read


def _service(name: str, type_name: str, role: str) -> Cmdlet:
    return Cmdlet(
        name,
        f"Microsoft.Exchange.Management.SystemConfigurationTasks.{name.replace('-', '')}",
        _reader(type_name, role),
        {"Identity": Parameter(v.TEXT, position=0), "DomainController": Parameter(v.FQDN)},
    )


SERVICES = (
    _service(
        "Get-FrontendTransportService", "FrontendTransportServerPresentationObject", "FrontEnd"
    ),
    _service("Get-TransportService", "TransportServerPresentationObject", "Hub"),
    _service("Get-TransportServer", "TransportServer", "Hub"),
)
"""The first two are of Exchange 2013 and later, the last of 2010 and, deprecated, of later ones."""
