"""What is only asked how it works answers at once: it brings nothing heavy along."""

import importlib.metadata
import subprocess
import sys

import pytest

from orchestrator.cli import COMMANDS, VERSION

HEAVY = {
    "cryptography",
    "keyring",
    "msgspec",
    "pypsrp",
    "requests",
    "rich",
    "spnego",
    "sqlite3",
    "winrm",
    "yaml",
    "orchestrator.app",
    "orchestrator.exchange",
    "orchestrator.lab",
}
_LOADED = """
import sys
from orchestrator.__main__ import main
code = main(sys.argv[1:])
print("\\nloaded:", *sorted(sys.modules))
sys.exit(code)
"""


def _loaded(*arguments: str) -> tuple[str, set[str]]:
    ended = subprocess.run(  # noqa: S603 - this program, with arguments of the tests
        [sys.executable, "-c", _LOADED, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    said, _, modules = ended.stdout.rpartition("\nloaded: ")
    return said, set(modules.split())


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("run", "--help"), ("-h",)])
def test_help_brings_nothing_heavy(arguments: tuple[str, ...]) -> None:
    said, modules = _loaded(*arguments)
    assert said
    assert not HEAVY & modules


def test_the_version_is_that_of_the_package() -> None:
    said, _ = _loaded("--version")
    assert said.strip() == f"orchestrator {VERSION}"
    assert importlib.metadata.version("orchestrator") == VERSION


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_how(name: str) -> None:
    said, _ = _loaded(name, "--help")
    assert said.startswith(f"Usage: orchestrator {name} ")
    first = said.split("\n\n")[1]
    assert first.strip()


def test_every_command_is_in_the_help_with_its_sentence() -> None:
    said, _ = _loaded("--help")
    words = " ".join(said.split())
    for name, entry in COMMANDS.items():
        assert f"{name} {entry.sentence}" in words
        assert entry.section + ":" in said
