"""A diagnosis: events, the present state and protocol logs are brought together. Reads only."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.app.logs import transport_servers
from orchestrator.app.workplace import Workplace
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.facts import Facts, Query, Reader
from orchestrator.core.inventory import Organization, Partner
from orchestrator.eventlog.protocol import Reading, read_files, read_server, read_somewhere
from orchestrator.exchange.diagnosis import Case, Diagnosis, Hint, diagnose, queries
from orchestrator.exchange.domains import to_ascii
from orchestrator.exchange.event import host
from orchestrator.exchange.incident import Incident, Ledger, Sighting, merge
from orchestrator.exchange.objects import FRONTEND_TRANSPORT, TRANSPORT_SERVICE
from orchestrator.exchange.senders import Roll, Senders

_LOG_PATH = "ReceiveProtocolLogPath"
_LOG_PATHS = (
    Query(FRONTEND_TRANSPORT, (_LOG_PATH,)),
    Query(TRANSPORT_SERVICE, (_LOG_PATH,)),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a diagnosis is asked about, and what it may look at.

    *incident* is the one that was named, if one was; else the open one of the domain is meant.
    *sightings* were read from files, and are of any domain. *logs* are names of protocol logs;
    *fetch* says that they are fetched from the servers. *hints* are what DNS says of the partner.
    """

    domain: str
    incident: str = ""
    sightings: tuple[Sighting, ...] = ()
    logs: tuple[str, ...] = ()
    fetch: bool = False
    hints: tuple[Hint, ...] = ()


@dataclass(slots=True)
class Examined:
    """What came of one organization: a diagnosis with what it rests on, or why there is none."""

    organization: Organization
    diagnosis: Diagnosis | None = None
    senders: Senders | None = None
    error: OrchestratorError | None = None
    sightings: tuple[Sighting, ...] = field(default=())


def examine(
    workplace: Workplace, organization: Organization, ledger: Ledger, asked: Asked
) -> Examined:
    """Look at *organization* and say what is wrong with the domain. Nothing is written."""
    incident = ledger.find(asked.incident) or ledger.open_of(asked.domain)
    own = [s for s in asked.sightings if to_ascii(s.domain) == asked.domain]
    sightings = merge((*(incident.sightings if incident else ()), *own))
    session = workplace.session(organization)
    try:
        with closing(session):
            session.pin()
            facts = session.ask(queries())
            senders = _senders(workplace, organization, session, sightings, asked)
        case = Case(
            domain=asked.domain,
            facts=facts,
            sightings=sightings,
            incident=incident.id if incident else "",
            recorded=connectors(incident) if incident else (),
            others=others(ledger, asked.domain, asked.sightings),
            senders=senders,
            known=organization.partners.get(asked.domain, Partner()).addresses,
            hints=asked.hints,
            protection=organization.protect,
        )
    except OrchestratorError as error:
        return Examined(organization, error=error)
    return Examined(organization, diagnose(case), senders, sightings=sightings)


def others(ledger: Ledger, domain: str, more: Iterable[Sighting] = ()) -> tuple[Sighting, ...]:
    """Return what was seen of other domains, over or not, and of our own certificates."""
    recorded = (s for i in ledger.incidents if i.domain != domain for s in i.sightings)
    strange = (s for s in more if to_ascii(s.domain) != domain)
    return (*recorded, *ledger.evidence, *strange)


def _senders(
    workplace: Workplace,
    organization: Organization,
    reader: Reader,
    sightings: Sequence[Sighting],
    asked: Asked,
) -> Senders | None:
    """Return who was refused by the logs that may be looked at; None where none may be."""
    if not asked.logs and not asked.fetch:
        return None
    reading = Reading(Roll(asked.domain))
    read_files(asked.logs, reading)
    if asked.fetch:
        _fetch(workplace, organization, reader, sightings, reading)
    return reading.senders()


def _fetch(
    workplace: Workplace,
    organization: Organization,
    reader: Reader,
    sightings: Sequence[Sighting],
    reading: Reading,
) -> None:
    servers, missed = transport_servers(workplace, organization)
    reading.gaps += [f"{one.server}: {one.error}" for one in missed]
    concerned = {host(s.server).casefold() for s in sightings if s.server}
    paths = {} if organization.protocol_logs else _paths(reader.ask(_LOG_PATHS))
    for server in servers:
        home = host(server.name).casefold()
        if concerned and home not in concerned:
            continue
        known = organization.protocol_logs or paths.get(home, ())
        moments = _moments(s for s in sightings if host(s.server).casefold() == home)
        try:
            reached = workplace.host(server, organization)
            if known:
                read_server(reached, server.name, known, moments, reading)
            else:
                read_somewhere(reached, server.name, USUAL_FOLDERS, moments, reading)
        except OrchestratorError as error:
            reading.gaps.append(f"{server.name}: {error.message}")


_ROOT = "C:\\Program Files\\Microsoft\\Exchange Server"
USUAL_FOLDERS = tuple(
    f"{_ROOT}\\{part}\\ProtocolLog\\SmtpReceive"
    for part in (
        "V15\\TransportRoles\\Logs\\FrontEnd",
        "V15\\TransportRoles\\Logs\\Hub",
        "V14\\TransportRoles\\Logs",
    )
)
"""Where Exchange writes unless somebody moved it: 2013 and later, then 2010 [doc]."""


def _paths(facts: Facts) -> Mapping[str, tuple[str, ...]]:
    """Return where each server writes, by its host name in lower case; nothing where unknown."""
    found: dict[str, tuple[str, ...]] = {}
    for kind in (FRONTEND_TRANSPORT, TRANSPORT_SERVICE):
        for each in facts.maybe(kind):
            path = each.text(_LOG_PATH).rstrip("\\")
            name = each.text("Name").casefold()
            if path and path not in found.get(name, ()):
                found[name] = (*found.get(name, ()), path)
    return found


def _moments(sightings: Iterable[Sighting]) -> tuple[datetime, ...]:
    return tuple(dict.fromkeys(at for s in sightings for at in (s.first, s.last) if at))


def inputs(incident: Incident, names: Iterable[str]) -> dict[str, str]:
    """Return what *incident* says for the playbook's inputs called *names*.

    A connector that events do not agree on is not among them: which one is meant has to be said.
    """
    said = {"domain": incident.domain}
    named = connectors(incident)
    if len(named) == 1:
        said["connector"] = named[0]
    return {name: said[name] for name in names if name in said}


def connectors(incident: Incident) -> tuple[str, ...]:
    r"""Return the receive connectors that the events name, as ``SERVER\Name``, the latest first.

    Those that are called alike on several servers, as setup's own are, count as one: what holds
    for one of them is judged for its flow, and a playbook that acts on connectors finds the rest.
    """
    named = [each for each in incident.sightings if "\\" in each.connector]
    named.sort(key=lambda each: each.last or incident.opened, reverse=True)
    alike: dict[str, str] = {}
    for each in named:
        server, _, name = each.connector.casefold().partition("\\")
        alike.setdefault(name.replace(server, "*"), each.connector)
    return tuple(alike.values())
