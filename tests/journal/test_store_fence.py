"""A hold that was lost, on one host and between hosts: what the lease and the token do."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.core.errors import (
    HeldError,
    JournalDamaged,
    StoreError,
)
from orchestrator.journal import HoldLost, Owner, Store, open_store

Run = Callable[..., str]
GUID = "2f1c9c4e-6c1e-4c57-9d2b-0c2f5a6f7a11"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LEASE = timedelta(minutes=5)


@pytest.fixture
def store(home: Path, clock: list[datetime]) -> Iterator[Store]:
    store = open_store(home, now=lambda: clock[0], patience=timedelta(milliseconds=50))
    with closing(store):
        yield store


def owner(user: str = "alice", host: str = "jump1") -> Owner:
    return Owner(host, 4711, user, "orchestrator run", NOON)


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
