"""What follows from a change of the two Domain Security lists, and of what stands beside them.

Sources: domain.md sections 1 to 3; the marks stand in the texts where an operator reads them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.facts import Facts, Observation, Query
from orchestrator.core.playbook import Concern, Consequence, Refusal, Sign, Verdict
from orchestrator.core.setting import Member, Setting
from orchestrator.exchange.connectors import (
    RECEIVE_PROPERTIES,
    SEND_PROPERTIES,
    is_dedicated_send,
    partners_only,
    shown,
)
from orchestrator.exchange.domains import LIMIT, entry_for
from orchestrator.exchange.objects import (
    RECEIVE_CONNECTOR,
    RECEIVE_LIST,
    SEND_CONNECTOR,
    SEND_LIST,
    TRANSPORT_CONFIG,
)
from orchestrator.exchange.protection import disables

_SHOWN = 5

LISTS = (Query(TRANSPORT_CONFIG, (RECEIVE_LIST, SEND_LIST)),)


@dataclass(frozen=True, slots=True)
class ReceiveList:
    """Mail from a domain that comes onto, or off, the receive list."""

    def queries(self) -> tuple[Query, ...]:
        """Ask for both lists and for the connectors that mail from the domain may meet."""
        return (*LISTS, Query(RECEIVE_CONNECTOR, RECEIVE_PROPERTIES))

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Say what is no longer protected, what would still refuse, what cannot be known."""
        if not isinstance(setting, Member) or setting.property != RECEIVE_LIST:
            return ()
        if setting.present:
            return (*_full(setting, now), *_secured(setting.member, after))
        return (
            *_unsecured(setting.member),
            *_still_refusing(setting.member, after),
            *_send_side(setting.member, after),
            *_not_known(setting.member),
        )


def _full(setting: Member, now: Facts) -> list[Refusal]:
    entries = now.one(setting.ref).members(setting.property)
    if len(entries) < LIMIT:
        return []
    return [
        Refusal(
            "list-full",
            f"{setting.property} holds {len(entries)} entries; Exchange takes {LIMIT} at most",
            "Remove one that is no longer needed.",
        )
    ]


def _secured(domain: str, after: Facts) -> list[Verdict]:
    capable = [
        c
        for c in after.of(RECEIVE_CONNECTOR)
        if c.get("Enabled") is True
        and c.get("DomainSecureEnabled") is True
        and "tls" in {flag.lower() for flag in c.members("AuthMechanism")}
    ]
    verdicts: list[Verdict] = [
        Consequence(
            "receive-list",
            Concern.MAIL_FLOW,
            f"Mail from {domain} that does not come with mutual TLS is refused again (530 5.7.1, "
            "event 11012): make sure that the partner has mended its side.",
        )
    ]
    if not capable:
        verdicts.append(
            Refusal(
                "no-domain-secure-connector",
                f"no receive connector that is on offers TLS with Domain Security: all mail from "
                f"{domain} would be deferred (event 11021)",
                "Set DomainSecureEnabled on the connector that takes the partner's mail.",
            )
        )
    return verdicts


def _unsecured(domain: str) -> list[Consequence]:
    return [
        Consequence(
            "receive-list",
            Concern.SECURITY,
            f"Anybody can send mail as {domain} without TLS and without a certificate: Domain "
            "Security no longer protects this domain.",
        ),
        Consequence(
            "receive-list",
            Concern.MAIL_FLOW,
            f"Mail from {domain} that was refused so far has bounced; its senders must send again.",
        ),
    ]


def _still_refusing(domain: str, after: Facts) -> list[Consequence]:
    refusing = [
        c for c in after.of(RECEIVE_CONNECTOR) if c.get("Enabled") is not False and partners_only(c)
    ]
    if not refusing:
        return []
    names = ", ".join(c.ref.label for c in refusing[:_SHOWN])
    more = f" and {len(refusing) - _SHOWN} more" if len(refusing) > _SHOWN else ""
    return [
        Consequence(
            "partners-only",
            Concern.UNKNOWN,
            f"If mail from {domain} comes in through a connector that grants only Partners "
            f"({names}{more}), it is still refused there: nothing in a connector names a domain. "
            "If the event named one of them, use 'retire-dedicated-connectors'.",
        )
    ]


def _send_side(domain: str, after: Facts) -> list[Consequence]:
    listed = any(
        entry_for(config.members(SEND_LIST), domain) for config in after.of(TRANSPORT_CONFIG)
    )
    if not listed:
        return []
    return [
        Consequence(
            "send-list",
            Concern.OUTBOUND,
            f"Mail to {domain} still demands mutual TLS ({SEND_LIST}); a separate decision.",
        )
    ]


def _not_known(domain: str) -> list[Consequence]:
    return [
        Consequence(
            "forged-sender",
            Concern.UNKNOWN,
            f"Whether the refused mail came from {domain} or from somebody who forged it: the "
            "event has no address. The SmtpReceive protocol log has it.",
        ),
        Consequence(
            "propagation",
            Concern.UNKNOWN,
            "When each server acts on the change: it replicates between domain controllers, then "
            "the transport service reloads within about 5 minutes. The event is logged at most "
            "every 15 minutes, so silence proves nothing before that.",
        ),
    ]


@dataclass(frozen=True, slots=True)
class SendList:
    """Mail to a domain that comes onto, or off, the send list."""

    def queries(self) -> tuple[Query, ...]:
        """Ask for both lists and the send connectors."""
        return (*LISTS, Query(SEND_CONNECTOR, (*SEND_PROPERTIES, "RequireTLS", "TlsAuthLevel")))

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Say what happens to outbound mail and to transport rules."""
        if not isinstance(setting, Member) or setting.property != SEND_LIST:
            return ()
        scope = Consequence(
            "send-list",
            Concern.NOTE,
            f"Transport rules with the scope ExternalPartner match {setting.member} "
            f"{'again' if setting.present else 'no longer'}.",
        )
        if setting.present:
            demand = f"Mail to {setting.member} is sent with mutual TLS or not at all."
            verdict = Consequence("send-list", Concern.OUTBOUND, demand)
            return (*_full(setting, now), verdict, scope, *_unsecured_route(setting.member, after))
        lost = f"Mail to {setting.member} no longer demands mutual TLS: it may go out unprotected."
        verdict = Consequence("send-list", Concern.SECURITY, lost)
        return (verdict, *_own_route(setting.member, after), scope)


def _own_route(domain: str, after: Facts) -> list[Consequence]:
    """Say what connectors of the domain's own do with its mail, once no list demands TLS of it."""
    return [
        Consequence(
            "send-list",
            Concern.OUTBOUND,
            f"Mail to {domain} still goes out through {c.ref.label}, its own connector"
            + (
                ", which demands TLS by itself: where the partner offers none, mail stays queued."
                if c.get("RequireTLS") is True or c.text("TlsAuthLevel")
                else ", with TLS where the partner offers it."
            ),
            tuple(
                Sign(c.ref.label, name, shown(c, name)) for name in ("RequireTLS", "TlsAuthLevel")
            ),
        )
        for c in after.of(SEND_CONNECTOR)
        if is_dedicated_send(c, domain) and c.get("Enabled") is not False
    ]


def _unsecured_route(domain: str, after: Facts) -> list[Consequence]:
    dedicated = [
        c
        for c in after.of(SEND_CONNECTOR)
        if is_dedicated_send(c, domain) and c.get("Enabled") and c.get("DomainSecureEnabled")
    ]
    if dedicated:
        return []
    text = (
        f"No send connector of its own carries {domain} with DomainSecureEnabled: unless the one "
        "that does has it, mail is queued (event 11021) and returned after two days."
    )
    return [Consequence("send-list", Concern.OUTBOUND, text)]


@dataclass(frozen=True, slots=True)
class HalfRemedy:
    """A connector goes off, but a list still demands what only it could give.

    *domains* are those that the playbook is about, as its inputs say.
    """

    domains: tuple[str, ...]

    def queries(self) -> tuple[Query, ...]:
        """Ask for both lists and all connectors."""
        return (
            *LISTS,
            Query(RECEIVE_CONNECTOR, RECEIVE_PROPERTIES),
            Query(SEND_CONNECTOR, SEND_PROPERTIES),
        )

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Say that the event comes back, or that outbound mail is queued [inf]."""
        if not disables(setting):
            return ()
        connector = now.one(setting.ref)
        lists = after.of(TRANSPORT_CONFIG)
        if setting.ref.kind == RECEIVE_CONNECTOR:
            return self._event_again(connector, lists)
        return [
            Consequence(
                "half-remedy",
                Concern.OUTBOUND,
                f"{entry} stays on {SEND_LIST}: mail to it is queued where the connector that "
                "takes over has no DomainSecureEnabled (event 11021), and returned after two days.",
            )
            for config in lists
            for entry in config.members(SEND_LIST)
            if is_dedicated_send(connector, entry)
        ]

    def _event_again(
        self, connector: Observation, lists: Sequence[Observation]
    ) -> list[Consequence]:
        entries = [entry for config in lists for entry in config.members(RECEIVE_LIST)]
        if not entries or (self.domains and not any(entry_for(entries, d) for d in self.domains)):
            return []
        staying = ", ".join(d for d in self.domains if entry_for(entries, d)) or "its partner"
        text = (
            f"If {staying} stays on {RECEIVE_LIST}, the mail of {connector.ref.label} meets the "
            "default connector, which has DomainSecureEnabled, and event 11012 comes back."
        )
        return [Consequence("half-remedy", Concern.MAIL_FLOW, text)]
