"""Journals that make no sense are damaged: no mistake of ours, and nothing to be carried out."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator.core.errors import JournalDamaged
from orchestrator.core.events import RunStarted, decode
from orchestrator.core.run import rebuild

_FIRST = (Path(__file__).parent / "golden" / "events-1.jsonl").read_bytes().splitlines()[0]


def test_a_journal_whose_plan_was_edited_is_damaged() -> None:
    started = decode(_FIRST)
    assert isinstance(started, RunStarted)
    sealed = replace(started.sealed, seal="0" * 64)
    with pytest.raises(JournalDamaged, match="not what was sealed"):
        rebuild([replace(started, sealed=sealed)])


@pytest.mark.parametrize(
    "payload", [b"\xff", b'{"schema":"\xed\xa0\x80"}', b"[" * 100_000, b'{"a":' * 100_000, b""]
)
def test_an_event_that_no_reader_can_read_is_damage(payload: bytes) -> None:
    with pytest.raises(JournalDamaged, match="cannot be read"):
        decode(payload)
