"""Connections to one SQLite file: one for each thread, all closed together."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Lock, Thread, current_thread

from orchestrator.journal import directory, schema
from orchestrator.journal.faults import translated
from orchestrator.journal.group import Commits

PATIENCE = timedelta(seconds=5)
"""How long a write waits for another process."""

_QUEUE = 6
"""How many times that long a write waits for other threads of this process."""


class Connections:
    """The connections of this process to the database in *home*.

    Write-ahead logging with ``synchronous = FULL``: a commit is flushed to the disk before it
    returns (``NORMAL`` would flush only at checkpoints and lose the last commits in a power
    cut), and a commit that a crash tore is cut off when the file is opened next. It needs a
    local disk. A directory that cannot be written to is read as it stands.
    """

    def __init__(self, home: Path, *, patience: timedelta = PATIENCE) -> None:
        self.home = home
        self.path = home / directory.DATABASE
        self._patience = patience
        self._open: dict[Thread, sqlite3.Connection] = {}
        self._opening = Lock()
        # Each ahead of us may wait out its patience for another process: not all hundred do.
        self._commits = Commits(self.path, _QUEUE * patience.total_seconds())

    def mine(self) -> sqlite3.Connection:
        """Return the calling thread's connection; it opens one on the first call."""
        thread = current_thread()
        if thread not in self._open:
            connection = self._connect()
            with self._opening:
                self._reap()
                self._open[thread] = connection
        return self._open[thread]

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection inside a snapshot that no writer changes."""
        with translated(self.path), _transaction(self.mine(), "BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection as the only writer; commit, or take back what was written.

        Threads of this process queue up here, in memory, and share a commit. SQLite's own way
        of waiting, trying again at growing intervals, made a hundred threads take twice as long
        and the unluckiest of them four times.
        """
        with translated(self.path), self._commits.writing(self.mine) as connection:
            yield connection

    def close(self) -> None:
        """Close every thread's connection; the last one folds the log into the database."""
        with translated(self.path), self._opening:
            while self._open:
                self._open.popitem()[1].close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?{self._mode()}",
            uri=True,
            timeout=self._patience.total_seconds(),
            isolation_level=None,
            check_same_thread=False,  # close() is called by whichever thread ends the process
        )
        # A name damaged on disk must reach the check, which tells where; not fail in between.
        connection.text_factory = _lenient
        try:
            connection.execute("PRAGMA synchronous = FULL")
            schema.accept(connection, self.path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _mode(self) -> str:
        if directory.is_writable(self.home):
            return "mode=rw"
        # Without a log the file is complete, and SQLite need not make one in order to read.
        log = self.path.with_name(self.path.name + "-wal")
        return "mode=ro" if log.exists() else "mode=ro&immutable=1"

    def _reap(self) -> None:
        for thread in [thread for thread in self._open if not thread.is_alive()]:
            self._open.pop(thread).close()


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[sqlite3.Connection]:
    try:
        connection.execute(begin)
        yield connection
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _lenient(text: bytes) -> str:
    return text.decode("utf-8", "replace")
