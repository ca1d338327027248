"""What the orchestrator finds on the machine it runs on."""

import platform
import sqlite3
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Final

from orchestrator.core.errors import CredentialError, StoreError
from orchestrator.doctor.finding import Check, Finding, State

_KERBEROS: Final = ("gssapi", "krb5")


def surroundings(*, keyring: Callable[[], str], store: Callable[[], str]) -> Iterator[Finding]:
    """Yield what is found here; nothing is changed.

    *keyring* returns what keyring there is or raises CredentialError. *store* returns what is to
    be said about the directory of the journal, or raises StoreError where it is not as it must be.
    """
    yield Finding(Check.PYTHON, State.OK, f"Python {platform.python_version()} on {sys.platform}")
    yield Finding(Check.SQLITE, State.OK, f"SQLite {sqlite3.sqlite_version}")
    yield _kerberos()
    try:
        yield Finding(Check.KEYRING, State.OK, keyring())
    except CredentialError as error:
        # There are other places for a secret, so that this is no failure as such.
        yield Finding(Check.KEYRING, State.UNKNOWN, error.message, error.advice)
    try:
        yield Finding(Check.STORE, State.OK, store())
    except StoreError as error:
        yield Finding(Check.STORE, State.FAILED, error.message, error.advice)


if sys.platform == "win32":

    def _kerberos() -> Finding:
        return Finding(Check.KERBEROS, State.OK, "Windows' own (SSPI)")

else:

    def _kerberos() -> Finding:
        missing = " and ".join(name for name in _KERBEROS if find_spec(name) is None)
        if not missing:
            text = f"the packages {' and '.join(_KERBEROS)} are installed"
            return Finding(Check.KERBEROS, State.OK, text)
        advice = (
            "For 'auth: kerberos', install them: pip install 'orchestrator[kerberos]' "
            "(Debian needs the package libkrb5-dev first)."
        )
        return Finding(Check.KERBEROS, State.UNKNOWN, f"{missing} cannot be imported", advice)
