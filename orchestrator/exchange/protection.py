"""What no playbook may do, whatever it says: the rules that only ever refuse.

Sources: domain.md section 2. Setup's, hybrid's and EdgeSync's connectors belong to somebody else
[doc]; a plain value for a list overwrites all of it [doc].
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.facts import Facts, ObjectRef, Observation, Query
from orchestrator.core.inventory import Protection
from orchestrator.core.playbook import Concern, Consequence, Refusal, Sign, Verdict
from orchestrator.core.setting import Flags, Member, Scalar, Setting
from orchestrator.exchange.addresses import is_everything
from orchestrator.exchange.connectors import (
    RECEIVE_PROPERTIES,
    SEND_PROPERTIES,
    domains_of,
    is_default,
    is_reserved,
    ranges_of,
    receive_signs,
    resolve,
    send_signs,
    shown,
)
from orchestrator.exchange.domains import to_ascii
from orchestrator.exchange.objects import (
    EXCHANGE_SERVER,
    OBJECT_KINDS,
    RECEIVE_CONNECTOR,
    SEND_CONNECTOR,
)

CONNECTORS = frozenset({RECEIVE_CONNECTOR, SEND_CONNECTOR})


def disables(setting: Setting) -> bool:
    """Say whether *setting* turns a connector off: whatever is not True may mean it."""
    return (
        setting.ref.kind in CONNECTORS
        and setting.property == "Enabled"
        and not (isinstance(setting, Scalar) and setting.value is True)
    )


def narrows(setting: Setting) -> bool:
    """Say whether *setting* takes an address away on which a receive connector hears or answers."""
    return (
        setting.ref.kind == RECEIVE_CONNECTOR
        and setting.property in {"Bindings", "RemoteIPRanges"}
        and not (isinstance(setting, Member) and setting.present)
    )


def _asks(kind: str, properties: tuple[str, ...]) -> tuple[Query, ...]:
    return (Query(kind, properties),)


@dataclass(frozen=True, slots=True)
class NeverDisabled:
    """Setup's own, hybrid and EdgeSync connectors, and those open to everybody, stay on."""

    kind: str

    def queries(self) -> tuple[Query, ...]:
        """Ask for every sign of every connector of the kind."""
        receive = self.kind == RECEIVE_CONNECTOR
        return _asks(self.kind, RECEIVE_PROPERTIES if receive else SEND_PROPERTIES)

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Refuse to disable what is never disabled, with every sign and its value."""
        del after
        if not (disables(setting) or narrows(setting)) or setting.ref.kind != self.kind:
            return ()
        connector = now.one(setting.ref)
        reason = self._owner(connector)
        if not reason:
            return ()
        receive = self.kind == RECEIVE_CONNECTOR
        signs = receive_signs(connector) if receive else send_signs(connector)
        way_out = "Remove only the domain: 'orchestrator run remove-domain-security'."
        return (Refusal("never-disabled", f"{setting.ref.label} {reason}", way_out, signs),)

    def _owner(self, connector: Observation) -> str:
        if is_reserved(connector):
            return "belongs to a hybrid configuration or to EdgeSync"
        if self.kind != RECEIVE_CONNECTOR:
            return (
                ""
                if _has_one_domain(connector)
                else "is not one domain's own, by its address spaces"
            )
        if is_default(connector):
            return "is one of the connectors that setup makes; other mail depends on it"
        if is_everything(ranges_of(connector)):
            return "takes connections from every address: it serves everybody"
        return ""


def _has_one_domain(connector: Observation) -> bool:
    carried = domains_of(connector)
    return len(carried) == 1 and carried.isdisjoint({"*", "--"}) and ":" not in min(carried)


@dataclass(frozen=True, slots=True)
class Linked:
    """A receive connector that a send connector names as its LinkedReceiveConnector stays on."""

    def queries(self) -> tuple[Query, ...]:
        """Ask which receive connectors are linked."""
        return _asks(SEND_CONNECTOR, ("LinkedReceiveConnector",))

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Refuse to disable the receiving half of a linked pair [doc]."""
        del after
        if not disables(setting) or setting.ref.kind != RECEIVE_CONNECTOR:
            return ()
        linking = [
            send
            for send in now.of(SEND_CONNECTOR)
            if _may_mean(send.text("LinkedReceiveConnector"), setting.ref)
        ]
        return [
            Refusal(
                "linked-connector",
                f"{setting.ref.label} is the receiving half of {send.ref.label}",
                "Unlink the two first, if that is what you want.",
                (_sign(send, "LinkedReceiveConnector"),),
            )
            for send in linking
        ]


def _may_mean(link: str, ref: ObjectRef) -> bool:
    r"""Say whether *link* may name the connector: as Guid, ``SERVER\Name``, name, path or DN."""
    said, own = link.lower(), ref.label.lower()
    home, _, name = own.rpartition("\\")
    server, slash, named = said.partition("\\")
    if slash:
        return named == name and server.partition(".")[0] == home.partition(".")[0]
    return said.strip("{}") == ref.guid or (
        said in {own, name} or said.endswith(f"/{name}") or said.startswith(f"cn={name},")
    )


@dataclass(frozen=True, slots=True)
class Protected:
    """What the inventory's ``protect`` names is not touched."""

    protection: Protection

    def queries(self) -> tuple[Query, ...]:
        """Ask for names: protection goes by name, identity or Guid."""
        return ()

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Refuse a protected connector or domain, with the reason that the inventory gives."""
        del after
        if setting.ref.kind in CONNECTORS:
            seen = now.one(setting.ref)
            held = self.protection.protects_connector(
                seen.text("Name"), setting.ref.label, setting.ref.guid
            ) or any(resolve(entry, (seen,)) for entry in self.protection.connectors)
        else:
            held = isinstance(setting, Member) and self.protection.protects_domain(
                to_ascii(setting.member)
            )
        if not held:
            return ()
        what = setting.member if isinstance(setting, Member) else setting.ref.label
        why = f": {self.protection.reason}" if self.protection.reason else ""
        return (
            Refusal(
                "protected",
                f"the inventory protects {what}{why}",
                "Take it out of 'protect' in the inventory, if that is what you want.",
            ),
        )


_WAYS = {
    "list": "Use 'includes' or 'excludes' for one member.",
    "flags": "Use 'flags' for all flags.",
    "bool": "Use 'equals: true' or 'equals: false'.",
    "int": "Use 'equals' with a whole number.",
    "text": "Use 'equals' with text.",
}


def _suits(setting: Setting, shape: str | None) -> bool:
    """Say whether a property of *shape* is changed so; of one that is in no table little is known.

    A plain value, or flags, for a list would replace all of it [doc].
    """
    match setting:
        case Member():
            return shape in {"list", None}
        case Flags():
            return shape == "flags"
        case Scalar(value=bool()):
            return shape in {"bool", None}
        case Scalar(value=int()):
            return shape in {"int", None}
        case _:
            return shape in {"text", None}


@dataclass(frozen=True, slots=True)
class WholeValues:
    """Lists change by their members, flags as a whole, and nothing touches external security."""

    def queries(self) -> tuple[Query, ...]:
        """Ask for nothing beyond the touched property."""
        return ()

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Refuse what is not the way to change the property, and ExternalAuthoritative."""
        del after
        shape = OBJECT_KINDS[setting.ref.kind].shapes.get(setting.property)
        if not _suits(setting, shape):
            return (
                Refusal(
                    "whole-value",
                    f"{setting.property} cannot be changed in this way: it would be overwritten as "
                    "a whole, or not be understood",
                    _WAYS.get(shape or "", "Use what its documentation says it takes."),
                ),
            )
        if isinstance(setting, Flags):
            flags = {*setting.flags, *now.one(setting.ref).members(setting.property)}
            if "externalauthoritative" in {flag.casefold() for flag in flags}:
                return (
                    Refusal(
                        "external-authoritative",
                        f"{setting.ref.label} is or would be ExternalAuthoritative: it trusts its "
                        "peer with everything",
                        "A person decides this, in the Exchange Management Shell.",
                    ),
                )
        return ()


@dataclass(frozen=True, slots=True)
class Version:
    """A connector of a newer Exchange than the session's server cannot be changed from there."""

    kind: str

    def queries(self) -> tuple[Query, ...]:
        """Ask for the versions of servers and of the objects that may change."""
        return (
            Query(EXCHANGE_SERVER, ("AdminDisplayVersion",)),
            Query(self.kind, ("ExchangeVersion",)),
        )

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Refuse where the object is newer [obs]; say so where it cannot be compared."""
        del after
        if setting.ref.kind != self.kind:
            return ()
        wanted = version(now.one(setting.ref).text("ExchangeVersion").partition("(")[2])
        servers = now.maybe(EXCHANGE_SERVER)
        host = now.server.partition(".")[0].casefold()
        own = [s for s in servers if s.text("Name").casefold() == host]
        session = version(own[0].text("AdminDisplayVersion")) if own else ()
        if wanted and session and wanted[:2] > session[:2]:
            return (
                Refusal(
                    "newer-object",
                    f"{setting.ref.label} was made by a newer Exchange than the session's server",
                    "Put a server of the newer version first in the inventory.",
                    (
                        Sign(setting.ref.label, "ExchangeVersion", _dotted(wanted)),
                        Sign(own[0].ref.label, "AdminDisplayVersion", _dotted(session)),
                    ),
                ),
            )
        if not (wanted and session):
            return (
                Consequence(
                    "newer-object",
                    Concern.UNKNOWN,
                    "Whether the session's server is new enough for this object is not known.",
                ),
            )
        return ()


def version(text: str) -> tuple[int, ...]:
    """Return the numbers of ``Version 15.2 (Build 1118.7)`` or ``15.0.0.0)``, or nothing."""
    digits = "".join(ch if ch.isdigit() else " " for ch in text)
    return tuple(int(part) for part in digits.split())


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def _sign(seen: Observation, name: str) -> Sign:
    return Sign(seen.ref.label, name, shown(seen, name))
