"""What is for a person to decide: asked at a terminal, or named; never done by --yes alone."""

import sys
from pathlib import Path

import pytest

from orchestrator.lab import fault
from tests.cli.door import AGREED, Door, attended

OFFER = ("run", "offer-tls", "--set", "connector=EX01\\Printers")
NAMED = ("--approved-by", "CISO")


@pytest.fixture
def silent(door: Door) -> Door:
    """A door to an organization that offers no TLS on a connector of each server."""
    for server in ("EX01", "EX02"):
        door.lab.edit(f"{server}\\Printers", AuthMechanism="Integrated")
    return door


def test_with_yes_alone_nothing_is_sent(silent: Door) -> None:
    answer = silent(*OFFER, *AGREED)
    assert answer.code == 4
    assert "offer-tls is for a person to decide, and nobody is asked" in answer.words
    assert "name who decided with --approved-by" in answer.words
    assert silent(*OFFER, *AGREED, "--approved-by", "  ").code == 4
    assert not silent.received()
    assert not (silent.folder / "store").exists()


def test_who_decided_may_be_named_and_is_on_record(silent: Door) -> None:
    assert silent(*OFFER, *AGREED, *NAMED).code == 0
    assert silent.received() == ["Set-ReceiveConnector"] * 2
    [run] = silent("runs", "list", "--output", "json").document["runs"]
    assert run["mandate"]["approved_by"] == "CISO"


def test_a_plan_keeps_that_a_person_decides(silent: Door) -> None:
    file = str(silent.folder / "fix.plan")
    made = silent("plan", *OFFER[1:], "--out", file, "--output", "json")
    assert made.code == 0
    [one] = made.document["organizations"]
    assert one["plan"]["attended"] is True
    assert silent("apply", file, *AGREED).code == 4
    assert not silent.received()
    assert silent("apply", file, *AGREED, *NAMED).code == 0


def test_a_dry_run_needs_nobody_and_says_who_will_have_to_decide(silent: Door) -> None:
    answer = silent(*OFFER, "--dry-run")
    assert answer.code == 0
    assert "It is for a person to decide: with --yes, --approved-by" in answer.words


@pytest.mark.skipif(sys.platform == "win32", reason="a person needs a pty")
def test_a_person_at_a_terminal_is_asked_as_ever(silent: Door) -> None:
    with attended(OFFER) as person:
        person.waits_for("Apply these changes to 1 organization? [y/N]")
        person.types("y")
        assert person.leaves() == 0
    assert silent.received() == ["Set-ReceiveConnector"] * 2


def test_a_run_that_was_decided_on_is_taken_up_again_without_asking(silent: Door) -> None:
    silent.lab.faults.append(fault("transient", cmdlet="Set-ReceiveConnector"))
    assert silent(*OFFER, *AGREED, *NAMED).code == 6
    silent.lab.faults.clear()
    assert silent("resume", "last").code == 0
    assert silent(*OFFER, *AGREED).words.count("Nothing to do") == 1


def test_what_anybody_may_run_says_nothing_of_it(door: Door) -> None:
    answer = door("run", "remove-domain-security", "--set", "domain=fabrikam.com", "--dry-run")
    assert "for a person" not in answer.words
    text = Path("playbooks/remove-domain-security.yaml").read_text("utf-8")
    assert "attended" not in text
