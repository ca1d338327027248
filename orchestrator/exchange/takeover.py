"""Whether mail still has a way in and out once a connector is off.

The take-over rule of domain.md section 2 [inf, from the rules of section 1]: a receive connector
is disabled only if another one on its server stays on after every change of the plan, listens
where it listens, takes all of its addresses, and lets anonymous sessions in. Judged is the state
after the whole plan, so two connectors cannot vouch for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from orchestrator.core.facts import Facts, Observation, Query, UnknownFact
from orchestrator.core.playbook import Concern, Consequence, Refusal, Sign, Verdict
from orchestrator.core.setting import Setting
from orchestrator.exchange.addresses import (
    AddressSpace,
    carries,
    covers,
    listens,
    meet,
    merged,
    outranks,
)
from orchestrator.exchange.connectors import (
    RECEIVE_PROPERTIES,
    SEND_PROPERTIES,
    accepts_anonymous,
    bindings_of,
    ranges_of,
    server_of,
    shown,
    spaces,
)
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, SEND_CONNECTOR
from orchestrator.exchange.protection import disables

_JUDGED_BY = (
    "Enabled",
    "TransportRole",
    "Bindings",
    "RemoteIPRanges",
    "PermissionGroups",
    "AuthMechanism",
    "RequireTLS",
)


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Another receive connector of the server takes what the disabled one took."""

    def queries(self) -> tuple[Query, ...]:
        """Ask for every receive connector."""
        return (Query(RECEIVE_CONNECTOR, RECEIVE_PROPERTIES),)

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Name the connector that takes over, or refuse with what each other one lacks."""
        if not disables(setting) or setting.ref.kind != RECEIVE_CONNECTOR:
            return ()
        leaving = now.one(setting.ref)
        others = [
            other
            for other in after.of(RECEIVE_CONNECTOR)
            if other.ref.guid != leaving.ref.guid and _server(other) == _server(leaving)
        ]
        heirs = [other for other in others if not _lacks(other, leaving)]
        if not heirs:
            return (_refusal(leaving, others),)
        return (*_between(leaving, heirs, others), _takes_over(leaving, heirs))


def _server(connector: Observation) -> str:
    if server := server_of(connector):
        return server
    raise UnknownFact(connector.ref.label, "the server did not show where the connector is")


def _lacks(other: Observation, leaving: Observation) -> str:
    """Return what keeps *other* from taking over, or nothing."""
    if not other.flag("Enabled"):
        return "is off after this plan"
    if other.text("TransportRole").lower() != leaving.text("TransportRole").lower():
        return "belongs to another transport service"
    own = bindings_of(other)
    if not all(listens(own, binding) for binding in bindings_of(leaving)):
        return "does not listen on all of its addresses and ports"
    if not covers(merged(ranges_of(other)), merged(ranges_of(leaving))):
        return "does not take all of its remote addresses"
    return _turns_away(other)


def _turns_away(other: Observation) -> str:
    """Return why *other* is no place for the partner's mail, or nothing."""
    if not accepts_anonymous(other):
        return "does not let anonymous sessions in"
    if other.get("RequireTLS") is True:
        return "requires TLS, which the partner does not start"
    if "externalauthoritative" in {flag.lower() for flag in other.members("AuthMechanism")}:
        return "is ExternalAuthoritative: it takes everybody for a server of the organization"
    return ""


def _refusal(leaving: Observation, others: Sequence[Observation]) -> Refusal:
    signs = tuple(
        Sign(other.ref.label, "lacks", _lacks(other, leaving), holds=False) for other in others
    )
    last = all(not _hears(other, leaving) for other in others)
    port = " It is the last one that listens there: the port would be closed." if last else ""
    return Refusal(
        "take-over",
        f"{leaving.ref.label}: no other connector of its server would take its mail.{port}",
        "Give one that stays on the same bindings, all of its remote addresses and AnonymousUsers; "
        "or leave this connector on and remove only the domain.",
        (*_signs(leaving), *signs),
    )


def _hears(other: Observation, leaving: Observation) -> bool:
    """Say whether *other* is on and listens on any of the same ports."""
    ports = {binding.port for binding in bindings_of(leaving)}
    own = {binding.port for binding in bindings_of(other)}
    return other.flag("Enabled") and bool(ports & own)


def _between(
    leaving: Observation, heirs: Sequence[Observation], others: Sequence[Observation]
) -> list[Refusal]:
    """Refuse where a more specific connector would take part of the mail and turn it away."""
    among = ranges_of(leaving)
    inherited = tuple(span for heir in heirs for span in ranges_of(heir))
    stealing = [
        other
        for other in others
        if other.flag("Enabled")
        and meet(bindings_of(other), bindings_of(leaving))
        and _turns_away(other)
        and outranks(ranges_of(other), inherited, among)
    ]
    return [
        Refusal(
            "take-over",
            f"{other.ref.label} would take part of the mail of {leaving.ref.label} before "
            f"{heirs[0].ref.label}, and {_turns_away(other)}",
            "Narrow its RemoteIPRanges first, or leave this connector on.",
            (*_signs(leaving), *_signs(other)),
        )
        for other in stealing
    ]


def _takes_over(leaving: Observation, heirs: Sequence[Observation]) -> Consequence:
    taking = [heir for heir in heirs if _gets(heir, heirs, leaving)]
    names = " or ".join(heir.ref.label for heir in taking)
    return Consequence(
        "take-over",
        Concern.MAIL_FLOW,
        f"Mail that came in through {leaving.ref.label} comes in through {names}.",
        tuple(sign for connector in (leaving, *taking) for sign in _signs(connector)),
    )


def _gets(heir: Observation, heirs: Sequence[Observation], leaving: Observation) -> bool:
    """Say whether any of the mail comes to *heir*, which shares it with the other *heirs*."""
    others = tuple(
        span for other in heirs if other.ref.guid != heir.ref.guid for span in ranges_of(other)
    )
    return outranks(ranges_of(heir), others, ranges_of(leaving))


def _signs(connector: Observation) -> tuple[Sign, ...]:
    return tuple(Sign(connector.ref.label, name, shown(connector, name)) for name in _JUDGED_BY)


@dataclass(frozen=True, slots=True)
class Stranding:
    """Another send connector carries what the disabled one carried."""

    def queries(self) -> tuple[Query, ...]:
        """Ask for every send connector."""
        return (Query(SEND_CONNECTOR, SEND_PROPERTIES),)

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Name the connector that carries on, or refuse: mail would be unreachable [doc]."""
        if not disables(setting) or setting.ref.kind != SEND_CONNECTOR:
            return ()
        leaving = now.one(setting.ref)
        others = [
            other
            for other in after.of(SEND_CONNECTOR)
            if other.ref.guid != leaving.ref.guid
            and other.flag("Enabled")
            and other.get("IsScopedConnector") is not True
        ]
        return [
            _carried(leaving, space.space, sorted(_carrying(others, space), key=itemgetter(0)))
            for space in spaces(leaving)
        ]


def _carrying(
    others: Sequence[Observation], space: AddressSpace
) -> list[tuple[tuple[int, int], Observation]]:
    """Return who carries *space*: the most specific address space goes first, then the cheapest."""
    return [
        ((-len(own.space), own.cost), other)
        for other in others
        for own in spaces(other)
        if carries(own, space)
    ]


def _carried(
    leaving: Observation, space: str, carrying: Sequence[tuple[object, Observation]]
) -> Verdict:
    if not carrying:
        return Refusal(
            "stranded",
            f"no other send connector carries {space}: mail for it would lie in the unreachable "
            "queue",
            "Give one that stays on this address space, or leave this connector on.",
            (Sign(leaving.ref.label, "AddressSpaces", shown(leaving, "AddressSpaces")),),
        )
    _, first = carrying[0]
    return Consequence(
        "stranded",
        Concern.OUTBOUND,
        f"Mail for {space} goes out through {first.ref.label}.",
        (Sign(first.ref.label, "AddressSpaces", shown(first, "AddressSpaces")),),
    )
