"""A person at a terminal. POSIX only: Windows has no pty, and tests that need one are skipped."""

import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest

if sys.platform == "win32":
    pytest.skip("pty is POSIX's", allow_module_level=True)

import pty  # the line above keeps Windows away


@contextlib.contextmanager
def attended(arguments: Sequence[str], **environment: str) -> Iterator["Person"]:
    """Start the program on a terminal of 80 columns, with a person at it."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(  # noqa: S603 - this program, with arguments of the tests
        [sys.executable, "-m", "orchestrator", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", **environment},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Person(ours, child)
    finally:
        child.kill()
        child.wait()
        os.close(ours)


class Person:
    """Reads what the program says and types answers."""

    def __init__(self, terminal: int, child: "subprocess.Popen[bytes]") -> None:
        self._terminal = terminal
        self._child = child
        self.seen = ""

    def waits_for(self, text: str) -> None:
        """Read until *text* was said."""
        while text not in self.seen:
            assert self._read(), f"it ended without {text!r}: {self.seen}"

    def types(self, text: str) -> None:
        """Type *text* and the return key."""
        os.write(self._terminal, text.encode() + b"\n")

    def leaves(self) -> int:
        """Read to the end and return the exit code."""
        while self._read():
            pass
        return self._child.wait(30)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], 30)
        assert ready, f"it says nothing any more: {self.seen}"
        try:
            read = os.read(self._terminal, 65536)
        except OSError:  # Linux tells the end of a terminal so
            return False
        self.seen += read.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(read)
