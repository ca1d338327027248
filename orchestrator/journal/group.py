"""Group commit: what several threads write at about the same time takes one flush of the disk.

A thread that has written queues up once more before it commits. Whoever queued up meanwhile has
written by then, into the same transaction, and the first whose turn comes again commits for all.
No write is over before the commit that it is part of; one that fails is taken back alone.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from threading import Lock

from orchestrator.core.errors import StoreError

MOST = 64
"""How many writes may share a transaction, so that nobody waits for long."""


class _Group:
    """One transaction, on the connection of its first member."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        self.connection = connection
        self.size = 0
        self.ended = False
        self.error: sqlite3.Error | None = None

    @contextmanager
    def member(self) -> Iterator[None]:
        """Let one member write; if it fails, the others' writes stay."""
        first = self.size == 0
        try:
            if not first:
                self.connection.execute("SAVEPOINT member")
            yield
            if not first:
                self.connection.execute("RELEASE member")
            self.size += 1
        except BaseException as error:
            self._take_back(error, first=first)
            raise

    def _take_back(self, error: BaseException, *, first: bool) -> None:
        if first or not self.connection.in_transaction:
            # A full or failing disk makes SQLite give up the whole transaction by itself.
            self.error = error if isinstance(error, sqlite3.Error) else None
            self._leave()
        else:
            self.connection.execute("ROLLBACK TO member")
            self.connection.execute("RELEASE member")

    def commit(self) -> None:
        """Make it durable, once; what goes wrong stands in ``error`` for all."""
        if self.ended:
            return
        try:
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.error = error
        finally:
            self._leave()

    def _leave(self) -> None:
        if self.connection.in_transaction:
            self.error = self.error or sqlite3.OperationalError("interrupted")
            self.connection.execute("ROLLBACK")
        self.ended = True


class Commits:
    """The writers of *path* in this process, in a queue.

    *patience* is how long one waits, in seconds.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._turn = Lock()
        self._group: _Group | None = None

    @contextmanager
    def writing(self, mine: Callable[[], sqlite3.Connection]) -> Iterator[sqlite3.Connection]:
        """Yield a connection as the only writer; the block's end is a commit, or its error.

        It is *mine*, the calling thread's, unless others have begun before.
        """
        with self._queued():
            if self._group is None or self._group.ended:
                self._group = _Group(mine())
            group = self._group
            with group.member():
                yield group.connection
            if group.size >= MOST:
                group.commit()
        if not group.ended:
            with self._queued():
                group.commit()
        if group.error is not None:
            raise copy(group.error)

    @contextmanager
    def _queued(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self._patience):
            raise StoreError(
                f"{self._path}: other writers of this process do not come to an end",
                "Look at what else uses this disk or keeps the journal locked, then resume.",
            )
        try:
            yield
        finally:
            self._turn.release()
