"""Writes that share a commit: who is told that it is done finds it done, and nobody else does."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier, local

import pytest

from orchestrator.journal.group import Commits

THREADS, EACH = 8, 40
Write = Callable[[sqlite3.Connection, int], object]


class Desk:
    """A database, a connection for each thread, and the commits that were made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commits = Commits(path, 30)
        self.flushes: list[str] = []
        self._mine = local()
        with closing(self.open()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
            connection.execute(
                "CREATE TABLE done (id INTEGER PRIMARY KEY, "
                "parent REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"
            )

    def open(self) -> sqlite3.Connection:
        """One more connection."""
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def mine(self) -> sqlite3.Connection:
        """The calling thread's connection."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = self.open()
            self._mine.connection.set_trace_callback(self._note)
        opened: sqlite3.Connection = self._mine.connection
        return opened

    def _note(self, statement: str) -> None:
        if statement == "COMMIT":
            self.flushes.append(statement)

    def rows(self) -> set[int]:
        """What is in the database."""
        with closing(self.open()) as connection:
            return {row[0] for row in connection.execute("SELECT id FROM done")}

    def write(self, write: Write) -> set[int]:
        """Let all threads write at once; return the numbers of which success was reported."""
        together = Barrier(THREADS)
        told: set[int] = set()

        def work(thread: int) -> None:
            together.wait()
            for number in range(thread * EACH, (thread + 1) * EACH):
                try:
                    with self.commits.writing(self.mine) as connection:
                        write(connection, number)
                except (ArithmeticError, sqlite3.Error):
                    continue
                told.add(number)
            self.mine().close()

        with ThreadPoolExecutor(THREADS) as pool:
            for each in [pool.submit(work, thread) for thread in range(THREADS)]:
                each.result()
        return told


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "any.db")


def insert(connection: sqlite3.Connection, number: int, parent: int | None = None) -> None:
    connection.execute("INSERT INTO done VALUES (?, ?)", (number, parent))


def test_threads_that_write_at_once_share_commits(desk: Desk) -> None:
    told = desk.write(insert)
    assert told == desk.rows() == set(range(THREADS * EACH))
    assert len(desk.flushes) < THREADS * EACH


def test_a_write_that_fails_is_taken_back_alone(desk: Desk) -> None:
    def write(connection: sqlite3.Connection, number: int) -> None:
        insert(connection, number)
        if number % 3 == 0:
            raise ArithmeticError

    assert desk.write(write) == desk.rows() == {n for n in range(THREADS * EACH) if n % 3}


def test_a_commit_that_fails_fails_for_everyone_in_it_and_for_nobody_else(desk: Desk) -> None:
    def write(connection: sqlite3.Connection, number: int) -> None:
        insert(connection, number, parent=1 if number % 20 == 0 else None)

    told = desk.write(write)
    assert told == desk.rows()
    assert told
    assert not {number for number in told if number % 20 == 0}


def test_a_transaction_that_the_disk_ended_is_reported_to_all_in_it(desk: Desk) -> None:
    def write(connection: sqlite3.Connection, number: int) -> None:
        insert(connection, number)
        if number % 20 == 0:
            connection.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")

    told = desk.write(write)
    assert told == desk.rows()
    assert told
    assert not {number for number in told if number % 20 == 0}
