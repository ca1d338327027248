"""What was changed behind the store's back is found, wherever it was changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.errors import JournalDamaged, StoreError
from orchestrator.journal import Damage, Head, Report, Store, open_store

EVENTS = [b'{"type":"started","schema":1}', b'{"type":"sent"}', b'{"type":"confirmed"}', b"{}"]


def now() -> datetime:
    return datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def opened(home: Path) -> Store:
    return open_store(home, now=now)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small journal at rest: two streams of four events."""
    home = tmp_path_factory.mktemp("image") / "store"
    with closing(opened(home)) as store:
        store.append("runs/1", 0, EVENTS)
        store.append("runs/2", 0, EVENTS)
    return (home / "journal.sqlite3").read_bytes()


@contextmanager
def journal(image: bytes, log: bytes | None = None) -> Iterator[Path]:
    """The home of a store with these files."""
    with TemporaryDirectory() as name:
        (Path(name) / "journal.sqlite3").write_bytes(image)
        if log is not None:
            (Path(name) / "journal.sqlite3-wal").write_bytes(log)
        yield Path(name)


def edited(image: bytes, script: str) -> Report:
    """What the check says after somebody ran *script* in the sqlite3 shell."""
    with journal(image) as home:
        with closing(sqlite3.connect(home / "journal.sqlite3", isolation_level=None)) as other:
            other.execute("PRAGMA ignore_check_constraints = ON")
            other.executescript(script)
        with closing(opened(home)) as store:
            report = store.check()
            for damage in report.damages:
                if damage.stream.startswith("runs/"):
                    with pytest.raises(JournalDamaged, match=damage.stream):
                        store.read(damage.stream)
            return report


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_flipped_bit_of_an_event_is_found(image: bytes, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(["payload", "digest"]))
    version = data.draw(st.integers(1, 4))
    length = 32 if column == "digest" else len(EVENTS[version - 1])
    position, bit = data.draw(st.integers(0, length - 1)), data.draw(st.integers(0, 7))
    with journal(image) as home:
        path = home / "journal.sqlite3"
        where = "FROM event WHERE stream = 2 AND version = ?"
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            (value,) = other.execute(f"SELECT {column} {where}", (version,)).fetchone()
            flipped = bytearray(value)
            flipped[position] ^= 1 << bit
            other.execute(
                f"UPDATE event SET {column} = ? WHERE stream = 2 AND version = ?",  # noqa: S608 - a column named above
                (bytes(flipped), version),
            )
        with closing(opened(home)) as store:
            first, *_ = store.check().damages
            assert (first.stream, first.version) == ("runs/2", version)
            with pytest.raises(JournalDamaged, match=f"runs/2: event {version} was changed"):
                store.read("runs/2")
            assert [e.payload for e in store.read("runs/1")] == EVENTS


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_a_flipped_byte_anywhere_in_the_file_is_found_or_changes_no_event(
    image: bytes, data: st.DataObject
) -> None:
    position = data.draw(st.integers(0, len(image) - 1))
    flipped = bytearray(image)
    flipped[position] ^= data.draw(st.integers(1, 255))
    with journal(bytes(flipped)) as home:
        try:
            with closing(opened(home)) as store:
                if store.check().damages:
                    return
                streams = store.streams()
                events = [[e.payload for e in store.read(stream)] for stream in streams]
        except StoreError:
            return
        assert (streams, events) == (("runs/1", "runs/2"), [EVENTS, EVENTS])


def test_an_untouched_journal_has_no_damage(image: bytes) -> None:
    report = edited(image, "SELECT 1")
    assert [(head.stream, head.length) for head in report.heads] == [("runs/1", 4), ("runs/2", 4)]
    assert report.damages == ()


@pytest.mark.parametrize(
    ("statement", "damage"),
    [
        (
            "DELETE FROM event WHERE stream = 1 AND version = 2",
            Damage("runs/1", 2, "is missing: event 3 follows instead"),
        ),
        (
            "DELETE FROM event WHERE stream = 1 AND version = 4",
            Damage("runs/1", 3, "is not the end that the stream itself records (version 4)"),
        ),
        (
            "DELETE FROM event WHERE stream = 1",
            Damage("runs/1", 0, "is not the end that the stream itself records (version 4)"),
        ),
        (
            "UPDATE stream SET length = 'four' WHERE id = 1",
            Damage("runs/1", 4, "is not the end that the stream itself records (version four)"),
        ),
        (
            "UPDATE stream SET head = x'00' WHERE id = 1",
            Damage("runs/1", 4, "is not the end that the stream itself records (version 4)"),
        ),
        (
            "UPDATE stream SET name = CAST(x'ff' AS TEXT) WHERE id = 1",
            Damage("\ufffd", 1, "was changed after it was recorded"),
        ),
        (
            "INSERT INTO event VALUES (1, 5, x'7b7d', x'00')",
            Damage("runs/1", 5, "was changed after it was recorded"),
        ),
        (
            "UPDATE event SET payload = 'text' WHERE stream = 1 AND version = 3",
            Damage("runs/1", 3, "was changed after it was recorded"),
        ),
        (
            "UPDATE event SET version = -7 WHERE stream = 1 AND version = 1",
            Damage("runs/1", 1, "is missing: event -7 follows instead"),
        ),
        (
            "UPDATE event SET version = 'x' WHERE stream = 1 AND version = 4",
            Damage("runs/1", 4, "is missing: event 0 follows instead"),
        ),
        (
            "UPDATE stream SET name = 'runs/9' WHERE id = 1",
            Damage("runs/9", 1, "was changed after it was recorded"),
        ),
        (
            "UPDATE event SET stream = 77 WHERE stream = 1 AND version = 4",
            Damage("", 0, "row 4 of event belongs to no stream"),
        ),
    ],
)
def test_an_edit_is_found_where_it_was_made(image: bytes, statement: str, damage: Damage) -> None:
    assert damage in edited(image, statement).damages


@pytest.mark.parametrize(
    "script",
    [
        "UPDATE event SET payload = x'7b7d' WHERE stream = 1 AND version = 1",
        "DELETE FROM event WHERE stream = 1 AND version = 1",
        "UPDATE event SET version = -7 WHERE stream = 1 AND version = 1",
    ],
)
def test_an_edit_is_not_blamed_on_the_events_after_it(image: bytes, script: str) -> None:
    (damage,) = edited(image, script).damages
    assert (damage.stream, damage.version) == ("runs/1", 1)


def test_events_of_another_stream_do_not_verify_under_this_name(image: bytes) -> None:
    swapped = edited(
        image,
        "UPDATE stream SET name = 'x' WHERE id = 1;"
        "UPDATE stream SET name = 'runs/1' WHERE id = 2;"
        "UPDATE stream SET name = 'runs/2' WHERE id = 1;",
    )
    assert {damage.stream for damage in swapped.damages} == {"runs/1", "runs/2"}


def test_a_stream_removed_without_trace_is_found_by_a_head_kept_elsewhere(image: bytes) -> None:
    with journal(image) as home:
        with closing(opened(home)) as store:
            kept = store.heads()
        with closing(sqlite3.connect(home / "journal.sqlite3", isolation_level=None)) as other:
            other.execute("DELETE FROM event WHERE stream = 2")
            other.execute("DELETE FROM stream WHERE id = 2")
        with closing(opened(home)) as store:
            assert store.check().damages == ()
            assert store.check(kept).damages == (
                Damage("runs/2", 4, "stood here once and is gone"),
            )


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A database and its log as they stand in the middle of work: six appends of two events."""
    home = tmp_path_factory.mktemp("torn") / "store"
    with closing(opened(home)) as store:
        for version in range(0, 12, 2):
            store.append("runs/1", version, [f"{version}".encode(), b"x" * 3000])
        path = home / "journal.sqlite3"
        return path.read_bytes(), path.with_name(f"{path.name}-wal").read_bytes()


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_log_torn_anywhere_ends_with_its_last_whole_append(
    torn: tuple[bytes, bytes], data: st.DataObject
) -> None:
    image, log = torn
    with (
        journal(image, log[: data.draw(st.integers(0, len(log)))]) as home,
        closing(opened(home)) as store,
    ):
        (head,) = store.check().heads or (Head("runs/1", 0, ""),)
        assert head.length % 2 == 0
        assert [e.payload for e in store.read("runs/1")[::2]] == [
            f"{version}".encode() for version in range(0, head.length, 2)
        ]
        assert store.check().damages == ()
        assert store.append("runs/1", head.length, [b"on"]) == head.length + 1
