"""Whether mail still has a way in and out once a connector is off.

The take-over rule of domain.md section 2 [inf, from the rules of section 1]: a receive connector
is disabled only if another one on its server stays on after every change of the plan, listens
where it listens, takes all of its addresses, and lets anonymous sessions in. Judged is the state
after the whole plan, so two connectors cannot vouch for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.facts import Facts, Observation, Query
from orchestrator.core.playbook import Concern, Consequence, Refusal, Sign, Verdict
from orchestrator.core.setting import Setting
from orchestrator.exchange.addresses import bindings, carries, covers, listens, overlap, size, spans
from orchestrator.exchange.connectors import (
    RECEIVE_PROPERTIES,
    SEND_PROPERTIES,
    accepts_anonymous,
    server_of,
    shown,
    spaces,
)
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, SEND_CONNECTOR
from orchestrator.exchange.protection import disables

_JUDGED_BY = ("Enabled", "Bindings", "RemoteIPRanges", "PermissionGroups", "RequireTLS")


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
            if other.ref.guid != leaving.ref.guid and server_of(other) == server_of(leaving)
        ]
        heirs = [other for other in others if not _lacks(other, leaving)]
        if not heirs:
            return (_refusal(leaving, others),)
        heir = min(heirs, key=lambda other: size(spans(other.members("RemoteIPRanges"))))
        return (*_between(leaving, heir, others), _takes_over(leaving, heir))


def _lacks(other: Observation, leaving: Observation) -> str:
    """Return what keeps *other* from taking over, or nothing."""
    if not other.flag("Enabled"):
        return "is off after this plan"
    own = bindings(other.members("Bindings"))
    if not all(listens(own, binding) for binding in bindings(leaving.members("Bindings"))):
        return "does not listen on all of its addresses and ports"
    if not covers(spans(other.members("RemoteIPRanges")), spans(leaving.members("RemoteIPRanges"))):
        return "does not take all of its remote addresses"
    if not accepts_anonymous(other):
        return "does not let anonymous sessions in"
    if other.get("RequireTLS") is True:
        return "requires TLS, which the partner does not start"
    return ""


def _refusal(leaving: Observation, others: Sequence[Observation]) -> Refusal:
    signs = tuple(
        Sign(other.ref.label, "lacks", _lacks(other, leaving), holds=False) for other in others
    )
    last = all(not _hears(other, leaving) for other in others)
    port = "It is the last one that listens there: the port would be closed. " if last else ""
    return Refusal(
        "take-over",
        f"{leaving.ref.label}: no other connector of its server would take its mail. {port}".strip(),
        "Give one that stays on the same bindings, all of its remote addresses and AnonymousUsers; "
        "or leave this connector on and remove only the domain.",
        signs,
    )


def _hears(other: Observation, leaving: Observation) -> bool:
    """Say whether *other* is on and listens on any of the same ports."""
    ports = {binding.port for binding in bindings(leaving.members("Bindings"))}
    own = {binding.port for binding in bindings(other.members("Bindings"))}
    return other.flag("Enabled") and bool(ports & own)


def _between(
    leaving: Observation, heir: Observation, others: Sequence[Observation]
) -> list[Refusal]:
    """Refuse where a more specific connector would take part of the mail and turn it away."""
    ranges = spans(leaving.members("RemoteIPRanges"))
    widest = size(spans(heir.members("RemoteIPRanges")))
    own = bindings(leaving.members("Bindings"))
    stealing = [
        other
        for other in others
        if other.flag("Enabled")
        and any(listens(bindings(other.members("Bindings")), binding) for binding in own)
        and overlap(spans(other.members("RemoteIPRanges")), ranges)
        and size(spans(other.members("RemoteIPRanges"))) < widest
        and (not accepts_anonymous(other) or other.get("RequireTLS") is True)
    ]
    return [
        Refusal(
            "take-over",
            f"{other.ref.label} is more specific than {heir.ref.label}, would take part of the "
            f"mail of {leaving.ref.label}, and turns it away",
            "Narrow its RemoteIPRanges first, or leave this connector on.",
            _signs(other),
        )
        for other in stealing
    ]


def _takes_over(leaving: Observation, heir: Observation) -> Consequence:
    return Consequence(
        "take-over",
        Concern.MAIL_FLOW,
        f"Mail that came in through {leaving.ref.label} comes in through {heir.ref.label}.",
        _signs(heir),
    )


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
        verdicts: list[Verdict] = []
        for space in spaces(leaving):
            carrying = [o for o in others if any(carries(own, space) for own in spaces(o))]
            verdicts.append(_carried(leaving, space.space, carrying))
        return verdicts


def _carried(leaving: Observation, space: str, carrying: Sequence[Observation]) -> Verdict:
    if not carrying:
        return Refusal(
            "stranded",
            f"no other send connector carries {space}: mail for it would lie in the unreachable "
            "queue",
            "Give one that stays on this address space, or leave this connector on.",
            (Sign(leaving.ref.label, "AddressSpaces", shown(leaving, "AddressSpaces")),),
        )
    first = carrying[0]
    return Consequence(
        "stranded",
        Concern.OUTBOUND,
        f"Mail for {space} goes out through {first.ref.label}.",
        (Sign(first.ref.label, "AddressSpaces", shown(first, "AddressSpaces")),),
    )
