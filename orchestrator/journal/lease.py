"""Holds on organizations: a row with a lease in the database, and a lock of the operating system.

The lock is proof of life on one host: the system drops it when its process dies, however it
dies. Whoever gets the lock and finds a row that names its own host therefore knows that the
holder is dead. A row that names another host counts until its lease ends. Either way the next
holder gets a higher token, which shuts out the one before it.
"""

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self
from uuid import UUID

from orchestrator.core.errors import HeldError, JournalDamaged
from orchestrator.journal.connection import Connections
from orchestrator.journal.directory import HOLDS
from orchestrator.journal.faults import translated
from orchestrator.journal.store import Hold, HoldLost, Owner

if TYPE_CHECKING:
    from filelock import BaseFileLock

_GRACE = 1.0
"""Seconds for a holder that is just coming or going; within them its row says who it is."""

_ADVICE = "Wait until that run has ended; `orchestrator runs list` shows what it does."


@dataclass(frozen=True, slots=True)
class _Row:
    token: int
    owner: Owner
    until: datetime | None

    def counts(self, host: str, now: datetime) -> bool:
        """Whether a process on *host*, which has the lock, must respect this."""
        return self.until is not None and self.owner.host != host and self.until > now


class Leases:
    """The holds of one store. *now* returns the time with its zone."""

    def __init__(self, connections: Connections, now: Callable[[], datetime]) -> None:
        self._connections = connections
        self._now = now

    def take(self, organization: str, owner: Owner, lease: timedelta) -> "SqliteHold":
        """See ``Store.hold``."""
        guid = str(UUID(organization))
        with ExitStack() as undo:
            lock = self._lock(guid)
            undo.callback(lock.release)
            token = self._enter(guid, owner, lease)
            undo.pop_all()
        return SqliteHold(self, lock, organization=guid, owner=owner, lease=lease, token=token)

    def prolong(self, connection: sqlite3.Connection, hold: Hold) -> None:
        """Renew *hold* as part of the transaction that is open, or raise HoldLost."""
        changed = connection.execute(
            "UPDATE hold SET until = ? WHERE organization = ? AND token = ? AND until IS NOT NULL",
            (_text(self._now() + hold.lease), hold.organization, hold.token),
        ).rowcount
        if not changed:
            raise _lost(hold, _row(connection, hold.organization))

    def renew(self, hold: Hold) -> None:
        """See ``Hold.renew``."""
        with self._connections.writing() as connection:
            self.prolong(connection, hold)

    def end(self, hold: Hold) -> None:
        """Mark *hold* as given back. The row stays: the next token counts on from it."""
        with self._connections.writing() as connection:
            connection.execute(
                "UPDATE hold SET until = NULL WHERE organization = ? AND token = ?",
                (hold.organization, hold.token),
            )

    def _lock(self, guid: str) -> "BaseFileLock":
        # Its import takes longer than opening the store, and few commands hold anything.
        from filelock import FileLock, Timeout  # noqa: PLC0415 - as said

        path = self._connections.home / HOLDS / f"{guid}.lock"
        with translated(path):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            # Where there are no such locks, nothing else would tell the living from the dead.
            lock = FileLock(path, mode=0o600, thread_local=False, fallback_to_soft=False)
            for seconds in (0.0, _GRACE):
                try:
                    lock.acquire(timeout=seconds)
                except Timeout:
                    self._refuse_if_named(guid)
                else:
                    return lock
        raise HeldError(
            f"organization {guid} is held by a process that has not said who it is",
            _ADVICE,
            owner="an unknown process",
            since=self._now(),
        )

    def _refuse_if_named(self, guid: str) -> None:
        with self._connections.reading() as connection:
            row = _row(connection, guid)
        if row is not None and row.until is not None:
            raise _held(guid, row.owner, _ADVICE)

    def _enter(self, guid: str, owner: Owner, lease: timedelta) -> int:
        with self._connections.writing() as connection:
            row, now = _row(connection, guid), self._now()
            if row is not None and row.counts(owner.host, now):
                raise _held(
                    guid,
                    row.owner,
                    f"{_ADVICE} Its lease ends at {row.until:%Y-%m-%d %H:%M:%S %Z}.",
                )
            token = row.token + 1 if row else 1
            who = (owner.host, owner.pid, owner.user, owner.command, _text(owner.since))
            connection.execute(
                "INSERT OR REPLACE INTO hold"
                " (organization, token, host, pid, user, command, since, until)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (guid, token, *who, _text(now + lease)),
            )
            return token


class SqliteHold:
    """``Hold`` that keeps a lock of the operating system beside its row."""

    def __init__(  # noqa: PLR0913 - it is the record of how it was taken
        self,
        leases: Leases,
        lock: "BaseFileLock",
        *,
        organization: str,
        owner: Owner,
        lease: timedelta,
        token: int,
    ) -> None:
        self.organization = organization
        self.owner = owner
        self.lease = lease
        self.token = token
        self._leases = leases
        self._lock = lock

    def renew(self) -> None:
        """See ``Hold.renew``."""
        self._leases.renew(self)

    def release(self) -> None:
        """See ``Hold.release``. The lock is given back even if the row cannot be written."""
        try:
            self._leases.end(self)
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _row(connection: sqlite3.Connection, guid: str) -> _Row | None:
    found = connection.execute(
        "SELECT token, until, host, pid, user, command, since FROM hold WHERE organization = ?",
        (guid,),
    ).fetchone()
    if found is None:
        return None
    token, until, host, pid, user, command, since = found
    try:
        owner = Owner(host, pid, user, command, _time(since))
        return _Row(token, owner, None if until is None else _time(until))
    except (TypeError, ValueError, OverflowError) as error:
        raise JournalDamaged(
            f"the hold on organization {guid} is damaged: {error}",
            "Make sure that no run is under way, then continue with a copy of the journal.",
        ) from error


def _held(guid: str, owner: Owner, advice: str) -> HeldError:
    return HeldError(
        f"organization {guid} is held by {owner} since {owner.since:%Y-%m-%d %H:%M:%S %Z}",
        advice,
        owner=str(owner),
        since=owner.since,
    )


def _lost(hold: Hold, row: _Row | None) -> HoldLost:
    sentence = f"the hold on organization {hold.organization} is no longer ours"
    if row is None or row.until is None or row.token == hold.token:
        return HoldLost(f"{sentence}: it was given back", owner="", since=hold.owner.since)
    return HoldLost(
        f"{sentence}: {row.owner} took it at {row.owner.since:%Y-%m-%d %H:%M:%S %Z}",
        "Nothing more was written. The other run decides; look at it before you resume.",
        owner=str(row.owner),
        since=row.owner.since,
    )


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
