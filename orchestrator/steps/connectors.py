"""The connectors that a partner has of its own are on, or off."""

from collections.abc import Callable, Iterable
from typing import Literal

from orchestrator.core.command import Plain
from orchestrator.core.facts import Facts, Observation, Query
from orchestrator.core.playbook import Ground, Refusal, Settled, Sign
from orchestrator.core.setting import Scalar
from orchestrator.exchange.connectors import (
    RECEIVE_PROPERTIES,
    SEND_PROPERTIES,
    accepts_anonymous,
    is_dedicated_send,
    namesakes,
    receive_connectors,
    receive_signs,
    same_flow,
    send_connectors,
    send_signs,
    spaces,
    tie,
)
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, SEND_CONNECTOR

State = Literal["disabled", "enabled"]


class DedicatedReceiveConnectors(Plain, frozen=True):
    r"""The flow that *connector* belongs to is off or on, on every server that has it.

    *connector* is a Guid, ``SERVER\Name`` or a name, and is the evidence that ties the flow to a
    partner: nothing in a receive connector names a domain. The same flow on another server is the
    connector of the same name and the same RemoteIPRanges. Without *connector* there is nothing
    to do. ``Set-ReceiveConnector -Enabled`` [doc].
    """

    connector: str | None
    state: State

    def queries(self) -> tuple[Query, ...]:
        """Ask for every receive connector with every sign."""
        return (Query(RECEIVE_CONNECTOR, RECEIVE_PROPERTIES),)

    def settle(self, seen: Facts) -> Settled:
        """Return one setting per server, by server; refuse what does not look dedicated."""
        if self.connector is None:
            return Settled()
        everything = receive_connectors(seen)
        tied = tie(self.connector, everything)
        if isinstance(tied, Refusal):
            return Settled(refusals=(tied,))
        flow = same_flow(tied, everything)
        return Settled(
            settings=tuple(Scalar(c.ref, "Enabled", value=self.state == "enabled") for c in flow),
            grounds=_grounds(flow, receive_signs),
            refusals=() if self.state == "enabled" else _not_dedicated(flow),
            found=tuple(sign for c in flow for sign in (_enabled(c), *receive_signs(c))),
            notes=_left_alone(tied, flow, everything),
        )


def _grounds(
    chosen: Iterable[Observation], signs: Callable[[Observation], Iterable[Sign]]
) -> tuple[Ground, ...]:
    """Return every sign of the chosen connectors as what the choice rests on."""
    return tuple(
        Ground(c.ref, sign.property, c.get(sign.property)) for c in chosen for sign in signs(c)
    )


def _enabled(connector: Observation) -> Sign:
    return Sign(connector.ref.label, "Enabled", str(connector.get("Enabled")))


def _not_dedicated(flow: tuple[Observation, ...]) -> tuple[Refusal, ...]:
    refusals = []
    for connector in flow:
        against = [sign.property for sign in receive_signs(connector) if not sign.holds]
        if against and connector.get("Enabled") is not False:
            refusals.append(
                Refusal(
                    "not-dedicated",
                    f"{connector.ref.label} is not dedicated to one partner, by its "
                    f"{', '.join(against)}",
                    _way_out(connector),
                    receive_signs(connector),
                )
            )
    return tuple(refusals)


def _way_out(connector: Observation) -> str:
    if accepts_anonymous(connector):
        return (
            "It takes anonymous mail once the domain is off the list: "
            "'orchestrator run remove-domain-security' is enough."
        )
    return "Look at the signs; a person decides whether it may be disabled."


def _left_alone(
    tied: Observation, flow: tuple[Observation, ...], everything: tuple[Observation, ...]
) -> tuple[str, ...]:
    own = {connector.ref.guid for connector in flow}
    others = [c for c in namesakes(tied, everything) if c.ref.guid not in own]
    return tuple(
        f"{other.ref.label} has the same name but other RemoteIPRanges: another flow, left alone."
        for other in others
    )


class DedicatedSendConnector(Plain, frozen=True):
    """The send connector whose every address space is *domain* or ``*.domain`` is off or on.

    Send connectors exist once per organization. ``Set-SendConnector -Enabled`` [doc].
    """

    domain: str
    state: State

    def queries(self) -> tuple[Query, ...]:
        """Ask for every send connector with every sign."""
        return (Query(SEND_CONNECTOR, SEND_PROPERTIES),)

    def settle(self, seen: Facts) -> Settled:
        """Return a setting for each dedicated one; one that carries more is left alone."""
        everything = send_connectors(seen)
        own = tuple(c for c in everything if is_dedicated_send(c, self.domain))
        disabling = self.state == "disabled"
        return Settled(
            settings=tuple(Scalar(c.ref, "Enabled", value=not disabling) for c in own),
            grounds=_grounds(own, send_signs),
            refusals=_unlike_dedicated(own) if disabling else (),
            found=tuple(sign for c in own for sign in (_enabled(c), *send_signs(c))),
            notes=self._notes(own, everything),
        )

    def _notes(
        self, own: tuple[Observation, ...], everything: tuple[Observation, ...]
    ) -> tuple[str, ...]:
        mixed = [
            c
            for c in everything
            if c not in own and self.domain in {s.space.removeprefix("*.") for s in spaces(c)}
        ]
        notes = [f"{c.ref.label} carries other address spaces too: left alone." for c in mixed]
        if not own:
            notes.append(f"No send connector is dedicated to {self.domain}.")
        return tuple(notes)


def _unlike_dedicated(own: tuple[Observation, ...]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(
            "not-dedicated",
            f"{c.ref.label} is not a Domain Security connector, by its "
            + ", ".join(sign.property for sign in send_signs(c) if not sign.holds),
            "Look at the signs; a person decides whether it may be disabled.",
            send_signs(c),
        )
        for c in own
        if c.get("Enabled") is not False and not all(sign.holds for sign in send_signs(c))
    )
