"""The SQLite store's own promises: its files, its neighbours, and what the disk can do to it."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest

from orchestrator.core.errors import (
    ConfigurationError,
    HeldError,
    JournalDamaged,
    StoreError,
)
from orchestrator.journal import HoldLost, Owner, Store, open_store, schema
from orchestrator.journal.connection import Connections
from orchestrator.journal.faults import FAULTS, translated
from orchestrator.journal.sqlite import SqliteStore

GUID = "2f1c9c4e-6c1e-4c57-9d2b-0c2f5a6f7a11"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LEASE = timedelta(minutes=5)
posix = pytest.mark.skipif(os.name != "posix", reason="mode bits and signals")


def now() -> datetime:
    return NOON


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(home: Path, clock: list[datetime]) -> Iterator[Store]:
    store = open_store(home, now=lambda: clock[0], patience=timedelta(milliseconds=50))
    with closing(store):
        yield store


def owner(user: str = "alice", host: str = "jump1") -> Owner:
    return Owner(host, 4711, user, "orchestrator run", NOON)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_whatever_the_umask_only_the_owner_can_read(home: Path) -> None:
    before = os.umask(0)
    try:
        with (
            closing(open_store(home, now=now)) as store,
            store.hold(GUID, owner(), LEASE) as hold,
        ):
            store.append("runs/1", 0, [b"one"], hold=hold)
            modes = {path.relative_to(home).as_posix(): mode(path) for path in home.rglob("*")}
    finally:
        os.umask(before)
    assert mode(home) == 0o700
    assert modes == {
        "journal.sqlite3": 0o600,
        "journal.sqlite3-wal": 0o600,
        "journal.sqlite3-shm": 0o600,
        "holds": 0o700,
        f"holds/{GUID}.lock": 0o600,
    }


@posix
def test_a_journal_copied_in_with_a_wider_mode_is_narrowed(home: Path, store: Store) -> None:
    store.append("runs/1", 0, [b"one"])
    store.close()
    (home / "journal.sqlite3").chmod(0o644)
    open_store(home, now=now).close()
    assert mode(home / "journal.sqlite3") == 0o600


@posix
@pytest.mark.parametrize("bits", [0o770, 0o702, 0o1777])
def test_a_directory_that_others_can_write_to_is_refused(home: Path, bits: int) -> None:
    home.mkdir()
    home.chmod(bits)
    with pytest.raises(StoreError, match="written to by others") as caught:
        open_store(home, now=now)
    assert f"chmod 700 {home}" in caught.value.advice
    assert list(home.iterdir()) == []


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give things away"
)
def test_a_directory_of_another_user_is_refused(home: Path) -> None:
    home.mkdir()
    shutil.chown(home, 65534)
    with pytest.raises(StoreError, match="another user"):
        open_store(home, now=now)


@pytest.mark.parametrize("location", ["postgresql://user@db/journal", "s3://bucket/x"])
def test_a_store_of_a_kind_that_does_not_exist_yet_is_said_to_be_so(location: str) -> None:
    with pytest.raises(ConfigurationError, match="not available in this release"):
        open_store(location, now=now)


def test_reading_does_not_make_a_journal_where_there_is_none(home: Path) -> None:
    with pytest.raises(StoreError, match="no journal in"):
        open_store(home, now=now, create=False)
    assert not home.exists()


def test_a_journal_that_is_there_opens_without_leave_to_make_one(home: Path, store: Store) -> None:
    store.append("runs/1", 0, [b"one"])
    with closing(open_store(home, now=now, create=False)) as other:
        assert other.streams() == ("runs/1",)


def test_a_file_in_place_of_the_directory_is_an_error_with_advice(home: Path) -> None:
    home.write_bytes(b"")
    with pytest.raises(StoreError, match="File exists") as caught:
        open_store(home, now=now)
    assert "another directory" in caught.value.advice


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
def test_a_file_that_may_not_grow_ends_with_the_last_whole_append(home: Path) -> None:
    words = run(_LIMITED, home).split()
    assert words[1:] == ["True", "True"]
    with closing(open_store(home, now=now)) as store:
        (head,) = store.check().heads
        assert head.length == int(words[0]) > 0
        assert head.length % 3 == 0


_READ_ONLY = """
import os, sys, sqlite3
from datetime import UTC, datetime
import orchestrator.journal.sqlite
from orchestrator.core.errors import StoreError
from orchestrator.journal import open_store
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
store = open_store(sys.argv[1], now=lambda: datetime.now(UTC))
print(store.read("runs/1")[0].payload, store.check().damages)
try:
    store.append("runs/1", 1, [b"two"])
except StoreError as error:
    print(error, error.advice)
try:
    open_store(sys.argv[1] + "/new", now=lambda: datetime.now(UTC))
except StoreError as error:
    print(error)
"""


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that nobody can reach: as root, which ignores modes, a test becomes nobody."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
        (Path(name) / "store").chmod(0o700)


@posix
def test_a_journal_in_a_read_only_directory_is_read_and_not_written(public: Path) -> None:
    home = public / "store"
    with closing(open_store(home, now=now)) as store:
        store.append("runs/1", 0, [b"one"])
    (home / "journal.sqlite3").chmod(0o444)
    home.chmod(0o555)
    read, refused, unmade = run(_READ_ONLY, home).splitlines()
    assert read == "b'one' ()"
    assert "the journal is read-only" in refused
    assert "Run as the user who owns the directory" in refused
    assert "Permission denied" in unmade


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


def test_processes_that_make_the_journal_at_the_same_time_share_one(home: Path) -> None:
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


def test_naming_the_store_does_not_load_a_database() -> None:
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


def test_the_fence_shuts_out_a_holder_whose_lock_was_removed_by_hand(
    home: Path, store: Store
) -> None:
    first = store.hold(GUID, owner("alice"), LEASE)
    (home / "holds" / f"{GUID}.lock").unlink()
    with store.hold(GUID, owner("bob"), LEASE) as second:
        with pytest.raises(HoldLost, match="bob on jump1") as caught:
            store.append("runs/1", 0, [b"one"], hold=first)
        assert (caught.value.owner, caught.value.since) == (str(owner("bob")), NOON)
        with pytest.raises(HoldLost):
            first.renew()
        first.release()
        assert store.append("runs/1", 0, [b"one"], hold=second) == 1
    assert second.token == first.token + 1


# Two hosts do not share locks of the operating system: that is what removing the file stands for.
def on_another_host(home: Path, store: Store) -> Callable[[], None]:
    def take() -> None:
        (home / "holds" / f"{GUID}.lock").unlink()
        store.hold(GUID, owner("bob", host="jump2"), LEASE).release()

    return take


@pytest.mark.parametrize("how", ["renew", "append"])
def test_renewing_and_appending_start_the_lease_anew(
    home: Path, store: Store, clock: list[datetime], how: str
) -> None:
    hold = store.hold(GUID, owner("alice"), LEASE)
    clock[0] += LEASE * 0.9
    if how == "renew":
        hold.renew()
    else:
        store.append("runs/1", 0, [b"one"], hold=hold)
    clock[0] += LEASE * 0.9
    take = on_another_host(home, store)
    with pytest.raises(HeldError, match="alice on jump1"):
        take()
    (home / "holds" / f"{GUID}.lock").touch()
    clock[0] += LEASE * 0.1
    take()
    with pytest.raises(HoldLost):
        hold.renew()


def test_a_lease_that_ran_out_and_was_taken_by_nobody_is_taken_up_again(
    home: Path, store: Store, clock: list[datetime]
) -> None:
    hold = store.hold(GUID, owner("alice"), LEASE)
    clock[0] += LEASE * 2
    store.append("runs/1", 0, [b"one"], hold=hold)
    with pytest.raises(HeldError):
        on_another_host(home, store)()


def test_an_append_to_a_stream_that_moved_does_not_prolong_the_hold(
    home: Path, store: Store, clock: list[datetime]
) -> None:
    hold = store.hold(GUID, owner("alice"), LEASE)
    clock[0] += LEASE * 0.9
    with pytest.raises(StoreError):
        store.append("runs/1", 7, [b"one"], hold=hold)
    clock[0] += LEASE * 0.1
    on_another_host(home, store)()


def test_a_holder_that_has_not_said_who_it_is_is_respected(home: Path, store: Store) -> None:
    from filelock import FileLock  # noqa: PLC0415 - as in the code under test

    (home / "holds").mkdir()
    with (
        FileLock(home / "holds" / f"{GUID}.lock"),
        pytest.raises(HeldError, match="has not said who it is"),
    ):
        store.hold(GUID, owner(), LEASE)


@pytest.mark.parametrize("since", ["yesterday", 7, b"", "0001-01-01T00:00:00+23:00"])
def test_a_hold_that_makes_no_sense_is_damage(home: Path, store: Store, since: object) -> None:
    store.hold(GUID, owner(), LEASE).release()
    with closing(sqlite3.connect(home / "journal.sqlite3", isolation_level=None)) as other:
        other.execute("UPDATE hold SET since = ?", (since,))
    with pytest.raises(JournalDamaged, match=f"the hold on organization {GUID} is damaged"):
        store.hold(GUID, owner(), LEASE)


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


def start(script: str, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own scripts above
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(script: str, *arguments: object) -> str:
    with start(script, *arguments) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output
