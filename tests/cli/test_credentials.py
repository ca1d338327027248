"""``orchestrator credentials``: passwords go into the keyring, and are shown nowhere."""

# ruff: noqa: D102 - the methods of keyring's own interface

import io
import json
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from orchestrator.__main__ import main
from tests.cli.door import attended

PASSWORD = "c0rrect horse; battery 'staple' ü"
INVENTORY = """
organizations:
  contoso: {servers: [ex01.contoso.example], credential: "kerberos:"}
  tailspin:
    servers: [mail.tailspin.example]
    auth: ntlm
    user: TAILSPIN\\ops
    credential: keyring:tailspin
  northwind:
    servers: [mail.northwind.example]
    auth: ntlm
    user: NORTHWIND\\ops
    credential: env:NORTHWIND_PASSWORD
"""


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1.0

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture
def ring() -> Iterator[Ring]:
    """The keyring of this machine, for the time of a test."""
    before = keyring.get_keyring()
    own = Ring()
    keyring.set_keyring(own)
    yield own
    keyring.set_keyring(before)


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An inventory with a secret of each sort."""
    file = tmp_path / "inventory.yaml"
    file.write_text(INVENTORY)
    monkeypatch.setenv("ORCHESTRATOR_INVENTORY", str(file))
    monkeypatch.delenv("NORTHWIND_PASSWORD", raising=False)
    return file


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_password_from_standard_input_is_stored_and_not_shown(
    ring: Ring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, PASSWORD + "\r\n")
    assert main(["credentials", "set", "tailspin", "--stdin"]) == 0
    assert ring.entries == {("orchestrator", "tailspin"): PASSWORD}
    said = capsys.readouterr()
    assert "'credential: keyring:tailspin'" in said.out
    assert PASSWORD not in said.out + said.err


def test_a_name_may_be_typed_as_the_inventory_writes_it(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, PASSWORD)
    assert main(["credentials", "set", "keyring:tailspin", "--stdin"]) == 0
    assert list(ring.entries) == [("orchestrator", "tailspin")]


def test_an_empty_password_is_refused(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "\n")
    assert main(["credentials", "set", "tailspin", "--stdin"]) == 8
    assert ring.entries == {}


def test_an_entry_without_a_name_is_refused(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, PASSWORD)
    assert main(["credentials", "set", "keyring:", "--stdin"]) == 2
    assert ring.entries == {}


def test_where_nobody_can_be_asked_that_is_said(
    ring: Ring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, PASSWORD)
    assert main(["credentials", "set", "tailspin"]) == 2
    assert "--stdin" in capsys.readouterr().err
    assert ring.entries == {}


def test_a_person_is_asked_twice_and_nothing_is_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with attended(["credentials", "set", "tailspin"]) as person:
        person.waits_for("Password for tailspin")
        person.types(PASSWORD)
        person.waits_for("Repeat for confirmation")
        person.types(PASSWORD)
        assert person.leaves() == 8
    assert PASSWORD not in person.seen
    assert "does not have it" in " ".join(person.seen.split())


def test_a_password_is_deleted_once(ring: Ring, capsys: pytest.CaptureFixture[str]) -> None:
    ring.set_password("orchestrator", "tailspin", PASSWORD)
    assert main(["credentials", "delete", "tailspin"]) == 0
    assert ring.entries == {}
    assert main(["credentials", "delete", "tailspin"]) == 8
    assert PASSWORD not in capsys.readouterr().err


@pytest.mark.usefixtures("inventory")
def test_the_list_says_what_is_missing_and_what_to_do(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    ring.set_password("orchestrator", "tailspin", PASSWORD)
    assert main(["credentials", "list"]) == 8
    said = capsys.readouterr().out
    words = " ".join(said.split())
    assert "keyring:tailspin (tailspin)" in words
    assert "the environment variable NORTHWIND_PASSWORD is not set" in words
    assert "Set NORTHWIND_PASSWORD where the orchestrator is started" in words
    assert PASSWORD not in said


@pytest.mark.usefixtures("inventory")
def test_the_list_is_a_document_too(
    ring: Ring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ring.set_password("orchestrator", "tailspin", PASSWORD)
    monkeypatch.setenv("NORTHWIND_PASSWORD", PASSWORD)
    assert main(["credentials", "list", "--output", "json"]) == 0
    said = capsys.readouterr().out
    rows = json.loads(said)["credentials"]
    assert [(row["credential"], row["there"]) for row in rows] == [
        ("kerberos:", True),
        ("keyring:tailspin", True),
        ("env:NORTHWIND_PASSWORD", True),
    ]
    assert PASSWORD not in said
