"""The Set cmdlets: delta lists, whole-object validation, what-if, confirmation, the audit log."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import chain

from orchestrator.lab import vocabulary as v
from orchestrator.lab.binding import LIMIT, changed
from orchestrator.lab.cmdlet import Call, Cmdlet, Delta, Parameter
from orchestrator.lab.cmdlets.failure import (
    BINDING,
    NEWER,
    ROLE_BINDING,
    VALIDATION,
    failure,
)
from orchestrator.lab.cmdlets.identity import controller, found
from orchestrator.lab.directory import Entry
from orchestrator.lab.faults.calls import Deaf, Prompting, Revalidated
from orchestrator.lab.forms import shown
from orchestrator.lab.organization import AuditEntry
from orchestrator.lab.ranges import endpoint, same_ranges
from orchestrator.lab.records import Problem
from orchestrator.lab.schema import KINDS
from orchestrator.lab.texts import say

Values = dict[str, object]
Check = Callable[[Call, Entry, Values, str], Problem | None]

_LIMITED = ("TLSReceiveDomainSecureList", "TLSSendDomainSecureList")


def _writer(kind: str, *checks: Check) -> Callable[[Call], Awaitable[None]]:
    async def write(call: Call) -> None:
        where = controller(call)
        if kind == "TransportConfig":
            entries = call.session.organization.directory.entries(where, kind)
        else:
            entries = found(call, kind, where)
        for entry in entries:
            await _change(call, entry, where, checks)

    return write


async def _change(call: Call, entry: Entry, where: str, checks: tuple[Check, ...]) -> None:
    values = _wanted(call, entry)
    problems = (check(call, entry, values, where) for check in (_struck, _limited, _newer, *checks))
    problem = next((one for one in problems if one is not None), None)
    if problem is not None:
        call.streams.error(problem)
        _audit(call, entry, effective=False, error=problem.message)
        return
    if not await _approved(call, entry):
        return
    effective = any(entry.values.get(name) != value for name, value in values.items())
    if effective:
        call.session.organization.directory.write(where, entry.guid, values)
    else:
        language = call.session.organization.language
        call.streams.warn(say(language, "unmodified", entry.label))
    _audit(call, entry, effective=effective)


def _wanted(call: Call, entry: Entry) -> Values:
    """Return the new values of the properties that the call names."""
    values: Values = {}
    for name, argument in call.arguments.items():
        if name not in KINDS[entry.kind].properties:
            continue
        now = entry.values.get(name)
        if isinstance(argument, Delta):
            values[name] = changed(now if isinstance(now, tuple) else (), argument)
        elif argument is None and isinstance(now, tuple):
            values[name] = ()
        else:
            values[name] = argument
    return values


async def _approved(call: Call, entry: Entry) -> bool:
    """Tell whether to go on: not with ``-WhatIf``, and not where the user says no."""
    organization, name = call.session.organization, call.cmdlet.name
    scenario = organization.scenario
    label = organization.name.title() if entry.kind == "TransportConfig" else entry.label
    action = say(organization.language, f"modify-{entry.kind}", label)
    if call.arguments.get("WhatIf"):
        call.streams.tell(say(organization.language, "what-if", action))
        return name in scenario.ignores_whatif or organization.troubled(Deaf, name) is not None
    if organization.troubled(Prompting, name):
        return await call.streams.confirm(action)
    if call.arguments.get("Confirm", scenario.confirmation == "always"):
        return await call.streams.confirm(action)
    return True


def _audit(call: Call, entry: Entry, *, effective: bool, error: str = "") -> None:
    session = call.session
    session.organization.record(
        AuditEntry(
            caller=f"{session.organization.scenario.netbios}\\{session.user.name}",
            cmdlet=call.cmdlet.name,
            parameters={name: _argument(value) for name, value in call.arguments.items()},
            object=entry.label,
            guid=entry.guid,
            effective=effective,
            error=error,
            server=session.server,
        )
    )


def _argument(value: object) -> str:
    if isinstance(value, Delta):
        halves = (("Add", value.add), ("Remove", value.remove))
        shown_halves = (f"{key}={','.join(map(shown, one))}" for key, one in halves if one)
        return "@{" + "; ".join(shown_halves) + "}"
    return ",".join(map(shown, value)) if isinstance(value, tuple) else shown(value)


def _struck(call: Call, entry: Entry, values: Values, _where: str) -> Problem | None:
    """A whole object is validated again, and what is wrong may be anything [obs]."""
    row = call.session.organization.troubled(Revalidated, call.cmdlet.name)
    if row is None or row.enabled not in (None, values.get("Enabled")):
        return None
    return failure(call, VALIDATION, "certificate", entry.label, target=entry.label)


def _limited(call: Call, _entry: Entry, values: Values, _where: str) -> Problem | None:
    for name in _LIMITED:
        value = values.get(name)
        if isinstance(value, tuple) and len(value) > LIMIT:
            return failure(call, VALIDATION, "too-many", name, LIMIT)
    return None


def _newer(call: Call, entry: Entry, _values: Values, _where: str) -> Problem | None:
    """An object of a version this server does not know cannot be written [obs]."""
    session = call.session
    own = session.organization.servers[session.server].version
    if _build(entry.exchange_version) <= _build(own):
        return None
    return failure(call, NEWER, "newer", entry.label, entry.exchange_version, target=entry.label)


def _build(text: str) -> tuple[int, ...]:
    """Return major and minor of ``0.1 (8.0.535.0)`` or of ``Version 15.2 (Build 1544.4)``."""
    inner = text.partition("(")[2].rstrip(")")
    number = text.split()[1] if inner.startswith("Build") else inner
    return tuple(int(part) for part in number.split(".")[:2])


def _bindings(call: Call, entry: Entry, values: Values, where: str) -> Problem | None:
    """Setting anything validates the whole connector against its neighbours [obs].

    Two enabled connectors of a server that listen on one endpoint must differ in their remote
    ranges, and must not belong to different roles.
    """
    wanted = {**entry.values, **values}
    if not wanted["Enabled"]:
        return None
    for other in _neighbours(call, entry, where):
        if not set(_endpoints(wanted)) & set(_endpoints(other.values)):
            continue
        if wanted["TransportRole"] != other.values["TransportRole"]:
            reason = say(call.session.organization.language, "binding-roles")
            return failure(call, ROLE_BINDING, "binding", other.label, reason, target=entry.label)
        if same_ranges(_texts(wanted, "RemoteIPRanges"), _texts(other.values, "RemoteIPRanges")):
            reason = say(call.session.organization.language, "binding-ranges")
            return failure(call, BINDING, "binding", other.label, reason, target=entry.label)
    return None


def _neighbours(call: Call, entry: Entry, where: str) -> Iterator[Entry]:
    directory = call.session.organization.directory
    for other in directory.entries(where, entry.kind):
        if other.server == entry.server and other.guid != entry.guid and other.values["Enabled"]:
            yield other


def _texts(values: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = values[name]
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _endpoints(values: Mapping[str, object]) -> Iterator[object]:
    return map(endpoint, _texts(values, "Bindings"))


def _parameters(kind: str) -> dict[str, Parameter]:
    own = {
        name: Parameter(one.form) for name, one in KINDS[kind].properties.items() if one.writable
    }
    extra = {
        "Identity": Parameter(v.TEXT, position=0, mandatory=kind != "TransportConfig"),
        "DomainController": Parameter(v.FQDN),
        "Confirm": Parameter(switch=True),
        "WhatIf": Parameter(switch=True),
        "Force": Parameter(switch=True),
    }
    if kind != "SendConnector":
        del extra["Force"]
    return dict(chain(extra.items(), own.items()))


def _set(name: str, kind: str, task: str, *checks: Check) -> Cmdlet:
    return Cmdlet(
        name,
        f"Microsoft.Exchange.Management.SystemConfigurationTasks.{task}",
        _writer(kind, *checks),
        _parameters(kind),
    )


WRITING = (
    _set("Set-TransportConfig", "TransportConfig", "SetTransportConfig"),
    _set("Set-ReceiveConnector", "ReceiveConnector", "SetReceiveConnector", _bindings),
    _set("Set-SendConnector", "SendConnector", "SetSendConnector"),
)
