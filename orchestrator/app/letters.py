"""Letters to partners: composed, written to files, recorded, and handed over, once.

Streams: ``letter/<batch>/<organization>``. Nothing here can write to an Exchange server.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from orchestrator.app.brakes import pressed, switch
from orchestrator.app.execution import new_batch
from orchestrator.app.records import RUNS
from orchestrator.app.workplace import Workplace
from orchestrator.core.errors import (
    ConfigurationError,
    ConnectionLost,
    OrchestratorError,
    RefusedError,
    StoreError,
    UsageError,
)
from orchestrator.core.events import Mandate
from orchestrator.core.facts import Query, Unknown
from orchestrator.core.inventory import Organization, Smtp
from orchestrator.core.letter import (
    Correspondence,
    DoubtLifted,
    Event,
    HandOverBroken,
    Letter,
    LetterAccepted,
    LetterHandedOver,
    LetterRefused,
    LetterWithheld,
    LetterWritten,
    Standing,
    begin,
    decode,
    encode,
    ensure_sendable,
    evolve,
    rebuild,
)
from orchestrator.exchange.family import SECURITY_EVENTS
from orchestrator.exchange.incident import Sighting
from orchestrator.exchange.letter import (
    MX_PROVES_NOTHING,
    asks,
    ensure_answerable,
    ground,
    parse_address,
    parse_telephone,
    sightings_of,
)
from orchestrator.exchange.objects import ACCEPTED_DOMAIN
from orchestrator.journal import Store
from orchestrator.postman.delivery import LetterRejected, hand_over
from orchestrator.postman.probe import Host, Probe
from orchestrator.render.letter import Words, default_template, eml, fill, text_form

LETTERS = "letter/"

_TEMPLATE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What the operator wants written. *zone* None is that of this machine."""

    domain: str
    event: int
    to: str
    reply_to: str
    telephone: str
    sightings: tuple[Sighting, ...] = ()
    template: Path | None = None
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter that nobody has yet, and what there is to say of it to the operator."""

    letter: Letter
    notes: tuple[str, ...]


def compose(
    workplace: Workplace,
    organization: Organization,
    request: Request,
    look: Callable[[str], Probe] | None = None,
) -> Composed:
    """Return the letter. Raises UsageError, RefusedError, ConfigurationError.

    *look* probes the partner's MX hosts. Exchange is asked for its accepted domains alone.
    """
    ground(request.event)
    reply_to = parse_address(request.reply_to, "--reply-to")
    to = parse_address(request.to, "--to")
    telephone = parse_telephone(request.telephone)
    ensure_answerable(reply_to, request.domain, request.event, ())
    template, file = _template(request.template)
    accepted = accepted_domains(workplace, organization)
    doubt = ensure_answerable(reply_to, request.domain, request.event, accepted)
    sender = organization.smtp.sender if organization.smtp else reply_to
    made = workplace.clock().replace(microsecond=0)
    probed = look(request.domain) if look else None
    words = fill(
        template, _variables(organization, request, (reply_to, telephone), made, probed), file
    )
    letter = _letter(workplace, organization, request, words, (sender, to, reply_to, telephone))
    return Composed(letter, tuple(note for note in (doubt, *_notes(request)) if note))


def _letter(
    workplace: Workplace,
    organization: Organization,
    request: Request,
    words: Words,
    addresses: tuple[str, str, str, str],
) -> Letter:
    sender, to, reply_to, telephone = addresses
    batch = new_batch(workplace)
    return Letter(
        id=f"{batch}/{organization.name}",
        organization=organization.name,
        domain=request.domain,
        event=request.event,
        sender=parse_address(sender, "the sender"),
        to=to,
        reply_to=reply_to,
        telephone=telephone,
        subject=words.subject,
        body=words.body,
        message_id=f"<{batch}.{os.urandom(8).hex()}@{sender.rpartition('@')[2]}>",
        made=workplace.clock().replace(microsecond=0),
    )


def _notes(request: Request) -> Iterator[str]:
    if not sightings_of(request.sightings, request.domain, request.event):
        yield "The letter names no time: give --at, or --file with the exported events."


def _template(path: Path | None) -> tuple[str, str]:
    if path is None:
        return default_template(), ""
    try:
        with path.open("rb") as stream:
            return stream.read(_TEMPLATE_BYTES).decode("utf-8"), str(path)
    except OSError as error:
        raise ConfigurationError(
            f"the template cannot be read: {error.strerror}", "Is the name right?", file=str(path)
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            "the template is no UTF-8 text", "Save it as UTF-8.", file=str(path)
        ) from error


def accepted_domains(workplace: Workplace, organization: Organization) -> tuple[str, ...] | None:
    """Return the organization's accepted domains; None where they cannot be read."""
    session = workplace.session(organization)
    try:
        session.pin()
        facts = session.ask((Query(ACCEPTED_DOMAIN, ("DomainName",)),))
    except OrchestratorError:
        return None
    finally:
        session.close()
    seen = facts.known.get(ACCEPTED_DOMAIN, Unknown("it was not asked for"))
    if isinstance(seen, Unknown):
        return None
    names = tuple(str(each.properties.get("DomainName") or "") for each in seen)
    return names if names and all(names) else None


def _variables(
    organization: Organization,
    request: Request,
    answer_to: tuple[str, str],
    made: datetime,
    probed: Probe | None,
) -> dict[str, object]:
    kind, why = SECURITY_EVENTS[request.event], ground(request.event)
    seen = sightings_of(request.sightings, request.domain, request.event)
    return {
        "organization": organization.title or organization.name,
        "domain": request.domain,
        "event": request.event,
        "event_name": kind.name,
        "side": kind.side.value,
        "meaning": kind.meaning,
        "happened": why.happened,
        "answer": why.answer,
        "asks": asks(request.event, request.domain),
        "sightings": [_sighting(each, request.zone) for each in seen],
        "reply_to": answer_to[0],
        "telephone": answer_to[1],
        "made": f"{made:%Y-%m-%d %H:%M:%S} UTC",
        "probe": _probe_words(probed, made) if probed else None,
    }


def _sighting(seen: Sighting, zone: tzinfo | None) -> dict[str, object]:
    return {
        "server": seen.server,
        "connector": seen.connector,
        "count": seen.count,
        "first_utc": _utc(seen.first),
        "first_local": _local(seen.first, zone),
        "last_utc": _utc(seen.last),
        "last_local": _local(seen.last, zone),
    }


def _utc(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "at a time that is not known"


def _local(at: datetime | None, zone: tzinfo | None) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z, UTC%z}" if at else ""


def _probe_words(probed: Probe, made: datetime) -> dict[str, object]:
    lines = [probed.problem] if probed.problem else [_host(each) for each in probed.hosts]
    if probed.left:
        lines.append(f"({probed.left} more were not looked at)")
    return {
        "at": f"{made:%Y-%m-%d %H:%M:%S} UTC",
        "lines": lines,
        "caution": MX_PROVES_NOTHING,
    }


def _host(host: Host) -> str:
    offers = {True: "offers STARTTLS", False: "offers no STARTTLS", None: ""}[host.starttls]
    said = [part for part in (offers, host.version, host.problem) if part]
    if host.certificate is not None:
        names = ", ".join(host.certificate.names[:10]) or "no name"
        said.append(f"certificate for {names}, until {host.certificate.expires:%Y-%m-%d}")
        distrust = host.certificate.distrust
        said.append(f"not trusted here ({distrust})" if distrust else "trusted here")
    return f"{host.name}: {'; '.join(said)}"


def write(
    workplace: Workplace, composed: Composed, directory: Path, mandate: Mandate
) -> Correspondence:
    """Write the letter as ``.eml`` and ``.txt`` and record it. Raises UsageError, StoreError.

    The files are their owner's alone, and never replace any: without a record there are none.
    """
    letter = composed.letter
    message = eml(letter)
    base = f"{letter.domain}-{letter.id.partition('/')[0]}"
    contents = {
        directory / f"{base}.eml": message,
        directory / f"{base}.txt": text_form(letter).encode("utf-8"),
    }
    written: list[Path] = []
    try:
        for path, content in contents.items():
            _new_file(path, content)
            written.append(path)
        event = LetterWritten(
            workplace.clock(),
            letter,
            mandate,
            tuple(str(path) for path in written),
            hashlib.sha256(message).hexdigest(),
        )
        workplace.store.append(LETTERS + letter.id, 0, [encode(event)])
    except OrchestratorError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return begin(event)


def _new_file(path: Path, content: bytes) -> None:
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as stream:
            stream.write(content)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(
            f"the letter cannot be written to {path}: {error.strerror}",
            "Name a directory that exists with --letter-dir; no file is ever replaced.",
        ) from error
    except OSError as error:
        raise StoreError(
            f"the letter cannot be written to {path}: {error.strerror}",
            "Name another directory with --letter-dir.",
        ) from error


def names(store: Store) -> tuple[str, ...]:
    """Return every letter's name, oldest first."""
    return tuple(stream.removeprefix(LETTERS) for stream in store.streams(LETTERS))


def find(store: Store, name: str) -> tuple[str, ...]:
    """Return the letters that *name* means: an id, or the beginning of one's.

    Raises UsageError where a beginning fits several letters, or a run as well.
    """
    known = names(store)
    exact = tuple(one for one in known if name in {one, one.partition("/")[0]})
    found = exact or tuple(one for one in known if name and one.startswith(name))
    if len(found) > 1 or (found and not exact and store.streams(RUNS + name)):
        raise UsageError(
            f"'{name}' fits several runs or letters", "'orchestrator runs list' names them."
        )
    return found


def events_of(store: Store, name: str) -> tuple[Event, ...]:
    """Return the events of a letter. Raises JournalDamaged."""
    return tuple(decode(entry.payload) for entry in store.read(LETTERS + name))


def load(store: Store, name: str) -> Correspondence:
    """Return a letter as its journal describes it. Raises JournalDamaged."""
    return rebuild(events_of(store, name))


def all_letters(store: Store) -> Sequence[Correspondence]:
    """Return every letter, oldest first."""
    return [load(store, name) for name in names(store)]


def ensure_server(organization: Organization) -> Smtp:
    """Return who takes letters. Raises ConfigurationError where the inventory names nobody."""
    if organization.smtp is None:
        raise ConfigurationError(
            f"{organization.name}: the inventory names no SMTP server for letters",
            "Add 'smtp' to it (inventory.example.yaml), or send the .eml file by other means.",
        )
    return organization.smtp


@dataclass(slots=True)
class _Record:
    """One letter's journal: an event is durable before ``add`` returns."""

    workplace: Workplace
    known: Correspondence
    version: int

    def add(self, event: Event) -> None:
        stands = evolve(self.known, event)
        stream = LETTERS + self.known.letter.id
        self.version = self.workplace.store.append(stream, self.version, [encode(event)])
        self.known = stands


def send(
    workplace: Workplace, organization: Organization, name: str, not_arrived: str = ""
) -> tuple[Correspondence, OrchestratorError | None]:
    """Hand a recorded letter over and return how it stands, and what went wrong.

    *not_arrived* is a person's word for a letter in doubt. Raises RefusedError, ConfigurationError
    before anything is sent.
    """
    smtp = ensure_server(organization)
    events = events_of(workplace.store, name)
    record = _Record(workplace, rebuild(events), len(events))
    _released(workplace)
    if not_arrived and record.known.standing is Standing.IN_DOUBT:
        record.add(DoubtLifted(workplace.clock(), workplace.actor, not_arrived))
    ensure_sendable(record.known)
    error = _hand_over(record, smtp)
    return record.known, error


def _released(workplace: Workplace) -> None:
    closure = pressed(switch(workplace))
    if closure is not None:
        raise RefusedError(f"{closure}", "'orchestrator start' lifts it, once it may be.")


def _hand_over(record: _Record, smtp: Smtp) -> OrchestratorError | None:
    letter, now = record.known.letter, record.workplace.clock
    message = eml(letter)
    if hashlib.sha256(message).hexdigest() != record.known.digest:
        raise RefusedError(
            f"letter {letter.id} is not word for word what was recorded",
            "It was written by another version: write it anew with 'orchestrator contact-partner'.",
        )
    record.add(LetterHandedOver(now(), f"{smtp.host}:{smtp.port}", record.workplace.actor))
    try:
        answer = hand_over(smtp, letter.sender, letter.to, message)
    except LetterRejected as error:
        record.add(LetterRefused(now(), str(error.reply)))
        return error
    except ConnectionLost as error:
        record.add(HandOverBroken(now(), str(error)))
        return error
    except OrchestratorError as error:
        record.add(LetterWithheld(now(), str(error)))
        return error
    record.add(LetterAccepted(now(), answer))
    return None
