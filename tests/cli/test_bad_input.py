"""What is wrong is said clearly, with what to do next; nothing is sent, nothing half-written."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator.__main__ import main
from orchestrator.app.files import read_plans, write_plans
from tests.cli.door import AGREED, REMOVE, RETIRE, Door, process


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rnu",), "There is no command 'rnu'. Did you mean 'run'?"),
        (("run", "remove-domain-securty"), "Did you mean 'remove-domain-security'?"),
        (("run", "./nowhere.yaml"), "there is no such file"),
        (("run", "remove-domain-security", "--set", "domian=x.com"), "Did you mean 'domain'?"),
        (("run", "remove-domain-security", "--set", "fabrikam.com"), "--set domain=fabrikam.com"),
        (("run", "remove-domain-security"), "--set domain="),
        ((*REMOVE, "--set", "domain=twice.com"), "domain is given twice"),
        ((*REMOVE, "--review-by", "2001-01-01"), "has gone by"),
        ((*REMOVE, "--review-by", "soon"), "'soon' is no date"),
        ((*REMOVE, "--limit", "contosso"), "Did you mean 'contoso'?"),
        ((*REMOVE, "--inventory", "nowhere.yaml"), "there is no such file"),
        ((*REMOVE, "--detailed-exitcode"), "--detailed-exitcode is for --dry-run"),
        ((*REMOVE, "--dry-run", "--whatif"), "a dry run never asks it"),
        ((*REMOVE, "--forks", "0"), "--forks"),
        (("plan", *REMOVE[1:], "--out", "x.plan", "--expires", "9w"), "is no time for --expires"),
        (("plan", *REMOVE[1:], "--out", "x.plan", "--expires", "8d"), "7d at most"),
        (("apply", "nowhere.plan"), "cannot be read"),
        (("rollback", "last"), "there is no journal"),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_one(
    door: Door, arguments: tuple[str, ...], said: str
) -> None:
    answer = door(*arguments)
    assert answer.code == (1 if "journal" in said else 2)
    assert answer.err.startswith("error: ")
    assert said in answer.words
    assert not answer.out
    assert not door.lab.commands


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ("*.fabrikam.com", "covers exactly one domain"),
        ("fabrikam .com", "has spaces"),
        ("postmaster@fabrikam.com", "is an address"),
        ("203.0.113.1", "is an IP address"),
        ("fabrikam.com\x1b[31m", "is not a domain name"),
        ("", "is empty"),
    ],
)
def test_what_is_no_domain_is_refused_before_anything_is_asked(
    door: Door, domain: str, said: str
) -> None:
    answer = door("run", "remove-domain-security", "--set", f"domain={domain}", "--dry-run")
    assert answer.code == 2
    assert said in answer.words
    assert "\x1b" not in answer.err
    assert not door.lab.commands


def test_a_subdomain_of_a_listed_domain_is_told_what_is_meant(door: Door) -> None:
    answer = door(*REMOVE[:-1], "domain=mail.fabrikam.com", "--dry-run")
    assert answer.code == 4
    assert "an entry covers exactly itself" in answer.words
    assert "--set domain=fabrikam.com" in answer.words


def test_an_international_domain_is_shown_both_ways(door: Door) -> None:
    answer = door(*REMOVE[:-1], "domain=b\u00fccher.example", "--dry-run")
    assert answer.code == 0
    assert "xn--bcher-kva.example" in answer.words
    assert "b\u00fccher.example" in answer.words


def test_without_a_terminal_and_without_yes_the_plan_is_shown_and_nothing_is_done(
    door: Door,
) -> None:
    answer = door(*REMOVE, "--reason", "x")
    assert answer.code == 2
    assert "standard input is not a terminal" in answer.err
    assert "--yes" in answer.err
    assert "@{Remove='fabrikam.com'}" in answer.out
    assert not door.received()


def test_taking_protection_away_without_a_reason_is_refused_before_anything_is_sent(
    door: Door,
) -> None:
    answer = door(*REMOVE, "--yes")
    assert answer.code == 2
    assert "needs a reason" in answer.words
    assert not door.received()
    assert "No run is recorded." in door("runs", "list").out


def test_errors_are_a_document_where_programs_asked_for_one(door: Door) -> None:
    usage = door("run", "remove-domain-securty", "--output", "json")
    assert usage.code == 2
    assert not usage.err
    assert usage.document["schema"] == "orchestrator/error/1"
    assert usage.document["exit_code"] == 2
    assert usage.document["error"]["advice"] == "Did you mean 'remove-domain-security'?"
    (door.folder / "inventory.yaml").write_text("organisations: {}\n")
    broken = door(*REMOVE, "--output", "json").document["error"]
    assert broken["kind"] == "ConfigurationError"
    assert (broken["line"], broken["column"]) == (1, 1)
    parsed = door("run", "--no-such-option", "--output", "json")
    assert parsed.document["error"]["kind"] == "UsageError"


@pytest.fixture
def plan_file(door: Door) -> Path:
    """A plan that could be applied."""
    file = door.folder / "fix.plan"
    assert door("plan", *RETIRE[1:], "--out", str(file)).code == 0
    return file


def _edited(file: Path, edit: Callable[[dict[str, object]], None]) -> None:
    document = json.loads(file.read_text())
    edit(document)
    file.write_text(json.dumps(document))


def test_a_plan_that_was_edited_by_hand_is_not_used(door: Door, plan_file: Path) -> None:
    text = plan_file.read_text()
    plan_file.write_text(text.replace("fabrikam.com", "adatum.com"))
    answer = door("apply", str(plan_file), *AGREED)
    assert answer.code == 2
    assert "it was edited after it was made" in answer.words
    assert not door.received()


def test_a_plan_of_a_newer_version_is_not_used(door: Door, plan_file: Path) -> None:
    _edited(plan_file, lambda document: document.update(schema=99))
    answer = door("apply", str(plan_file), *AGREED)
    assert answer.code == 2
    assert "newer version" in answer.words


def test_a_plan_that_expired_is_not_used(door: Door, plan_file: Path) -> None:
    gone = datetime.now(UTC) - timedelta(seconds=1)
    write_plans(plan_file, [replace(plan, expires=gone) for plan in read_plans(plan_file)])
    answer = door("apply", str(plan_file), *AGREED)
    assert answer.code == 4
    assert "the plan expired at" in answer.words
    assert not door.received()


def test_a_plan_for_an_organization_that_is_not_in_the_inventory_is_not_used(
    door: Door, plan_file: Path
) -> None:
    file = door.folder / "inventory.yaml"
    file.write_text(file.read_text().replace("  contoso:\n", "  tailspin:\n"))
    answer = door("apply", str(plan_file), *AGREED)
    assert answer.code == 4
    assert "the inventory has no organization 'contoso'" in answer.words


def test_what_is_no_plan_is_told_apart_from_one(door: Door, tmp_path: Path) -> None:
    (tmp_path / "x.plan").write_text("{}")
    answer = door("apply", str(tmp_path / "x.plan"))
    assert answer.code == 2
    assert "orchestrator plan" in answer.words


def test_a_plan_without_changes_is_not_written(door: Door) -> None:
    file = door.folder / "none.plan"
    answer = door("plan", *REMOVE[1:-1], "domain=nobody.example", "--out", str(file))
    assert answer.code == 0
    assert "no file was written" in answer.words
    assert not file.exists()


def test_a_plan_that_cannot_be_written_leaves_nothing(door: Door, tmp_path: Path) -> None:
    answer = door("plan", *REMOVE[1:], "--out", str(tmp_path / "no" / "where.plan"))
    assert answer.code == 2
    assert "Name another file." in answer.words


def test_heads_that_were_kept_are_held_against_the_record(door: Door, tmp_path: Path) -> None:
    assert door(*REMOVE, *AGREED).code == 0
    kept = tmp_path / "heads"
    kept.write_text(door("journal", "check").out)
    assert door("rollback", "last", "--yes").code == 0
    assert door("journal", "check", "--heads", str(kept)).code == 0
    kept.write_text(kept.read_text().replace(kept.read_text()[:8], "00000000"))
    answer = door("journal", "check", "--heads", str(kept))
    assert answer.code == 1
    kept.write_text("anything\n")
    answer = door("journal", "check", "--heads", str(kept))
    assert answer.code == 2
    assert "heads:1" in answer.words


@pytest.mark.parametrize("arguments", [(), ("runs",), ("journal",), ("playbook",)])
def test_who_names_no_command_sees_which_there_are(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out.startswith("Usage: orchestrator")
    assert "..." not in said.out.partition("\n")[2]
    assert not said.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_is_lost_is_no_success(door: Door) -> None:
    assert door(*REMOVE, *AGREED).code == 0
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "orchestrator", "runs", "export"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "error: not everything could be written to standard output: No space left on device"
    ]


def test_a_reader_that_has_seen_enough_is_no_error(door: Door) -> None:
    assert door(*REMOVE, *AGREED).code == 0
    with process("runs", "export") as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.wait(60) == 0
        assert not child.stderr.read()
