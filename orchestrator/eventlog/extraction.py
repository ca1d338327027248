"""Records of an ``.evtx`` file on standard input, written to standard output as lines of JSON.

A process of its own, because on some broken files the evtx package never comes back, and nothing
can interrupt it from within. ``eventlog.evtx`` starts it, listens, and stops listening in time.
"""

import json
import sys
from typing import BinaryIO, TextIO

from evtx import PyEvtxParser

MEMORY = 2 * 1024**3


def _confine() -> None:
    """Let a file that asks for absurd amounts of memory fail, where the system can do that."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Windows has none

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def extract(log: BinaryIO, out: TextIO) -> None:
    """Write one line for each record, ``{"id", "xml"}``, or for what is none, ``{"error"}``."""
    records = PyEvtxParser(log, number_of_threads=1).records()
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except (RuntimeError, OSError, ValueError) as error:
            line = {"error": str(error)}
        else:
            if record is None:
                return
            line = {"id": record["event_record_id"], "xml": record["data"]}
        out.write(json.dumps(line) + "\n")
        out.flush()


def main() -> None:
    """Extract, and end with one line more where the file cannot be opened at all."""
    _confine()
    try:
        extract(sys.stdin.buffer, sys.stdout)
    except (RuntimeError, OSError, ValueError, MemoryError) as error:
        sys.stdout.write(json.dumps({"fatal": str(error)}) + "\n")


if __name__ == "__main__":
    main()
