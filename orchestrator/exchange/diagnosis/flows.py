"""Findings about the connectors that events name: whose they are, and what may become of them."""

from collections.abc import Iterator

from orchestrator.core.command import command, powershell
from orchestrator.core.facts import Facts, Observation, Query
from orchestrator.core.planning import foresee, judge
from orchestrator.core.playbook import Refusal, Sign
from orchestrator.core.setting import Scalar, Setting
from orchestrator.exchange.addresses import is_everything
from orchestrator.exchange.connectors import (
    accepts_anonymous,
    is_default,
    is_reserved,
    partners_only,
    ranges_of,
    receive_connectors,
    receive_signs,
    same_flow,
    shown,
)
from orchestrator.exchange.diagnosis.case import (
    Case,
    Finding,
    Mark,
    Remedy,
    events,
    read_by,
)
from orchestrator.exchange.diagnosis.listing import held, listed
from orchestrator.exchange.diagnosis.ties import Tie, enabled, remove, retire, ties
from orchestrator.exchange.objects import EXCHANGE_SERVER, RECEIVE_CONNECTOR, RECEIVE_LIST
from orchestrator.exchange.rules import rules

_CMDLET = "Get-ReceiveConnector"


def edge(case: Case) -> Iterator[Finding]:
    """Find Edge servers: what they take from the organization, and what is their own."""
    servers = [s for s in case.facts.maybe(EXCHANGE_SERVER) if _is_edge(s)]
    if not servers:
        return
    yield Finding(
        "edge-subscribed",
        "There are Edge servers: the organization's lists are changed here, and EdgeSync carries "
        "them there within minutes ('Start-EdgeSynchronization' forces it). Their receive "
        "connectors are their own, and are not reached from here.",
        Mark.DOC,
        tuple(Sign(s.text("Name"), "ServerRole", shown(s, "ServerRole")) for s in servers),
        read_by(case, "Get-ExchangeServer"),
    )
    names = {s.text("Name").casefold() for s in servers}
    for tie in ties(case) if held(case) else ():
        home, _, name = tie.seen.connector.partition("\\")
        if tie.connector is None and home.partition(".")[0].casefold() in names:
            yield _on_edge(case, tie, home, name)


def _is_edge(server: Observation) -> bool:
    return "edge" in {flag.casefold() for flag in server.members("ServerRole")}


def _on_edge(case: Case, tie: Tie, home: str, name: str) -> Finding:
    own = name.casefold().startswith("default ")
    label = f"{home}\\{name}"
    look = powershell(command("Get-ReceiveConnector", Identity=label))
    off = powershell(command("Set-ReceiveConnector", Identity=label, Enabled=False))
    text = (
        f"{label} is a connector of an Edge server. Setup's own there takes anonymous mail: the "
        "organization's list is enough, and EdgeSync carries it."
        if own
        else f"{label} is a connector of an Edge server and its own. What it grants is not seen "
        "from here: look at it on that server, and disable it there if it grants only Partners; "
        "the organization's list is changed here."
    )
    return Finding(
        "edge-connector",
        text,
        Mark.DOC,
        (Sign(label, "Server", home),),
        (*events((tie.seen,)), *read_by(case, "Get-ExchangeServer")),
        Remedy.REMOVE_FROM_LIST if own else Remedy.NEEDS_A_PERSON,
        remove(case),
        () if own else (look, off),
    )


def named(case: Case) -> Iterator[Finding]:
    """Find that several servers have a connector of that name: the event's computer decides."""
    for tie in ties(case):
        if tie.connector is not None and tie.namesakes:
            others = ", ".join(other.ref.label for other in tie.namesakes[:10])
            yield Finding(
                "event-computer-decides",
                f"Several servers have a connector of this name ({others} too). The event was "
                f"logged on {tie.seen.server}: it means {tie.connector.ref.label}.",
                Mark.OBS,
                (Sign(tie.seen.connector, "Computer", tie.seen.server),),
                (*events((tie.seen,)), *read_by(case, _CMDLET)),
            )


def gone(case: Case) -> Iterator[Finding]:
    """Find that a connector the event names is not there any more."""
    edges = {s.text("Name").casefold() for s in case.facts.maybe(EXCHANGE_SERVER) if _is_edge(s)}
    for tie in ties(case):
        home = tie.seen.connector.partition("\\")[0].partition(".")[0].casefold()
        if tie.connector is not None or home in edges or not held(case):
            continue
        sources = (*events((tie.seen,)), *read_by(case, _CMDLET))
        if tie.namesakes:
            others = ", ".join(other.ref.label for other in tie.namesakes[:10])
            yield Finding(
                "connector-elsewhere",
                f"{tie.seen.connector} is not there; {others} has its name. Whether that is the "
                "same flow nobody can say from here.",
                Mark.INF,
                tuple(Sign(c.ref.label, "Name", c.text("Name")) for c in tie.namesakes),
                sources,
                Remedy.NEEDS_A_PERSON,
            )
        else:
            yield Finding(
                "connector-gone",
                f"{tie.seen.connector} is not there any more, and {case.domain} is still listed: "
                "its mail meets the default connector, which has DomainSecureEnabled, and the "
                "event comes back.",
                Mark.INF,
                (Sign(tie.seen.connector, "Name", "(gone)", holds=False),),
                sources,
                Remedy.REMOVE_FROM_LIST,
                remove(case),
            )


def routes(case: Case) -> Iterator[Finding]:
    """Find, for each connector that events name, whether it is the partner's own."""
    apart: list[Observation] = []
    for tie in ties(case) if held(case) else ():
        if tie.connector is None:
            continue
        kept = list(_route(case, tie, tie.connector))
        apart += [tie.connector for f in kept if f.decides is Remedy.RETIRE_DEDICATED]
        yield from kept
    flows = {tuple(c.ref.guid for c in _flow(case, connector)) for connector in apart}
    if len(flows) > 1:
        yield Finding(
            "several-flows",
            "Events name connectors of several flows that look dedicated: one remedy retires one. "
            "A person decides which of them go.",
            Mark.INF,
            tuple(Sign(c.ref.label, "RemoteIPRanges", shown(c, "RemoteIPRanges")) for c in apart),
            read_by(case, _CMDLET),
            Remedy.NEEDS_A_PERSON,
        )


def _route(case: Case, tie: Tie, connector: Observation) -> Iterator[Finding]:
    """Sort one connector: whoever it belongs to, who it lets in, and what its signs say."""
    signs = receive_signs(connector)
    sources = (*events((tie.seen,)), *read_by(case, _CMDLET))
    on = [c for c in _flow(case, connector) if enabled(c)]
    if is_reserved(connector):
        yield Finding(
            "never-touched",
            f"{connector.ref.label} belongs to a hybrid configuration or to EdgeSync: it is never "
            "changed. " + _let_in(connector, case),
            Mark.DOC,
            signs,
            sources,
            Remedy.REMOVE_FROM_LIST if accepts_anonymous(connector) else Remedy.NEEDS_A_PERSON,
            remove(case, connector) if accepts_anonymous(connector) else None,
        )
    elif not on:
        yield Finding(
            "connector-off",
            f"{connector.ref.label} is off by now, and {case.domain} is still listed: its mail "
            "meets the default connector, which has DomainSecureEnabled, and the event comes back. "
            "That is the article's second remedy alone.",
            Mark.INF,
            (Sign(connector.ref.label, "Enabled", "False"),),
            sources,
            Remedy.REMOVE_FROM_LIST,
            remove(case),
        )
    elif accepts_anonymous(connector):
        yield Finding(
            "serves-everybody",
            f"{connector.ref.label} {_serves(connector)}: once {case.domain} is off the list, it "
            "takes its mail like any other. The list is all there is to change; the connector "
            "stays.",
            Mark.OBS,
            signs,
            sources,
            Remedy.REMOVE_FROM_LIST,
            remove(case, connector),
        )
    elif all(sign.holds for sign in signs):
        yield from _dedicated(case, tie, connector, on)
    else:
        against = ", ".join(sign.property for sign in signs if not sign.holds)
        yield Finding(
            "not-dedicated",
            f"{connector.ref.label} lets no anonymous session in, and does not look like one "
            f"partner's own either, by its {against}. With the domain off the list alone, its mail "
            "would still be refused there; a person decides.",
            Mark.INF,
            signs,
            sources,
            Remedy.NEEDS_A_PERSON,
        )


def _serves(connector: Observation) -> str:
    if is_default(connector):
        return "is one that setup makes and takes anonymous mail"
    if is_everything(ranges_of(connector)):
        return "serves everybody"
    return "lets anonymous sessions in"


def _let_in(connector: Observation, case: Case) -> str:
    if accepts_anonymous(connector):
        return f"It lets anonymous sessions in: {case.domain} off the list is enough."
    return "It lets no anonymous session in, so the list alone would not help: a person decides."


def _flow(case: Case, connector: Observation) -> tuple[Observation, ...]:
    return same_flow(connector, receive_connectors(case.facts))


def _dedicated(
    case: Case, tie: Tie, connector: Observation, flow: list[Observation]
) -> Iterator[Finding]:
    """Say what ties the flow to the partner, and everything that forbids to retire it."""
    refusals = _refusals(case, flow)
    labels = ", ".join(c.ref.label for c in flow)
    yield Finding(
        "dedicated",
        f"{labels}: tied to {case.domain} by the event, and dedicated by every sign. It takes "
        "both, the list and the connector on every server.",
        Mark.INF,
        tuple(sign for c in flow for sign in receive_signs(c)),
        (*events((tie.seen,)), *read_by(case, _CMDLET)),
        None if refusals else Remedy.RETIRE_DEDICATED,
        None if refusals else retire(case, connector),
    )
    for refusal in refusals:
        yield Finding(
            refusal.rule,
            f"It cannot be retired: {refusal.reason}. {refusal.way_out}".strip(),
            Mark.INF,
            refusal.evidence,
            (*events(case.others), *read_by(case, _CMDLET))
            if refusal.rule == "shared-connector"
            else read_by(case, _CMDLET),
            Remedy.NEEDS_A_PERSON,
        )


def _refusals(case: Case, flow: list[Observation]) -> tuple[Refusal, ...]:
    """Ask the rules of planning about the whole flow, as a plan would."""
    off: list[Setting] = [Scalar(c.ref, "Enabled", value=False) for c in flow]
    asked = (Query(RECEIVE_CONNECTOR, ("Enabled",)),)
    judging = rules(asked, case.protection, (case.domain,), case.others)
    found: list[Refusal] = []
    now: Facts = case.facts
    after = foresee(off, now)
    for setting in off:
        found += [v for v in judge(setting, now, after, judging) if isinstance(v, Refusal)]
        now = foresee((setting,), now)
    return tuple(dict.fromkeys(found))


def halves(case: Case) -> Iterator[Finding]:
    """Find why the article's remedies, each alone, are not enough for a flow of its own [inf]."""
    for tie in ties(case):
        connector = tie.connector
        if connector is None or not enabled(connector) or not partners_only(connector):
            continue
        if not held(case):
            continue
        yield Finding(
            "half-list",
            f"Taking {case.domain} off the list alone: {connector.ref.label} grants only Partners, "
            "so its anonymous session is refused there.",
            Mark.INF,
            (Sign(connector.ref.label, "PermissionGroups", shown(connector, "PermissionGroups")),),
            read_by(case, _CMDLET),
        )
        yield Finding(
            "half-connector",
            f"Disabling {connector.ref.label} alone: the mail meets the default connector, which "
            f"has DomainSecureEnabled, {case.domain} is still listed, and event 11012 comes back.",
            Mark.INF,
            (Sign("TransportConfig", RECEIVE_LIST, ", ".join(listed(case, RECEIVE_LIST))),),
            read_by(case, "Get-TransportConfig", _CMDLET),
        )
