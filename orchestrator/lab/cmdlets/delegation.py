"""Management roles as objects: which exist, and to whom they are assigned [doc]."""

from collections.abc import Iterator

from orchestrator.lab import vocabulary as v
from orchestrator.lab.cmdlet import Call, Cmdlet, Parameter
from orchestrator.lab.output import Cell, Output
from orchestrator.lab.rights import ROLES

_ROLE = (f"{v.DATA}.Directory.SystemConfiguration.ExchangeRole", v.OBJECT)
_ASSIGNMENT = (f"{v.DATA}.Directory.SystemConfiguration.ExchangeRoleAssignment", v.OBJECT)


async def _read_roles(call: Call) -> None:
    wanted = str(call.arguments.get("Identity", "")).casefold()
    cmdlet = str(call.arguments.get("Cmdlet", "")).casefold()
    for role, grants in ROLES.items():
        if wanted not in ("", role.casefold()):
            continue
        if cmdlet and cmdlet not in map(str.casefold, grants):
            continue
        cells = {
            "Name": Cell(v.TEXT, role),
            "Identity": Cell(v.TEXT, role),
            "RoleEntries": Cell(v.TEXTS, tuple(_entries(role))),
            "IsRootRole": Cell(v.FLAG, value=True),
        }
        call.streams.write(Output(_ROLE, role, cells))


def _entries(role: str) -> Iterator[str]:
    for cmdlet, parameters in ROLES[role].items():
        names = "" if parameters is None else ", " + ", ".join(parameters)
        yield f"(Microsoft.Exchange.Management.PowerShell.E2010) {cmdlet}{names}"


async def _read_assignments(call: Call) -> None:
    organization = call.session.organization
    assignee = str(call.arguments.get("RoleAssignee", "")).casefold()
    wanted = str(call.arguments.get("Role", "")).casefold()
    for user in organization.users.values():
        known = user.name.casefold()
        if assignee and assignee.rpartition("\\")[2].partition("@")[0] != known:
            continue
        for role in user.roles:
            if wanted in ("", role.casefold()):
                call.streams.write(_assignment(role, user.name))


def _assignment(role: str, user: str) -> Output:
    cells = {
        "Name": Cell(v.TEXT, f"{role}-{user}"),
        "Identity": Cell(v.TEXT, f"{role}-{user}"),
        "Role": Cell(v.TEXT, role),
        "RoleAssigneeName": Cell(v.TEXT, user),
        "RoleAssigneeType": Cell(v.TEXT, "User"),
        "AssignmentMethod": Cell(v.TEXT, "Direct"),
        "Enabled": Cell(v.FLAG, value=True),
    }
    return Output(_ASSIGNMENT, f"{role}-{user}", cells)


_NAMESPACE = "Microsoft.Exchange.Management.RbacTasks"

DELEGATION = (
    Cmdlet(
        "Get-ManagementRole",
        f"{_NAMESPACE}.GetManagementRole",
        _read_roles,
        {
            "Identity": Parameter(v.TEXT, position=0),
            "Cmdlet": Parameter(v.TEXT),
            "CmdletParameters": Parameter(v.TEXT, listed=True),
            "DomainController": Parameter(v.FQDN),
        },
    ),
    Cmdlet(
        "Get-ManagementRoleAssignment",
        f"{_NAMESPACE}.GetManagementRoleAssignment",
        _read_assignments,
        {
            "RoleAssignee": Parameter(v.TEXT),
            "Role": Parameter(v.TEXT),
            "GetEffectiveUsers": Parameter(switch=True),
            "Delegating": Parameter(v.FLAG),
            "DomainController": Parameter(v.FQDN),
        },
    ),
)
