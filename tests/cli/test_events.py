"""``orchestrator events``, as somebody meets it who was sent an exported log."""

import io
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.__main__ import main

DATA = Path("tests/eventlog/data")
Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Return a function that runs the command on files and returns its code and words."""

    def run(*names: str, output: str = "text") -> tuple[int, str]:
        files = [part for name in names for part in ("--file", str(DATA / name))]
        code = main(["events", *files, "--output", output])
        said = capsys.readouterr()
        return int(code), said.out + said.err

    return run


def test_the_command_that_is_suggested_names_what_the_event_names(say: Say) -> None:
    code, text = say("list.xml")
    assert code == 0
    [first, second] = [line for line in text.splitlines() if " run remove-domain" in line]
    assert shlex.split(first) == [
        *["orchestrator", "run", "remove-domain-security", "--set", "domain=fabrikam.com", "--set"],
        r"connector=EX01\Default Frontend EX01",
        "--dry-run",
    ]
    assert r"connector=EX02\From Fabrikam" in shlex.split(second)


def test_the_summary_counts_events_and_says_that_these_are_no_messages(say: Say) -> None:
    _, text = say("wevtutil.xml")
    words = " ".join(text.split())
    assert (
        r"11012 for fabrikam.com on EX01\Default Frontend EX01: 2 times from "
        "2026-11-12 14:14:15 UTC to 2026-11-12 14:30:15 UTC" in words
    )
    assert "no counts of messages" in words
    assert "2026-11-12T14:14:15.123456700Z" in words


def test_siblings_get_their_meaning_and_no_command(say: Say) -> None:
    code, text = say("family.xml")
    assert code == 0
    assert "our own connector did not offer TLS" in text
    assert "orchestrator run" not in text


def test_what_is_missing_is_shown_and_gets_no_command(say: Say) -> None:
    code, text = say("paste-half-sentence.txt")
    assert code == 0
    assert "only a sentence came along" in " ".join(text.split())
    assert "orchestrator run" not in text


def test_a_file_without_such_events_says_so(say: Say) -> None:
    code, text = say("none.xml")
    assert code == 0
    assert "No event of Domain Security was found." in text


def test_a_file_that_cannot_be_used_does_not_look_like_no_events(say: Say) -> None:
    for name in ("missing.xml", "unrelated.json", "entities.xml"):
        code, text = say(name)
        assert code == 2, name
        assert name in text


def test_other_files_are_shown_beside_one_that_cannot_be_used(say: Say) -> None:
    code, text = say("missing.xml", "single.xml")
    assert code == 2
    assert "there is no such file" in text
    assert "orchestrator run" in text


def test_what_was_exported_twice_is_counted_once(say: Say) -> None:
    _, text = say("single.xml", "rendered.xml", output="json")
    document = json.loads(text)
    assert document["schema"] == "orchestrator/events/1"
    assert [line["count"] for line in document["summary"]] == [1]
    assert document["repeated"] == 1


def test_programs_get_everything_as_values(say: Say) -> None:
    code, text = say("single.xml", output="json")
    document = json.loads(text)
    [event] = document["events"]
    assert code == document["exit_code"] == 0
    assert event["time"] == "2026-11-12T14:14:15.123456Z"
    assert event["connector"] == r"EX01\Default Frontend EX01"
    assert event["strings"] == {"domain": "fabrikam.com", "connector": "Default Frontend EX01"}
    assert event["incomplete"] == []
    assert document["files"][0]["read"] == 1
    page = Path("docs/output.md").read_text(encoding="utf-8")
    fields = {*document, *event, *document["summary"][0], *document["files"][0]} - {"schema"}
    assert not [field for field in fields if f"`{field}`" not in page]


def test_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = (DATA / "winevent.clixml").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert main(["events", "--file", "-"]) == 0
    assert "in standard input" not in (text := capsys.readouterr().out)
    assert "standard input: CLIXML, 2 events" in text


def test_hostile_names_are_made_harmless_and_not_put_into_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (DATA / "single.xml").read_text(encoding="utf-8")
    hostile = "$(reboot)`x`'; rm -rf / &#x202e;&#x9b;2J"
    file = tmp_path / "hostile.xml"
    file.write_text(text.replace("Default Frontend EX01", hostile), encoding="utf-8")
    assert main(["events", "--file", str(file)]) == 0
    said = capsys.readouterr().out
    assert "\u202e" not in said
    assert "\x9b" not in said
    assert "orchestrator run" not in said
    file.write_text(text.replace("Default Frontend EX01", "$(reboot)'; x"), encoding="utf-8")
    main(["events", "--file", str(file)])
    [line] = [x for x in capsys.readouterr().out.splitlines() if "orchestrator run" in x]
    assert r"connector=EX01\$(reboot)'; x" in shlex.split(line)
