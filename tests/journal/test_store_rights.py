"""Where a store may lie, and who may look into it."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from orchestrator.core.errors import (
    ConfigurationError,
    StoreError,
)
from orchestrator.journal import Owner, Store, open_store

Run = Callable[..., str]
GUID = "2f1c9c4e-6c1e-4c57-9d2b-0c2f5a6f7a11"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LEASE = timedelta(minutes=5)
posix = pytest.mark.skipif(os.name != "posix", reason="mode bits and signals")


def now() -> datetime:
    return NOON


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
def test_a_journal_in_a_read_only_directory_is_read_and_not_written(public: Path, run: Run) -> None:
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
