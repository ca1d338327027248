"""The event log's own files, ``.evtx``, read by the evtx package (Rust)."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING

from orchestrator.eventlog.damage import MOST, Damage, Entry
from orchestrator.eventlog.source import Broken, Source
from orchestrator.eventlog.xml import single

if TYPE_CHECKING:
    from evtx import PyRecordsIterator

MAGIC = "ElfFile\0"


def sniff(opening: str) -> bool:
    """Say whether *opening* is the mark of such a file."""
    return opening.startswith(MAGIC)


def read(source: Source) -> Iterator[Entry]:
    """Yield the records. Standard input goes through a file on disk, to be sought in."""
    from evtx import PyEvtxParser  # noqa: PLC0415 - only for such files

    with ExitStack() as stack:
        file: str | IO[bytes] = str(source.path)
        if source.path is None or not source.path.is_file():
            file = stack.enter_context(tempfile.TemporaryFile())
            for chunk in source.chunks():
                file.write(chunk)
            file.seek(0)
        try:
            records = PyEvtxParser(file, number_of_threads=1).records()
        except (RuntimeError, OSError, ValueError) as error:
            raise Broken(f"it cannot be opened: {error}") from None
        yield from _entries(records)


def _entries(records: "PyRecordsIterator") -> Iterator[Entry]:
    damages = 0
    while damages < MOST:
        try:
            record = next(records)
        except StopIteration:
            return
        except (RuntimeError, OSError, ValueError) as error:
            damages += 1
            yield Damage(f"error {damages}", f"a record cannot be read: {error}")
            continue
        if record is None:
            return
        entry = single(str(record["data"]), f"record {record['event_record_id']}")
        damages += isinstance(entry, Damage)
        yield entry
    raise Broken("too much of it is broken: the rest was not read")
