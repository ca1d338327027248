"""``orchestrator diagnose``: what is wrong with a partner's mail, and the smallest remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import codes, options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal

if TYPE_CHECKING:
    from orchestrator.app.diagnosis import Examined
    from orchestrator.app.workplace import Workplace
    from orchestrator.core.inventory import Organization
    from orchestrator.exchange.diagnosis import Hint
    from orchestrator.exchange.incident import Incident, Ledger, Sighting
    from orchestrator.journal import Store

AUTO = "auto"
_KEPT = 10_000


@click.command()
@click.argument("subject", metavar="DOMAIN|INCIDENT")
@options.workplace
@options.limit
@click.option(
    "--file",
    "-f",
    "files",
    metavar="FILE",
    multiple=True,
    help="An exported event log with events of the domain, beside what is recorded.",
)
@click.option(
    "--protocol-log",
    "logs",
    metavar="FILE|auto",
    multiple=True,
    help="An SmtpReceive protocol log, a directory of them, or 'auto': fetched from the servers.",
)
@click.option("--dns", is_flag=True, help="Ask DNS for the partner's SPF and MX: hints only.")
@options.output
@options.pass_terminal
def command(  # noqa: PLR0913 - a command's options are its arguments
    terminal: Terminal,
    *,
    workplace: options.Place,
    subject: str,
    limit: tuple[str, ...],
    files: tuple[str, ...],
    logs: tuple[str, ...],
    dns: bool,
) -> ExitCode:
    """Say what is wrong with a partner's mail, why, and what the smallest remedy is.

    It looks at the recorded events of DOMAIN, or of an INCIDENT, at the organization's present
    state, and, if you say so, at SMTP protocol logs: who was refused. Nothing is changed. The
    exit code is 4 where a person has to decide.

    \b
    orchestrator diagnose fabrikam.com
    orchestrator diagnose fabrikam.com --protocol-log auto
    """  # noqa: D301 - click wants the backspace itself
    from orchestrator.app.diagnosis import Asked, examine  # noqa: PLC0415 - not for --help
    from orchestrator.exchange.domains import parse_domain  # noqa: PLC0415 - likewise

    with _record(workplace.store_location) as store:
        incident = _incident(store, subject)
        domain = incident.domain if incident else parse_domain(subject)
        chosen = _organizations(workplace, limit, incident, store, domain)
        ledgers = [(each, _ledger(store, each.name)) for each in chosen]
    asked = Asked(
        domain,
        incident.id if incident else "",
        _sightings(files),
        tuple(name for name in logs if name != AUTO),
        AUTO in logs,
        _hints(terminal, domain) if dns else (),
    )
    seen = [examine(workplace, each, ledger, asked) for each, ledger in ledgers]
    return _report(terminal, seen)


@contextmanager
def _record(location: str) -> Iterator["Store | None"]:
    """Open the record where there is one: a diagnosis works without, and makes none."""
    from orchestrator.cli.archive import opened  # noqa: PLC0415 - not for --help

    if not Path(location).exists():
        yield None
        return
    with opened(location) as store:
        yield store


def _incident(store: "Store | None", subject: str) -> "Incident | None":
    """Return the incident with this id; a domain is none, whatever incidents it has."""
    from orchestrator.app import incidents  # noqa: PLC0415 - not for --help
    from orchestrator.core.errors import UsageError  # noqa: PLC0415 - likewise
    from orchestrator.exchange.domains import parse_domain  # noqa: PLC0415 - likewise

    known = incidents.every(store) if store else ()
    found = next((one for one in known if one.id == subject), None)
    if found is None:
        try:
            parse_domain(subject)
        except UsageError:
            if store is not None:
                incidents.find(store, subject)
            raise
    return found


def _organizations(
    place: "Workplace",
    limit: tuple[str, ...],
    incident: "Incident | None",
    store: "Store | None",
    domain: str,
) -> "tuple[Organization, ...]":
    """Return whom it is about: as said, else the incident's, else those with an open incident."""
    from orchestrator.app import incidents  # noqa: PLC0415 - not for --help
    from orchestrator.app.planning import find_organization  # noqa: PLC0415 - likewise
    from orchestrator.core.errors import UsageError  # noqa: PLC0415 - likewise

    if incident is not None:
        own = find_organization(place, incident.organization)
        if limit and own not in place.inventory.select(limit):
            raise UsageError(
                f"--limit leaves out {incident.organization}, whose incident {incident.id} is",
                "Leave --limit away.",
            )
        return (own,)
    if not limit and store is not None:
        having = {
            i.organization for i in incidents.every(store) if i.domain == domain and not i.closed
        }
        found = tuple(each for each in place.inventory.organizations if each.name in having)
        if found:
            return found
    return place.inventory.select(limit)


def _ledger(store: "Store | None", organization: str) -> "Ledger":
    from orchestrator.app import incidents  # noqa: PLC0415 - not for --help
    from orchestrator.exchange.incident import Ledger  # noqa: PLC0415 - likewise

    return incidents.load(store, organization).ledger if store else Ledger(organization)


def _sightings(files: tuple[str, ...]) -> "tuple[Sighting, ...]":
    """Return what exported event logs hold. Raises ConfigurationError for what cannot be used."""
    from orchestrator.eventlog import open_source, read_events  # noqa: PLC0415 - not for --help
    from orchestrator.exchange.event import RawEvent, interpret  # noqa: PLC0415 - likewise
    from orchestrator.exchange.incident import merge, sighting  # noqa: PLC0415 - likewise

    found: list[Sighting] = []
    for name in files:
        with open_source(name) as source:
            for entry in read_events(source).entries:
                event = interpret(entry) if isinstance(entry, RawEvent) else None
                if event is not None and len(found) < _KEPT:
                    found.append(sighting(event, source.name))
    return merge(found)


def _hints(terminal: Terminal, domain: str) -> "tuple[Hint, ...]":
    from orchestrator.render.text import Line, Tone, safe  # noqa: PLC0415 - not for --help
    from orchestrator.resolver import hints  # noqa: PLC0415 - likewise

    found = hints(domain)
    terminal.warn(Line(safe(gap), Tone.WARNING) for gap in found.gaps)
    return found.hints


def _report(terminal: Terminal, seen: "list[Examined]") -> ExitCode:
    from orchestrator.cli.consent import show_error  # noqa: PLC0415 - not for --help
    from orchestrator.cli.work import error_row  # noqa: PLC0415 - likewise
    from orchestrator.render.diagnosis import describe, diagnosis_facts  # noqa: PLC0415 - likewise

    rows = []
    for each in seen:
        name = each.organization.name
        if each.diagnosis is not None:
            terminal.say(describe(name, each.diagnosis, terminal.look))
            rows.append(diagnosis_facts(name, each.diagnosis, each.senders) | {"error": None})
        elif each.error is not None:
            terminal.say(show_error(name, each.error, terminal.look))
            rows.append({"organization": name, "error": error_row(each.error)})
    code = codes.gravest(map(_code, seen))
    terminal.document("diagnose", {"diagnoses": rows, "exit_code": int(code)})
    return code


def _code(seen: "Examined") -> ExitCode:
    from orchestrator.exchange.diagnosis import Remedy  # noqa: PLC0415 - not for --help

    if seen.error is not None:
        return codes.of_error(seen.error)
    decided = seen.diagnosis is not None and seen.diagnosis.verdict is not Remedy.NEEDS_A_PERSON
    return ExitCode.DONE if decided else ExitCode.REFUSED
