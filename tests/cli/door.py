"""The command line beside a running lab, as a person or a program meets it."""

import json
import subprocess
import sys
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
