"""Findings about our own side: TLS that we do not offer, and Domain Security that is half off."""

from collections.abc import Iterator

from orchestrator.core.command import command, powershell
from orchestrator.core.facts import Observation
from orchestrator.core.playbook import Sign
from orchestrator.exchange.connectors import send_connectors, shown
from orchestrator.exchange.diagnosis.case import (
    Case,
    Finding,
    Mark,
    Remedy,
    Suggestion,
    events,
    read_by,
)
from orchestrator.exchange.diagnosis.listing import listed
from orchestrator.exchange.diagnosis.ties import Tie, enabled, ties
from orchestrator.exchange.incident import Sighting
from orchestrator.exchange.objects import RECEIVE_LIST, SEND_LIST, find

CERTIFICATE_EVENTS = (12014, 12016)
"""No certificate fits, or it has expired: then TLS is not offered. 12018 only warns."""


def offers_tls(connector: Observation) -> bool:
    """Say whether AuthMechanism has Tls. Where it was not shown, nothing is held against it."""
    mechanisms = {flag.casefold() for flag in connector.members("AuthMechanism")}
    return connector.get("AuthMechanism") is None or "tls" in mechanisms


def tls_not_offered(case: Case) -> Iterator[Finding]:
    """Find connectors of ours that do not offer TLS: nobody can start what is not offered."""
    for tie in ties(case):
        connector = tie.connector
        if connector is not None and not offers_tls(connector) and enabled(connector):
            yield Finding(
                "tls-not-offered",
                f"{connector.ref.label} does not offer TLS: its AuthMechanism is without Tls. No "
                "partner can start it there; the connector is at fault, not the list.",
                Mark.OBS,
                (Sign(connector.ref.label, "AuthMechanism", shown(connector, "AuthMechanism")),),
                (*events((tie.seen,)), *read_by(case, "Get-ReceiveConnector")),
                Remedy.FIX_OUR_SIDE,
                Suggestion("offer-tls", (("connector", connector.ref.label),)),
            )


def certificate(case: Case) -> Iterator[Finding]:
    """Find certificate events of our own servers that tell why TLS is not offered."""
    for event in (*case.others, *case.sightings):
        concerned = [tie for tie in ties(case) if _means(event, tie)]
        if not concerned or event.id not in CERTIFICATE_EVENTS:
            continue
        now = _not_older(event, concerned[0].seen)
        what = "no certificate fits" if event.id == 12014 else "the certificate has expired for"
        name = dict(event.details).get("fqdn", "its connectors")
        yield Finding(
            "own-certificate",
            f"{event.server}: {what} {name}: STARTTLS is not offered with it. "
            + (
                "Install or renew it, and enable it for SMTP; the list is not at fault."
                if now
                else "An event of the partner came later, so TLS was offered again by then."
            ),
            Mark.DOC,
            (Sign(event.server, f"event {event.id}", name, holds=False),),
            events((event,)),
            Remedy.FIX_OUR_SIDE if now else None,
            by_hand=(powershell(command("Get-ExchangeCertificate", Server=event.server)),),
        )


def _means(event: Sighting, tie: Tie) -> bool:
    """Say whether a certificate event is about the connector of *tie*: by server, and by name."""
    home = tie.seen.connector.partition("\\")[0]
    if event.server.partition(".")[0].casefold() != home.partition(".")[0].casefold():
        return False
    if event.id == 12014:
        return event.connector.casefold() == tie.seen.connector.casefold()
    fqdn = tie.connector.text("Fqdn").casefold() if tie.connector else ""
    return fqdn in {"", dict(event.details).get("fqdn", "").casefold()}


def _not_older(event: Sighting, seen: Sighting) -> bool:
    """Say whether TLS may still be missing. An 11018 says so itself; others need TLS offered."""
    if seen.id == 11018:
        return True
    return event.last is not None and seen.last is not None and event.last >= seen.last


def tls_offered_again(case: Case) -> Iterator[Finding]:
    """Find an 11018 of a connector that has Tls by now."""
    for tie in ties(case):
        if tie.seen.id != 11018:
            continue
        connector = tie.connector
        if connector is None:
            yield Finding(
                "tls-connector-gone",
                f"{tie.seen.connector} did not offer TLS, and is not there any more.",
                Mark.DOC,
                sources=(*events((tie.seen,)), *read_by(case, "Get-ReceiveConnector")),
                decides=Remedy.NEEDS_A_PERSON,
            )
        elif offers_tls(connector):
            yield Finding(
                "tls-offered-by-now",
                f"{connector.ref.label} has Tls in AuthMechanism, and still did not offer it when "
                "the event was logged: either that was changed since, or no certificate fits "
                "its name. Events 12014 and 12016 of this server tell.",
                Mark.INF,
                (Sign(connector.ref.label, "AuthMechanism", shown(connector, "AuthMechanism")),),
                (*events((tie.seen,)), *read_by(case, "Get-ReceiveConnector")),
                Remedy.FIX_OUR_SIDE,
                by_hand=(powershell(command("Get-ExchangeCertificate", Server=tie.seen.server)),),
            )


def domain_secure_off(case: Case) -> Iterator[Finding]:
    """Find what 11021 means: the domain is listed, and the connector lets nobody prove it."""
    for seen in case.of(11021):
        receive = [
            t for t in ties(case) if t.seen.connector.casefold() == seen.connector.casefold()
        ]
        receiving = receive[0].connector if receive else None
        sending = find(send_connectors(case.facts), seen.connector.rpartition("\\")[2])
        if receiving is not None and sending is not None:
            yield _two_sided(case, seen)
        elif receiving is not None:
            yield from _half(case, seen, receiving, RECEIVE_LIST, "connector")
        elif sending is not None:
            yield from _half(case, seen, sending, SEND_LIST, "send_connector")
        else:
            yield Finding(
                "domain-secure-gone",
                f"{seen.connector or 'The connector'} is not there any more.",
                Mark.DOC,
                sources=(*events((seen,)), *read_by(case, "Get-ReceiveConnector")),
                decides=Remedy.NEEDS_A_PERSON,
            )


def _two_sided(case: Case, seen: Sighting) -> Finding:
    return Finding(
        "domain-secure-side",
        f"{seen.connector} is the name of a receive and of a send connector; the event does not "
        "say which of the two it is about.",
        Mark.DOC,
        sources=(*events((seen,)), *read_by(case, "Get-ReceiveConnector", "Get-SendConnector")),
        decides=Remedy.NEEDS_A_PERSON,
    )


def _half(
    case: Case, seen: Sighting, connector: Observation, name: str, key: str
) -> Iterator[Finding]:
    cmdlet = "Get-ReceiveConnector" if name == RECEIVE_LIST else "Get-SendConnector"
    sources = (*events((seen,)), *read_by(case, cmdlet, "Get-TransportConfig"))
    signs = (
        Sign(connector.ref.label, "DomainSecureEnabled", shown(connector, "DomainSecureEnabled")),
        Sign("TransportConfig", name, ", ".join(listed(case, name)) or "(not on it)"),
    )
    if connector.flag("DomainSecureEnabled") or not listed(case, name):
        text = (
            f"{case.domain} and {connector.ref.label} agree by now: the deferral of event 11021 is "
            "over, and mail that waited goes on."
        )
        yield Finding("domain-secure-again", text, Mark.DOC, signs, sources, Remedy.NOTHING_TO_DO)
        return
    text = (
        f"{case.domain} is on {name}, and {connector.ref.label} has DomainSecureEnabled off: mail "
        "is deferred (451 4.7.3). Our own two settings contradict each other. Switched on again, "
        "mail without mutual TLS bounces (530) that is only deferred now; taking the domain off "
        "the list is the other way."
    )
    yield Finding(
        "domain-secure-off",
        text,
        Mark.DOC,
        signs,
        sources,
        Remedy.FIX_OUR_SIDE,
        Suggestion("reenable-domain-secure", (("domain", case.domain), (key, connector.ref.label))),
    )
