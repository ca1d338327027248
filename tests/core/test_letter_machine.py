"""A letter's states: what may follow what, and when it may be handed over."""

from datetime import UTC, datetime

import pytest

from orchestrator.core.errors import JournalDamaged, RefusedError
from orchestrator.core.events import Mandate
from orchestrator.core.letter import (
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
    decode,
    encode,
    ensure_sendable,
    rebuild,
)

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
LETTER = Letter(
    id="20261125-090000-ab12/contoso",
    organization="contoso",
    domain="fabrikam.com",
    event=11012,
    sender="mail@contoso.example",
    to="postmaster@fabrikam.com",
    reply_to="contoso@provider.example",
    telephone="+1 425 555 0100",
    subject="Mail is refused",
    body="Please call.\n",
    message_id="<1@contoso.example>",
    made=AT,
)
WRITTEN = LetterWritten(AT, LETTER, Mandate("ops"), ("x.eml", "x.txt"), "00")
HANDED = LetterHandedOver(AT, "mail.contoso.example:587", "ops")
BROKEN = HandOverBroken(AT, "it hung up")
WITHHELD = LetterWithheld(AT, "no connection")
ACCEPTED = LetterAccepted(AT, "250 queued")
REFUSED = LetterRefused(AT, "550 nobody")
LIFTED = DoubtLifted(AT, "ops", "not tracked")
ALL: tuple[Event, ...] = (WRITTEN, HANDED, BROKEN, WITHHELD, ACCEPTED, REFUSED, LIFTED)


@pytest.mark.parametrize(
    ("events", "standing"),
    [
        ((), Standing.WRITTEN),
        ((HANDED,), Standing.IN_DOUBT),
        ((HANDED, BROKEN), Standing.IN_DOUBT),
        ((HANDED, WITHHELD), Standing.WRITTEN),
        ((HANDED, ACCEPTED), Standing.ACCEPTED),
        ((HANDED, REFUSED), Standing.REFUSED),
        ((HANDED, REFUSED, HANDED), Standing.IN_DOUBT),
        ((HANDED, BROKEN, LIFTED, HANDED, ACCEPTED), Standing.ACCEPTED),
    ],
)
def test_where_a_letter_stands(events: tuple[Event, ...], standing: Standing) -> None:
    assert rebuild((WRITTEN, *events)).standing is standing


@pytest.mark.parametrize(
    "events",
    [
        (),
        (HANDED,),
        (WRITTEN, WRITTEN),
        (WRITTEN, ACCEPTED),
        (WRITTEN, REFUSED),
        (WRITTEN, WITHHELD),
        (WRITTEN, LIFTED),
        (WRITTEN, HANDED, HANDED),
        (WRITTEN, HANDED, ACCEPTED, HANDED),
        (WRITTEN, BROKEN),
        (WRITTEN, HANDED, ACCEPTED, BROKEN),
    ],
)
def test_what_cannot_have_happened_is_damage(events: tuple[Event, ...]) -> None:
    with pytest.raises(JournalDamaged):
        rebuild(events)


@pytest.mark.parametrize("events", [(), (HANDED, WITHHELD), (HANDED, REFUSED), (HANDED, LIFTED)])
def test_what_nobody_has_may_be_sent(events: tuple[Event, ...]) -> None:
    ensure_sendable(rebuild((WRITTEN, *events)))


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((HANDED,), "nobody knows"),
        ((HANDED, BROKEN), "nobody knows"),
        ((HANDED, ACCEPTED), "already"),
    ],
)
def test_what_somebody_may_have_is_not_sent_again(events: tuple[Event, ...], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        ensure_sendable(rebuild((WRITTEN, *events)))


@pytest.mark.parametrize("event", ALL, ids=lambda event: type(event).__name__)
def test_every_event_survives_the_journal(event: Event) -> None:
    assert decode(encode(event)) == event


def test_a_newer_layout_and_what_is_no_event_are_damage() -> None:
    with pytest.raises(JournalDamaged, match="newer"):
        decode(encode(HANDED).replace(b'"schema":1', b'"schema":99'))
    with pytest.raises(JournalDamaged, match="cannot be read"):
        decode(b"{}")


def test_letters_of_this_release_are_read_for_ever() -> None:
    payload = (
        b'{"event":{"actor":"ops","at":"2026-11-25T09:00:00Z","event":"LetterHandedOver",'
        b'"server":"mail.contoso.example:587"},"schema":1}'
    )
    assert decode(payload) == HANDED
    assert encode(HANDED) == payload
