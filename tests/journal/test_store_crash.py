"""A process that is killed leaves every append it was told of, and no half one."""

import os
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchestrator.journal import Store, open_store

if TYPE_CHECKING:
    from subprocess import Popen

Start = Callable[..., "Popen[str]"]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")

_BETWEEN = """
import sys
from datetime import UTC, datetime
from orchestrator.journal import open_store
store = open_store(sys.argv[1], now=lambda: datetime.now(UTC))
version = 0
while True:
    version = store.append("runs/1", version, [b"x" * 1500] * 3)
    print(version, flush=True)
"""

# SQLite calls the trace before each statement of the append: the process dies at one of them.
_DURING = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from orchestrator.journal.connection import Connections
from orchestrator.journal.sqlite import SqliteStore
connections = Connections(Path(sys.argv[1]))
store = SqliteStore(connections, lambda: datetime.now(UTC))
seen = []
def trace(statement):
    seen.append(statement)
    if len(seen) == int(sys.argv[2]):
        print(statement.split()[0], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
connections.mine().set_trace_callback(trace)
store.append("runs/1", 1, [b"two", b"three"])
print("survived")
"""


def reopened(home: Path) -> Store:
    return open_store(home, now=lambda: datetime.now(UTC))


@pytest.mark.parametrize("told", [1, 2, 5, 40])
def test_a_process_killed_between_appends_loses_none_it_was_told_of(
    home: Path, start: Start, told: int
) -> None:
    process = start(_BETWEEN, home)
    assert process.stdout is not None
    last = [int(process.stdout.readline()) for _ in range(told)][-1]
    process.kill()
    process.wait(60)
    with closing(reopened(home)) as store:
        length = len(store.read("runs/1"))
        assert length >= last == 3 * told
        assert length % 3 == 0
        assert store.check().damages == ()


@pytest.mark.parametrize(
    ("moment", "statement"),
    [(1, "BEGIN"), (2, "SELECT"), (3, "UPDATE"), (4, "INSERT"), (5, "INSERT"), (6, "COMMIT")],
)
def test_an_append_killed_before_its_commit_never_happened(
    home: Path, start: Start, moment: int, statement: str
) -> None:
    with closing(reopened(home)) as store:
        store.append("runs/1", 0, [b"one"])
        output, _ = start(_DURING, home, moment).communicate(timeout=60)
        assert output.split() == [statement]
        assert [e.payload for e in store.read("runs/1")] == [b"one"]
        assert store.append("runs/1", 1, [b"two", b"three"]) == 3
        assert store.check().damages == ()


def test_an_append_that_is_not_killed_runs_to_its_end(home: Path, start: Start) -> None:
    with closing(reopened(home)) as store:
        store.append("runs/1", 0, [b"one"])
        output, _ = start(_DURING, home, 99).communicate(timeout=60)
        assert output.split() == ["survived"]
        assert [e.payload for e in store.read("runs/1")] == [b"one", b"two", b"three"]
