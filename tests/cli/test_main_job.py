"""The main job as the README tells it: look, do, read back, undo, and look back at it."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.cli.door import AGREED, REMOVE, RETIRE, Door


def test_a_dry_run_shows_everything_and_writes_nothing(door: Door) -> None:
    before = door.lab.snapshot()
    answer = door(*REMOVE, "--dry-run")
    assert answer.code == 0
    assert "TLSReceiveDomainSecureList holds fabrikam.com; 3 other entries" in answer.words
    assert "fabrikam.com: present" in answer.words
    assert "3 other entries stay" in answer.words
    assert "Set-TransportConfig -TLSReceiveDomainSecureList @{Remove='fabrikam.com'}" in answer.out
    assert "Set-TransportConfig -TLSReceiveDomainSecureList @{Add='fabrikam.com'}" in answer.out
    assert "What is no longer protected" in answer.out
    assert "dc01.contoso.example" in answer.out
    assert "This was a dry run: nothing was written." in answer.out
    assert door.lab.snapshot() == before
    assert not door.received()
    assert not (door.folder / "store").exists()


def test_a_remedy_is_carried_out_read_back_shown_and_undone(door: Door) -> None:
    before = door.lab.snapshot()
    done = door(*RETIRE, *AGREED, "--ticket", "CHG-1", "--review-by", "2999-12-31")
    assert done.code == 0
    assert "contoso: 3/3 read back: EX02\\From Fabrikam Enabled is as wanted" in done.out
    assert "To undo it: orchestrator rollback" in done.words
    assert len(door.writes()) == 3

    shown = door("runs", "show", "last")
    assert "Fabrikam mends its TLS" in shown.words
    assert "CHG-1" in shown.words
    assert "1/3 sends Set-TransportConfig" in shown.words

    exceptions = door("exceptions")
    assert "TLSReceiveDomainSecureList without fabrikam.com" in exceptions.words
    assert "2999-12-31" in exceptions.words

    undone = door("rollback", "last", "--yes")
    assert undone.code == 0
    assert "rolled back; everything is as it was before the run" in undone.words
    after = door.lab.snapshot()
    for stamp in ("WhenChanged", "WhenChangedUTC", "OriginatingServer"):
        for properties in (*before.values(), *after.values()):
            properties.pop(stamp, None)
    assert {name: _unordered(one) for name, one in after.items()} == {
        name: _unordered(one) for name, one in before.items()
    }
    assert "Nothing is recorded as unprotected." in door("exceptions").out


def _unordered(properties: dict[str, object]) -> dict[str, object]:
    return {
        name: sorted(map(str, value)) if isinstance(value, list | tuple) else value
        for name, value in properties.items()
    }


def test_the_suggested_commands_work_as_they_are_typed(door: Door) -> None:
    done = door(*REMOVE, *AGREED)
    lines = [line.strip() for line in done.out.splitlines()]
    suggested = [line.split()[1:] for line in lines if line.startswith("orchestrator ")]
    assert [words[0] for words in suggested] == ["verify", "rollback", "runs"]
    for words in suggested:
        pending = 3 if words[0] == "verify" else 0
        assert door(*words, *(["--yes"] if words[0] == "rollback" else [])).code == pending


def test_a_suggested_command_repeats_the_files_that_were_named(door: Door, tmp_path: Path) -> None:
    named = ("--inventory", str(tmp_path / "inventory.yaml"), "--store", str(tmp_path / "two"))
    done = door(*REMOVE, *AGREED, *named)
    assert f"--inventory {tmp_path / 'inventory.yaml'} --store {tmp_path / 'two'}" in done.words


def test_what_is_done_already_is_nothing_to_do(door: Door) -> None:
    assert door(*REMOVE, *AGREED).code == 0
    again = door(*REMOVE, *AGREED)
    assert again.code == 0
    assert "Nothing to do" in again.out
    assert len(door.writes()) == 1


def test_a_plan_in_a_file_is_applied_once(door: Door) -> None:
    file = str(door.folder / "fix.plan")
    planned = door("plan", *RETIRE[1:], "--out", file)
    assert planned.code == 0
    assert not door.received()
    assert not (door.folder / "store").exists()
    assert door("apply", file, *AGREED).code == 0
    assert door("rollback", "last", "--yes").code == 0
    again = door("apply", file, *AGREED)
    assert again.code == 4
    assert "this plan was used already, by run" in again.words


def test_several_organizations_are_one_batch_with_one_way_back(
    open_door: Callable[..., Door],
) -> None:
    door = open_door("default", organizations=3)
    done = door(*REMOVE, *AGREED, "--limit", "all")
    assert done.code == 0
    assert "contoso002: 1 change; takes protection away" in _rows(done.out)
    assert len(door.writes()) == 3
    runs = door("runs", "list", "--output", "json").document["runs"]
    batches = {run["id"].partition("/")[0] for run in runs}
    assert len(batches) == 1
    undone = door("rollback", batches.pop(), "--yes")
    assert undone.code == 0
    assert len(door.writes()) == 6


def _rows(text: str) -> str:
    return "\n".join(": ".join(line.split(None, 1)) for line in text.splitlines())


def test_a_change_of_the_send_side_is_asked_for_in_so_many_words(door: Door) -> None:
    answer = door(*RETIRE, "--set", "include_send=true", "--dry-run")
    assert "To Fabrikam Enabled" in answer.out
    assert "TLSSendDomainSecureList @{Remove='fabrikam.com'}" in answer.out
    assert "To Fabrikam Enabled" not in door(*RETIRE, "--dry-run").out


def test_every_answer_of_the_main_job_is_one_json_document(door: Door) -> None:
    dry = door(*REMOVE, "--dry-run", "--output", "json")
    assert not dry.err
    assert dry.document["schema"] == "orchestrator/run/1"
    assert dry.document["dry_run"] is True
    [organization] = dry.document["organizations"]
    assert organization["plan"]["changes"][0]["member"] == "fabrikam.com"
    assert organization["run"] is None

    done = door(*REMOVE, *AGREED, "--output", "json").document
    [organization] = done["organizations"]
    assert organization["run"]["outcome"] == "succeeded"
    assert organization["run"]["changes"][0]["status"] == "verified"
    assert (organization["exit_code"], done["exit_code"]) == (0, 0)
    run = organization["run"]["id"]

    listed = door("runs", "list", "--output=json").document
    assert [each["id"] for each in listed["runs"]] == [run]
    shown = door("runs", "show", run, "--output", "json").document
    assert shown["schema"] == "orchestrator/runs/1"
    assert [event["event"] for event in shown["runs"][0]["events"]][:2] == [
        "RunStarted",
        "ChangeStarted",
    ]
    exceptions = door("exceptions", "--output", "json").document
    assert exceptions["exceptions"][0]["run"] == run
    checked = door("journal", "check", "--output", "json").document
    assert checked["damages"] == []
    assert {head["stream"].partition("/")[0] for head in checked["heads"]} == {
        "run",
        "plan",
        "organization",
    }
    undone = door("rollback", run, "--yes", "--output", "json").document
    assert undone["schema"] == "orchestrator/rollback/1"
    assert undone["runs"][0]["run"]["outcome"] == "rolled-back"
    resumed = door("resume", run, "--output", "json").document
    assert resumed["schema"] == "orchestrator/resume/1"
    file = str(door.folder / "fix.plan")
    planned = door("plan", *REMOVE[1:], "--out", file, "--output", "json").document
    assert (planned["schema"], planned["file"]) == ("orchestrator/plan/1", file)


def test_no_password_is_in_anything_that_is_kept_or_said(door: Door) -> None:
    password = door.lab.scenario.users[0].password
    file = door.folder / "fix.plan"
    said = [
        door("--debug", *RETIRE, *AGREED, "--output", "json"),
        door("runs", "show", "last"),
        door("plan", "restore-domain-security", *RETIRE[2:], "--out", str(file)),
    ]
    assert all(password not in answer.out + answer.err for answer in said)
    kept = [*door.folder.glob("store/**/*"), file]
    assert all(password.encode() not in each.read_bytes() for each in kept if each.is_file())


def test_runs_are_exported_as_json_and_as_rows(door: Door) -> None:
    assert door(*RETIRE, "--yes", "--reason", "=HYPERLINK(1)").code == 0
    exported = json.loads(door("runs", "export").out)
    assert exported["runs"][0]["mandate"]["reason"] == "=HYPERLINK(1)"
    rows = door("runs", "export", "--format", "csv", "--organization", "contoso").out.splitlines()
    assert len(rows) == 4
    assert rows[0].startswith("run,organization,playbook")
    assert ",'=HYPERLINK(1)," in rows[1]


def test_runs_are_listed_by_organization_and_day(door: Door) -> None:
    assert door(*REMOVE, *AGREED).code == 0
    assert "contoso" in door("runs", "list").out
    assert "No run is recorded" in door("runs", "list", "--organization", "tailspin").out
    assert "No run is recorded" in door("runs", "list", "--since", "2999-01-01").out
    assert door("runs", "list", "--since", "yesterday").code == 2
