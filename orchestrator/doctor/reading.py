"""What an open session is good for: its domain controller, its rights by parameter, its reads."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from orchestrator.core.command import Command, ErrorRecord, Record, Result, command, powershell
from orchestrator.core.facts import Observation, UnknownFact
from orchestrator.doctor.finding import Check, Finding, Needed, State
from orchestrator.doctor.patient import MISSING, Patient
from orchestrator.exchange.objects import (
    CMDLET,
    EXCHANGE_SERVER,
    IDENTIFYING,
    OBJECT_KINDS,
    RECEIVE_CONNECTOR,
    SEND_CONNECTOR,
    TRANSPORT_CONFIG,
    find,
    observe,
)
from orchestrator.exchange.rights import ROLES

_READER: Final = "View-Only Configuration"
_ORIGIN: Final = "OriginatingServer"
_READ: Final = (TRANSPORT_CONFIG, RECEIVE_CONNECTOR, SEND_CONNECTOR, EXCHANGE_SERVER)
_MAY_BE_NONE: Final = frozenset({SEND_CONNECTOR})


def locate(patient: Patient) -> Iterator[Finding]:
    """Find out which domain controller answers, and whether the pinned one does."""
    pinned = patient.organization.domain_controller
    result = _get(patient, TRANSPORT_CONFIG, pinned)
    if result.errors:
        yield _unanswered(patient, pinned, result.errors[0])
        return
    answered = _origin(result)
    if not answered:
        text = "the server does not say which domain controller answered"
        yield Finding(Check.CONTROLLER, State.UNKNOWN, text)
        patient.controller = pinned
    elif pinned and not _same_host(pinned, answered):
        text = f"{answered} answered, although {pinned} was asked"
        yield Finding(Check.CONTROLLER, State.FAILED, text, _named(answered))
    else:
        how = "pinned in the inventory" if pinned else "found; each plan pins the one it finds"
        yield Finding(Check.CONTROLLER, State.OK, f"{answered} answers ({how})")
        patient.controller = pinned


def _unanswered(patient: Patient, pinned: str, error: ErrorRecord) -> Finding:
    if not pinned or error.failure == MISSING:
        return _refused(Check.CONTROLLER, patient, OBJECT_KINDS[TRANSPORT_CONFIG].get, error)
    other = _origin(_get(patient, TRANSPORT_CONFIG, ""))
    text = f"{pinned} does not answer: {error.message} ({error.failure})"
    return Finding(Check.CONTROLLER, State.FAILED, text, _named(other))


def _named(controller: str) -> str:
    if not controller:
        return "Correct or leave out 'domain_controller' in the inventory."
    return f"Write 'domain_controller: {controller}' in the inventory, or leave it out."


def _origin(result: Result) -> str:
    for record in result.output:
        if isinstance(record, Record):
            return str(record.properties.get(_ORIGIN) or "")
    return ""


def _same_host(one: str, other: str) -> bool:
    """Compare fully qualified names whole, and by their first label where one is not."""
    left, right = one.casefold(), other.casefold()
    if "." in left and "." in right:
        return left == right
    return left.partition(".")[0] == right.partition(".")[0]


def weigh(patient: Patient) -> Iterator[Finding]:
    """Compare what is needed with the cmdlets and parameters that exist for this account."""
    needed = _united(patient.rights)
    if not needed:
        return
    names = tuple(need.cmdlet for need in needed)
    result = patient.ask(command("Get-Command", Name=names), ("Name", "Parameters"))
    seen = tuple(_cmdlets(result))
    absent = {error.target.casefold() for error in result.errors if error.failure == MISSING}
    for need in needed:
        granted = find(seen, need.cmdlet)
        if granted is not None:
            yield _compared(patient, need, granted.members("Parameters"))
        elif need.cmdlet.casefold() in absent:
            text = f"this account has no {need.cmdlet}"
            yield Finding(Check.RIGHTS, State.FAILED, text, _assign(patient, need.cmdlet))
        else:
            reason = f": {result.errors[0].message}" if result.errors else ""
            text = f"whether this account has {need.cmdlet} is not known{reason}"
            yield Finding(Check.RIGHTS, State.UNKNOWN, text, _assign(patient, need.cmdlet))


def _united(rights: Sequence[Needed]) -> tuple[Needed, ...]:
    """Return one need for each cmdlet, in order, as cmdlets and parameters ignore case."""
    needs: dict[str, tuple[str, dict[str, str]]] = {}
    for need in rights:
        _, parameters = needs.setdefault(need.cmdlet.casefold(), (need.cmdlet, {}))
        for parameter in need.parameters:
            parameters.setdefault(parameter.casefold(), parameter)
    return tuple(Needed(name, tuple(spelt.values())) for name, spelt in needs.values())


def _cmdlets(result: Result) -> Iterator[Observation]:
    for record in result.output:
        if isinstance(record, Record):
            yield observe(CMDLET, record, ("Name", "Parameters"))


def _compared(patient: Patient, need: Needed, granted: Sequence[str]) -> Finding:
    dashed = ", ".join(f"-{parameter}" for parameter in need.parameters)
    whole = f"{need.cmdlet} with {dashed}" if dashed else need.cmdlet
    if not granted and need.parameters:
        text = f"whether this account has {whole} is not known: no parameters were listed"
        return Finding(Check.RIGHTS, State.UNKNOWN, text, _assign(patient, need.cmdlet))
    known = {parameter.casefold() for parameter in granted}
    missing = ", ".join(f"-{each}" for each in need.parameters if each.casefold() not in known)
    if missing:
        text = f"this account has {need.cmdlet}, but without {missing}"
        return Finding(Check.RIGHTS, State.FAILED, text, _assign(patient, need.cmdlet))
    return Finding(Check.RIGHTS, State.OK, f"this account has {whole}")


def _role(cmdlet: str) -> str:
    """Return the role that grants *cmdlet*, as far as one is known to."""
    by_name: Mapping[str, str] = {name.casefold(): role for name, role in ROLES.items()}
    is_read = cmdlet.casefold() in {kind.get.casefold() for kind in OBJECT_KINDS.values()}
    return by_name.get(cmdlet.casefold(), _READER if is_read else "")


def _assign(patient: Patient, cmdlet: str) -> str:
    role = _role(cmdlet)
    if not role:
        find_role = powershell(command("Get-ManagementRole", Cmdlet=cmdlet))
        return f"Have a management role that grants it assigned; which do: {find_role}"
    user = patient.organization.user or "ACCOUNT"
    line = powershell(command("New-ManagementRoleAssignment", Role=role, User=user))
    return f"Have the management role '{role}' assigned: {line}; a new session has it."


def consult(patient: Patient) -> Iterator[Finding]:
    """Ask for every kind of object that plans read, of the domain controller that they ask."""
    if patient.controller != patient.organization.domain_controller:
        return
    for kind in _READ:
        get = OBJECT_KINDS[kind].get
        result = _get(patient, kind, patient.controller)
        if result.errors:
            yield _refused(Check.READS, patient, get, result.errors[0])
        else:
            yield _counted(kind, get, result)


def _get(patient: Patient, kind: str, controller: str) -> Result:
    pinned = (("DomainController", controller),) if controller else ()
    return patient.ask(Command(OBJECT_KINDS[kind].get, pinned), IDENTIFYING)


def _refused(check: Check, patient: Patient, cmdlet: str, error: ErrorRecord) -> Finding:
    if error.failure == MISSING:
        text = f"this account has no {cmdlet}"
        return Finding(check, State.FAILED, text, _assign(patient, cmdlet))
    text = f"{cmdlet} fails: {error.message} ({error.failure})"
    return Finding(
        check, State.FAILED, text, "See what the server says; the account may read less."
    )


def _counted(kind: str, cmdlet: str, result: Result) -> Finding:
    try:
        records = [record for record in result.output if isinstance(record, Record)]
        number = len({observe(kind, record, IDENTIFYING).ref.guid for record in records})
    except UnknownFact as error:
        return Finding(Check.READS, State.UNKNOWN, f"{cmdlet} answers, and not legibly: {error}")
    if not number and kind not in _MAY_BE_NONE:
        text = f"{cmdlet} shows nothing, and every organization has some"
        advice = "The scope of the account's roles may hide objects from it."
        return Finding(Check.READS, State.UNKNOWN, text, advice)
    things = "object" if number == 1 else "objects"
    return Finding(Check.READS, State.OK, f"{cmdlet} shows {number} {things}")
