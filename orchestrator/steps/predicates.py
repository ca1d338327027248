"""The conditions that ``require`` and ``when`` may name."""

from typing import Literal

from orchestrator.core.command import Plain
from orchestrator.core.facts import Facts, Observation, Query
from orchestrator.core.playbook import Ground, Refusal, Sign
from orchestrator.exchange.connectors import (
    RECEIVE_PROPERTIES,
    accepts_anonymous,
    receive_connectors,
    receive_signs,
    same_flow,
    shown,
    tie,
)
from orchestrator.exchange.domains import entry_for
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, TRANSPORT_CONFIG
from orchestrator.steps.domains import LISTS


class Listed(Plain, frozen=True):
    """The *list* holds *domain*."""

    list: Literal["receive", "send"]
    domain: str

    def queries(self) -> tuple[Query, ...]:
        """Ask for the list."""
        return (Query(TRANSPORT_CONFIG, (LISTS[self.list],)),)

    def check(self, seen: Facts) -> Refusal | None:
        """Return None where an entry covers exactly the domain."""
        name = LISTS[self.list]
        for config in seen.of(TRANSPORT_CONFIG):
            if entry_for(config.members(name), self.domain):
                return None
        return Refusal("listed", f"{self.domain} is not on {name}")

    def grounds(self, seen: Facts) -> tuple[Ground, ...]:
        """Return nothing: other entries may come and go, and the step looks at its own."""
        del seen
        return ()


class AcceptsAnonymous(Plain, frozen=True):
    """The connector that carries the partner's mail takes it from an anonymous session.

    Removing a domain from the list does not help where the connector grants only Partners: the
    session is then anonymous, and is refused there [inf]; so it is where TLS is required, which
    the partner does not start. Holds where no *connector* is named.
    """

    connector: str | None

    def queries(self) -> tuple[Query, ...]:
        """Ask for every receive connector with every sign."""
        return (Query(RECEIVE_CONNECTOR, RECEIVE_PROPERTIES),)

    def check(self, seen: Facts) -> Refusal | None:
        """Refuse where any enabled connector of the flow turns anonymous mail away."""
        flow = self._flow(seen)
        if isinstance(flow, Refusal):
            return flow
        refusing = [
            c
            for c in flow
            if c.get("Enabled") is not False
            and (not accepts_anonymous(c) or c.get("RequireTLS") is True)
        ]
        if not refusing:
            return None
        signs = tuple(
            Sign(c.ref.label, name, shown(c, name))
            for c in refusing
            for name in ("Enabled", "RequireTLS")
        )
        return Refusal(
            "partners-only",
            f"{refusing[0].ref.label} takes no anonymous mail, or only with TLS: once the domain "
            "is off the list, the partner's mail is still refused there",
            "Run 'retire-dedicated-connectors' with the same connector, or have AnonymousUsers "
            "added to its PermissionGroups and RequireTLS taken off.",
            (*signs, *(sign for c in refusing for sign in receive_signs(c))),
        )

    def grounds(self, seen: Facts) -> tuple[Ground, ...]:
        """Return what lets anonymous mail in: who is let in, whether TLS is a must, from where."""
        flow = self._flow(seen)
        return tuple(
            Ground(c.ref, name, c.get(name))
            for c in (() if isinstance(flow, Refusal) else flow)
            for name in ("Enabled", "PermissionGroups", "RequireTLS", "RemoteIPRanges")
        )

    def _flow(self, seen: Facts) -> tuple[Observation, ...] | Refusal:
        if self.connector is None:
            return ()
        everything = receive_connectors(seen)
        tied = tie(self.connector, everything)
        return tied if isinstance(tied, Refusal) else same_flow(tied, everything)
