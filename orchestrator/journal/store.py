"""What a store promises, whatever keeps it: streams of events, and holds on organizations.

A store is generic over bytes. An event is one canonical JSON text that carries its own time and
schema number; what it means is somebody else's knowledge. Streams are append-only and named by
their writer, as in ``runs/<id>``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

from orchestrator.core.errors import HeldError, StoreError, UsageError

_STREAM = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event as it stands in its stream. *version* counts from 1, without gaps."""

    version: int
    payload: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where a stream ends: *length* events, the last of which has *digest* (hexadecimal)."""

    stream: str
    length: int
    digest: str


@dataclass(frozen=True, slots=True)
class Damage:
    """One contradiction in the record. *version* is 0 where no single event is to blame.

    *stream* is empty where the file itself is damaged.
    """

    stream: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What ``check`` found: the head of every stream, and every damage, in creation order."""

    heads: tuple[Head, ...]
    damages: tuple[Damage, ...]


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds an organization. *since* is aware of its time zone; *command* is for people."""

    host: str
    pid: int
    user: str
    command: str
    since: datetime

    def __str__(self) -> str:
        return f"{self.user} on {self.host} (process {self.pid}: {self.command})"


class StreamMoved(StoreError):
    """Another process wrote to a stream since it was read; nothing was written.

    *expected* is the version that the caller had read, *actual* the one that stands.
    """

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(
            f"another process wrote to {stream}: version {expected} was expected, {actual} found",
            "Read the stream again; only one process may continue a run.",
        )
        self.stream = stream
        self.expected = expected
        self.actual = actual


class HoldLost(HeldError):
    """A hold is no longer the newest of its organization; nothing was written under it.

    *owner* is empty when nobody holds the organization now.
    """


class Hold(Protocol):
    """The right to change one organization, until released or taken by a later hold."""

    @property
    def organization(self) -> str:
        """The organization's Guid, in lower case with hyphens."""

    @property
    def owner(self) -> Owner:
        """Who was named when the hold was taken."""

    @property
    def token(self) -> int:
        """Grows with every hold on this organization: the fence for what is written under it."""

    @property
    def lease(self) -> timedelta:
        """How long the hold counts after it was taken or renewed."""

    def renew(self) -> None:
        """Start the lease anew from now. HoldLost if a later hold took the organization.

        Whoever waits longer than the lease without appending calls this in between. A lease
        that ran out and was taken by nobody is taken up again.
        """

    def release(self) -> None:
        """Give the organization back. Doing it twice, or after losing it, does nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Release, whatever happened."""


class Store(Protocol):
    """Everything that lasts. Safe to share between threads, and between processes.

    Every method may raise StoreError when the disk or the database fails, and JournalDamaged
    when what it reads contradicts itself.
    """

    def append(
        self,
        stream: str,
        expected_version: int,
        events: Sequence[bytes],
        *,
        hold: Hold | None = None,
    ) -> int:
        """Add *events* and return the stream's new version: all of them, or none.

        They survive a power cut once this returns. *expected_version* is the version last
        read, 0 for a stream that does not exist yet; StreamMoved if it is another one. Under a
        *hold* the append also renews its lease, and HoldLost is raised, and nothing written, if
        a later hold took the organization.
        """

    def read(self, stream: str) -> tuple[Recorded, ...]:
        """Return a stream's events in order, empty if there is no such stream.

        The chain of digests is verified on the way: JournalDamaged names stream and version.
        """

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names that start with *prefix*, in the order of their creation."""

    def hold(self, organization: str, owner: Owner, lease: timedelta) -> Hold:
        """Take the organization with this Guid; HeldError tells who has it and since when.

        A holder on the owner's host that is dead is replaced at once, a holder elsewhere
        when its *lease* ended. Hosts are therefore trusted to agree on the time to within a
        small part of the lease. ValueError if *organization* is no Guid.
        """

    def heads(self, prefix: str = "") -> tuple[Head, ...]:
        """Return where each stream says it ends, without verifying it."""

    def check(self, kept: Sequence[Head] = ()) -> Report:
        """Verify every stream from its first event.

        The chain shows every edit, insertion and deletion inside a stream. It cannot show that
        a stream was cut short, replaced as a whole, or removed by somebody who also computed
        the digests again: that takes heads *kept* elsewhere, each of which must still stand.
        """

    def close(self) -> None:
        """Release files and connections. A hold that is still open stays until its process ends."""


def named(stream: str) -> str:
    """Return *stream* if a stream may be called so, else raise UsageError."""
    if _STREAM.fullmatch(stream):
        return stream
    raise UsageError(
        f"{stream!a} cannot be the name of a record",
        "Names consist of up to 200 printable ASCII characters without spaces.",
    )
