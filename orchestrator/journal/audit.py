"""The check of a whole SQLite store: every event of every stream, and the file around them."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from orchestrator.journal import chain
from orchestrator.journal.store import Damage, Head, Recorded, Report

# A row edited by hand may hold any type in any column; the casts give it the one expected.
_WALK = """
    SELECT COALESCE(CAST(stream.name AS TEXT), ''), stream.length, CAST(stream.head AS BLOB),
        CAST(event.version AS INTEGER), COALESCE(CAST(event.payload AS BLOB), x''),
        COALESCE(CAST(event.digest AS BLOB), x'')
    FROM stream LEFT JOIN event ON event.stream = stream.id
"""
ONE = f"{_WALK} WHERE stream.name = ? ORDER BY event.version"
_ALL = f"{_WALK} ORDER BY stream.id, event.version"


def audit(connection: sqlite3.Connection, kept: Sequence[Head]) -> Report:
    """See ``Store.check``."""
    heads: list[Head] = []
    found = list(_file(connection))
    wanted = {(head.stream, head.length): head.digest for head in kept}
    for stream, group in groupby(connection.execute(_ALL), itemgetter(0)):
        rows = list(group)
        events = recorded(rows)
        found.extend(damages(rows, events))
        found.extend(_changed(stream, events, wanted))
        heads.append(_head(stream, events))
    found.extend(Damage(*place, "stood here once and is gone") for place in wanted)
    return Report(tuple(heads), tuple(found))


def recorded(rows: Sequence[tuple[object, ...]]) -> tuple[Recorded, ...]:
    """Return the events in *rows* of the walk; a stream without any is one row of nothing."""
    return tuple(Recorded(*row[3:]) for row in rows if row[3] is not None)  # type: ignore[arg-type]  # the casts see to it


def damages(rows: Sequence[tuple[object, ...]], events: Sequence[Recorded]) -> Iterator[Damage]:
    """Yield what contradicts the chain in one stream, or the end that its row names."""
    if not rows:
        return
    stream, length, head = str(rows[0][0]), rows[0][1], rows[0][2]
    yield from chain.damages(stream, events)
    last = events[-1] if events else Recorded(0, b"", chain.origin(stream))
    if (last.version, last.digest) != (length, head):
        reason = f"is not the end that the stream itself records (version {length})"
        yield Damage(stream, last.version, reason)


def _changed(
    stream: str, events: Sequence[Recorded], wanted: dict[tuple[str, int], str]
) -> Iterator[Damage]:
    for event in events:
        digest = wanted.pop((stream, event.version), event.digest.hex())
        if digest != event.digest.hex():
            yield Damage(stream, event.version, "is not the one whose digest was kept elsewhere")


def _head(stream: str, events: Sequence[Recorded]) -> Head:
    last = events[-1] if events else Recorded(0, b"", chain.origin(stream))
    return Head(stream, last.version, last.digest.hex())


def _file(connection: sqlite3.Connection) -> Iterator[Damage]:
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield Damage("", 0, f"the file is damaged: {line}")
    for row in connection.execute("PRAGMA foreign_key_check"):
        yield Damage("", 0, f"row {row[1]} of {row[0]} belongs to no stream")
