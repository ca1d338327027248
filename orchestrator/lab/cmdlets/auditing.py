"""Search-AdminAuditLog: who changed what, newest first [doc]."""

from datetime import UTC, datetime, timedelta

from orchestrator.lab import vocabulary as v
from orchestrator.lab.cmdlet import Call, Cmdlet, Parameter
from orchestrator.lab.forms import Primitive, Unfit
from orchestrator.lab.organization import AuditEntry
from orchestrator.lab.output import Cell, Output

_TYPES = ("Microsoft.Exchange.Management.SystemConfigurationTasks.AdminAuditLogEvent", v.OBJECT)


def _moment(argument: object) -> object:
    """Read ISO 8601 or ``11/23/2026 18:00:00``, which are all the lab accepts; UTC."""
    text = str(argument)
    for form in ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Unfit(f"String was not recognized as a valid DateTime: {text}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


MOMENT = Primitive("System.DateTime", "DT", _moment)


async def _search(call: Call) -> None:
    limit = int(str(call.arguments.get("ResultSize", 1000)))
    found = [entry for entry in call.session.organization.audit if _wanted(call, entry)]
    for entry in list(reversed(found))[:limit]:
        call.streams.write(_shown(entry))


def _wanted(call: Call, entry: AuditEntry) -> bool:
    arguments = call.arguments
    chosen = (
        ("Cmdlets", entry.cmdlet),
        ("UserIds", entry.caller),
        ("ObjectIds", entry.object),
    )
    for name, value in chosen:
        legal = arguments.get(name)
        if isinstance(legal, tuple) and value.casefold() not in map(str.casefold, map(str, legal)):
            return False
    parameters = arguments.get("Parameters")
    if isinstance(parameters, tuple) and not set(map(str, parameters)) & set(entry.parameters):
        return False
    start, end = arguments.get("StartDate"), arguments.get("EndDate")
    organization = call.session.organization
    lag = timedelta(seconds=organization.scenario.audit_lag)
    if entry.at + lag > organization.clock().astimezone(UTC):
        return False
    late_enough = not isinstance(start, datetime) or entry.at >= start
    early_enough = not isinstance(end, datetime) or entry.at <= end
    return late_enough and early_enough and (entry.effective or bool(entry.error))


def _shown(entry: AuditEntry) -> Output:
    parameters = tuple(f"{name}: {value}" for name, value in entry.parameters.items())
    cells = {
        "ObjectModified": Cell(v.TEXT, entry.object),
        "ModifiedObjectResolvedName": Cell(v.TEXT, entry.object),
        "CmdletName": Cell(v.TEXT, entry.cmdlet),
        "CmdletParameters": Cell(v.TEXTS, parameters),
        "ModifiedProperties": Cell(v.TEXTS, ()),
        "Caller": Cell(v.TEXT, entry.caller),
        "ExternalAccess": Cell(v.FLAG, value=False),
        "Succeeded": Cell(v.FLAG, value=not entry.error),
        "Error": Cell(v.TEXT, entry.error or "None"),
        "RunDate": Cell(v.MOMENT, entry.at.strftime("%Y-%m-%dT%H:%M:%SZ")),
        "OriginatingServer": Cell(v.TEXT, f"{entry.server} (15.02.1544.004)"),
        "Identity": Cell(v.TEXT, str(entry.number)),
        "IsValid": Cell(v.FLAG, value=True),
        "ObjectState": Cell(v.OBJECT_STATE, "New"),
    }
    return Output(_TYPES, str(entry.number), cells)


_LIST = Parameter(v.TEXT, listed=True)

AUDITING = (
    Cmdlet(
        "Search-AdminAuditLog",
        "Microsoft.Exchange.Management.SystemConfigurationTasks.SearchAdminAuditLog",
        _search,
        {
            "Cmdlets": _LIST,
            "Parameters": _LIST,
            "UserIds": _LIST,
            "ObjectIds": _LIST,
            "StartDate": Parameter(MOMENT),
            "EndDate": Parameter(MOMENT),
            "ResultSize": Parameter(v.WHOLE),
            "StartIndex": Parameter(v.WHOLE),
            "IsSuccess": Parameter(v.FLAG),
            "DomainController": Parameter(v.FQDN),
        },
    ),
)
