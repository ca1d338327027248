"""Which receive connector each event means: the event's computer decides among namesakes."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.facts import Observation
from orchestrator.exchange.connectors import receive_connectors, resolve, server_of
from orchestrator.exchange.diagnosis.case import Case, Suggestion
from orchestrator.exchange.family import SECURITY_EVENTS, Side
from orchestrator.exchange.incident import Sighting


@dataclass(frozen=True, slots=True)
class Tie:
    """An event and the connector that it names, None where that is not there any more.

    *namesakes* are the connectors of that name on other servers.
    """

    seen: Sighting
    connector: Observation | None
    namesakes: tuple[Observation, ...] = ()


def ties(case: Case) -> tuple[Tie, ...]:
    """Return one tie for each connector that events about received mail name.

    Raises UnknownFact where the connectors are not known.
    """
    found: dict[str, Tie] = {}
    for seen in case.sightings:
        if SECURITY_EVENTS[seen.id].side is Side.SEND or "\\" not in seen.connector:
            continue
        found.setdefault(seen.connector.casefold(), _tie(seen, receive_connectors(case.facts)))
    return tuple(found.values())


def _tie(seen: Sighting, connectors: Sequence[Observation]) -> Tie:
    host, _, name = seen.connector.partition("\\")
    home = host.partition(".")[0].casefold()
    called = resolve(seen.connector, connectors) or resolve(name, connectors)
    own = [connector for connector in called if server_of(connector) == home]
    everywhere = resolve(name, connectors)
    others = tuple(connector for connector in everywhere if server_of(connector) != home)
    return Tie(seen, own[0] if own else None, others)


def enabled(connector: Observation) -> bool:
    """Say whether the connector is on. Raises UnknownFact where the server did not say."""
    return connector.flag("Enabled")


def retire(case: Case, connector: Observation) -> Suggestion:
    """Return what retires the flow that *connector* belongs to."""
    return Suggestion(
        "retire-dedicated-connectors",
        (("domain", case.domain), ("connector", connector.ref.label)),
    )


def remove(case: Case, connector: Observation | None = None) -> Suggestion:
    """Return what takes the domain off the receive list."""
    named = (("connector", connector.ref.label),) if connector else ()
    return Suggestion("remove-domain-security", (("domain", case.domain), *named))
