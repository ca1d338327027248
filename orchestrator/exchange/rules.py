"""Every rule that judges a plan. To add one: write it, and give it a row."""

from collections.abc import Iterable

from orchestrator.core.facts import Query
from orchestrator.core.inventory import Protection
from orchestrator.core.playbook import Rule
from orchestrator.exchange.incident import Sighting
from orchestrator.exchange.lists import HalfRemedy, ReceiveList, SendList
from orchestrator.exchange.lowering import Lowering
from orchestrator.exchange.objects import (
    OBJECT_KINDS,
    RECEIVE_CONNECTOR,
    RECEIVE_LIST,
    SEND_CONNECTOR,
    SEND_LIST,
    TRANSPORT_CONFIG,
)
from orchestrator.exchange.protection import (
    Linked,
    NeverDisabled,
    Protected,
    Version,
    WholeValues,
)
from orchestrator.exchange.rights import Rights
from orchestrator.exchange.sharing import Shared
from orchestrator.exchange.takeover import Stranding, TakeOver
from orchestrator.exchange.tls import DomainSecured, OfferedTls


def rules(
    queries: Iterable[Query],
    protection: Protection,
    domains: tuple[str, ...],
    sightings: tuple[Sighting, ...] = (),
) -> tuple[Rule, ...]:
    """Return the rules that can have something to say of what steps with *queries* change.

    *domains* are those the playbook is about, *sightings* what incidents of the organization hold,
    of other domains too. A rule about a property applies where a step asks
    for it, and a step asks for everything it touches.
    """
    asked = {(query.kind, name) for query in queries for name in query.properties}
    kinds = tuple(kind for kind in OBJECT_KINDS if any(kind == asking for asking, _ in asked))
    half = HalfRemedy(domains)
    shared = (Shared(sightings, domains),) if sightings else ()
    table: tuple[tuple[tuple[str, str], tuple[Rule, ...]], ...] = (
        ((TRANSPORT_CONFIG, RECEIVE_LIST), (ReceiveList(),)),
        ((TRANSPORT_CONFIG, SEND_LIST), (SendList(),)),
        (
            (RECEIVE_CONNECTOR, "Enabled"),
            (
                NeverDisabled(RECEIVE_CONNECTOR),
                Linked(),
                TakeOver(),
                *shared,
                Version(RECEIVE_CONNECTOR),
            ),
        ),
        ((RECEIVE_CONNECTOR, "Bindings"), (NeverDisabled(RECEIVE_CONNECTOR),)),
        ((RECEIVE_CONNECTOR, "RemoteIPRanges"), (NeverDisabled(RECEIVE_CONNECTOR),)),
        (
            (SEND_CONNECTOR, "Enabled"),
            (NeverDisabled(SEND_CONNECTOR), Stranding(), Version(SEND_CONNECTOR)),
        ),
        ((RECEIVE_CONNECTOR, "AuthMechanism"), (OfferedTls(), Version(RECEIVE_CONNECTOR))),
        (
            (RECEIVE_CONNECTOR, "DomainSecureEnabled"),
            (DomainSecured(), Version(RECEIVE_CONNECTOR)),
        ),
        ((SEND_CONNECTOR, "DomainSecureEnabled"), (DomainSecured(), Version(SEND_CONNECTOR))),
    )
    chosen = dict.fromkeys(rule for about, rows in table if about in asked for rule in rows)
    off = {(RECEIVE_CONNECTOR, "Enabled"), (SEND_CONNECTOR, "Enabled")} & asked
    always: tuple[Rule, ...] = (Protected(protection), WholeValues(), Lowering(), Rights(kinds))
    return (*chosen, *((half,) if off else ()), *always)
