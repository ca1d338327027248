"""The shape of the database, and how it came to be.

To change it: append a script to ``MIGRATIONS``. Its number is the schema's version, which stands
in the file as ``PRAGMA user_version``. A script never changes an event.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from orchestrator.core.errors import StoreError
from orchestrator.journal.directory import settle

APPLICATION = 0x11012
"""Marks a SQLite file as ours, as ``PRAGMA application_id``."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE stream (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        length INTEGER NOT NULL,
        head BLOB NOT NULL
    );
    CREATE TABLE event (
        stream INTEGER NOT NULL REFERENCES stream (id),
        version INTEGER NOT NULL,
        payload BLOB NOT NULL CHECK (typeof(payload) = 'blob'),
        digest BLOB NOT NULL CHECK (typeof(digest) = 'blob'),
        PRIMARY KEY (stream, version)
    );
    CREATE TABLE hold (
        organization TEXT PRIMARY KEY,
        token INTEGER NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        user TEXT NOT NULL,
        command TEXT NOT NULL,
        since TEXT NOT NULL,
        until TEXT
    );
    """,
)


def create(path: Path) -> None:
    """Make an empty database at *path*, whole or not at all; one that is there stays.

    It is built under another name and linked into place, so that no process ever finds half
    of it and two that start at the same time share one. Write-ahead logging is part of the
    file: one flush for a commit instead of three, and readers that never wait for a writer.
    """
    draft = path.with_name(f"{path.name}.{os.urandom(8).hex()}.new")
    try:
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        _build(draft)
        _link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _build(draft: Path) -> None:
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        # One flush at the end is enough: a draft that a crash damaged is never linked.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute("PRAGMA journal_mode = WAL")
        _upcast(connection, MIGRATIONS)
    # Closed before it is linked: closing any handle of a database drops the locks which
    # SQLite holds on it in the same process.
    with draft.open("r+b") as file:
        os.fsync(file.fileno())


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    settle(path.parent)


def accept(
    connection: sqlite3.Connection, path: Path, *, migrations: Sequence[str] = MIGRATIONS
) -> None:
    """Bring an older schema up to this one; StoreError for a newer one, or a foreign file."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION:
        raise StoreError(
            f"{path} is not a journal of this program", "Name another directory for the store."
        )
    version = _version(connection)
    if version > len(migrations):
        raise StoreError(
            f"{path} has schema {version}; this release knows schemas up to {len(migrations)}",
            "Use the release that wrote it, or a later one.",
        )
    if version < len(migrations):
        _upcast(connection, migrations)


def _upcast(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for script in migrations[_version(connection) :]:
            for statement in script.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
