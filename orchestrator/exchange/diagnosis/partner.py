"""Findings about the other side: certificates, mail that goes out, and who it was that called."""

from collections.abc import Iterator

from orchestrator.core.facts import Observation
from orchestrator.core.playbook import Sign
from orchestrator.exchange.connectors import (
    is_dedicated_send,
    receive_connectors,
    send_connectors,
    shown,
)
from orchestrator.exchange.diagnosis.case import (
    Case,
    Finding,
    Mark,
    Remedy,
    Suggestion,
    events,
    read_by,
)
from orchestrator.exchange.diagnosis.listing import held, listed
from orchestrator.exchange.diagnosis.ties import ties
from orchestrator.exchange.family import SECURITY_EVENTS, Side
from orchestrator.exchange.objects import SEND_LIST, TRANSPORT_CONFIG
from orchestrator.exchange.senders import Origin, Senders, is_internal, is_known

_CERTIFICATE = (11011, 11015, 11017)
_SEND_CERTIFICATE = (11016, 11020)
_SEND_TLS = (11013, 11014, 11019)


def hybrid(case: Case) -> Iterator[Finding]:
    """Find 11022, which is about hybrid capabilities and not about Domain Security."""
    found = case.of(11022)
    if found:
        yield Finding(
            "hybrid-capabilities",
            "A certificate that grants hybrid capabilities is not valid. This is not Domain "
            "Security: no list and no connector of a partner cures it, and hybrid connectors are "
            "never touched. Whoever runs the hybrid connection looks at its certificates.",
            Mark.DOC,
            sources=events(found),
            decides=Remedy.NEEDS_A_PERSON if len(found) == len(case.sightings) else None,
        )


def certificates(case: Case) -> Iterator[Finding]:
    """Find what is wrong with the partner's certificate: TLS was started, so only it can mend."""
    for number in _CERTIFICATE:
        found = case.of(number) if held(case) else ()
        if found:
            kind = SECURITY_EVENTS[number]
            yield Finding(
                "partner-certificate",
                f"{kind.meaning[0].upper()}{kind.meaning[1:]}. TLS was started: {kind.remedy}. "
                "Taking the domain off the list would be the greater loss.",
                Mark.DOC,
                tuple(
                    Sign(s.connector or s.server, name, value)
                    for s in found
                    for name, value in s.details
                    if name in {"status", "subject"}
                ),
                events(found),
                Remedy.CONTACT_PARTNER,
                Suggestion("contact-partner", (("domain", case.domain),)),
            )


def sending(case: Case) -> Iterator[Finding]:
    """Find what stops mail to the partner: a matter of the send list, and never of the other."""
    outward = case.of(*_SEND_TLS, *_SEND_CERTIFICATE)
    if not outward:
        return
    on = listed(case, SEND_LIST)
    sources = (*events(outward), *read_by(case, "Get-TransportConfig"))
    sign = Sign("TransportConfig", SEND_LIST, ", ".join(on) or "(not on it)", holds=bool(on))
    if not on:
        yield Finding(
            "not-listed-send",
            f"{case.domain} is not on {SEND_LIST}: mail to it does not demand mutual TLS any more.",
            Mark.DOC,
            (sign,),
            sources,
            None if case.of_side(Side.RECEIVE) else Remedy.NOTHING_TO_DO,
        )
        return
    chain = case.of(*_SEND_CERTIFICATE)
    meaning = "; ".join(dict.fromkeys(SECURITY_EVENTS[seen.id].meaning for seen in outward))
    way = (
        "The partner mends its certificate; 'remove-send-domain-security' gives up mutual TLS "
        "to it."
        if chain
        else "The domain leaves the send list, or the partner mends its TLS; until then it waits "
        "in our queue and is returned after two days."
    )
    partner = Suggestion("contact-partner", (("domain", case.domain),))
    removal = Suggestion("remove-send-domain-security", (("domain", case.domain),))
    yield Finding(
        "send-refused",
        f"Mail to {case.domain} cannot go out: {meaning}. {way}",
        Mark.DOC,
        (sign,),
        sources,
        Remedy.CONTACT_PARTNER if chain else Remedy.REMOVE_FROM_LIST,
        partner if chain else removal,
    )


def send_side(case: Case) -> Iterator[Finding]:
    """Find what protects outbound mail: a separate decision, not to be taken along."""
    on = listed(case, SEND_LIST)
    own = [c for c in send_connectors(case.facts) if is_dedicated_send(c, case.domain)]
    live = [c for c in own if c.get("Enabled") is not False]
    if on:
        yield Finding(
            "send-side",
            f"Mail to {case.domain} still demands mutual TLS: it is on {SEND_LIST}. That is a "
            "separate decision with an approval of its own.",
            Mark.INF,
            (Sign("TransportConfig", SEND_LIST, ", ".join(on)),),
            read_by(case, "Get-TransportConfig"),
        )
    if on and not live:
        yield Finding(
            "send-stranded",
            f"No send connector of its own that is on carries {case.domain}: unless the one that "
            "does has DomainSecureEnabled, mail to it is queued (11021) and returned after two "
            "days.",
            Mark.INF,
            tuple(_space(c) for c in own),
            read_by(case, "Get-SendConnector"),
        )
    if live and not on:
        yield Finding(
            "send-connector-alone",
            f"{live[0].ref.label} carries mail to {case.domain} and nothing demands mutual TLS of "
            f"it: the domain is not on {SEND_LIST}.",
            Mark.INF,
            tuple(_space(c) for c in live),
            read_by(case, "Get-SendConnector", "Get-TransportConfig"),
        )


def _space(connector: Observation) -> Sign:
    return Sign(connector.ref.label, "AddressSpaces", shown(connector, "AddressSpaces"))


def senders(case: Case) -> Iterator[Finding]:
    """Find who was refused, as far as anything shows it. Only what was received has a caller."""
    if not case.of_side(Side.RECEIVE) or not held(case):
        return
    if case.senders is None or not case.senders.refused:
        yield _nobody_known(case)
        return
    yield from _compared(case, case.senders)


def _nobody_known(case: Case) -> Finding:
    log = case.senders
    if log is None:
        reason, sources = case.no_log, events(case.of_side(Side.RECEIVE))
    else:
        span = f" from {log.first:%Y-%m-%d %H:%M} to {log.last:%H:%M} UTC" if _spans(log) else ""
        reason = f"the protocol logs read{span} show no refusal of {case.domain}"
        sources = log.sources
    return Finding(
        "sender-unknown",
        f"Who was refused is not known: {reason}. No log is not 'no match'. The event has no "
        f"address, and anybody who writes {case.domain} into MAIL FROM without TLS causes it: then "
        "the refusal is right, and removing protection is wrong.",
        Mark.OBS,
        tuple(Sign("protocol log", "not read", gap, holds=False) for gap in log.gaps)
        if log
        else (),
        sources,
    )


def _spans(log: Senders) -> bool:
    return log.first is not None and log.last is not None


def _compared(case: Case, log: Senders) -> Iterator[Finding]:
    """Compare the refused addresses with what is known; the order is that of certainty."""
    inside = [o for o in log.refused if is_known(o.address, case.known)]
    strange = [o for o in log.refused if o not in inside]
    local = [o for o in strange if is_internal(o.address, _internal_servers(case))]
    shared = [o for o in log.refused if o.others and o not in local]
    signs = tuple(_origin(case, origin) for origin in log.refused[:_SHOWN])
    if local and len(local) == len(log.refused):
        yield _relay(log, local, signs)
    elif local or (inside and strange):
        yield _finding(case, "mixed-addresses", log, signs, Remedy.NEEDS_A_PERSON)
    elif shared:
        yield _finding(case, "shared-address", log, signs, Remedy.NEEDS_A_PERSON)
    elif case.known and strange:
        yield _finding(case, "forged-sender", log, signs, Remedy.NEEDS_A_PERSON)
    elif inside:
        yield _finding(case, "partner-known", log, signs, None)
    elif log.accepted:
        both = (*signs, *(_origin(case, origin) for origin in log.accepted[:_SHOWN]))
        yield _finding(case, "accepted-elsewhere", log, both, Remedy.NEEDS_A_PERSON)
    else:
        yield _finding(case, "sender-not-compared", log, signs, None)


_SHOWN = 20

_TEXTS = {
    "mixed-addresses": "Mail in the name of {domain} was refused from different kinds of address: "
    "some are the partner's or internal, others are not. A forger and the partner may be at work "
    "at the same time, or addresses are translated on the way.",
    "shared-address": "An address that was refused for {domain} also sends for other domains: a "
    "shared mail service or a translated address. The address does not prove who sent it.",
    "forged-sender": "Every refused address is outside of those that the inventory knows of "
    "{domain}: somebody may forge it, and then the refusal is right. Ask the partner, by a way "
    "that is not its mail, whether these are its own.",
    "partner-known": "Every refused address is one that the inventory knows of {domain}: it was "
    "the partner.",
    "accepted-elsewhere": "Mail in the name of {domain} is accepted from other addresses, where it "
    "proves itself, while these were refused: somebody may forge it, and the refusal is right; "
    "or one of the partner's servers lacks TLS. Ask the partner, by a way that is not its mail.",
    "sender-not-compared": "These addresses were refused for {domain}; the inventory knows none "
    "of the partner's, so whose they are is open. Put its addresses under 'partners' in the "
    "inventory once it has confirmed them.",
}


def _finding(
    case: Case, rule: str, log: Senders, signs: tuple[Sign, ...], decides: Remedy | None
) -> Finding:
    text = _TEXTS[rule].format(domain=case.domain)
    sources = (*log.sources, *(("the inventory's 'partners'",) if case.known else ()))
    return Finding(rule, text, Mark.INF, signs, sources, decides)


def _relay(log: Senders, local: list[Origin], signs: tuple[Sign, ...]) -> Finding:
    others = sorted({other for origin in local for other in origin.others})
    also = f" It also brings mail of {', '.join(others[:5])}." if others else ""
    return Finding(
        "relay-in-front",
        f"What was refused came from {', '.join(o.address for o in local[:5])}: internal, not the "
        f"partner.{also} A gateway, a load balancer, or a firewall that takes STARTTLS out of the "
        "conversation stands in front of Exchange. Mutual TLS ends there and can never succeed "
        "here: mend or exempt what stands in front, or let it do the checking, before protection "
        "is taken away.",
        Mark.INF,
        signs,
        log.sources,
        Remedy.RELAY_IN_FRONT,
    )


def _internal_servers(case: Case) -> tuple[str, ...]:
    return tuple(
        entry
        for config in case.facts.of(TRANSPORT_CONFIG)
        for entry in config.members("InternalSMTPServers")
    )


def _origin(case: Case, origin: Origin) -> Sign:
    said = [f"{origin.refused} refused", origin.answer] if origin.refused else []
    if origin.accepted:
        said.append(f"{origin.accepted} accepted")
    if origin.others:
        said.append(f"also sends for {', '.join(origin.others[:5])}")
    hints = sorted({h.source for h in case.hints if is_known(origin.address, (h.address,))})
    if hints:
        said.append(f"matches {' and '.join(hints)}, a hint only")
    known = is_known(origin.address, case.known) if case.known else None
    return Sign(origin.address or "an unreadable address", "MAIL FROM", "; ".join(said), known)


def silent_logs(case: Case) -> Iterator[Finding]:
    """Find connectors that log nothing: their silence says nothing about anybody."""
    names = {tie.connector.ref.guid for tie in ties(case) if tie.connector}
    silent = [
        c
        for c in receive_connectors(case.facts)
        if c.ref.guid in names and c.text("ProtocolLoggingLevel").casefold() == "none"
    ]
    for connector in silent:
        yield Finding(
            "logs-nothing",
            f"{connector.ref.label} writes no protocol log (ProtocolLoggingLevel None, the default "
            "of connectors that people make): that it shows nothing is not 'no match'.",
            Mark.DOC,
            (Sign(connector.ref.label, "ProtocolLoggingLevel", "None"),),
            read_by(case, "Get-ReceiveConnector"),
        )


def protected(case: Case) -> Iterator[Finding]:
    """Find that the inventory protects the domain: no list is touched, whatever the event."""
    if not case.protection.protects_domain(case.domain) or not held(case):
        return
    why = f": {case.protection.reason}" if case.protection.reason else ""
    yield Finding(
        "protected",
        f"The inventory protects {case.domain}{why}. It stays on the list; the partner can be "
        "written to, or a person takes it out of 'protect'.",
        Mark.DOC,
        (Sign(case.domain, "protect", case.protection.reason or "listed"),),
        ("the inventory's 'protect'",),
        Remedy.NEEDS_A_PERSON,
        Suggestion("contact-partner", (("domain", case.domain),)),
    )
