"""``orchestrator demo``: it shows what it says, notices when that is not so, and leaves nothing."""

import json
import sys
import tempfile
from datetime import date
from pathlib import Path

import pytest

from orchestrator.__main__ import main
from orchestrator.app import demo
from orchestrator.app.demo import Scene, scenes, stage


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory for whatever is temporary, in this process and those it starts."""
    folder = tmp_path / "temporary"
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("NO_COLOR", "1")
    return folder


def test_the_whole_job_is_shown_and_nothing_stays(
    temporary: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo"]) == 0
    said = capfd.readouterr().out
    order = [
        "11012",
        "$ orchestrator events",
        "contoso-fabrikam.com-1: opened with",
        "$ orchestrator diagnose fabrikam.com --protocol-log auto",
        "remove-from-list",
        "$ orchestrator run remove-domain-security --incident contoso-fabrikam.com-1",
        "This was a dry run: nothing was written.",
        "Set-TransportConfig -TLSReceiveDomainSecureList @{Remove='fabrikam.com'}",
        "The list lost that one entry; everything else is as it was.",
        "$ orchestrator verify last",
        "each server's own domain controller has it: proved",
        "$ orchestrator rollback last --yes",
        "The organization is as it was in the beginning.",
    ]
    at = 0
    for each in order:
        at = said.index(each, at)
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("temporary")
def test_the_demo_is_a_document_too(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--output", "json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert [each["exit_code"] for each in document["scenes"]] == [0, 0, 0, 0, 3, 0]
    assert all(each["fault"] == "" for each in document["scenes"])
    assert "fabrikam.com" in document["scenes"][0]["output"]


def scene(*arguments: str, moved: bool = False, writes: int = 0) -> Scene:
    remedy = scenes(date(2026, 11, 23))[3].moved
    return Scene("A scene", arguments, "It is so.", remedy if moved else (), writes)


@pytest.mark.usefixtures("temporary")
def test_a_scene_that_goes_wrong_is_noticed() -> None:
    remedy = scenes(date.today())[3].arguments  # noqa: DTZ011 - a date of review that has not gone by
    with stage() as played:
        wrong = played.play(scene("run", "no-such-playbook"), capture=True)
        assert wrong.fault == "the command ended with 2"
        assert "there is no playbook 'no-such-playbook'" in wrong.output
        idle = played.play(scene("playbook", "list", moved=True, writes=1), capture=True)
        assert idle.fault.startswith("the organization differs by: ")
        played.play(scene("events"), capture=True)
        secret = played.play(scene(*remedy), capture=True)
        assert "TransportConfig TLSReceiveDomainSecureList from 'fabrikam.com'" in secret.fault
        assert played.play(scene("playbook", "list", moved=True, writes=2), capture=True).fault == (
            "1 writes, not 2"
        )


def test_the_commands_are_those_of_this_interpreter_and_this_program() -> None:
    with stage() as played:
        shown = played.play(scene("--version"), capture=True)
        home = Path(demo.__file__).resolve().parents[2]
        assert played.environment["PYTHONPATH"].startswith(str(home))
    assert shown.output.startswith("orchestrator "), sys.executable
