"""Events survive being written, are readable for ever, and a newer layout is refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.calendar import Brake
from orchestrator.core.errors import JournalDamaged
from orchestrator.core.events import (
    ChangeApplied,
    ChangeDrifted,
    ChangeFailed,
    ChangeFoundDone,
    ChangeStarted,
    ChangeUndone,
    ChangeVerified,
    ChangeWithheld,
    ContactLost,
    Event,
    GlassBroken,
    Mandate,
    OnFailure,
    Outcome,
    ProofObserved,
    RollbackRequested,
    RunFinished,
    RunInterrupted,
    RunResumed,
    RunStarted,
    UndoDrifted,
    UndoFailed,
    UndoStarted,
    UndoWithheld,
    WhatIfAnswered,
    decode,
    encode,
)
from orchestrator.core.plan import Drift, Sealed, unseal
from orchestrator.core.proof import Evidence, Finding, Verdict
from orchestrator.core.run import begin

_GOLDEN = Path(__file__).parent / "golden" / "events-1.jsonl"
_AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_LINES = _GOLDEN.read_bytes().splitlines()

_TEXT = st.text(max_size=20)
_TIMES = st.datetimes(timezones=st.just(UTC))
_PLACES = st.integers(0, 300)
_DRIFTS = st.lists(st.builds(Drift, _TEXT, _TEXT, _TEXT, _TEXT), max_size=3).map(tuple)
_FINDINGS = st.builds(
    Finding,
    st.sampled_from(Verdict),
    st.lists(st.builds(Evidence, _TEXT, st.none() | st.booleans()), max_size=3).map(tuple),
    st.none() | _TIMES,
)
_TEXTS = st.lists(_TEXT, max_size=3).map(tuple)


def _reasoned(
    *kinds: Callable[[datetime, int, str], Event],
) -> list[st.SearchStrategy[Event]]:
    return [st.builds(kind, _TIMES, _PLACES, _TEXT) for kind in kinds]


_EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(RunResumed, _TIMES, _TEXT),
    st.builds(RunResumed, _TIMES, _TEXT, _TEXT),
    st.builds(RunInterrupted, _TIMES, _TEXT, st.booleans()),
    st.builds(RunInterrupted, _TIMES, _TEXT, st.just(value=False), st.sampled_from(Brake)),
    st.builds(GlassBroken, _TIMES, _TEXT, _TEXT),
    st.builds(WhatIfAnswered, _TIMES, _PLACES, _TEXTS),
    st.builds(ChangeStarted, _TIMES, _PLACES),
    st.builds(ChangeApplied, _TIMES, _PLACES, _TEXTS),
    st.builds(ChangeVerified, _TIMES, _PLACES),
    st.builds(ChangeDrifted, _TIMES, _PLACES, _DRIFTS),
    st.builds(RollbackRequested, _TIMES, _TEXT, _TEXT, st.booleans()),
    st.builds(UndoStarted, _TIMES, _PLACES),
    st.builds(ChangeUndone, _TIMES, _PLACES, st.booleans()),
    st.builds(UndoDrifted, _TIMES, _PLACES, _DRIFTS),
    st.builds(RunFinished, _TIMES, st.sampled_from(Outcome)),
    st.builds(ProofObserved, _TIMES, _TEXT, _FINDINGS),
    *_reasoned(
        ChangeWithheld, ContactLost, ChangeFoundDone, ChangeFailed, UndoWithheld, UndoFailed
    ),
)


@given(_EVENTS)
def test_any_event_survives_being_written_and_read(event: Event) -> None:
    line = encode(event)
    assert decode(line) == event
    assert encode(decode(line)) == line
    assert b"\n" not in line


def test_the_golden_file_has_every_event_and_its_lines_are_what_is_written_today() -> None:
    events = [decode(line) for line in _LINES]
    assert {type(event) for event in events} == set(get_args(Event))
    assert [encode(event) for event in events] == _LINES


def test_the_golden_plan_is_still_what_was_sealed() -> None:
    started = decode(_LINES[0])
    assert isinstance(started, RunStarted)
    plan = unseal(started.sealed)
    assert [change.setting.property for change in plan.changes] == [
        "TLSReceiveDomainSecureList",
        "Enabled",
        "AuthMechanism",
    ]
    assert begin(started).mandate == Mandate(
        "CONTOSO\\ops", "fabrikam cannot do TLS", "CHG-4711", "CISO", "2027-02-01"
    )
    assert (started.on_failure, started.whatif) == (OnFailure.ROLLBACK, True)


@pytest.mark.parametrize(
    ("line", "reason", "advice"),
    [
        (b"", "cannot be read", "journal check"),
        (b"{", "cannot be read", "journal check"),
        (b"[]", "cannot be read", "journal check"),
        (b"\xff\xfe", "cannot be read", "journal check"),
        (b'{"schema":1}', "cannot be read", "journal check"),
        (b'{"event":{"event":"ChangeStarted"}}', "cannot be read", "journal check"),
        (b'{"schema":1,"event":{"event":"Nonsense","at":"2026-11-23T09:00:00Z"}}', "cannot", ""),
        (b'{"schema":"1","event":{}}', "cannot be read", "journal check"),
        (b'{"schema":2,"event":{"event":"FromTheFuture"}}', "newer version", "that version"),
    ],
)
def test_a_line_that_cannot_be_understood_is_not_guessed(
    line: bytes, reason: str, advice: str
) -> None:
    with pytest.raises(JournalDamaged, match=reason) as caught:
        decode(line)
    assert advice in caught.value.advice


def test_an_event_with_more_than_it_should_have_is_damaged() -> None:
    line = encode(ChangeStarted(_AT, 3)).replace(b'"position":3', b'"position":3,"sent":true')
    with pytest.raises(JournalDamaged, match="unknown field"):
        decode(line)


def test_events_are_tagged_with_their_names() -> None:
    for line in _LINES:
        written = msgspec.json.decode(line)
        assert written["schema"] == 1
        assert written["event"]["event"] == type(decode(line)).__name__
    assert issubclass(Sealed, msgspec.Struct)
