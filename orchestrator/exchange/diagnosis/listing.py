"""Findings about the two lists: whether the domain is on them, and whether the events fit that."""

from collections.abc import Iterator

from orchestrator.core.facts import Observation
from orchestrator.core.playbook import Sign
from orchestrator.exchange.connectors import partners_only, shown
from orchestrator.exchange.diagnosis.case import Case, Finding, Mark, Remedy, events, read_by
from orchestrator.exchange.diagnosis.ties import enabled, retire, ties
from orchestrator.exchange.domains import entries_for, nearest, parent_of
from orchestrator.exchange.family import Side
from orchestrator.exchange.objects import RECEIVE_LIST, SEND_LIST, TRANSPORT_CONFIG


def entries(case: Case, name: str) -> tuple[str, ...]:
    """Return every entry of one of the lists. Raises UnknownFact."""
    return tuple(e for config in case.facts.of(TRANSPORT_CONFIG) for e in config.members(name))


def listed(case: Case, name: str) -> tuple[str, ...]:
    """Return the entries that cover the domain, as they are stored. Raises UnknownFact."""
    return entries_for(entries(case, name), case.domain)


def held(case: Case) -> bool:
    """Say whether mail from the domain is held to mutual TLS at all. Raises UnknownFact."""
    return bool(listed(case, RECEIVE_LIST))


def not_listed(case: Case) -> Iterator[Finding]:
    """Find that the domain is not on the receive list, so that no event can arise any more."""
    if listed(case, RECEIVE_LIST) or not (case.of_side(Side.RECEIVE) or not case.sightings):
        return
    refusing = [
        tie.connector
        for tie in ties(case)
        if tie.connector and enabled(tie.connector) and partners_only(tie.connector)
    ]
    yield _gone(case, refusing)
    for connector in refusing:
        yield Finding(
            "partners-only-left",
            f"{connector.ref.label} is on and grants only Partners: with the domain off the list, "
            f"mail of {case.domain} that comes in there is still refused, without any event.",
            Mark.INF,
            (Sign(connector.ref.label, "PermissionGroups", shown(connector, "PermissionGroups")),),
            read_by(case, "Get-ReceiveConnector"),
            Remedy.RETIRE_DEDICATED,
            retire(case, connector),
        )


def _gone(case: Case, refusing: list[Observation]) -> Finding:
    all_entries = entries(case, RECEIVE_LIST)
    near, parent = nearest(all_entries, case.domain), parent_of(all_entries, case.domain)
    text = f"{case.domain} is not on {RECEIVE_LIST}: its mail is not held to mutual TLS."
    if case.of_side(Side.RECEIVE):
        text += " The events cannot have arisen from this state: the list was changed since."
    if parent:
        text += f" {parent} is, but an entry covers no subdomains."
    elif near:
        text += f" Did you mean {near}?"
    sources = (*read_by(case, "Get-TransportConfig"), *events(case.of_side(Side.RECEIVE)))
    sign = Sign("TransportConfig", RECEIVE_LIST, ", ".join(all_entries) or "(empty)", holds=False)
    open_ = refusing or case.of_side(Side.SEND)
    decides = None if open_ else Remedy.NOTHING_TO_DO
    return Finding("not-listed", text, Mark.OBS, (sign,), sources, decides)


def stored(case: Case) -> Iterator[Finding]:
    """Find the entry as it is stored: case does not count, and both forms of a name do."""
    for name in (RECEIVE_LIST, SEND_LIST):
        found = listed(case, name)
        if not found:
            continue
        text = f"{case.domain} is on {name}."
        rule = "listed"
        if any(entry != case.domain for entry in found):
            rule = "listed-otherwise"
            text = (
                f"{case.domain} is on {name} as {', '.join(found)}: upper and lower case do not "
                "count, it is the same domain."
            )
        sign = Sign("TransportConfig", name, ", ".join(found), holds=True)
        yield Finding(rule, text, Mark.OBS, (sign,), read_by(case, "Get-TransportConfig"))


def contradicted(case: Case) -> Iterator[Finding]:
    """Find that an 11012 cannot have arisen from the connector as it is now [obs]."""
    for tie in ties(case):
        connector = tie.connector
        if tie.seen.id != 11012 or connector is None:
            continue
        for name, now in _against(connector):
            yield Finding(
                "changed-since",
                f"Event 11012 cannot have arisen from {connector.ref.label} as it is now: "
                f"{now}. It was changed since.",
                Mark.OBS,
                (Sign(connector.ref.label, name, shown(connector, name), holds=False),),
                (*events((tie.seen,)), *read_by(case, "Get-ReceiveConnector")),
            )


def _against(connector: Observation) -> Iterator[tuple[str, str]]:
    if connector.get("Enabled") is False:
        yield "Enabled", "it is off"
    if connector.get("DomainSecureEnabled") is False:
        yield "DomainSecureEnabled", "without Domain Security it would log 11021"
    mechanisms = {flag.casefold() for flag in connector.members("AuthMechanism")}
    if connector.get("AuthMechanism") is not None and "tls" not in mechanisms:
        yield "AuthMechanism", "without Tls it would log 11018"


def no_event(case: Case) -> Iterator[Finding]:
    """Find that nothing shows any trouble: this is the present state, and no evidence."""
    if case.sightings:
        return
    yield Finding(
        "no-event",
        f"No event of {case.domain} is recorded: this is judged from the present state alone. "
        "Nothing shows that mail is refused, nor on which connector; protection is not taken away "
        "on that ground.",
        Mark.INF,
        (Sign(case.domain, "events", "none recorded"),),
        ("the incidents of this organization",),
        Remedy.NEEDS_A_PERSON,
    )


def incomplete(case: Case) -> Iterator[Finding]:
    """Find events that do not say which connector is meant."""
    told = [seen for seen in case.sightings if not seen.incomplete and seen.connector]
    gaps = [seen for seen in case.sightings if seen not in told]
    if gaps:
        yield Finding(
            "incomplete-event",
            "Events came incomplete, and what is missing is not guessed: "
            + "; ".join(
                dict.fromkeys(gap for seen in gaps for gap in seen.incomplete or _NAMELESS)
            ),
            Mark.DOC,
            sources=events(gaps),
            decides=None if told else Remedy.NEEDS_A_PERSON,
        )


_NAMELESS = ("the connector is not named",)
