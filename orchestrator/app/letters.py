"""Letters to partners: written to files, recorded, and handed over, once.

Streams: ``letter/<batch>/<organization>``. Nothing here can write to an Exchange server.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.app.brakes import pressed, switch
from orchestrator.app.composition import Composed
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
from orchestrator.core.inventory import Organization, Smtp
from orchestrator.core.letter import (
    Correspondence,
    DoubtLifted,
    Event,
    HandOverBroken,
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
from orchestrator.journal import Store
from orchestrator.postman.delivery import LetterRejected, hand_over
from orchestrator.render.letter import eml, text_form

LETTERS = "letter/"


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
    ensure_released(workplace)
    if not_arrived and record.known.standing is Standing.IN_DOUBT:
        record.add(DoubtLifted(workplace.clock(), workplace.actor, not_arrived))
    ensure_sendable(record.known)
    error = _hand_over(record, smtp)
    return record.known, error


def ensure_released(workplace: Workplace) -> None:
    """Raise RefusedError while the kill switch is set; the store is opened to look."""
    _ = workplace.store
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
