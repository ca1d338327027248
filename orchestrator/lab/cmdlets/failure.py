"""Errors as Exchange's own cmdlets report them."""

from uuid import uuid4
from zlib import crc32

from orchestrator.lab.cmdlet import Call
from orchestrator.lab.records import Problem
from orchestrator.lab.texts import say

NOT_FOUND = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
AMBIGUOUS = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException"
TRANSIENT = "Microsoft.Exchange.Data.Directory.ADTransientException"
BINDING = "Microsoft.Exchange.Management.SystemConfigurationTasks.ConnectorMappingConflictException"
ROLE_BINDING = (
    "Microsoft.Exchange.Management.SystemConfigurationTasks.ReceiveConnectorRoleConflictException"
)
VALIDATION = "Microsoft.Exchange.Data.DataValidationException"
UNREACHABLE = "Microsoft.Exchange.Configuration.Tasks.ServerUnreachableException"
NEWER = "Microsoft.Exchange.Data.InvalidObjectOperationException"

CATEGORIES = {NOT_FOUND: "1003", AMBIGUOUS: "1003", TRANSIENT: "1002"}


def failure(call: Call, exception: str, key: str, *values: object, target: str = "") -> Problem:
    """Return the error record of a cmdlet that failed with *exception*.

    Since 2013 its id names server, request, time and the exception's type [seen]; before, only a
    hash and the class. The hash depends on where in Exchange it was thrown, here on the reason.
    """
    session = call.session
    scenario = session.organization.scenario
    identifier = f"{crc32((exception + key).encode()):X},{call.cmdlet.implementation}"
    if scenario.generation > 2010:
        moment = session.organization.clock()
        hour = moment.hour % 12 or 12
        stamp = f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S %p}"
        identifier = (
            f"[Server={session.server},RequestId={uuid4()},TimeStamp={stamp}] "
            f"[FailureCategory=Cmdlet-{exception.rpartition('.')[2]}] {identifier}"
        )
    return Problem(
        say(session.organization.language, key, *values),
        identifier,
        exception,
        CATEGORIES.get(exception, "InvalidOperation"),
        call.cmdlet.name,
        target,
    )
