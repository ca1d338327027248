"""The table of rules: their order is their precedence. To add a rule: write it, give it a row."""

from collections.abc import Callable, Iterator

from orchestrator.core.facts import Query, UnknownFact
from orchestrator.core.playbook import Sign
from orchestrator.exchange.connectors import RECEIVE_PROPERTIES, SEND_PROPERTIES
from orchestrator.exchange.diagnosis import flows, listing, ours, partner
from orchestrator.exchange.diagnosis.case import Case, Diagnosis, Finding, Mark, Remedy
from orchestrator.exchange.objects import (
    EXCHANGE_SERVER,
    RECEIVE_CONNECTOR,
    RECEIVE_LIST,
    SEND_CONNECTOR,
    SEND_LIST,
    TRANSPORT_CONFIG,
)

Rule = Callable[[Case], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    partner.hybrid,
    listing.not_listed,
    listing.no_event,
    listing.incomplete,
    ours.tls_not_offered,
    ours.certificate,
    ours.tls_offered_again,
    ours.domain_secure_off,
    partner.senders,
    partner.certificates,
    partner.protected,
    flows.edge,
    flows.gone,
    flows.routes,
    partner.sending,
    listing.stored,
    listing.contradicted,
    flows.named,
    flows.halves,
    partner.silent_logs,
    partner.send_side,
)
"""Before a remedy is chosen: is there anything to remedy, is it us, is it who it seems to be?"""

_GRAVITY = (
    Remedy.NEEDS_A_PERSON,
    Remedy.FIX_OUR_SIDE,
    Remedy.RELAY_IN_FRONT,
    Remedy.CONTACT_PARTNER,
    Remedy.RETIRE_DEDICATED,
    Remedy.REMOVE_FROM_LIST,
    Remedy.NOTHING_TO_DO,
)
"""Within one rule, which may speak of several connectors: the gravest decides."""


def queries() -> tuple[Query, ...]:
    """Return what a diagnosis has to know, as one query for each kind of object."""
    return (
        Query(TRANSPORT_CONFIG, (RECEIVE_LIST, SEND_LIST, "InternalSMTPServers")),
        Query(RECEIVE_CONNECTOR, (*RECEIVE_PROPERTIES, "ProtocolLoggingLevel", "Fqdn")),
        Query(SEND_CONNECTOR, SEND_PROPERTIES),
        Query(EXCHANGE_SERVER, ("AdminDisplayVersion", "ServerRole")),
    )


def diagnose(case: Case) -> Diagnosis:
    """Return what is wrong and what to do. What has to be known and is not, is never guessed."""
    findings: list[Finding] = []
    deciding: list[Finding] = []
    for rule in RULES:
        found, decides = _asked(rule, case)
        findings += found
        if decides and not deciding:
            deciding = decides
    unknown = [finding for finding in findings if finding.rule == "unknown-state"]
    decided = min((unknown or deciding or [_undecided()]), key=_gravity)
    if decided.rule == "undecided":
        findings.append(decided)
    return Diagnosis(
        domain=case.domain,
        verdict=decided.decides or Remedy.NEEDS_A_PERSON,
        decided=decided,
        findings=tuple(dict.fromkeys(findings)),
        incident=case.incident,
        recorded=case.recorded,
        suggestion=decided.suggestion,
        by_hand=tuple(dict.fromkeys(line for f in findings for line in f.by_hand)),
        instead=_instead(decided),
        refused=case.senders.senders if case.senders else (),
        more=case.senders.more if case.senders else 0,
    )


def _asked(rule: Rule, case: Case) -> tuple[list[Finding], list[Finding]]:
    """Return what a rule finds, and which of it decides anything."""
    found: list[Finding] = []
    try:
        found.extend(rule(case))
    except UnknownFact as error:
        found.append(_unknown(error))
    return found, [finding for finding in found if finding.decides is not None]


def _gravity(finding: Finding) -> int:
    return _GRAVITY.index(finding.decides or Remedy.NEEDS_A_PERSON)


def _unknown(error: UnknownFact) -> Finding:
    return Finding(
        "unknown-state",
        f"What has to be known for this is not known: {error}. 'orchestrator doctor' says why; "
        "nothing is guessed.",
        Mark.DOC,
        (Sign(error.subject, "state", error.reason, holds=False),),
        decides=Remedy.NEEDS_A_PERSON,
    )


def _undecided() -> Finding:
    return Finding(
        "undecided",
        "No rule decides this case: a person has to look at what was found.",
        Mark.INF,
        decides=Remedy.NEEDS_A_PERSON,
    )


_INSTEAD: dict[Remedy, tuple[str, ...]] = {
    Remedy.REMOVE_FROM_LIST: (
        "It would not disable a connector: other mail depends on it, or it is off already.",
        "It would not switch DomainSecureEnabled off: event 11021 follows.",
        "It would not touch the send list: what goes out is a separate decision.",
    ),
    Remedy.RETIRE_DEDICATED: (
        "It would not only remove the domain: the Partners-only connector would refuse the mail.",
        "It would not only disable the connector: event 11012 would come back at the default one.",
        "It would not touch the send side: that is a separate decision (include_send).",
    ),
    Remedy.FIX_OUR_SIDE: (
        "It would not take the domain off the list: the partner is not at fault.",
    ),
    Remedy.RELAY_IN_FRONT: (
        "It would not take the domain off the list before what stands in front is understood.",
    ),
    Remedy.CONTACT_PARTNER: (
        "It would not take the domain off the list: only the partner can mend its certificate.",
    ),
    Remedy.NOTHING_TO_DO: ("It would not change anything.",),
    Remedy.NEEDS_A_PERSON: ("It would not change anything on a guess.",),
}


def _instead(decided: Finding) -> tuple[str, ...]:
    return _INSTEAD[decided.decides or Remedy.NEEDS_A_PERSON]
