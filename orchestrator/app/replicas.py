"""What each server's own domain controller has: that one counts for the server, not every one."""

from collections.abc import Iterator, Sequence

from orchestrator.core.errors import TransportError
from orchestrator.core.facts import Facts, Observation, Query, Unknown, unite
from orchestrator.core.plan import Change
from orchestrator.exchange.objects import CONFIG_CONTROLLER, EXCHANGE_SERVER
from orchestrator.exchange.proofs import Replica
from orchestrator.session import Session

_EDGE = "Edge"


def replicas(session: Session, changes: Sequence[Change]) -> tuple[Replica, ...]:
    """Return what was seen for each server, asking every domain controller once.

    A server that does not say which one it uses, and a domain controller that does not answer,
    are named with the reason. Raises TransportError where the organization does not answer at all.
    """
    asked = session.ask((Query(EXCHANGE_SERVER, (CONFIG_CONTROLLER, "ServerRole")),))
    servers = asked.known.get(EXCHANGE_SERVER, Unknown("nobody asked for it"))
    if isinstance(servers, Unknown):
        return (Replica("the servers", reason=servers.reason),)
    answers: dict[str, Facts | str] = {}
    return tuple(_replica(session, changes, server, answers) for server in servers)


def _replica(
    session: Session,
    changes: Sequence[Change],
    server: Observation,
    answers: dict[str, Facts | str],
) -> Replica:
    name, controller = server.ref.label, server.text(CONFIG_CONTROLLER)
    if _EDGE in server.members("ServerRole"):
        return Replica(name, reason="an Edge server gets it by EdgeSync, not from a controller")
    if not controller:
        return Replica(name, reason="it is down, or does not say which domain controller it uses")
    key = controller.casefold()
    if key not in answers:
        answers[key] = _answer(session, changes, controller)
    answer = answers[key]
    if isinstance(answer, str):
        return Replica(name, controller, reason=answer)
    return Replica(name, controller, answer)


def _answer(session: Session, changes: Sequence[Change], controller: str) -> Facts | str:
    with session.elsewhere(controller):
        try:
            return session.ask(tuple(_queries(changes)))
        except TransportError as error:
            return f"its domain controller {controller} does not answer: {error.message}"


def _queries(changes: Sequence[Change]) -> Iterator[Query]:
    yield from unite(
        Query(change.setting.ref.kind, (change.setting.property,)) for change in changes
    )
