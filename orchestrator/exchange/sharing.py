"""A connector on which events show another listed domain is not one partner's alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.core.facts import Facts, Observation, Query
from orchestrator.core.playbook import Refusal, Sign, Verdict
from orchestrator.core.setting import Setting
from orchestrator.exchange.connectors import resolve
from orchestrator.exchange.domains import entry_for, to_ascii
from orchestrator.exchange.family import SECURITY_EVENTS, Side
from orchestrator.exchange.incident import Sighting
from orchestrator.exchange.lists import LISTS
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, RECEIVE_LIST, TRANSPORT_CONFIG
from orchestrator.exchange.protection import disables

_NAMED = ("Name", "Server")


def others_on(
    connector: Observation, sightings: Iterable[Sighting], domains: Sequence[str]
) -> tuple[Sighting, ...]:
    r"""Return the *sightings* of other domains than *domains* that name this very connector.

    A name without a server means no connector in particular: an event without its computer.
    """
    own = {to_ascii(domain) for domain in domains}
    return tuple(
        seen
        for seen in sightings
        if seen.domain
        and to_ascii(seen.domain) not in own
        and "\\" in seen.connector
        and SECURITY_EVENTS[seen.id].side is not Side.SEND
        and resolve(seen.connector, (connector,))
        and _on_its_server(seen, connector)
    )


def _on_its_server(seen: Sighting, connector: Observation) -> bool:
    home = seen.connector.partition("\\")[0].partition(".")[0].casefold()
    label = connector.ref.label.partition("\\")[0].partition(".")[0].casefold()
    return home == label


@dataclass(frozen=True, slots=True)
class Shared:
    """A receive connector stays on where events name it for another domain that is still listed.

    *sightings* are what incidents of the organization hold, *domains* what the plan is about.
    """

    sightings: tuple[Sighting, ...]
    domains: tuple[str, ...]

    def queries(self) -> tuple[Query, ...]:
        """Ask for the lists, and for what ties an event to a connector."""
        return (*LISTS, Query(RECEIVE_CONNECTOR, _NAMED))

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Refuse with the events that show another listed domain [inf, domain.md section 2]."""
        if not disables(setting) or setting.ref.kind != RECEIVE_CONNECTOR:
            return ()
        listed = [e for config in after.of(TRANSPORT_CONFIG) for e in config.members(RECEIVE_LIST)]
        found = [
            seen
            for seen in others_on(now.one(setting.ref), self.sightings, self.domains)
            if entry_for(listed, seen.domain)
        ]
        if not found:
            return ()
        named = ", ".join(dict.fromkeys(seen.domain for seen in found))
        return (
            Refusal(
                "shared-connector",
                f"{setting.ref.label} also takes mail of {named}, which is listed too",
                "Remove only the domain, or settle the other domain first.",
                tuple(
                    Sign(seen.connector, f"event {seen.id}", seen.domain, holds=False)
                    for seen in found
                ),
            ),
        )
