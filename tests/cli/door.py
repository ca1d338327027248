"""The command line beside a running lab, as a person or a program meets it."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.__main__ import main
from orchestrator.lab import Lab

REMOVE = ("run", "remove-domain-security", "--set", "domain=fabrikam.com")
RETIRE = (
    "run",
    "retire-dedicated-connectors",
    "--set",
    "domain=fabrikam.com",
    "--set",
    "connector=EX01\\From Fabrikam",
)
AGREED = ("--yes", "--reason", "Fabrikam mends its TLS")


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def words(self) -> str:
        """Everything that was said, as one line: where lines break is no part of it."""
        return " ".join((self.out + " " + self.err).split())


@dataclass
class Door:
    """Calls the program on one lab, with a store and an inventory of its own."""

    lab: Lab
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Answer:
        """Run the command in this process; nobody is there to be asked."""
        self.capsys.readouterr()
        code = main(arguments)
        said = self.capsys.readouterr()
        return Answer(int(code), said.out, said.err)

    def writes(self) -> list[str]:
        """The cmdlets that changed anything, by the lab's own audit log."""
        return [entry.cmdlet for entry in self.lab.audit() if entry.effective]

    def received(self) -> list[str]:
        """Every Set cmdlet that reached a server, whether it changed anything or not."""
        return [one.cmdlet for one in self.lab.commands if one.cmdlet.startswith("Set-")]


def process(*arguments: str) -> "subprocess.Popen[str]":
    """Start the program in a process of its own."""
    return subprocess.Popen(  # noqa: S603 - this program, with arguments of the tests
        [sys.executable, "-m", "orchestrator", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


if sys.platform == "win32":

    def _terminal() -> tuple[int, int]:
        raise OSError("Windows has no pty: mark the test with skipif")

else:

    def _terminal() -> tuple[int, int]:
        return os.openpty()


@contextlib.contextmanager
def attended(arguments: Sequence[str], **environment: str) -> Iterator["Person"]:
    """Start the program on a terminal of 80 columns, with a person at it."""
    ours, theirs = _terminal()
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

    def insists(self) -> int:
        """Press Ctrl-C until it leaves; one press can fall between its question and its ear."""
        while self._child.poll() is None:
            self._child.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(1.0)
        return self.leaves()

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
