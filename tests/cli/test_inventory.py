"""``orchestrator inventory``: who is meant, and what is wrong with the file."""

import json
from pathlib import Path

import pytest

from orchestrator.__main__ import main

EXAMPLE = str(Path(__file__).resolve().parents[2] / "inventory.example.yaml")
TWO = """
organizations:
  contoso:
    title: Contoso
    servers: [ex01.contoso.example, ex02.contoso.example]
    credential: "kerberos:"
    tags: [test]
  tailspin:
    servers: [mail.tailspin.example]
    auth: ntlm
    ssl: true
    user: TAILSPIN\\ops
    credential: keyring:tailspin
groups:
  everyone: [contoso, tailspin]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The inventory of the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATOR_INVENTORY", raising=False)
    (tmp_path / "inventory.yaml").write_text(TWO)
    return tmp_path / "inventory.yaml"


@pytest.mark.usefixtures("file")
def test_every_organization_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "list"]) == 0
    _, contoso, tailspin = capsys.readouterr().out.splitlines()
    assert " ".join(contoso.split()) == (
        "contoso Contoso ex01.contoso.example and 1 more kerberos test, everyone"
    )
    assert " ".join(tailspin.split()) == (
        "tailspin - mail.tailspin.example ntlm over https everyone"
    )


@pytest.mark.usefixtures("file")
def test_the_list_shows_whom_a_limit_means(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "list", "--limit", "tag:test", "--output", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["organizations"]
    assert [row["name"] for row in rows] == ["contoso"]
    assert rows[0]["credential"] == "kerberos:"


@pytest.mark.usefixtures("file")
def test_a_limit_that_means_nobody_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "list", "--limit", "contosso"]) == 2
    assert "contoso" in capsys.readouterr().err


def test_the_example_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "validate", "--inventory", EXAMPLE]) == 0
    assert "2 organizations" in capsys.readouterr().out


def test_a_mistake_is_told_with_its_place_and_the_nearest_word(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(TWO.replace("    ssl:", "    sll:"))
    assert main(["inventory", "validate"]) == 2
    words = " ".join(capsys.readouterr().out.split())
    assert "inventory.yaml:11:5: unknown key 'sll' at organizations.tailspin.sll" in words
    assert "Did you mean 'ssl'?" in words


def test_a_mistake_is_told_to_programs_too(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(TWO.replace("    ssl:", "    sll:"))
    assert main(["inventory", "validate", "--output", "json"]) == 2
    (found,) = json.loads(capsys.readouterr().out)["files"]
    assert (found["valid"], found["error"]["line"]) == (False, 11)


def test_the_schema_is_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"organizations", "groups", "defaults"} == set(schema["$defs"]["Written"]["properties"])
