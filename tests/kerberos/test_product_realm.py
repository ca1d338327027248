"""The main job with nothing but a ticket, as real Exchange takes it: no password anywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.lab import Lab

pytestmark = pytest.mark.kerberos


def _orchestrator(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this interpreter, words of our own
        [sys.executable, "-m", "orchestrator", *words],
        cwd=home,
        env={**os.environ, "ORCHESTRATOR_STORE": str(home / "store")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def home(tmp_path: Path, lab: Lab) -> Path:
    """A jump host's directory with an inventory that knows no password."""
    tmp_path.chmod(0o700)
    text = lab.inventory_text(auth="kerberos", credential="kerberos:")
    kept = [line for line in text.splitlines() if "user:" not in line]
    (tmp_path / "inventory.yaml").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return tmp_path


def test_a_ticket_carries_the_whole_job(home: Path, lab: Lab) -> None:
    agreed = ("--yes", "--reason", "a test")
    run = _orchestrator(
        home, "run", "remove-domain-security", "--set", "domain=fabrikam.com", *agreed
    )
    assert run.returncode == 0, run.stderr + run.stdout
    assert [entry.caller for entry in lab.audit()] == ["CONTOSO\\ops"]
    back = _orchestrator(home, "rollback", "last", "--yes")
    assert back.returncode == 0, back.stderr + back.stdout
    assert "fabrikam.com" in str(lab.snapshot())
    assert lab.open_shells == 0


def test_without_a_ticket_nobody_is_let_in_and_the_message_says_what_to_do(
    home: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{home}/none")
    run = _orchestrator(
        home, "run", "remove-domain-security", "--set", "domain=fabrikam.com", "--dry-run"
    )
    assert run.returncode == 8
    assert "kinit" in run.stderr + run.stdout
    assert not lab.audit()


@pytest.mark.parametrize("encryption", ["auto", "always"])
def test_a_ticket_reads_the_event_logs_with_messages_encrypted(
    home: Path, lab: Lab, encryption: str
) -> None:
    strings = ("fabrikam.com", "Default Frontend EX01")
    lab.organization.logs["EX01"].write("MSExchangeFrontEndTransport", 11012, strings)
    file = home / "inventory.yaml"
    file.write_text(file.read_text().replace("encryption: auto", f"encryption: {encryption}"))
    read = _orchestrator(home, "events")
    assert read.returncode == 0, read.stderr + read.stdout
    assert "contoso-fabrikam.com-1: opened with 1 event" in read.stdout
    assert lab.open_shells == 0
