"""Files that are not what they should be, and places where somebody else lies in wait."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from shutil import rmtree

import pytest
from msgspec.structs import replace

from orchestrator.__main__ import main
from orchestrator.app.files import write_plans
from orchestrator.app.records import events_of, run_names, stream_of
from orchestrator.app.workplace import utc_now
from orchestrator.core.command import command
from orchestrator.core.errors import UsageError
from orchestrator.core.events import RunStarted, encode
from orchestrator.core.plan import seal
from orchestrator.journal import open_store
from orchestrator.lab import parse_scenario
from tests.cli.door import AGREED, REMOVE, Door

PLAIN = parse_scenario("""
title: Plain
description: One listed domain.
receive_list: [fabrikam.com, adatum.com]
""")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


@pytest.fixture
def door(open_door: Callable[..., Door]) -> Door:
    """A door to an organization with nothing special."""
    return open_door(PLAIN)


@POSIX
def test_a_link_that_lies_in_wait_for_a_plan_is_not_followed(door: Door) -> None:
    victim = door.folder / "victim"
    victim.write_text("mine")
    plan = door.folder / "fix.plan"
    for name in (".fix.plan.new", ".fix.plan.tmp", "fix.plan.new"):
        (door.folder / name).symlink_to(victim)
    plan.symlink_to(victim)
    assert door("plan", *REMOVE[1:], "--out", str(plan)).code == 0
    assert victim.read_text() == "mine"
    assert not plan.is_symlink()
    assert plan.stat().st_mode & 0o777 == 0o600


def test_a_plan_that_cannot_be_put_in_its_place_leaves_nothing_behind(tmp_path: Path) -> None:
    place = tmp_path / "fix.plan"
    place.mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        write_plans(place, [])
    assert list(tmp_path.iterdir()) == [place]


@POSIX
@pytest.mark.parametrize("noun", [("apply",), ("run",), ("playbook", "validate")])
def test_a_file_without_an_end_is_left(door: Door, noun: tuple[str, ...]) -> None:
    link = door.folder / "endless.yaml"
    link.symlink_to("/dev/zero")
    answer = door(*noun, str(link))
    assert answer.code == 2
    assert "large" in answer.words


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + at)}: &{chr(98 + at)} [*{chr(97 + at)}, *{chr(97 + at)}]\n" for at in range(20)
)
TRICKS = {
    "laughs": LAUGHS,
    "merge": "a: &a {b: c}\nd: {<<: *a}\n",
    "an object": "!!python/object/apply:os.system ['touch mark']\n",
    "nested": "[" * 100_000,
    "nested mappings": "{a: " * 50_000,
    "nested blocks": "".join(" " * at + "a:\n" for at in range(600)),
    "a huge list": "a: [" + "x," * 400_000 + "]\n",
    "a huge key": f"? {'a' * 900_000}\n: b\n",
    "a huge number": f"a: {'9' * 900_000}\n",
    "directives": "%TAG ! tag:x,2000:\n" * 2,
    "documents": "---\n" * 100_000,
    "comments": "#" * 1_000_000,
    "questions": "? " * 400_000,
    "dashes": "- " * 400_000,
    "nothing": "\n" * 1_000_000,
    "quotes": '"' * 900_001,
    "brackets": "}]" * 400_000,
    "anchors": "&a " * 300_000,
    "tags": "!a " * 300_000,
    "a wall of an indent": " " * 1_000_000 + "a: b",
}


@pytest.mark.parametrize("text", TRICKS.values(), ids=TRICKS.keys())
def test_a_trick_of_yaml_is_refused_in_a_sentence(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "book.yaml"
    file.write_text(text)
    assert main(["playbook", "validate", str(file)]) == 2
    assert main(["inventory", "check", "--inventory", str(file)]) == 2
    said = capsys.readouterr()
    assert len(said.out + said.err) < 5000
    assert not Path("mark").exists()


DEEP = {"lists": b"[" * 200_000, "mappings": b'{"plans":' * 200_000, "text": b'"' + b"a" * 900_000}


@pytest.mark.parametrize("text", [*DEEP.values(), b"\xed\xa0\x80", b'{"schema":1,"plans":"\xff"}'])
def test_a_trick_of_json_is_refused_in_a_sentence(door: Door, text: bytes) -> None:
    file = door.folder / "fix.plan"
    file.write_bytes(text)
    answer = door("apply", str(file))
    assert answer.code == 2
    assert "Make a new plan" in answer.words
    assert len(answer.err) < 3000


def test_a_sealed_plan_whose_command_is_another_is_not_carried_out(door: Door) -> None:
    """The seal is no secret: whoever can write the file can seal what they wrote."""
    plan = door.folder / "fix.plan"
    door("plan", *REMOVE[1:], "--out", str(plan))
    document = json.loads(plan.read_bytes())
    (sealed,) = document["plans"]
    apply = sealed["plan"]["changes"][0]["difference"]["apply"]
    apply["name"] = "Remove-Mailbox"
    canonical = json.dumps(
        sealed["plan"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    sealed["seal"] = sha256(canonical.encode()).hexdigest()
    plan.write_text(json.dumps(document))
    answer = door("apply", str(plan), *AGREED)
    assert answer.code == 2, answer
    assert "does not follow from its setting" in answer.words
    assert not door.writes()


@POSIX
@pytest.mark.parametrize("option", ["--reason", "--set", "--limit", "--store", "--out"])
def test_bytes_that_are_no_text_are_refused_at_the_door(option: str) -> None:
    answer = subprocess.run(  # noqa: S603 - this program, with arguments of the test
        [sys.executable, "-m", "orchestrator", "run", "x", option, b"\xff\x1b[2J"],
        capture_output=True,
        check=False,
    )
    assert answer.returncode == 2
    assert b"not UTF-8" in answer.stderr
    assert b"\x1b" not in answer.stderr


@POSIX
def test_a_user_whose_name_is_no_text_is_recorded_all_the_same(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", os.fsdecode(b"ops\xff\x1b[31m"))
    assert door(*REMOVE, *AGREED).code == 0
    told = door("runs", "show", "last")
    assert "ops\\udcff" in told.out
    assert "\x1b" not in told.out


def test_a_journal_that_was_rewritten_does_not_send_what_it_likes(door: Door) -> None:
    """Whoever can write to the store can compute its chain, and a plan's seal, anew."""
    assert door(*REMOVE, *AGREED).code == 0
    place = door.folder / "store"
    store = open_store(place, now=utc_now)
    (run,) = run_names(store)
    events = events_of(store, run)
    store.close()
    started = events[0]
    assert isinstance(started, RunStarted)
    (change,) = started.sealed.plan.changes
    forged = replace(change.difference, undo=command("Remove-Mailbox", Identity="ceo"))
    plan = replace(started.sealed.plan, changes=(replace(change, difference=forged),))
    rmtree(place)
    store = open_store(place, now=utc_now)
    told = [encode(event) for event in (replace(started, sealed=seal(plan)), *events[1:])]
    store.append(stream_of(run), 0, told)
    store.close()
    answer = door("rollback", run, "--yes", "--reason", "x")
    assert answer.code == 1, answer
    assert "does not follow from it" in answer.words
    assert "There is nothing to resume." in door("resume", run).words
    assert not any(one.cmdlet == "Remove-Mailbox" for one in door.lab.commands)
