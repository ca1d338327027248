"""Receive and send connectors: what ties one to a partner, and what no playbook may touch.

Nothing in a receive connector names a domain. What ties one to a partner is evidence: an event
that names it, or the operator's word. Its shape only confirms or contradicts that (domain.md 2).
"""

import re
from collections.abc import Iterable, Sequence

from orchestrator.core.facts import Facts, Observation, UnknownFact
from orchestrator.core.playbook import Refusal, Sign
from orchestrator.exchange.addresses import (
    AddressSpace,
    Binding,
    Spans,
    address_space,
    bindings,
    is_everything,
    merged,
    spans,
)
from orchestrator.exchange.domains import to_ascii
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, SEND_CONNECTOR

RECEIVE_PROPERTIES = (
    "Server",
    "TransportRole",
    "Enabled",
    "DomainSecureEnabled",
    "AuthMechanism",
    "PermissionGroups",
    "RequireTLS",
    "Bindings",
    "RemoteIPRanges",
    "TlsDomainCapabilities",
    "ExchangeVersion",
    "IsValid",
)
SEND_PROPERTIES = (
    "Enabled",
    "AddressSpaces",
    "DomainSecureEnabled",
    "DNSRoutingEnabled",
    "IsScopedConnector",
    "CloudServicesMailEnabled",
    "LinkedReceiveConnector",
    "SourceTransportServers",
    "ExchangeVersion",
    "IsValid",
)

_DEFAULT_NAMES = (
    "Default Frontend",
    "Client Frontend",
    "Client Proxy",
    "Outbound Proxy Frontend",
    "Default internal receive connector",
    "Default",
    "Client",
)
"""What setup calls the connectors it makes, before the server's name [doc][seen]."""

_RESERVED = re.compile(r"EdgeSync - |Outbound to Office 365|Inbound from Office 365", re.IGNORECASE)
"""Names that EdgeSync and the Hybrid Configuration Wizard own [doc]."""

_GUID = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.IGNORECASE)


def is_default(connector: Observation) -> bool:
    """Say whether the name is one that setup gives to a connector.

    After the longer names of setup any one word counts as a server, as a server that was replaced
    leaves it behind; after ``Default`` and ``Client`` only the connector's own server does, or any
    word where that is not known: a partner may be called so.
    """
    name, server = connector.text("Name").casefold(), server_of(connector)
    for words in (words.casefold() for words in _DEFAULT_NAMES):
        rest = name.removeprefix(f"{words} ")
        if name == words or (rest != name and rest.partition(".")[0] == server):
            return True
        if rest != name and " " not in rest and (" " in words or not server):
            return True
    return False


def is_reserved(connector: Observation) -> bool:
    """Say whether EdgeSync or a hybrid configuration owns the connector."""
    return bool(
        _RESERVED.match(connector.text("Name"))
        or connector.members("TlsDomainCapabilities")
        or connector.get("CloudServicesMailEnabled") is True
    )


def resolve(text: str, connectors: Sequence[Observation]) -> tuple[Observation, ...]:
    r"""Return the receive connectors that *text* may mean: a Guid, ``SERVER\Name``, or a name.

    ``SERVER`` may be a fully qualified name, as in an event's Computer field; case does not
    count. A bare name may mean one connector on each of several servers.
    """
    if guid := _GUID.fullmatch(text.strip()):
        return tuple(c for c in connectors if c.ref.guid == guid[1].lower())
    server, slash, name = text.strip().partition("\\")
    if slash:
        host = server.partition(".")[0].casefold()
        exact = tuple(c for c in connectors if _is_called(c, name) and server_of(c) == host)
        if exact:
            return exact
    return tuple(c for c in connectors if _is_called(c, text))


def _is_called(connector: Observation, name: str) -> bool:
    """Compare names; a space at the end of one is not seen, and no input carries it."""
    return connector.text("Name").strip().casefold() == name.strip().casefold()


def server_of(connector: Observation) -> str:
    """Return the host part of a receive connector's server, in lower case; empty if not known."""
    server, slash, _ = connector.ref.label.partition("\\")
    return (connector.text("Server") or server * len(slash)).partition(".")[0].casefold()


def ranges_of(connector: Observation) -> Spans:
    """Return the remote addresses of a receive connector, as written; none is not known."""
    return spans(_needed(connector, "RemoteIPRanges"))


def bindings_of(connector: Observation) -> tuple[Binding, ...]:
    """Return where a receive connector listens; nowhere is not known."""
    return bindings(_needed(connector, "Bindings"))


def _needed(connector: Observation, name: str) -> tuple[str, ...]:
    """Return a list that no such connector is without. Raises UnknownFact where it is empty."""
    if not connector.members(name):
        raise UnknownFact(connector.ref.label, f"the server did not show {name}")
    return connector.members(name)


def same_flow(tied: Observation, connectors: Iterable[Observation]) -> tuple[Observation, ...]:
    """Return *tied* and the connectors of the same name and RemoteIPRanges, by server."""
    ranges = merged(ranges_of(tied))
    flow = [c for c in namesakes(tied, connectors) if merged(ranges_of(c)) == ranges]
    return tuple(sorted(flow, key=server_of))


def namesakes(tied: Observation, connectors: Iterable[Observation]) -> tuple[Observation, ...]:
    """Return every connector called as *tied* is, itself included."""
    name = tied.text("Name").casefold()
    return tuple(c for c in connectors if c.text("Name").casefold() == name)


def receive_signs(connector: Observation) -> tuple[Sign, ...]:
    """Return every sign for or against a receive connector being dedicated to one partner.

    Raises UnknownFact where a range cannot be read.
    """
    ranges = connector.members("RemoteIPRanges")
    groups = connector.members("PermissionGroups")
    mechanisms = connector.members("AuthMechanism")
    narrow = bool(ranges) and not is_everything(spans(ranges))
    return (
        _sign(connector, "RemoteIPRanges", narrow),
        _sign(connector, "PermissionGroups", _folded(groups) == {"partners"}),
        _sign(connector, "AuthMechanism", "tls" in _folded(mechanisms)),
        _sign(connector, "DomainSecureEnabled", connector.get("DomainSecureEnabled") is True),
        _sign(connector, "TlsDomainCapabilities", not connector.members("TlsDomainCapabilities")),
        _sign(connector, "Name", not is_default(connector) and not is_reserved(connector)),
    )


def send_signs(connector: Observation) -> tuple[Sign, ...]:
    """Return every sign for or against a send connector being dedicated to one partner."""
    return (
        _sign(connector, "AddressSpaces", holds=True),
        _sign(connector, "DomainSecureEnabled", connector.get("DomainSecureEnabled") is True),
        _sign(connector, "DNSRoutingEnabled", connector.get("DNSRoutingEnabled") is True),
        _sign(connector, "CloudServicesMailEnabled", not connector.get("CloudServicesMailEnabled")),
        _sign(connector, "Name", not is_reserved(connector)),
    )


def _sign(connector: Observation, name: str, holds: bool) -> Sign:  # noqa: FBT001 - it is the sign's value
    return Sign(connector.ref.label, name, shown(connector, name), holds)


def shown(connector: Observation, name: str) -> str:
    """Return a property as an operator reads it; an empty one says so."""
    value = connector.get(name)
    return ", ".join(value) or "(empty)" if isinstance(value, tuple) else str(value)


def _folded(flags: Iterable[str]) -> set[str]:
    return {flag.casefold() for flag in flags}


def accepts_anonymous(connector: Observation) -> bool:
    """Say whether the connector takes mail from a session that did not authenticate."""
    return "anonymoususers" in _folded(connector.members("PermissionGroups"))


def partners_only(connector: Observation) -> bool:
    """Say whether the connector takes mail from mutually authenticated partners and else nobody.

    An anonymous session that is not asked for TLS any more is refused there [inf].
    """
    groups = _folded(connector.members("PermissionGroups"))
    return "partners" in groups and not accepts_anonymous(connector)


def spaces(connector: Observation) -> tuple[AddressSpace, ...]:
    """Return what a send connector carries: nothing where a receive connector is linked [doc]."""
    return tuple(address_space(text) for text in connector.members("AddressSpaces"))


def domains_of(connector: Observation) -> frozenset[str]:
    """Return the domains a send connector carries, in ASCII form, with or without subdomains.

    ``*``, ``--`` and what is not SMTP stand in it as they are: they are nobody's own.
    """
    return frozenset(
        to_ascii(space.space.removeprefix("*."))
        if space.type == "SMTP"
        else f"{space.type}:{space.space}"
        for space in spaces(connector)
    )


def is_dedicated_send(connector: Observation, domain: str) -> bool:
    """Say whether every address space is the domain or ``*.domain``, and of type SMTP."""
    return domains_of(connector) == {to_ascii(domain)}


def receive_connectors(seen: Facts) -> tuple[Observation, ...]:
    """Return every receive connector. Raises UnknownFact."""
    return seen.of(RECEIVE_CONNECTOR)


def send_connectors(seen: Facts) -> tuple[Observation, ...]:
    """Return every send connector. Raises UnknownFact."""
    return seen.of(SEND_CONNECTOR)


def tie(text: str, connectors: Sequence[Observation]) -> Observation | Refusal:
    """Return the receive connector that *text* names, the first by server of one flow.

    Refuses a name that means none, or connectors of different flows.
    """
    found = resolve(text, connectors)
    if not found:
        return Refusal(
            "connector-named", f"there is no receive connector '{text}'", _like(text, connectors)
        )
    flow = {connector.ref.guid for connector in same_flow(found[0], connectors)}
    if not {connector.ref.guid for connector in found} <= flow:
        return Refusal(
            "connector-named",
            f"'{text}' means several receive connectors with different RemoteIPRanges",
            "Name the one on the event's computer, as in SERVER\\Name.",
            tuple(_sign(c, "RemoteIPRanges", holds=True) for c in found),
        )
    return found[0]


def _like(text: str, connectors: Sequence[Observation]) -> str:
    import difflib  # noqa: PLC0415 - only on the way to a refusal

    labels = [label for c in connectors for label in (c.ref.label, c.text("Name"))]
    like = difflib.get_close_matches(text, labels, n=1)
    named = f"Did you mean '{like[0]}'? " if like else ""
    return (
        f"{named}Name it as the event does: the Computer field, a backslash, the second data field."
    )
