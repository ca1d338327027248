"""Which objects an Identity means, and which domain controller answers."""

from fnmatch import fnmatchcase

from orchestrator.lab.cmdlet import Call
from orchestrator.lab.cmdlets.failure import AMBIGUOUS, NOT_FOUND, TRANSIENT, failure
from orchestrator.lab.directory import Entry
from orchestrator.lab.output import Output, distinguished_name
from orchestrator.lab.records import Stopped


def controller(call: Call) -> str:
    """Return the controller to use: the one asked for, else the one this server reads from.

    A server whose own controller is not available turns to another one. Raises Stopped where one
    was asked for that is not available or does not exist.
    """
    asked = call.arguments.get("DomainController")
    session = call.session
    organization = session.organization
    if asked is None:
        home = organization.home(session.server)
        others = (one.name for one in organization.directory.controllers.values())
        return next((one for one in (home, *others) if not organization.gone(one)), home)
    found = organization.directory.controller(str(asked))
    if found is None or organization.gone(found.name):
        raise Stopped(failure(call, TRANSIENT, "controller", asked))
    return found.name


def matching(call: Call, kind: str, identity: str, where: str) -> list[Entry]:
    r"""Return the objects of *kind* that *identity* means on the controller *where*.

    A Guid or distinguished name means one object. ``SERVER\Name`` means a receive connector of
    that server; a bare name, one of the server that runs the session [obs].
    """
    organization = call.session.organization
    entries = organization.directory.entries(where, kind)
    folded = identity.casefold()
    for entry in entries:
        path = distinguished_name(entry, organization.name, organization.scenario.domain)
        if folded in (entry.guid, path.casefold()):
            return [entry]
    if kind != "ReceiveConnector":
        return [entry for entry in entries if fnmatchcase(entry.name.casefold(), folded)]
    server, separator, name = folded.partition("\\")
    host = server.partition(".")[0] if separator else call.session.server.casefold()
    pattern = name if separator else folded
    return [
        entry
        for entry in entries
        if entry.server.casefold() == host and fnmatchcase(entry.name.casefold(), pattern)
    ]


def found(call: Call, kind: str, where: str) -> list[Entry]:
    """Return the one object that a Set cmdlet is to change, from its Identity or its input.

    An object that is not there is an error in the error stream and an empty list.
    """
    identities = _identities(call)
    entries: list[Entry] = []
    for identity in identities:
        matches = matching(call, kind, identity, where)
        if len(matches) == 1:
            entries += matches
        else:
            exception, key = (AMBIGUOUS, "ambiguous") if matches else (NOT_FOUND, "not-found")
            problem = failure(call, exception, key, identity, where, target=identity)
            call.streams.error(problem)
    return entries


def _identities(call: Call) -> list[str]:
    if "Identity" in call.arguments:
        return [str(call.arguments["Identity"])]
    identities: list[str] = []
    for one in call.inputs or ():
        if isinstance(one, Output):
            cell = one.cells.get("Guid") or one.cells.get("Identity")
            identities += [str(cell.value)] if cell else []
        else:
            identities.append(str(one.value))
    return identities
