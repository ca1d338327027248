"""A store in one SQLite file, for one jump host."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.core.errors import JournalDamaged
from orchestrator.journal import audit, chain, directory, schema
from orchestrator.journal.connection import PATIENCE, Connections
from orchestrator.journal.faults import translated
from orchestrator.journal.lease import Leases, SqliteHold
from orchestrator.journal.store import (
    Head,
    Hold,
    Owner,
    Recorded,
    Report,
    StreamMoved,
    named,
)

_ADVICE = "Nothing may build on it: run `orchestrator journal check`, and keep the file."


def open_directory(
    home: Path,
    *,
    now: Callable[[], datetime],
    create: bool = True,
    patience: timedelta = PATIENCE,
) -> "SqliteStore":
    """Open the store in the directory *home*; make both if they are missing and *create*."""
    with translated(home):
        directory.prepare(home, create=create)
        if not (home / directory.DATABASE).exists():
            schema.create(home / directory.DATABASE)
        directory.tighten(home)
        connections = Connections(home, patience=patience)
        connections.mine()
    return SqliteStore(connections, now)


class SqliteStore:
    """``Store`` over *connections*; *now* returns the time with its zone."""

    def __init__(self, connections: Connections, now: Callable[[], datetime]) -> None:
        self._connections = connections
        self._leases = Leases(connections, now)

    def append(
        self,
        stream: str,
        expected_version: int,
        events: Sequence[bytes],
        *,
        hold: Hold | None = None,
    ) -> int:
        """See ``Store.append``."""
        with self._connections.writing() as connection:
            if hold is not None:
                self._leases.prolong(connection, hold)
            return _append(connection, named(stream), expected_version, events)

    def read(self, stream: str) -> tuple[Recorded, ...]:
        """See ``Store.read``."""
        with self._connections.reading() as connection:
            rows = connection.execute(audit.ONE, (named(stream),)).fetchall()
        events = audit.recorded(rows)
        for damage in audit.damages(rows, events):
            raise JournalDamaged(f"{stream}: event {damage.version} {damage.reason}", _ADVICE)
        return events

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """See ``Store.streams``."""
        return tuple(head.stream for head in self.heads(prefix))

    def hold(self, organization: str, owner: Owner, lease: timedelta) -> SqliteHold:
        """See ``Store.hold``. Proof of life on this host is a lock of the operating system."""
        return self._leases.take(organization, owner, lease)

    def heads(self, prefix: str = "") -> tuple[Head, ...]:
        """See ``Store.heads``."""
        query = "SELECT COALESCE(CAST(name AS TEXT), ''), length, hex(head) FROM stream ORDER BY id"
        with self._connections.reading() as connection:
            rows = connection.execute(query).fetchall()
        return tuple(
            Head(name, length, digest.lower())
            for name, length, digest in rows
            if name.startswith(prefix)
        )

    def check(self, kept: Sequence[Head] = ()) -> Report:
        """See ``Store.check``; the file's own structure is verified as well."""
        with self._connections.reading() as connection:
            return audit.audit(connection, kept)

    def close(self) -> None:
        """See ``Store.close``."""
        self._connections.close()


def _append(
    connection: sqlite3.Connection, stream: str, expected: int, events: Sequence[bytes]
) -> int:
    query = "SELECT id, length, head FROM stream WHERE name = ?"
    key, length, head = connection.execute(query, (stream,)).fetchone() or (
        None,
        0,
        chain.origin(stream),
    )
    if length != expected:
        raise StreamMoved(stream, expected, length)
    links = tuple(chain.extend(head, length, events))
    if not links:
        return expected
    end = (links[-1].version, links[-1].digest)
    if key is None:
        added = "INSERT INTO stream (name, length, head) VALUES (?, ?, ?)"
        key = connection.execute(added, (stream, *end)).lastrowid
    else:
        connection.execute("UPDATE stream SET length = ?, head = ? WHERE id = ?", (*end, key))
    connection.executemany(
        "INSERT INTO event (stream, version, payload, digest) VALUES (?, ?, ?, ?)",
        [(key, event.version, event.payload, event.digest) for event in links],
    )
    return end[0]
