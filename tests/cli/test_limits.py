"""Limits as a person meets them: caps, the ramp, break-glass and the kill switch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.lab import fault
from tests.cli.door import AGREED, REMOVE, RETIRE, Door

Open = Callable[..., Door]
ALL = (*REMOVE, "--limit", "all")
FREEZE = {"from": "2020-01-01", "until": "2999-12-30", "zone": "UTC", "reason": "Stocktaking"}


def write(door: Door, defaults: dict[str, Any], **own: Any) -> None:
    """Put *defaults* into the inventory, and *own* into its first organization."""
    file = door.folder / "inventory.yaml"
    tree = yaml.safe_load(file.read_text("utf-8"))
    tree["defaults"] = {**tree.get("defaults", {}), **defaults}
    next(iter(tree["organizations"].values())).update(own)
    file.write_text(yaml.safe_dump(tree, sort_keys=False), "utf-8")


def test_what_is_beyond_a_cap_is_refused_before_anything_is_sent(door: Door) -> None:
    write(door, {"limits": {"changes": 2, "connectors": 1}})
    answer = door(*RETIRE, *AGREED)
    assert answer.code == 4
    assert (
        "3 changes are planned, defaults.limits.changes of the inventory allows 2" in answer.words
    )
    assert "2 connectors are planned" in answer.words
    assert "--max-changes 3" in answer.words
    assert not door.received()
    assert not (door.folder / "store").exists()

    passed = door(*RETIRE, *AGREED, "--max-changes", "3", "--max-connectors", "2")
    assert passed.code == 0
    assert len(door.writes()) == 3


def test_a_dry_run_and_a_plan_say_what_is_beyond_a_cap(door: Door) -> None:
    limit = ("--max-changes", "2")
    dry = door(*RETIRE, "--dry-run", *limit, "--output", "json")
    assert dry.code == 4
    [excess] = dry.document["limits"]
    assert (excess["counted"], excess["allowed"], excess["planned"]) == ("changes", 2, 3)
    assert excess["source"] == "--max-changes"
    file = door.folder / "fix.plan"
    assert door("plan", *RETIRE[1:], "--out", str(file), *limit).code == 4
    assert not file.exists()
    assert door("plan", *RETIRE[1:], "--out", str(file)).code == 0
    assert door("apply", str(file), *AGREED, *limit).code == 4
    assert not door.received()
    assert door("apply", str(file), *AGREED).code == 0


def test_a_playbook_s_own_limits_travel_with_its_plans(door: Door, tmp_path: Path) -> None:
    text = Path("playbooks/retire-dedicated-connectors.yaml").read_text("utf-8")
    own = tmp_path / "retire-few.yaml"
    renamed = text.replace("name: retire-dedicated-connectors", "name: retire-few")
    own.write_text(f"{renamed}\nlimits: {{connectors: 1}}\n", "utf-8")
    file = str(tmp_path / "fix.plan")
    made = door("plan", str(own), *RETIRE[2:], "--out", file, "--max-connectors", "5")
    assert made.code == 0
    answer = door("apply", file, *AGREED)
    assert answer.code == 4
    assert "limits.connectors of the playbook retire-few allows 1" in answer.words
    assert not door.received()


def test_no_option_passes_what_an_organization_says_of_itself(door: Door) -> None:
    write(door, {}, limits={"changes": 2})
    answer = door(*RETIRE, *AGREED, "--max-changes", "100")
    assert answer.code == 4
    assert "limits.changes of the inventory allows 2" in answer.words
    assert not door.received()


def test_a_cap_on_organizations_counts_those_that_have_changes(open_door: Open) -> None:
    door = open_door("default", organizations=3)
    assert door(*ALL, *AGREED, "--max-organizations", "2").code == 4
    assert not door.received()
    assert door(*REMOVE, "--limit", "contoso002", *AGREED, "--max-organizations", "1").code == 0
    assert door(*ALL, *AGREED, "--max-organizations", "2").code == 0
    assert len(door.writes()) == 3


def test_what_was_not_begun_is_said_and_doing_it_again_goes_on(open_door: Open) -> None:
    door = open_door("default", organizations=4)
    door.lab.faults.append(fault("transient", cmdlet="Set-TransportConfig"))
    answer = door(*ALL, *AGREED, "--output", "json")
    assert answer.code == 6
    found = answer.document["organizations"]
    assert [each["exit_code"] for each in found] == [6, 4, 4, 4]
    assert [each["error"] and each["error"]["kind"] for each in found] == [
        None,
        *["NotBegun"] * 3,
    ]
    assert "contoso002: not begun, because it did not succeed in contoso001" in answer.out
    assert len(door.received()) == 1

    door.lab.faults.clear()
    assert door(*ALL, *AGREED).code == 0
    assert len(door.writes()) == 4


@pytest.mark.parametrize(("allowed", "sent"), [(0, 1), (1, 2), (3, 4)])
def test_as_many_may_fail_as_was_said(open_door: Open, allowed: int, sent: int) -> None:
    door = open_door("default", organizations=4)
    door.lab.faults.append(fault("transient", cmdlet="Set-TransportConfig"))
    options = ("--max-failures", str(allowed), "--no-ramp", "--forks", "1")
    assert door(*ALL, *AGREED, *options).code == 6
    assert len(door.received()) == sent


def test_looking_is_not_stopped_by_an_organization_that_cannot_be_looked_at(
    open_door: Open,
) -> None:
    door = open_door("default", organizations=3)
    write(door, {}, user="CONTOSO\\nobody")
    answer = door(*ALL, *AGREED)
    assert answer.code == 8
    assert len(door.writes()) == 2


def test_resume_goes_on_by_the_same_ramp(open_door: Open) -> None:
    door = open_door("default", organizations=3)
    door.lab.faults.append(fault("transient", cmdlet="Set-TransportConfig"))
    assert door(*ALL, *AGREED, "--max-failures", "3").code == 6
    assert len(door.received()) == 3
    answer = door("resume", "last")
    assert answer.code == 6
    assert len(door.received()) == 4
    assert "not begun" in answer.words
    door.lab.faults.clear()
    assert door("resume", "last").code == 0
    assert len(door.writes()) == 3


def test_a_freeze_is_shown_in_a_plan_and_refuses_a_run(door: Door) -> None:
    write(door, {"freezes": [FREEZE]})
    dry = door(*REMOVE, "--dry-run")
    assert dry.code == 0
    assert "frozen from 2020-01-01 to 2999-12-30 (UTC): Stocktaking" in dry.words
    answer = door(*REMOVE, *AGREED)
    assert answer.code == 4
    assert "--break-glass" in answer.words
    assert not door.received()
    assert door("runs", "list").words == "No run is recorded."


def test_break_glass_is_loud_and_stays_on_record(door: Door) -> None:
    write(door, {"freezes": [FREEZE]})
    answer = door(*REMOVE, *AGREED, "--break-glass", "the plant stands still")
    assert answer.code == 0
    assert "BREAK-GLASS" in answer.err
    shown = door("runs", "show", "last").words
    assert "BREAK-GLASS (the plant stands still): goes on although it is frozen" in shown
    assert "break-glass the plant stands still" in shown
    listed = door("exceptions").words
    assert "BREAK-GLASS the plant stands still" in listed
    [exception] = door("exceptions", "--output", "json").document["exceptions"]
    assert exception["break_glass"] == "the plant stands still"


def test_break_glass_needs_a_reason(door: Door) -> None:
    answer = door(*REMOVE, *AGREED, "--break-glass", " ")
    assert answer.code == 2
    assert "it needs a reason" in answer.words


def test_break_glass_passes_no_cap_and_no_rule(door: Door) -> None:
    write(door, {"freezes": [FREEZE]}, protect={"domains": ["fabrikam.com"]})
    glass = ("--break-glass", "the plant stands still")
    assert door(*REMOVE, *AGREED, *glass).code == 4
    write(door, {}, protect={})
    assert door(*RETIRE, *AGREED, *glass, "--max-changes", "1").code == 4
    assert not door.received()


def test_stop_holds_everything_back_until_start(door: Door) -> None:
    assert door(*REMOVE, *AGREED).code == 0
    stopped = door("stop", "mail from Fabrikam bounces")
    assert stopped.code == 0
    assert str(door.folder / "store" / "kill-switch") in stopped.words.replace(" ", "")

    held = door("rollback", "last", "--yes")
    assert held.code == 4
    assert "held back by the kill switch" in held.words
    assert "mail from Fabrikam bounces" in held.words
    refused = door(*RETIRE, *AGREED, "--break-glass", "please")
    assert refused.code == 4
    assert "orchestrator start" in refused.words
    assert door(*RETIRE, "--dry-run").code == 0
    assert door("runs", "show", "last").code == 0
    assert len(door.received()) == 1

    started = door("start", "--output", "json").document
    assert "mail from Fabrikam bounces" in started["reason"]
    assert "was not set" in door("start").words
    assert door("resume", "last").code == 0
    assert len(door.writes()) == 2


def test_the_inventory_may_name_another_kill_switch(door: Door) -> None:
    write(door, {"kill_switch": "somewhere/stop"})
    assert door(*REMOVE, *AGREED).code == 4
    (door.folder / "somewhere").mkdir()
    assert door("stop", "enough").code == 0
    assert (door.folder / "somewhere" / "stop").read_text("utf-8").startswith("enough (")
    assert door(*REMOVE, *AGREED).code == 4
    assert not door.received()
    (door.folder / "somewhere" / "stop").unlink()
    assert door(*REMOVE, *AGREED).code == 0


def test_an_interrupted_run_that_was_held_back_says_so_for_programs(door: Door) -> None:
    assert door(*REMOVE, *AGREED).code == 0
    door("stop", "enough")
    [run] = door("rollback", "last", "--yes", "--output", "json").document["runs"]
    assert run["exit_code"] == 4
    assert run["run"]["held_back"] == "kill-switch"
    assert not run["run"]["doubtful"]
