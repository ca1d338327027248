"""What every kind of store promises about streams."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.errors import UsageError
from orchestrator.journal import Head, Store, StreamMoved


def test_events_come_back_in_order_with_versions_from_one(store: Store) -> None:
    assert store.append("runs/1", 0, [b"one", b"two"]) == 2
    assert store.append("runs/1", 2, [b"three"]) == 3
    assert [(e.version, e.payload) for e in store.read("runs/1")] == [
        (1, b"one"),
        (2, b"two"),
        (3, b"three"),
    ]


def test_another_view_of_the_store_sees_what_was_appended(
    store: Store, reopen: Callable[[], Store]
) -> None:
    other = reopen()
    store.append("runs/1", 0, [b"one"])
    assert [e.payload for e in other.read("runs/1")] == [b"one"]


def test_what_was_appended_is_there_after_closing(reopen: Callable[[], Store]) -> None:
    first = reopen()
    first.append("runs/1", 0, [b"one"])
    first.close()
    assert [e.payload for e in reopen().read("runs/1")] == [b"one"]


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_an_append_to_a_stream_that_moved_writes_nothing(store: Store, expected: int) -> None:
    store.append("runs/1", 0, [b"one", b"two"])
    with pytest.raises(StreamMoved, match="another process wrote to runs/1") as caught:
        store.append("runs/1", expected, [b"three"])
    assert (caught.value.stream, caught.value.expected, caught.value.actual) == (
        "runs/1",
        expected,
        2,
    )
    assert len(store.read("runs/1")) == 2


def test_a_stream_that_does_not_exist_is_at_version_zero(store: Store) -> None:
    assert store.read("runs/1") == ()
    with pytest.raises(StreamMoved):
        store.append("runs/1", 1, [b"one"])
    assert store.streams() == ()


def test_appending_nothing_makes_no_stream(store: Store) -> None:
    assert store.append("runs/1", 0, []) == 0
    assert store.streams() == ()
    store.append("runs/1", 0, [b"one"])
    assert store.append("runs/1", 1, []) == 1


def test_streams_are_listed_in_the_order_of_their_creation(store: Store) -> None:
    for stream in ("runs/b", "batches/1", "runs/a"):
        store.append(stream, 0, [b"one"])
    store.append("runs/b", 1, [b"two"])
    assert store.streams() == ("runs/b", "batches/1", "runs/a")
    assert store.streams("runs/") == ("runs/b", "runs/a")


def test_a_prefix_is_taken_literally(store: Store) -> None:
    store.append("runs/1", 0, [b"one"])
    assert store.streams("r%") == store.streams("run_") == store.streams("RUNS") == ()


@pytest.mark.parametrize("name", ["", "a b", "runs/ü", "a\0b", "\udcff", "x" * 201])
def test_a_name_that_no_stream_can_have_is_refused(store: Store, name: str) -> None:
    with pytest.raises(UsageError):
        store.append(name, 0, [b"one"])
    with pytest.raises(UsageError):
        store.read(name)


def test_each_digest_covers_the_name_and_everything_before(store: Store) -> None:
    store.append("runs/1", 0, [b"one", b"two"])
    first = sha256(sha256(b"runs/1").digest() + bytes([0, 0, 0, 0, 0, 0, 0, 1]) + b"one").digest()
    second = sha256(first + bytes([0, 0, 0, 0, 0, 0, 0, 2]) + b"two").digest()
    assert [e.digest for e in store.read("runs/1")] == [first, second]


# Each example has a stream of its own, so that examples need no store of their own.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batches=st.lists(st.lists(st.binary(max_size=200), max_size=4), max_size=5))
def test_any_bytes_come_back_as_they_were(store: Store, batches: list[list[bytes]]) -> None:
    stream, version = f"any/{len(store.streams('any/'))}", 0
    for batch in batches:
        version = store.append(stream, version, batch)
    payloads = [payload for batch in batches for payload in batch]
    assert [e.payload for e in store.read(stream)] == payloads
    assert version == len(payloads)
    assert store.check().damages == ()


def test_heads_are_those_that_the_check_computes(store: Store) -> None:
    store.append("runs/1", 0, [b"one", b"two"])
    store.append("runs/2", 0, [b"one"])
    digests = [store.read(stream)[-1].digest.hex() for stream in ("runs/1", "runs/2")]
    assert store.heads() == (Head("runs/1", 2, digests[0]), Head("runs/2", 1, digests[1]))
    assert store.check().heads == store.heads()
    assert store.heads("runs/2") == store.heads()[1:]


def test_a_head_that_was_kept_still_stands_after_more_events(store: Store) -> None:
    store.append("runs/1", 0, [b"one"])
    kept = store.heads()
    store.append("runs/1", 1, [b"two"])
    store.append("runs/2", 0, [b"one"])
    assert store.check(kept).damages == ()


def test_a_kept_head_shows_a_stream_that_was_cut_short_or_written_anew(store: Store) -> None:
    store.append("runs/1", 0, [b"one"])
    (head,) = store.heads()
    (cut,) = store.check([replace(head, length=2)]).damages
    (anew,) = store.check([replace(head, digest="00" * 32)]).damages
    (removed,) = store.check([replace(head, stream="runs/0")]).damages
    assert (cut.stream, cut.version, cut.reason) == ("runs/1", 2, "stood here once and is gone")
    assert (anew.stream, anew.version) == ("runs/1", 1)
    assert "kept elsewhere" in anew.reason
    assert (removed.stream, removed.version) == ("runs/0", 1)


def test_a_hundred_threads_append_at_the_same_time(store: Store) -> None:
    def write(number: int) -> int:
        for version in range(5):
            store.append(f"runs/{number}", version, [b"x" * 1000])
        return len(store.read(f"runs/{number}"))

    with ThreadPoolExecutor(100) as pool:
        assert list(pool.map(write, range(100))) == [5] * 100
    report = store.check()
    assert {head.length for head in report.heads} == {5}
    assert (len(report.heads), report.damages) == (100, ())


def test_of_those_who_race_for_one_version_exactly_one_wins(
    store: Store, reopen: Callable[[], Store]
) -> None:
    stores = [store, reopen(), reopen()]

    def race(number: int) -> bool:
        try:
            stores[number % 3].append("runs/1", 0, [str(number).encode()])
        except StreamMoved:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(race, range(12))).count(True) == 1
    assert len(store.read("runs/1")) == 1
