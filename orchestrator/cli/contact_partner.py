"""``orchestrator contact-partner``: a letter to whoever runs the partner's mail servers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal

if TYPE_CHECKING:
    from orchestrator.app.composition import Composed, Request
    from orchestrator.app.workplace import Workplace
    from orchestrator.core.events import Mandate
    from orchestrator.core.inventory import Organization
    from orchestrator.core.letter import Correspondence
    from orchestrator.exchange.incident import Incident, Sighting
    from orchestrator.postman.probe import Probe

_FOLDER = click.Path(path_type=Path)
_SOMEWHERE = "one of our servers"


@click.command()
@click.argument("domain")
@click.option("--incident", default="", metavar="ID", help="What it is about, as recorded.")
@click.option("--event", type=int, default=None, help="What was logged; 11012 by default.")
@click.option("--to", default="", help="Whom to write to; as the inventory says, else postmaster@.")
@click.option(
    "--reply-to", default="", help="Where the answer goes: a mailbox outside of this organization."
)
@click.option("--telephone", default="", help="Your number, for when mail does not get through.")
@click.option("--connector", default="", help="The connector that the event names.")
@click.option("--server", default="", help="The server that logged it.")
@click.option("--at", "times", multiple=True, metavar="TIME", help="When, as 2026-11-12T14:14:15Z.")
@click.option("--file", "-f", "files", multiple=True, help="Exported events, to take these from.")
@click.option("--zone", default="", help="The zone of local times; this machine's by default.")
@click.option("--letter-dir", type=_FOLDER, default=Path(), help="Where the two files go.")
@click.option("--template", type=_FOLDER, default=None, help="Your own words (docs/letters.md).")
@click.option("--probe-partner", is_flag=True, help="Look at what the partner's MX hosts offer.")
@click.option(
    "--send", is_flag=True, help="Hand it to the inventory's SMTP server, once you agree."
)
@click.option("--dry-run", is_flag=True, help="Only show the letter.")
@options.workplace
@options.limit
@options.yes
@options.mandate
@options.output
@options.pass_terminal
def command(  # noqa: PLR0913 - a command's options are its arguments
    terminal: Terminal,
    /,
    *,
    workplace: "Workplace",
    domain: str,
    incident: str,
    limit: tuple[str, ...],
    letter_dir: Path,
    probe_partner: bool,
    send: bool,
    dry_run: bool,
    yes: bool,
    mandate: "Mandate",
    **words: object,
) -> ExitCode:
    """Write to the partner whose mail is refused; nothing in Exchange is changed.

    The letter says what was logged and when, what their server was told, what has to be
    configured on their side, and how to answer in a way that is not refused. It is written as
    .eml and as text.

    \b
    Example:
      orchestrator contact-partner fabrikam.com --file Application.evtx \\
        --reply-to contoso-mail@provider.example --telephone '+1 425 555 0100'
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.app import incidents, letters  # noqa: PLC0415 - not for --help
    from orchestrator.app.composition import compose  # noqa: PLC0415 - likewise
    from orchestrator.core.errors import UsageError  # noqa: PLC0415 - likewise
    from orchestrator.render.correspondence import show_letter  # noqa: PLC0415 - likewise

    if send and dry_run:
        raise UsageError("--send and --dry-run contradict each other", "Leave one of them away.")
    about = _incident(workplace, incident) if incident else None
    organization = _one(workplace, limit or ((about.organization,) if about else ()))
    if send:
        letters.ensure_server(organization)
        letters.ensure_released(workplace)
        ensure_askable(terminal, yes=yes)
    request = _request(organization, domain, words, about)
    composed = compose(workplace, organization, request, _look if probe_partner else None)
    _show(terminal, composed)
    if dry_run:
        return _conclude(terminal, None, ExitCode.DONE, composed)
    known = letters.write(workplace, composed, letter_dir, mandate)
    if about is not None:
        incidents.answered(workplace, about, known.letter.id)
    code = ExitCode.DONE
    if send and _agreed(terminal, known, yes=yes):
        known, code = deliver(terminal, workplace, known)
    terminal.say(show_letter(known, terminal.look))
    return _conclude(terminal, known, code, composed)


def deliver(
    terminal: Terminal, workplace: "Workplace", known: "Correspondence", not_arrived: str = ""
) -> "tuple[Correspondence, ExitCode]":
    """Hand a recorded letter over, say what goes wrong, and return how it stands."""
    from orchestrator.app import letters  # noqa: PLC0415 - not for --help
    from orchestrator.app.planning import find_organization  # noqa: PLC0415 - likewise
    from orchestrator.cli.codes import of_error  # noqa: PLC0415 - likewise
    from orchestrator.cli.consent import show_error  # noqa: PLC0415 - likewise
    from orchestrator.core.letter import Standing  # noqa: PLC0415 - likewise

    organization = find_organization(workplace, known.letter.organization)
    known, error = letters.send(workplace, organization, known.letter.id, not_arrived)
    if error is None:
        return known, ExitCode.DONE
    terminal.warn(show_error(organization.name, error, terminal.look))
    codes = {Standing.IN_DOUBT: ExitCode.UNKNOWN, Standing.REFUSED: ExitCode.FAILED}
    return known, codes.get(known.standing, of_error(error))


def _one(workplace: "Workplace", limit: tuple[str, ...]) -> "Organization":
    from orchestrator.core.errors import UsageError  # noqa: PLC0415 - not for --help

    chosen = workplace.inventory.select(limit)
    if len(chosen) != 1:
        raise UsageError("a letter speaks for one organization", "Choose it with --limit NAME.")
    return chosen[0]


def _incident(workplace: "Workplace", name: str) -> "Incident":
    from orchestrator.app import incidents  # noqa: PLC0415 - not for --help

    return incidents.find(workplace.store, name)


def _event(given: object, about: "Incident | None") -> int:
    """Return what the letter is about: as given, else what the incident has, 11012 first."""
    from orchestrator.exchange.letter import GROUNDS  # noqa: PLC0415 - not for --help

    if given is not None:
        return int(str(given))
    usual = 11012
    seen = [number for number in about.ids if number in GROUNDS] if about else []
    return usual if usual in seen or not seen else seen[0]


def _request(
    organization: "Organization",
    domain: str,
    words: "dict[str, object]",
    about: "Incident | None",
) -> "Request":
    from orchestrator.app.composition import Request  # noqa: PLC0415 - not for --help
    from orchestrator.core.errors import UsageError  # noqa: PLC0415 - likewise
    from orchestrator.exchange.domains import parse_domain  # noqa: PLC0415 - likewise
    from orchestrator.loader.calendar import zone  # noqa: PLC0415 - likewise

    refused = parse_domain(domain)
    if about is not None and (about.domain, about.organization) != (refused, organization.name):
        raise UsageError(
            f"{about.id} is about {about.domain} and {about.organization}",
            "Name that domain, or another incident ('orchestrator incidents list').",
        )
    event = _event(words["event"], about)
    partner, usual = organization.partners.get(refused), organization.variables
    named = str(words["to"]) or (partner.mail if partner else "")
    return Request(
        domain=refused,
        event=event,
        to=named or f"postmaster@{refused}",
        reply_to=str(words["reply_to"] or usual.get("reply_to", "")),
        telephone=str(words["telephone"] or usual.get("telephone", "")),
        sightings=(*(about.sightings if about else ()), *_sightings(refused, event, words)),
        template=words["template"] if isinstance(words["template"], Path) else None,
        zone=zone(str(words["zone"])) if words["zone"] else None,
    )


def _sightings(domain: str, number: int, words: "dict[str, object]") -> "tuple[Sighting, ...]":
    from orchestrator.exchange.incident import Sighting, merge  # noqa: PLC0415 - not for --help

    found: list[Sighting] = []
    for name in _texts(words["files"]):
        found.extend(_read(name, domain))
    times: list[datetime | None] = [_moment(text) for text in _texts(words["times"])]
    if words["server"] or words["connector"] or times:
        said = str(words["connector"])
        server = str(words["server"]) or said.rpartition("\\")[0] or _SOMEWHERE
        found.extend(
            Sighting(number, "", domain, said, server, first=at, last=at) for at in times or [None]
        )
    return merge(found)


def _texts(given: object) -> tuple[str, ...]:
    return tuple(map(str, given)) if isinstance(given, tuple) else ()


def _moment(text: str) -> datetime:
    from orchestrator.core.errors import UsageError  # noqa: PLC0415 - not for --help

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - refused below, like every time without a zone
    if found.tzinfo is None:
        raise UsageError(f"'{text}' does not say an instant", "Write --at 2026-11-12T14:14:15Z.")
    return found.astimezone(UTC)


def _read(name: str, domain: str) -> "list[Sighting]":
    from orchestrator.eventlog import Damage, open_source, read_events  # noqa: PLC0415 - not for --help
    from orchestrator.exchange.domains import to_ascii  # noqa: PLC0415 - likewise
    from orchestrator.exchange.event import interpret  # noqa: PLC0415 - likewise
    from orchestrator.exchange.incident import Sighting, merge, sighting  # noqa: PLC0415 - likewise

    kept: tuple[Sighting, ...] = ()
    with open_source(name) as source:
        for entry in read_events(source).entries:
            event = None if isinstance(entry, Damage) else interpret(entry)
            if event is not None and to_ascii(event.domain) == domain:
                kept = merge((*kept, sighting(event, source.name)))
    return list(kept)


def _look(domain: str) -> "Probe":
    from orchestrator.postman.probe import probe, usual_resolver  # noqa: PLC0415 - not for --help

    return probe(domain, usual_resolver())


def _show(terminal: Terminal, composed: "Composed") -> None:
    from orchestrator.render.correspondence import show_words  # noqa: PLC0415 - not for --help
    from orchestrator.render.letter import text_form  # noqa: PLC0415 - likewise
    from orchestrator.render.text import BLANK, Tone, wrapped  # noqa: PLC0415 - likewise

    terminal.tell(show_words(text_form(composed.letter)))
    terminal.tell([BLANK])
    for note in composed.notes:
        terminal.tell(wrapped(note, Tone.WARNING, width=terminal.width))


def ensure_askable(terminal: Terminal, *, yes: bool) -> None:
    """Raise UsageError, before anything is written, where nobody can be asked."""
    from orchestrator.core.errors import UsageError  # noqa: PLC0415 - not for --help

    if not yes and not terminal.interactive:
        raise UsageError(
            "nobody can be asked whether to send it: standard input is not a terminal; "
            "nothing was sent",
            "Look at the letter first (--dry-run), then add --yes to agree to it beforehand.",
        )


def _agreed(terminal: Terminal, known: "Correspondence", *, yes: bool) -> bool:
    from orchestrator.cli.consent import agree  # noqa: PLC0415 - not for --help

    return agree(terminal, f"Send this letter to {known.letter.to}?", yes=yes)


def _conclude(
    terminal: Terminal, known: "Correspondence | None", code: ExitCode, composed: "Composed"
) -> ExitCode:
    from orchestrator.render.correspondence import letter_facts  # noqa: PLC0415 - not for --help

    facts = letter_facts(known) if known else None
    terminal.document(
        "letter",
        {
            "letter": facts or composed.letter,
            "dry_run": known is None,
            "notes": list(composed.notes),
            "exit_code": int(code),
        },
    )
    return code
