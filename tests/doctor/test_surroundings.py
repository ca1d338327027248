"""What is found on this machine, with how to mend it."""

import platform
import sqlite3

from orchestrator.core.errors import CredentialError, StoreError
from orchestrator.doctor import Check, Finding, State, surroundings


def _no_keyring() -> str:
    raise CredentialError("there is no keyring", "Use env:NAME.")


def _open_to_all() -> str:
    raise StoreError("others can write to it", "Run chmod.")


def test_what_is_here_is_said_with_its_version() -> None:
    findings = {f.check: f for f in surroundings(keyring=lambda: "vault", store=lambda: "fine")}
    assert platform.python_version() in findings[Check.PYTHON].seen
    assert sqlite3.sqlite_version in findings[Check.SQLITE].seen
    assert findings[Check.KEYRING] == Finding(Check.KEYRING, State.OK, "vault")
    assert findings[Check.STORE] == Finding(Check.STORE, State.OK, "fine")
    assert Check.KERBEROS in findings


def test_a_missing_keyring_is_no_failure_and_a_bad_store_is() -> None:
    findings = list(surroundings(keyring=_no_keyring, store=_open_to_all))
    assert findings[-2:] == [
        Finding(Check.KEYRING, State.UNKNOWN, "there is no keyring", "Use env:NAME."),
        Finding(Check.STORE, State.FAILED, "others can write to it", "Run chmod."),
    ]
