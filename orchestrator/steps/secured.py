"""Our own side of mutual TLS: a connector offers TLS, and takes part in Domain Security."""

from collections.abc import Sequence
from typing import Literal

from orchestrator.core.command import Plain
from orchestrator.core.facts import Facts, Observation, Query, UnknownFact
from orchestrator.core.playbook import Ground, Refusal, Settled, Sign
from orchestrator.core.setting import Flags, Scalar, Setting, same
from orchestrator.exchange.connectors import (
    receive_connectors,
    resolve,
    same_flow,
    send_connectors,
    shown,
    tie,
)
from orchestrator.exchange.domains import entry_for
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, SEND_CONNECTOR, TRANSPORT_CONFIG
from orchestrator.steps.domains import LISTS

_FLOW = ("Server", "RemoteIPRanges")
"""What tells the same flow on other servers, beside the name."""


class AuthMechanism(Plain, frozen=True):
    r"""The flow that *connector* belongs to offers *includes*, on every server that has it.

    AuthMechanism has no delta form [doc]: the whole value is what each connector was just seen to
    have and *includes*. *connector* is a Guid, ``SERVER\Name`` or a name.
    """

    connector: str
    includes: Literal["Tls"]

    def queries(self) -> tuple[Query, ...]:
        """Ask for every receive connector, what it offers, and what tells one flow."""
        return (Query(RECEIVE_CONNECTOR, (*_FLOW, "AuthMechanism")),)

    def settle(self, seen: Facts) -> Settled:
        """Return one setting per server. UnknownFact where a connector did not show its flags."""
        flow = _flow(self.connector, seen)
        if isinstance(flow, Refusal):
            return Settled(refusals=(flow,))
        return Settled(
            settings=tuple(self._setting(c) for c in flow),
            grounds=_grounds(flow),
            found=tuple(_sign(c, "AuthMechanism") for c in flow),
            notes=tuple(_certificate(c) for c in flow if self._offers(c)),
        )

    def _setting(self, connector: Observation) -> Setting:
        had = connector.get("AuthMechanism")
        if not isinstance(had, tuple):
            raise UnknownFact(connector.ref.label, "the server did not show AuthMechanism")
        flags = had if self._offers(connector) else (*had, self.includes)
        return Flags(connector.ref, "AuthMechanism", flags)

    def _offers(self, connector: Observation) -> bool:
        return any(same(flag, self.includes) for flag in connector.members("AuthMechanism"))


def _certificate(connector: Observation) -> str:
    return (
        f"{connector.ref.label} has Tls in its AuthMechanism. If it does not offer TLS (event "
        "11018), its certificate is missing or has expired: events 12014 and 12016 name it."
    )


class DomainSecureEnabled(Plain, frozen=True):
    """The connectors named take part in Domain Security, for which *domain* is listed.

    *receive_connector* stands for its flow, on every server that has it. Which side an event is
    about decides which of the two is named; one of them has to be.
    """

    domain: str
    receive_connector: str | None = None
    send_connector: str | None = None

    def queries(self) -> tuple[Query, ...]:
        """Ask for the lists, and for the connectors of both sides."""
        return (
            Query(TRANSPORT_CONFIG, tuple(LISTS.values())),
            Query(RECEIVE_CONNECTOR, (*_FLOW, "DomainSecureEnabled")),
            Query(SEND_CONNECTOR, ("DomainSecureEnabled",)),
        )

    def settle(self, seen: Facts) -> Settled:
        """Return one setting per connector; refuse where it would be of no use to the domain."""
        if self.receive_connector is None and self.send_connector is None:
            return Settled(refusals=(_NOBODY,))
        refusals = list(self._not_listed(seen))
        chosen: list[Observation] = []
        for found in (self._receive(seen), self._send(seen)):
            if isinstance(found, Refusal):
                refusals.append(found)
            else:
                chosen += found
        return Settled(
            settings=tuple(Scalar(c.ref, "DomainSecureEnabled", value=True) for c in chosen),
            grounds=_grounds([c for c in chosen if c.ref.kind == RECEIVE_CONNECTOR]),
            refusals=tuple(refusals),
            found=tuple(_sign(c, "DomainSecureEnabled") for c in chosen),
        )

    def _receive(self, seen: Facts) -> tuple[Observation, ...] | Refusal:
        return () if self.receive_connector is None else _flow(self.receive_connector, seen)

    def _send(self, seen: Facts) -> tuple[Observation, ...] | Refusal:
        if self.send_connector is None:
            return ()
        found = resolve(self.send_connector, send_connectors(seen))
        if len(found) == 1:
            return found
        several = "means several: " + ", ".join(c.ref.label for c in found)
        return Refusal(
            "object-named",
            f"the send connector '{self.send_connector}' {several if found else 'does not exist'}",
            "Name it as the event's second data field does, or by Guid.",
        )

    def _not_listed(self, seen: Facts) -> Sequence[Refusal]:
        """Refuse for a list without the domain: the event cannot have arisen from that."""
        named = {"receive": self.receive_connector, "send": self.send_connector}
        entries = {
            side: [e for config in seen.of(TRANSPORT_CONFIG) for e in config.members(name)]
            for side, name in LISTS.items()
        }
        return [
            Refusal(
                "listed",
                f"{self.domain} is not on {LISTS[side]}: DomainSecureEnabled does nothing for it",
                "There is nothing to mend, or it was mended by taking the domain off the list.",
            )
            for side, connector in named.items()
            if connector is not None and not entry_for(tuple(entries[side]), self.domain)
        ]


_NOBODY = Refusal(
    "object-named",
    "neither a receive connector nor a send connector is named",
    "Name the one that the event does: its second data field.",
)


def _flow(connector: str, seen: Facts) -> tuple[Observation, ...] | Refusal:
    everything = receive_connectors(seen)
    tied = tie(connector, everything)
    return tied if isinstance(tied, Refusal) else same_flow(tied, everything)


def _grounds(flow: Sequence[Observation]) -> tuple[Ground, ...]:
    return tuple(Ground(c.ref, "RemoteIPRanges", c.get("RemoteIPRanges")) for c in flow)


def _sign(connector: Observation, name: str) -> Sign:
    return Sign(connector.ref.label, name, shown(connector, name))
