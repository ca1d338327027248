"""The event log's own files, ``.evtx``, read by the evtx package (Rust) in a process of its own."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Any

from orchestrator.eventlog.damage import MOST, Damage, Entry
from orchestrator.eventlog.source import LARGEST_EVENT, Broken, Source
from orchestrator.eventlog.xml import single

MAGIC = "ElfFile\0"
PATIENCE = 30.0
"""Seconds without a record after which nothing more is expected, or up to twice as many; a chunk
of a log takes milliseconds."""

_COMMAND = (sys.executable, "-m", "orchestrator.eventlog.extraction")
_LONGEST = 8 * LARGEST_EVENT
_SMALLEST = 28


def sniff(opening: str) -> bool:
    """Say whether *opening* is the mark of such a file."""
    return opening.startswith(MAGIC)


def read(source: Source, patience: float = PATIENCE) -> Iterator[Entry]:
    """Yield the records. Standard input goes through a file on disk, to be sought in.

    Raises Broken where nothing came for *patience* seconds, or too much is broken.
    """
    with ExitStack() as stack:
        if source.path is not None and source.path.is_file():
            log: IO[bytes] = stack.enter_context(source.path.open("rb"))
        else:
            log = stack.enter_context(tempfile.TemporaryFile())
            for chunk in source.chunks():
                log.write(chunk)
            log.seek(0)
        yield from _entries(_lines(log, patience))


def _lines(log: IO[bytes], patience: float) -> Iterator[dict[str, Any]]:
    """Yield what the process says, which is killed once it is silent, or nobody listens."""
    child = subprocess.Popen(  # noqa: S603 - this interpreter, with a module of ours
        _COMMAND, stdin=log, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    watch = _Watch(child, patience)
    most = os.fstat(log.fileno()).st_size // _SMALLEST
    try:
        for _, line in zip(range(most), iter(watch.line, b""), strict=False):
            yield _parsed(line)
        if child.poll() is None and watch.line():
            raise Broken("it has more records than fit into it")
    finally:
        watch.end()
    if watch.silent:
        raise Broken(f"nothing more could be read of it within {patience:g} seconds")
    if child.returncode:
        raise Broken("it cannot be read any further: its reader broke off")


class _Watch:
    """Listens to a process, and kills it when it keeps somebody waiting. *silent* says that it did.

    Time counts while a line is awaited, not while nobody asks for one.
    """

    def __init__(self, child: "subprocess.Popen[bytes]", patience: float) -> None:
        self.silent = False
        self._child = child
        self._patience = patience
        self._heard = 0
        self._waiting = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._guard, daemon=True)
        self._thread.start()

    def line(self) -> bytes:
        """Return the next line; nothing at the end, or once the process was killed."""
        self._waiting = True
        line = self._child.stdout.readline(_LONGEST) if self._child.stdout else b""
        self._waiting = False
        self._heard += 1
        return line

    def end(self) -> None:
        """Stop watching, and leave no process behind."""
        if not self._over.is_set():
            self._over.set()
            self._thread.join()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(0.5)
            self._child.kill()
            self._child.communicate()

    def _guard(self) -> None:
        before = -1
        while not self._over.wait(self._patience):
            if self._waiting and self._heard == before:
                self.silent = True
                self._child.kill()
                return
            before = self._heard


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        raise Broken("a record is larger than any event can be") from None
    return found


def _entries(lines: Iterator[dict[str, Any]]) -> Iterator[Entry]:
    damages = 0
    for line in lines:
        if "fatal" in line:
            raise Broken(f"it cannot be opened: {line['fatal']}")
        if "error" in line:
            entry: Entry = Damage(
                f"error {damages + 1}", f"a record cannot be read: {line['error']}"
            )
        else:
            entry = single(line["xml"], f"record {line['id']}")
        damages += isinstance(entry, Damage)
        yield entry
        if damages >= MOST:
            raise Broken("too much of it is broken: the rest was not read")
