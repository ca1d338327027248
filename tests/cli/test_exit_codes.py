"""Every exit code, each from what really happens on the wire, and which of several is told."""

import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from orchestrator.cli.codes import MEANINGS, ExitCode, gravest, of_error
from orchestrator.core import errors
from orchestrator.journal import Owner, open_store
from orchestrator.lab import Delay, DropAfter, Lab
from orchestrator.lab.faults import Drop, Effect, Seen
from tests.cli.door import AGREED, REMOVE, RETIRE, Door, process

Open = Callable[..., Door]
RESTORE = ("run", "restore-domain-security", "--set", "domain=fabrikam.com")


def test_0_is_for_done_and_for_nothing_to_do(door: Door) -> None:
    assert door(*REMOVE, *AGREED).code == 0
    assert door(*REMOVE, *AGREED).code == 0
    assert door(*REMOVE, "--dry-run", "--detailed-exitcode").code == 0


def test_1_is_for_a_store_that_cannot_be_used(door: Door, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where a directory should be")
    answer = door(*REMOVE, *AGREED)
    assert answer.code == 1
    assert not door.received()


def test_1_is_for_a_record_that_was_edited(door: Door) -> None:
    assert door(*REMOVE, *AGREED).code == 0
    with sqlite3.connect(door.folder / "store" / "journal.sqlite3") as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(
            "UPDATE event SET payload = CAST(replace(payload, 'Fabrikam', 'Nobody') AS BLOB)"
        )
    database.close()
    answer = door("journal", "check")
    assert answer.code == 1
    assert "damaged: run/" in answer.err
    assert door("journal", "check", "--output", "json").document["exit_code"] == 1
    assert door("runs", "show", "last").code == 1


def test_2_is_for_a_command_line_that_cannot_be_used(door: Door) -> None:
    assert door("run").code == 2
    assert door("run", "remove-domain-security").code == 2
    assert door(*REMOVE, "--limit", "nobody").code == 2


def test_3_is_for_changes_that_are_pending_where_that_was_asked(door: Door) -> None:
    assert door(*REMOVE, "--dry-run", "--detailed-exitcode").code == 3
    assert door(*REMOVE, "--dry-run").code == 0


def test_4_is_for_a_rule_that_refuses(door: Door) -> None:
    answer = door(*RETIRE[:-1], "connector=EX01\\Default Frontend EX01", *AGREED)
    assert answer.code == 4
    assert "never-disabled" in answer.words
    assert "Way out:" in answer.words
    assert not door.received()


def test_5_is_for_drift_with_the_three_way_difference(door: Door) -> None:
    file = str(door.folder / "fix.plan")
    assert door("plan", *RETIRE[1:], "--out", file).code == 0
    door.lab.edit("EX01\\From Fabrikam", RemoteIPRanges=["192.0.2.1"])
    answer = door("apply", file, *AGREED)
    assert answer.code == 5
    assert "planned on" in answer.words
    assert "now" in answer.words
    assert "EX01\\From Fabrikam" in answer.words
    facts = door("apply", file, *AGREED, "--output", "json").document
    [organization] = facts["organizations"]
    assert organization["error"]["drifts"][0].keys() == {"subject", "planned", "wanted", "now"}
    assert not door.received()


def test_6_is_for_a_change_that_failed_and_is_held(open_door: Open) -> None:
    door = open_door("binding-conflict")
    door.lab.edit("TransportConfig", TLSReceiveDomainSecureList=["adatum.com"])
    answer = door(*RESTORE, "--set", "connector=EX01\\Old Fabrikam", "--yes")
    assert answer.code == 6
    assert "a change failed; what was done before it stays as it is" in answer.words
    assert "To try again from where it stands: orchestrator resume" in answer.words


def test_6_is_for_a_failed_run_that_was_rolled_back_as_asked(open_door: Open) -> None:
    door = open_door("binding-conflict")
    answer = door(
        *RESTORE, "--set", "connector=EX01\\Old Fabrikam", "--yes", "--on-failure", "rollback"
    )
    assert answer.code == 6
    assert "rolled back" in answer.words


@dataclass(frozen=True)
class DeadAfterTheWrite:
    """Once anything was changed, the server answers nothing any more."""

    lab: Lab

    def before(self, seen: Seen) -> Effect | None:
        """Drop everything that comes later."""
        del seen
        return Drop() if self.lab.audit() else None

    def after(self, seen: Seen) -> Effect | None:
        """Drop the answer to the write too."""
        return self.before(seen)


def test_7_is_for_an_outcome_that_nobody_knows_and_resume_finds_it_out(door: Door) -> None:
    door.lab.faults.append(DeadAfterTheWrite(door.lab))
    answer = door(*REMOVE, *AGREED)
    assert answer.code == 7
    assert "sent, and its effect is not known" in answer.words
    assert "orchestrator resume" in answer.words

    assert door(*REMOVE, *AGREED).code == 8
    door.lab.faults.clear()
    assert door(*RESTORE, "--yes").code == 9

    resumed = door("resume", "last")
    assert resumed.code == 0
    assert "found done; who did it cannot be said" in resumed.words
    assert "--in-doubt" in resumed.words
    assert len(door.writes()) == 1


def test_a_change_of_unknown_authorship_is_undone_only_on_a_persons_word(door: Door) -> None:
    door.lab.faults.append(DropAfter("Command", cmdlet="Set-TransportConfig", nth=None))
    assert door(*REMOVE, *AGREED).code == 0
    door.lab.faults.clear()
    left = door("rollback", "last", "--yes")
    assert left.code == 6
    assert "Nothing was undone." in left.words
    assert "left alone, because it cannot be said who did it" in left.words
    undone = door("rollback", "last", "--yes", "--in-doubt")
    assert undone.code == 0
    assert len(door.writes()) == 2


def test_8_is_for_a_server_that_cannot_be_reached(door: Door) -> None:
    door.lab.stop()
    answer = door(*REMOVE, *AGREED)
    assert answer.code == 8
    assert not (door.folder / "store").exists()


def test_8_is_for_a_server_that_does_not_let_us_in(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_LAB_PASSWORD", "not the password")
    answer = door(*REMOVE, "--dry-run")
    assert answer.code == 8
    assert "not the password" not in answer.words


def test_8_is_for_a_credential_that_is_not_there(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORCHESTRATOR_LAB_PASSWORD")
    answer = door(*REMOVE, "--dry-run", "--output", "json")
    assert answer.code == 8
    [organization] = answer.document["organizations"]
    assert organization["error"]["kind"] == "CredentialError"
    assert "ORCHESTRATOR_LAB_PASSWORD" in organization["error"]["advice"]


def test_9_is_for_an_organization_that_another_run_holds(door: Door) -> None:
    planned = door(*REMOVE, "--dry-run", "--output", "json").document
    guid = str(UUID(planned["organizations"][0]["plan"]["organization_guid"]))
    store = open_store(door.folder / "store", now=lambda: datetime.now(UTC))
    owner = Owner("elsewhere", 4711, "alice", "orchestrator run", datetime.now(UTC))
    with store.hold(guid, owner, timedelta(minutes=5)):
        answer = door(*REMOVE, *AGREED)
    store.close()
    assert answer.code == 9
    assert "alice on elsewhere" in answer.words
    assert not door.received()


def test_130_is_for_a_run_that_was_interrupted_and_can_be_resumed(door: Door) -> None:
    door.lab.faults.append(Delay("Command", cmdlet="Set-TransportConfig", seconds=1.0))
    with process(*RETIRE, *AGREED) as child:
        assert child.stdout is not None
        while "1/3 sends" not in child.stdout.readline():
            assert child.poll() is None
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 130, out + err
    assert "Stopping at the next safe place" in err
    assert "interrupted at your request" in out
    assert door.writes() == ["Set-TransportConfig"]
    resumed = door("resume", "last")
    assert resumed.code == 0
    assert len(door.writes()) == 3


def test_the_fine_organizations_are_done_and_the_gravest_code_is_told(open_door: Open) -> None:
    door = open_door("default", organizations=2)
    file = door.folder / "inventory.yaml"
    text = file.read_text()
    protected = "  contoso002:\n    protect: {domains: [fabrikam.com]}\n"
    file.write_text(text.replace("  contoso002:\n", protected))
    answer = door(*REMOVE, *AGREED, "--limit", "all", "--output", "json")
    assert answer.code == 4
    one, two = answer.document["organizations"]
    assert (one["exit_code"], two["exit_code"]) == (0, 4)
    assert one["run"]["outcome"] == "succeeded"
    assert two["plan"]["refusals"][0]["rule"] == "protected"
    assert len(door.writes()) == 1


GRAVITY = [7, 1, 6, 5, 8, 9, 130, 4, 2, 3, 0]


def test_of_several_codes_the_gravest_is_told() -> None:
    codes = [ExitCode(code) for code in GRAVITY]
    assert set(codes) == set(ExitCode) == set(MEANINGS)
    for position, code in enumerate(codes):
        assert gravest(reversed(codes[position:])) is code
    assert gravest([]) is ExitCode.DONE


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.UsageError, 2),
        (errors.ConfigurationError, 2),
        (errors.CredentialError, 8),
        (errors.Unreachable, 8),
        (errors.NotLetIn, 8),
        (errors.ConnectionLost, 8),
        (errors.RefusedError, 4),
        (errors.DriftError, 5),
        (errors.StoreError, 1),
        (errors.JournalDamaged, 1),
    ],
)
def test_every_error_has_its_code(kind: Callable[[str], Any], code: int) -> None:
    assert of_error(kind("it happened")) == code


def test_the_codes_are_documented_where_people_look(door: Door) -> None:
    page = Path("docs/exit-codes.md").read_text(encoding="utf-8")
    helped = door("--help").words
    for code, meaning in MEANINGS.items():
        assert f"| {int(code)} | {meaning} |" in page
        assert f"{int(code)} {meaning}" in helped
