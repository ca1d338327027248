"""A person at a terminal is asked, may leave, and sees what happens."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from orchestrator.lab import Delay
from tests.cli.door import AGREED, REMOVE, Door, attended, process

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a person needs a pty")

Open = Callable[..., Door]
QUESTION = "Apply these changes to 1 organization? [y/N]"


def test_no_is_the_default_and_nothing_is_changed(door: Door) -> None:
    with attended([*REMOVE, "--reason", "x"]) as person:
        person.waits_for(QUESTION)
        person.types("")
        assert person.leaves() == 0
    assert "Nothing was changed." in person.seen
    assert not door.received()


def test_who_agrees_sees_it_done(door: Door) -> None:
    with attended([*REMOVE, "--reason", "x"]) as person:
        person.waits_for(QUESTION)
        assert not door.received()
        person.types("y")
        assert person.leaves() == 0
    assert "read back: TransportConfig TLSReceiveDomainSecureList is as wanted" in person.seen
    assert door.writes() == ["Set-TransportConfig"]


def test_the_reason_is_asked_for_where_it_was_not_given(door: Door) -> None:
    with attended(REMOVE) as person:
        person.waits_for("The reason, for the record")
        person.types("Fabrikam mends its TLS")
        person.waits_for(QUESTION)
        person.types("y")
        assert person.leaves() == 0
    assert "Fabrikam mends its TLS" in door("runs", "show", "last").out


def test_a_rollback_asks_too(door: Door) -> None:
    assert door(*REMOVE, *AGREED).code == 0
    with attended(["rollback", "last"]) as person:
        person.waits_for("Undo this in 1 organization? [y/N]")
        person.types("n")
        assert person.leaves() == 0
    assert len(door.writes()) == 1


def test_leaving_at_the_question_changes_nothing(door: Door) -> None:
    with attended([*REMOVE, "--reason", "x"]) as person:
        person.waits_for(QUESTION)
        assert person.insists() == 130
    assert not door.received()


def test_several_organizations_are_a_table_that_redraws_itself(open_door: Open) -> None:
    door = open_door("default", organizations=3)
    os.environ.pop("NO_COLOR", None)
    with attended([*REMOVE, *AGREED, "--limit", "all"], TERM="xterm-256color") as person:
        assert person.leaves() == 0
    assert "contoso003" in person.seen
    assert re.search(r"1/1", person.seen)
    assert "\x1b[" in person.seen
    assert len(door.writes()) == 3


def test_colors_are_for_terminals_that_want_them(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    dry = (*REMOVE, "--dry-run")
    with attended(dry, NO_COLOR="1") as person:
        assert person.leaves() == 0
    assert "\x1b[" not in person.seen
    monkeypatch.delenv("NO_COLOR")
    with attended([*dry, "--no-color"]) as person:
        assert person.leaves() == 0
    assert "\x1b[" not in person.seen
    with attended(dry) as person:
        assert person.leaves() == 0
    assert "\x1b[" in person.seen
    assert "\x1b[" not in door(*dry).out


def test_a_reader_that_goes_away_does_not_stop_the_work(door: Door) -> None:
    door.lab.faults.append(Delay("Command", cmdlet="Set-TransportConfig", seconds=0.5))
    with process(*REMOVE, *AGREED) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        while "1/1 sends" not in child.stdout.readline():
            assert child.poll() is None
        child.stdout.close()
        assert child.wait(60) == 0
        assert not child.stderr.read()
    assert door("runs", "list", "--output", "json").document["runs"][0]["outcome"] == "succeeded"


def test_leaving_twice_leaves_at_once_and_the_run_is_in_doubt(door: Door) -> None:
    door.lab.faults.append(Delay("Command", cmdlet="Set-TransportConfig", seconds=20.0))
    with process(*REMOVE, *AGREED) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        while "1/1 sends" not in child.stdout.readline():
            assert child.poll() is None
        child.send_signal(signal.SIGINT)
        assert "Stopping at the next safe place" in child.stderr.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(15) == 130
    run = door("runs", "show", "last", "--output", "json").document["runs"][0]
    assert run["doubtful"] is True


def test_where_only_ascii_can_be_shown_only_ascii_is(door: Door) -> None:
    refused = (*REMOVE[:-1], "domain=mail.fabrikam.com", "--dry-run")
    ended = subprocess.run(  # noqa: S603 - this program, with arguments of the tests
        [sys.executable, "-m", "orchestrator", *refused],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 4
    assert b"NO exact-domain" in ended.stdout
    assert ended.stdout.isascii()
    assert not door.received()
