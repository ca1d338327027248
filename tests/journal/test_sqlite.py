"""The SQLite store's own promises: its schema, its neighbours, and what the disk does to it."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from orchestrator.core.errors import (
    JournalDamaged,
    StoreError,
)
from orchestrator.journal import Store, open_store, schema
from orchestrator.journal.connection import Connections
from orchestrator.journal.faults import FAULTS, translated
from orchestrator.journal.sqlite import SqliteStore

if TYPE_CHECKING:
    from subprocess import Popen

Run = Callable[..., str]
Start = Callable[..., "Popen[str]"]
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
posix = pytest.mark.skipif(os.name != "posix", reason="mode bits and signals")


def now() -> datetime:
    return NOON


@pytest.fixture
def store(home: Path, clock: list[datetime]) -> Iterator[Store]:
    store = open_store(home, now=lambda: clock[0], patience=timedelta(milliseconds=50))
    with closing(store):
        yield store


def test_a_journal_locked_by_another_process_can_be_read_but_not_written(
    home: Path, store: Store
) -> None:
    store.append("runs/1", 0, [b"one"])
    path = home / "journal.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process keeps the journal locked"):
            store.append("runs/1", 1, [b"two"])
        assert len(store.read("runs/1")) == 1
    assert store.append("runs/1", 1, [b"two"]) == 2


def test_a_write_does_not_queue_for_ever_behind_one_that_does_not_end(home: Path) -> None:
    connections = Connections(home, patience=timedelta(milliseconds=10))
    open_store(home, now=now).close()
    with (
        closing(SqliteStore(connections, now)) as store,
        connections.writing(),
        ThreadPoolExecutor(1) as pool,
    ):
        failure = pool.submit(store.append, "runs/1", 0, [b"one"]).exception()
    assert isinstance(failure, StoreError)
    assert "do not come to an end" in failure.message


def test_a_full_disk_leaves_what_was_there_and_nothing_half(home: Path, store: Store) -> None:
    store.append("runs/1", 0, [b"one"])
    connections = Connections(home)
    with closing(SqliteStore(connections, now)) as cramped:
        connections.mine().execute("PRAGMA max_page_count = 12")
        with pytest.raises(StoreError, match="the disk is full") as caught:
            cramped.append("runs/1", 1, [b"two", b"x" * 100_000])
        assert "Make room" in caught.value.advice
        assert [e.payload for e in cramped.read("runs/1")] == [b"one"]
        assert cramped.append("runs/1", 1, [b"two"]) == 2
    assert store.check().damages == ()


_LIMITED = """
import resource, sys
from datetime import UTC, datetime
from orchestrator.core.errors import StoreError
from orchestrator.journal import open_store
store = open_store(sys.argv[1], now=lambda: datetime.now(UTC))
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
version = 0
try:
    while True:
        version = store.append("runs/1", version, [b"x" * 5000] * 3)
except StoreError as error:
    print(version, "limit on file sizes" in str(error), len(store.read("runs/1")) == version)
"""


@posix
def test_a_file_that_may_not_grow_ends_with_the_last_whole_append(home: Path, run: Run) -> None:
    words = run(_LIMITED, home).split()
    assert words[1:] == ["True", "True"]
    with closing(open_store(home, now=now)) as store:
        (head,) = store.check().heads
        assert head.length == int(words[0]) > 0
        assert head.length % 3 == 0


@pytest.mark.parametrize(
    "content", [b"", b"[journal]\n" * 100, b"SQLite format 3\0" + b"\xff" * 200]
)
def test_a_file_that_is_no_journal_is_refused_and_left_alone(home: Path, content: bytes) -> None:
    home.mkdir(mode=0o700)
    (home / "journal.sqlite3").write_bytes(content)
    with pytest.raises(StoreError, match="journal"):
        open_store(home, now=now)
    assert (home / "journal.sqlite3").read_bytes() == content


def test_a_database_of_another_program_is_refused(home: Path) -> None:
    home.mkdir(mode=0o700)
    with closing(sqlite3.connect(home / "journal.sqlite3")) as other:
        other.execute("CREATE TABLE event (x)")
    with pytest.raises(StoreError, match="not a journal of this program"):
        open_store(home, now=now)


def test_a_newer_schema_is_refused(home: Path, store: Store) -> None:
    store.close()
    with closing(sqlite3.connect(home / "journal.sqlite3")) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="schema 99; this release knows schemas up to 1"):
        open_store(home, now=now)


def test_an_older_schema_is_brought_up_to_date_with_its_events(home: Path, store: Store) -> None:
    store.append("runs/1", 0, [b"one"])
    store.close()
    path = home / "journal.sqlite3"
    later = (*schema.MIGRATIONS, "ALTER TABLE hold ADD COLUMN note TEXT; CREATE TABLE more (x)")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.accept(connection, path, migrations=later)
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("SELECT note FROM hold").fetchall() == []
        assert connection.execute("SELECT payload FROM event").fetchall() == [(b"one",)]


def test_a_migration_that_fails_leaves_the_older_schema(home: Path, store: Store) -> None:
    store.append("runs/1", 0, [b"one"])
    path = home / "journal.sqlite3"
    broken = (*schema.MIGRATIONS, "DROP TABLE event; CREATE TABLE hold (x)")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            schema.accept(connection, path, migrations=broken)
        schema.accept(connection, path)
    assert len(store.read("runs/1")) == 1


def test_damage_that_sqlite_quotes_in_no_encoding_is_damage(home: Path, store: Store) -> None:
    store.close()
    path = home / "journal.sqlite3"
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE hold", b"CREATE TA\xc2LE hold"))
    with pytest.raises(JournalDamaged, match="file is damaged"):
        open_store(home, now=now)


def test_making_a_journal_where_there_is_one_leaves_it(home: Path, store: Store) -> None:
    store.append("runs/1", 0, [b"one"])
    schema.create(home / "journal.sqlite3")
    assert len(store.read("runs/1")) == 1
    assert list(home.glob("*.new")) == []


_FIRST = """
import sys
from datetime import UTC, datetime
from orchestrator.journal import open_store
sys.stdin.readline()
store = open_store(sys.argv[1], now=lambda: datetime.now(UTC))
for version in range(10):
    store.append(f"runs/{sys.argv[2]}", version, [b"one"])
"""


def test_processes_that_make_the_journal_at_the_same_time_share_one(
    home: Path, start: Start
) -> None:
    processes = [start(_FIRST, home, str(number)) for number in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        with process:
            assert process.wait(60) == 0
    with closing(open_store(home, now=now)) as store:
        report = store.check()
    assert sorted((head.stream, head.length) for head in report.heads) == [
        (f"runs/{number}", 10) for number in range(4)
    ]
    assert report.damages == ()
    assert list(home.glob("*.new")) == []


def test_naming_the_store_does_not_load_a_database(run: Run) -> None:
    script = "import sys, orchestrator.journal; print({'sqlite3', 'filelock'} & set(sys.modules))"
    assert run(script) == "set()\n"


def test_every_commit_is_flushed_to_a_log_that_readers_do_not_wait_for(
    home: Path, store: Store
) -> None:
    store.append("runs/1", 0, [b"one"])
    with closing(SqliteStore(connections := Connections(home), now)):
        full = connections.mine().execute("PRAGMA synchronous").fetchone()
        mode = connections.mine().execute("PRAGMA journal_mode").fetchone()
    assert (full, mode) == ((2,), ("wal",))


def test_a_thread_that_ended_leaves_no_connection_behind(home: Path, store: Store) -> None:
    store.append("runs/1", 0, [b"one"])
    connections = Connections(home)
    opened: list[sqlite3.Connection] = []
    for _ in range(2):
        thread = Thread(target=lambda: opened.append(connections.mine()))
        thread.start()
        thread.join()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")
    connections.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[1].execute("SELECT 1")


def test_threads_of_several_stores_on_one_file_wait_for_one_another(home: Path) -> None:
    stores = [open_store(home, now=now) for _ in range(8)]

    def write(number: int) -> int:
        for version in range(10):
            stores[number].append(f"runs/{number}", version, [b"x" * 500])
        return len(stores[number].read(f"runs/{number}"))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, range(8))) == [10] * 8
    for store in stores:
        store.close()


def errors(kind: type[sqlite3.Error]) -> Iterator[type[sqlite3.Error]]:
    yield kind
    for child in kind.__subclasses__():
        yield from errors(child)


def test_every_error_of_the_library_is_translated() -> None:
    for kind in errors(sqlite3.Error):
        with pytest.raises(StoreError) as caught, translated(Path("journal.sqlite3")):
            raise kind("it broke")
        assert caught.value.advice
        assert "it broke" in caught.value.message


def test_extended_result_codes_are_judged_by_their_primary_one() -> None:
    for code, (kind, sentence, advice) in FAULTS.items():
        error = sqlite3.OperationalError("it broke")
        error.sqlite_errorcode = code | 7 << 8
        with pytest.raises(kind, match=sentence) as caught, translated(Path("x")):
            raise error
        assert caught.value.advice == advice
