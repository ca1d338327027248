"""A lab in a process of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from orchestrator.lab import PASSWORD


@contextmanager
def process(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Start ``python -m orchestrator.lab``."""
    command = [sys.executable, "-m", "orchestrator.lab", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        yield running
        running.kill()


def line(running: "subprocess.Popen[str]") -> Any:
    """Return the next line of JSON."""
    assert running.stdout is not None
    return json.loads(running.stdout.readline())


def ask(running: "subprocess.Popen[str]", text: str) -> None:
    """Write a line."""
    assert running.stdin is not None
    running.stdin.write(text + "\n")
    running.stdin.flush()


def test_it_hosts_many_organizations_and_counts() -> None:
    with process("default", "--organizations", "3", "--auth", "basic") as running:
        ready = line(running)
        assert [one["organization"] for one in ready["servers"]] == [
            "contoso001",
            "contoso002",
            "contoso003",
        ]
        assert list(yaml.safe_load(ready["inventory"])["organizations"]) == [
            "contoso001",
            "contoso002",
            "contoso003",
        ]
        connection = WSMan(
            "127.0.0.1",
            port=ready["servers"][1]["port"],
            ssl=False,
            path="PowerShell",
            auth="basic",
            encryption="never",
            username="CONTOSO\\ops",
            password=PASSWORD,
        )
        with RunspacePool(connection, configuration_name="Microsoft.Exchange") as pool:
            shell = PowerShell(pool).add_cmdlet("Get-OrganizationConfig")
            assert shell.invoke()[0].adapted_properties["Name"] == "Contoso002"
            shell.close()
        connection.close()
        ask(running, "stats")
        stats = line(running)
        assert (stats["requests"], stats["open_shells"], stats["effective_writes"]) == (7, 0, 0)
        assert stats["cpu_seconds"] > 0


def test_it_ends_with_its_standard_input() -> None:
    with process("default") as running:
        line(running)
        assert running.stdin is not None
        running.stdin.close()
        assert running.wait(10) == 0


def test_it_ends_when_it_is_told_to() -> None:
    with process("default") as running:
        line(running)
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0


@pytest.mark.parametrize("arguments", [("nonsense",), ("default", "--auth", "digest")])
def test_what_does_not_exist_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    with process(*arguments) as running:
        assert running.wait(10) == 2
