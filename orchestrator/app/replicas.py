"""What each server's own domain controller has: that one counts for the server, not every one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from orchestrator.core.command import Command, Record
from orchestrator.core.errors import TransportError
from orchestrator.core.facts import Facts, Observation, Query, Unknown, UnknownFact, unite
from orchestrator.core.plan import Change
from orchestrator.exchange.objects import CONFIG_CONTROLLER, EXCHANGE_SERVER, OBJECT_KINDS, observe
from orchestrator.exchange.proofs import WHEN_CHANGED, Replica
from orchestrator.session import Session

_EDGE = "Edge"
_SERVER = ("Name", "Guid", "ServerRole")
_SILENT = "it is down, or does not say which domain controller it uses"


def replicas(session: Session, changes: Sequence[Change]) -> tuple[Replica, ...]:
    """Return what was seen for each server, asking every domain controller once.

    A server that does not say which one it uses, and a domain controller that does not answer,
    are named with the reason. Raises TransportError where the organization does not answer at all.
    """
    answers: dict[str, Facts | str] = {}
    found = []
    for replica in homes(session):
        controller = replica.controller
        if not controller:
            found.append(replica)
            continue
        key = controller.casefold()
        if key not in answers:
            answers[key] = _answer(session, changes, controller)
        answer = answers[key]
        if isinstance(answer, str):
            found.append(replace(replica, reason=answer))
        else:
            found.append(replace(replica, facts=answer))
    return tuple(found)


def homes(session: Session) -> tuple[Replica, ...]:
    """Return every server with the domain controller that it uses, or why that is not known.

    Where one server that is down spoils the answer for all, each is asked on its own.
    """
    together = session.ask((Query(EXCHANGE_SERVER, (*_SERVER, CONFIG_CONTROLLER)),))
    servers = together.known[EXCHANGE_SERVER]
    if not isinstance(servers, Unknown):
        return tuple(_home(server) for server in servers)
    named = session.ask((Query(EXCHANGE_SERVER, _SERVER),)).known[EXCHANGE_SERVER]
    if isinstance(named, Unknown):
        return (Replica("the servers", reason=named.reason),)
    return tuple(_home(_asked(session, server)) for server in named)


def _asked(session: Session, server: Observation) -> Observation:
    """Return *server* with what it says of itself; without it where it does not answer."""
    command = Command(
        OBJECT_KINDS[EXCHANGE_SERVER].get,
        (
            ("Identity", server.ref.guid),
            ("Status", True),
            ("DomainController", session.controller),
        ),
    )
    result = session.look((command,))
    records = [each for each in result.output if isinstance(each, Record)]
    if result.errors or len(records) != 1:
        return server
    try:
        return observe(EXCHANGE_SERVER, records[0], (*_SERVER, CONFIG_CONTROLLER))
    except UnknownFact:
        return server


def _home(server: Observation) -> Replica:
    name, controller = server.ref.label, server.text(CONFIG_CONTROLLER)
    if _EDGE in server.members("ServerRole"):
        return Replica(name, reason="an Edge server gets it by EdgeSync, not from a controller")
    return Replica(name, controller, reason="" if controller else _SILENT)


def _answer(session: Session, changes: Sequence[Change], controller: str) -> Facts | str:
    with session.elsewhere(controller):
        try:
            return session.ask(tuple(_queries(changes)))
        except TransportError as error:
            return f"its domain controller {controller} does not answer: {error.message}"


def _queries(changes: Sequence[Change]) -> Iterator[Query]:
    yield from unite(
        Query(change.setting.ref.kind, (change.setting.property, WHEN_CHANGED))
        for change in changes
    )
