"""The state machine of a letter to a partner: what it says, and whether anybody has it.

A letter is no change of Exchange: it holds no organization, rests on no state, and cannot be
undone. So it has a machine of its own, far smaller than a run's, under the same law: what is about
to happen is recorded before it happens, and what is in doubt is never done again blindly. Nobody
can look into a mailbox, so a hand-over in doubt waits for a person's word.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from orchestrator.core.codec import Codec
from orchestrator.core.command import Plain
from orchestrator.core.errors import JournalDamaged, RefusedError
from orchestrator.core.events import Mandate


class Standing(StrEnum):
    """Where a letter stands. IN_DOUBT: handed over, and nobody knows whether it was taken."""

    WRITTEN = "written"
    IN_DOUBT = "in-doubt"
    ACCEPTED = "accepted"
    REFUSED = "refused"


_FROM: Mapping[Standing, frozenset[Standing]] = {
    Standing.WRITTEN: frozenset({Standing.IN_DOUBT}),
    Standing.IN_DOUBT: frozenset({Standing.WRITTEN, Standing.REFUSED}),
    Standing.ACCEPTED: frozenset({Standing.IN_DOUBT}),
    Standing.REFUSED: frozenset({Standing.IN_DOUBT}),
}
"""Where a letter may have stood before an event brought it to where it stands."""


class Letter(Plain, frozen=True):
    """A letter, word for word: from these values its ``.eml`` is made, the same each time.

    *id* is ``<batch>/<organization>``, as a run's. *message_id* stays the same however often the
    letter is handed over, so that a mailbox can tell a second copy.
    """

    id: str
    organization: str
    domain: str
    event: int
    sender: str
    to: str
    reply_to: str
    telephone: str
    subject: str
    body: str
    message_id: str
    made: datetime


class _Event(Plain, frozen=True, tag=True, tag_field="event"):
    """Base of events: each is tagged with its name and carries when it happened, in UTC."""

    at: datetime


class LetterWritten(_Event, frozen=True):
    """The letter was composed and lies in *files*; *digest* is the SHA-256 of its ``.eml``."""

    letter: Letter
    mandate: Mandate
    files: tuple[str, ...]
    digest: str


class LetterHandedOver(_Event, frozen=True):
    """The letter is about to be given to *server*. Until another event follows, it is in doubt."""

    server: str
    actor: str


class LetterWithheld(_Event, frozen=True):
    """The hand-over ended before the letter itself was sent: nobody has it."""

    reason: str


class LetterAccepted(_Event, frozen=True):
    """The server took the letter over; that it arrived is more than anybody here can know."""

    answer: str


class LetterRefused(_Event, frozen=True):
    """The server answered that it does not take the letter: nobody has it."""

    answer: str


class HandOverBroken(_Event, frozen=True):
    """The connection broke after the letter was sent and before an answer: it is in doubt."""

    reason: str


class DoubtLifted(_Event, frozen=True):
    """A person says that the letter did not arrive, and how they know: it may be sent again."""

    actor: str
    reason: str


Event: TypeAlias = (
    LetterWritten
    | LetterHandedOver
    | LetterWithheld
    | LetterAccepted
    | LetterRefused
    | HandOverBroken
    | DoubtLifted
)


class Correspondence(Plain, frozen=True):
    """Everything that is known about a letter. *detail* is what was said last, by whomever."""

    letter: Letter
    mandate: Mandate
    files: tuple[str, ...]
    digest: str
    standing: Standing = Standing.WRITTEN
    server: str = ""
    detail: str = ""
    changed: datetime | None = None


def begin(event: LetterWritten) -> Correspondence:
    """Return the state of a letter that nobody has yet."""
    return Correspondence(event.letter, event.mandate, event.files, event.digest, changed=event.at)


def evolve(known: Correspondence, event: Event) -> Correspondence:
    """Return the state after *event*. Raises JournalDamaged for what cannot have happened."""
    match event:
        case LetterWritten():
            raise JournalDamaged(f"letter {known.letter.id} was written twice")
        case LetterHandedOver(server=server):
            return replace(_mark(known, Standing.IN_DOUBT, "", event.at), server=server)
        case LetterWithheld(reason=reason) | DoubtLifted(reason=reason):
            return _mark(known, Standing.WRITTEN, reason, event.at)
        case LetterAccepted(answer=answer):
            return _mark(known, Standing.ACCEPTED, answer, event.at)
        case LetterRefused(answer=answer):
            return _mark(known, Standing.REFUSED, answer, event.at)
        case HandOverBroken(reason=reason) if known.standing is Standing.IN_DOUBT:
            return replace(known, detail=reason, changed=event.at)
        case HandOverBroken():
            raise JournalDamaged(f"letter {known.letter.id} was not under way")
        case _:
            assert_never(event)


def _mark(known: Correspondence, standing: Standing, detail: str, at: datetime) -> Correspondence:
    if known.standing not in _FROM[standing]:
        raise JournalDamaged(
            f"letter {known.letter.id}, {known.standing}, cannot become {standing}"
        )
    return replace(known, standing=standing, detail=detail, changed=at)


def rebuild(events: Iterable[Event]) -> Correspondence:
    """Return the state that a journal describes. Raises JournalDamaged where it makes no sense."""
    history = iter(events)
    first = next(history, None)
    if not isinstance(first, LetterWritten):
        raise JournalDamaged("a letter's journal begins with LetterWritten")
    known = begin(first)
    for event in history:
        known = evolve(known, event)
    return known


def ensure_sendable(known: Correspondence) -> None:
    """Raise RefusedError where the letter must not be handed over, or not yet."""
    match known.standing:
        case Standing.WRITTEN | Standing.REFUSED:
            return
        case Standing.ACCEPTED:
            raise RefusedError(
                f"letter {known.letter.id} was taken over already: {known.detail}",
                "Write another one with 'orchestrator contact-partner' if it got lost since.",
            )
        case Standing.IN_DOUBT:
            raise RefusedError(
                f"nobody knows whether {known.server} took letter {known.letter.id} over",
                f"Look for {known.letter.message_id} in its message tracking. If it is not there: "
                f"orchestrator resume {known.letter.id} --not-arrived 'how you know'.",
            )
        case _:
            assert_never(known.standing)


_CODEC: Codec[Event] = Codec(Event, "an event of a letter")

encode = _CODEC.encode
decode = _CODEC.decode
