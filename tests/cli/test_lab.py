"""``orchestrator lab``: a simulated organization in one terminal, used from another."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.__main__ import main
from orchestrator.lab import PASSWORD, scenarios

posix = pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as POSIX does")


@contextmanager
def lab(*arguments: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start ``lab up`` in a process of its own; however the test ends, it does not stay."""
    process = subprocess.Popen(  # noqa: S603 - this program, with arguments of the tests
        [sys.executable, "-m", "orchestrator", "lab", "up", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: "subprocess.Popen[str]", last: Callable[[str], bool]) -> list[str]:
    """Return the lines up to the *last* one that is waited for."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if last(lines[-1]):
            return lines
    raise AssertionError(lines)


def ready(line: str) -> bool:
    return "Ctrl-C" in line


def test_every_scenario_is_listed_with_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "scenarios"]) == 0
    said = capsys.readouterr().out
    for name, title in scenarios().items():
        assert f"{name} " in said
        assert title in said


def test_scenarios_are_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    main(["lab", "scenarios", "--output", "json"])
    rows = json.loads(capsys.readouterr().out)["scenarios"]
    assert {row["name"]: row["title"] for row in rows} == dict(scenarios())


@posix
def test_the_two_lines_that_are_shown_work_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with lab("dedicated-pair", folder=tmp_path) as process:
        shown = until(process, ready)
        (export,) = [line for line in shown if line.startswith("  export ")]
        (command,) = [line for line in shown if line.startswith("  orchestrator ")]
        name, _, value = shlex.split(export)[1].partition("=")
        monkeypatch.setenv(name, value)
        monkeypatch.setenv("ORCHESTRATOR_STORE", str(tmp_path / "store"))
        monkeypatch.chdir(tmp_path)
        code = main(shlex.split(command)[1:])
        said = capsys.readouterr()
        assert code == 0, said
        assert "fabrikam.com" in said.out
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "The lab has stopped" in rest


@posix
def test_it_ends_as_a_service_does(tmp_path: Path) -> None:
    with lab(folder=tmp_path) as process:
        until(process, ready)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0


def test_programs_learn_all_they_need_from_one_document(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    with lab("--output", "json", "--write-inventory", str(file), folder=tmp_path) as process:
        document = json.loads("\n".join(until(process, lambda line: line == "}")))
    assert document["inventory"] == str(file)
    assert document["environment"] == {"ORCHESTRATOR_LAB_PASSWORD": PASSWORD}
    assert [each["name"] for each in document["servers"]] == [
        "ex01.contoso.example",
        "ex02.contoso.example",
    ]
    for server in document["servers"]:
        assert f"port: {server['port']}" in file.read_text()


def test_an_inventory_that_is_no_labs_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.yaml").write_text("organizations: {}\n")
    assert main(["lab", "up"]) == 2
    assert "was not written by a lab" in capsys.readouterr().err
    assert (tmp_path / "lab.yaml").read_text() == "organizations: {}\n"


def test_a_port_that_is_taken_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["lab", "up", "--port", str(port)]) == 2
    assert f"port {port} or one after it cannot be had" in capsys.readouterr().err
    assert not (tmp_path / "lab.yaml").exists()


def test_an_unknown_scenario_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["lab", "up", "defualt"]) == 2
    assert "'default'" in capsys.readouterr().err
