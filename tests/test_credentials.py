"""Secrets are fetched late, from where the reference points, and are in no text on the way."""

# ruff: noqa: D102, ARG002 - the methods of keyring's own interface, with the names it gives them

import json
import os
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest
from keyring.core import load_keyring

from orchestrator import credentials
from orchestrator.core.errors import CredentialError
from orchestrator.core.inventory import Credential, Source

PASSWORD = "c0rrect horse; battery 'staple' ü"
USER = r"CONTOSO\ops"

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")


class FileKeyring(keyring.backend.KeyringBackend):
    """A keyring in a JSON file, as real as one needs: it outlives the object."""

    priority = 1.0

    def __init__(self, path: Path) -> None:
        self._path = path

    def _entries(self) -> dict[str, str]:
        entries: dict[str, str] = json.loads(self._path.read_text()) if self._path.exists() else {}
        return entries

    def get_password(self, service: str, username: str) -> str | None:
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        entries = self._entries() | {f"{service}/{username}": password}
        self._path.write_text(json.dumps(entries))

    def delete_password(self, service: str, username: str) -> None:
        entries = self._entries()
        if entries.pop(f"{service}/{username}", None) is None:
            raise keyring.errors.PasswordDeleteError
        self._path.write_text(json.dumps(entries))


class Broken(keyring.backend.KeyringBackend):
    """A keyring that fails with *error*, whatever is asked."""

    priority = 1.0

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self._error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self._error

    def delete_password(self, service: str, username: str) -> None:
        raise self._error


class Strange(Exception):
    """What a backend of somebody's own raises."""


@pytest.fixture(autouse=True)
def _own_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "ring.json"
    keyring.set_keyring(FileKeyring(path))
    return path


def fetch(source: Source, name: str) -> str | None:
    return credentials.secret(Credential(source, name), USER)()


def refusal(call: Callable[[], object]) -> CredentialError:
    """Return the refusal, after having looked for the secret in all that could be printed."""
    with pytest.raises(CredentialError) as caught:
        call()
    error = caught.value
    printed = "".join(traceback.format_exception(error))
    assert PASSWORD not in printed + error.message + error.advice + repr(error)
    assert "During handling" not in printed
    assert "direct cause" not in printed
    return error


def test_what_was_stored_is_fetched_by_the_reference(ring: Path) -> None:
    credentials.store("contoso", PASSWORD)
    assert fetch(Source.KEYRING, "contoso") == PASSWORD
    assert json.loads(ring.read_text()) == {"orchestrator/contoso": PASSWORD}


@pytest.mark.usefixtures("ring")
def test_a_secret_is_asked_for_each_time_and_not_before() -> None:
    secret = credentials.secret(Credential(Source.KEYRING, "contoso"), USER)
    credentials.store("contoso", "old")
    assert secret() == "old"
    credentials.store("contoso", PASSWORD)
    assert secret() == PASSWORD
    assert PASSWORD not in repr(secret)


@pytest.mark.usefixtures("ring")
def test_an_entry_is_there_until_it_is_deleted() -> None:
    assert not credentials.stored("contoso")
    credentials.store("contoso", PASSWORD)
    assert credentials.stored("contoso")
    credentials.delete("contoso")
    assert not credentials.stored("contoso")


@pytest.mark.usefixtures("ring")
def test_an_entry_that_is_not_there_is_said_with_the_command_that_makes_it() -> None:
    for call in (lambda: fetch(Source.KEYRING, "kontoso"), lambda: credentials.delete("kontoso")):
        error = refusal(call)
        assert "no entry called 'kontoso'" in error.message
        assert "orchestrator credentials set kontoso" in error.advice
        assert "credential: env:NAME" in error.advice


@pytest.mark.parametrize(
    "call",
    [
        lambda: fetch(Source.KEYRING, "contoso"),
        lambda: credentials.store("contoso", PASSWORD),
        lambda: credentials.delete("contoso"),
        lambda: credentials.stored("contoso"),
        credentials.backend,
    ],
)
def test_without_a_keyring_the_advice_says_how_to_do_without(call: Callable[[], object]) -> None:
    keyring.set_keyring(load_keyring("keyring.backends.fail.Keyring"))
    error = refusal(call)
    assert "no keyring" in error.message
    assert "credential: env:ORCHESTRATOR_PASSWORD" in error.advice
    assert "credential: file:PATH" in error.advice
    assert "credential: kerberos:" in error.advice


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (keyring.errors.KeyringLocked(PASSWORD), "is locked"),
        (keyring.errors.InitError(PASSWORD), "could not be opened"),
        (keyring.errors.PasswordSetError(PASSWORD), "did not take the password"),
        (keyring.errors.PasswordDeleteError(PASSWORD), "did not give up"),
        (Strange(PASSWORD), "failed (Strange)"),
        (OSError(5, PASSWORD), "failed (OSError)"),
    ],
)
def test_whatever_a_keyring_raises_is_named_and_not_quoted(error: Exception, said: str) -> None:
    keyring.set_keyring(Broken(error))
    assert said in refusal(lambda: fetch(Source.KEYRING, "contoso")).message
    assert said in refusal(lambda: credentials.store("contoso", PASSWORD)).message
    assert "credential: env:" in refusal(lambda: credentials.stored("contoso")).advice


def test_an_interruption_is_not_taken_for_a_failing_keyring() -> None:
    class Interrupted(FileKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            raise KeyboardInterrupt

    keyring.set_keyring(Interrupted(Path()))
    with pytest.raises(KeyboardInterrupt):
        credentials.stored("contoso")


def test_a_keyring_that_forgets_what_it_takes_is_found_out() -> None:
    keyring.set_keyring(load_keyring("keyring.backends.null.Keyring"))
    assert "does not have it" in refusal(lambda: credentials.store("contoso", PASSWORD)).message
    assert "no keyring" in refusal(credentials.backend).message


@pytest.mark.usefixtures("ring")
def test_the_keyring_in_use_is_called_by_its_name() -> None:
    assert "FileKeyring" in credentials.backend()


def test_the_keyring_that_the_environment_names_is_used_or_missed(tmp_path: Path) -> None:
    (tmp_path / "plugged.py").write_text(
        textwrap.dedent(
            """
            from keyring.backend import KeyringBackend

            class Plugged(KeyringBackend):
                priority = 1

                def get_password(self, service, username):
                    return f"{service} {username}"

                set_password = delete_password = get_password
            """
        )
    )
    said = {name: _in_a_process_of_its_own(tmp_path, name) for name in ("plugged.Plugged", "no.k")}
    assert said["plugged.Plugged"] == "orchestrator contoso"
    assert "PYTHON_KEYRING_BACKEND" in said["no.k"]


def _in_a_process_of_its_own(folder: Path, backend: str) -> str:
    program = textwrap.dedent(
        """
        from orchestrator.core.errors import CredentialError
        from orchestrator.core.inventory import Credential, Source
        from orchestrator.credentials import secret

        try:
            print(secret(Credential(Source.KEYRING, "contoso"), "ops")())
        except CredentialError as error:
            print(error.message)
        """
    )
    paths = os.pathsep.join([str(folder), *sys.path])
    environment = os.environ | {"PYTHON_KEYRING_BACKEND": backend, "PYTHONPATH": paths}
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_a_variable_is_read_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = credentials.secret(Credential(Source.ENV, "OPS_PASSWORD"), USER)
    monkeypatch.setenv("OPS_PASSWORD", PASSWORD)
    assert secret() == PASSWORD


def test_a_variable_that_is_not_set_is_said_with_the_other_references() -> None:
    error = refusal(lambda: fetch(Source.ENV, "OPS_PASSWORD_THAT_NOBODY_SET"))
    assert "OPS_PASSWORD_THAT_NOBODY_SET is not set" in error.message
    assert "credential: keyring:NAME" in error.advice
    assert "credential: file:PATH" in error.advice


def test_an_empty_variable_is_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_PASSWORD", "")
    error = refusal(lambda: fetch(Source.ENV, "OPS_PASSWORD"))
    assert error.message == r"the password of CONTOSO\ops at env:OPS_PASSWORD is empty"


@posix
def test_a_variable_in_another_encoding_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_PASSWORD", os.fsdecode(b"caf\xe9"))
    assert "is not UTF-8" in refusal(lambda: fetch(Source.ENV, "OPS_PASSWORD")).message


def _file(folder: Path, content: bytes, mode: int = 0o600) -> str:
    path = folder / "password"
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_file_gives_its_one_line(tmp_path: Path, ending: str, mark: bytes) -> None:
    name = _file(tmp_path, mark + f" {PASSWORD} {ending}".encode())
    assert fetch(Source.FILE, name) == f" {PASSWORD} "


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    name = _file(tmp_path, PASSWORD.encode(), mode)
    error = refusal(lambda: fetch(Source.FILE, name))
    assert f"mode {mode:o}" in error.message
    assert f"chmod 600 {name}" in error.advice


@posix
def test_a_file_that_only_its_owner_may_read_is_enough(tmp_path: Path) -> None:
    assert fetch(Source.FILE, _file(tmp_path, PASSWORD.encode(), 0o400)) == PASSWORD


if sys.platform != "win32":

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
        name = _file(tmp_path, PASSWORD.encode())
        os.chown(name, 4711, -1)
        assert "uid 4711" in refusal(lambda: fetch(Source.FILE, name)).message

    def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
        name = str(tmp_path / "pipe")
        os.mkfifo(name, 0o600)
        assert "no such file" in refusal(lambda: fetch(Source.FILE, name)).message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"-----BEGIN\nKEY-----\n", "more than one line"),
        ("geheim".encode("utf-16"), "not UTF-8"),
        (PASSWORD.encode() + b"\xff", "not UTF-8"),
        (b"x" * 4097, "longer than 4096 bytes"),
    ],
)
def test_a_file_that_holds_no_password_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    name = _file(tmp_path, content)
    assert said in refusal(lambda: fetch(Source.FILE, name)).message


def test_a_missing_file_is_said_with_the_other_references(tmp_path: Path) -> None:
    error = refusal(lambda: fetch(Source.FILE, str(tmp_path / "nowhere")))
    assert "nowhere: there is no such file" in error.message
    assert "credential: keyring:NAME" in error.advice
    assert "credential: env:NAME" in error.advice


@pytest.mark.usefixtures("ring")
@pytest.mark.parametrize("password", ["", "two\nlines", "a\0b", "\udce9"])
def test_what_cannot_be_a_password_is_not_stored(password: str) -> None:
    refusal(lambda: credentials.store("contoso", password))
    assert not credentials.stored("contoso")


def test_a_ticket_needs_no_secret() -> None:
    keyring.set_keyring(load_keyring("keyring.backends.fail.Keyring"))
    assert fetch(Source.KERBEROS, "") is None


def test_the_keyring_is_not_imported_for_what_needs_none() -> None:
    program = (
        "import sys; from orchestrator.credentials import secret;"
        "from orchestrator.core.inventory import Credential, Source;"
        "assert secret(Credential(Source.KERBEROS), '')() is None;"
        "print('keyring' in sys.modules)"
    )
    run = [sys.executable, "-c", program]
    said = subprocess.run(run, capture_output=True, text=True, check=True)  # noqa: S603 - likewise
    assert said.stdout.strip() == "False"
