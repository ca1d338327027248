"""Start-EdgeSynchronization pushes the organization's settings to subscribed Edge servers [doc]."""

from orchestrator.lab import vocabulary as v
from orchestrator.lab.cmdlet import Call, Cmdlet, Parameter
from orchestrator.lab.cmdlets.identity import controller
from orchestrator.lab.output import Cell, Output

_TYPES = ("Microsoft.Exchange.EdgeSync.Common.Status", v.OBJECT)


async def _synchronize(call: Call) -> None:
    if call.arguments.get("WhatIf"):
        return
    organization = call.session.organization
    where = controller(call)
    transport = organization.directory.entries(where, "TransportConfig")[0]
    now = organization.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    for edge in organization.directory.entries(where, "EdgeSubscription"):
        before = organization.pushed.get(edge.name)
        organization.pushed[edge.name] = dict(transport.values)
        cells = {
            "RunspaceId": Cell(v.TEXT, None),
            "Result": Cell(v.TEXT, "Success"),
            "Type": Cell(v.TEXT, "Configuration"),
            "Name": Cell(v.TEXT, edge.name),
            "FailureDetails": Cell(v.TEXT, ""),
            "StartUTC": Cell(v.MOMENT, now),
            "EndUTC": Cell(v.MOMENT, now),
            "Added": Cell(v.LONG, 0),
            "Deleted": Cell(v.LONG, 0),
            "Updated": Cell(v.LONG, int(before != transport.values)),
            "Scanned": Cell(v.LONG, 1),
            "TargetScanned": Cell(v.LONG, 0),
        }
        call.streams.write(Output(_TYPES, edge.name, cells))


EDGE = (
    Cmdlet(
        "Start-EdgeSynchronization",
        "Microsoft.Exchange.Management.EdgeSync.StartEdgeSynchronization",
        _synchronize,
        {
            "Server": Parameter(v.TEXT),
            "TargetServer": Parameter(v.TEXT),
            "ForceFullSync": Parameter(switch=True),
            "ForceUpdateCookie": Parameter(switch=True),
            "DomainController": Parameter(v.FQDN),
            "Confirm": Parameter(switch=True),
            "WhatIf": Parameter(switch=True),
        },
    ),
)
