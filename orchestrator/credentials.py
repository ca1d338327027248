"""Secrets, fetched from where a reference points and never kept: keyring, environment, file.

No text of this module, and no exception that leaves it, holds a secret or what a library said
about one. To add a source: a member of core.inventory.Source, and one row of ``_SOURCES``.
"""

import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Final

from orchestrator.core.errors import CredentialError
from orchestrator.core.inventory import Credential, Source

SERVICE: Final = "orchestrator"
"""The service under which every entry stands in the keyring; its username is the entry's name."""

_LONGEST: Final = 4096


def secret(credential: Credential, user: str) -> Callable[[], str | None]:
    """Return what fetches *user*'s password anew each time it is called.

    Nothing is read before it is called; called, it returns the password, or None where a ticket
    takes its place, or raises CredentialError.
    """

    def fetch() -> str | None:
        found = _SOURCES[credential.source](credential.name)
        if found is None:
            return None
        return _checked(found, f"the password of {user} at {credential}")

    return fetch


def store(name: str, password: str) -> None:
    """Put *password* into the keyring under *name*, in place of what was there.

    Raises CredentialError where it cannot be used as a password, or the keyring does not keep it.
    """
    _checked(password, "the password given")
    with _Keyring(name) as keyring:
        keyring.set_password(SERVICE, name, password)
        kept = keyring.get_password(SERVICE, name) == password
    if not kept:
        raise CredentialError(
            f"the keyring took the password for '{name}' and does not have it", _elsewhere()
        )


def delete(name: str) -> None:
    """Take *name* out of the keyring. Raises CredentialError where it is not in there."""
    if not stored(name):
        raise _no_entry(name)
    with _Keyring(name) as keyring:
        keyring.delete_password(SERVICE, name)


def stored(name: str) -> bool:
    """Return whether the keyring has a password called *name*."""
    with _Keyring(name) as keyring:
        return keyring.get_password(SERVICE, name) is not None


def backend() -> str:
    """Return which keyring would be used, as ``SecretService Keyring``.

    Raises CredentialError where there is none. That there is one does not mean that it is open.
    """
    with _Keyring("NAME") as keyring:
        chosen = keyring.get_keyring()
        usable = chosen.priority > 0
        name = str(chosen.name)
    if not usable:
        raise CredentialError(_FAULTS["NoKeyringError"], _elsewhere())
    return name


class _Keyring:
    """A ``with`` block that uses the keyring, and out of which only CredentialErrors come.

    A backend is a plug-in of anybody's making. What it raises has a class of its own choice, and
    a text that may quote the secret; so its class alone decides what is said, and a class that
    ``_FAULTS`` does not know is only named.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> ModuleType:
        try:
            import keyring  # noqa: PLC0415 - 0.25 s
        except ImportError:
            raise CredentialError("the package keyring is not installed", _elsewhere()) from None
        return keyring

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception):
            return
        names = [each.__name__ for each in type(error).__mro__]
        known = [_FAULTS[name] for name in names if name in _FAULTS]
        message = known[0] if known else f"the keyring failed ({names[0]})"
        raise CredentialError(f"{message}, asked for '{self._name}'", _elsewhere()) from None


_FAULTS: Final[Mapping[str, str]] = {
    "NoKeyringError": "this machine has no keyring that can be used",
    "KeyringLocked": "the keyring is locked, and nobody is here to unlock it",
    "InitError": "the keyring could not be opened",
    "PasswordSetError": "the keyring did not take the password",
    "PasswordDeleteError": "the keyring did not give up the password",
    "ImportError": "the keyring that PYTHON_KEYRING_BACKEND or keyringrc.cfg names does not exist",
}


def _elsewhere() -> str:
    variable = "ORCHESTRATOR_PASSWORD"
    if sys.platform == "win32":
        setting = f"$env:{variable} = [pscredential]::new('x', (Read-Host -AsSecureString))"
        setting += ".GetNetworkCredential().Password"
    else:
        setting = f"read -rs {variable} && export {variable}"
    return (
        f"Set the variable in your shell ({setting}) and write 'credential: env:{variable}' in the "
        "inventory; or keep the password in a file that only you can read and write "
        "'credential: file:PATH'; with 'auth: kerberos', 'credential: kerberos:' needs no password."
    )


def _no_entry(name: str) -> CredentialError:
    return CredentialError(
        f"the keyring has no entry called '{name}'",
        f"Store it: orchestrator credentials set {name}. Without a keyring, write "
        "'credential: env:NAME' or 'credential: file:PATH' in the inventory.",
    )


def _from_keyring(name: str) -> str:
    with _Keyring(name) as keyring:
        found: str | None = keyring.get_password(SERVICE, name)
    if found is None:
        raise _no_entry(name)
    return found


def _from_environment(name: str) -> str:
    found = os.environ.get(name)
    if found is None:
        raise CredentialError(
            f"the environment variable {name} is not set",
            f"Set {name} where the orchestrator is started, or write 'credential: keyring:NAME' "
            "or 'credential: file:PATH' in the inventory.",
        )
    return found


def _from_file(name: str) -> str:
    path = Path(name)
    try:
        if not path.is_file():
            raise _unreadable(path, "there is no such file")
        with path.open("rb") as file:
            _refuse_strangers(path, os.fstat(file.fileno()))
            content = file.read(_LONGEST + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from None
    return _decoded(path, content)


def _decoded(path: Path, content: bytes) -> str:
    if len(content) > _LONGEST:
        raise _unreadable(path, f"it is longer than {_LONGEST} bytes, which no password is")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text (PowerShell: Set-Content -Encoding utf8)"
        raise _unreadable(path, reason) from None
    return text.removesuffix("\n").removesuffix("\r")


def _unreadable(path: Path, reason: str) -> CredentialError:
    return CredentialError(
        f"no password can be read from {path}: {reason}",
        "Correct the path in the inventory ('credential: file:PATH'), or write "
        "'credential: keyring:NAME' or 'credential: env:NAME' there.",
    )


if sys.platform == "win32":

    def _refuse_strangers(path: Path, status: os.stat_result) -> None:
        """Nothing is checked: Windows has no mode bits, and reading its access lists is not done.

        Whoever keeps a password in a file there has to see to the file's access list.
        """

else:

    def _refuse_strangers(path: Path, status: os.stat_result) -> None:
        """Raise CredentialError if others than its owner, or a stranger, can read the file."""
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077:
            raise CredentialError(
                f"others than its owner may use {path} (mode {mode:o})",
                f"Run `chmod 600 {path}`; if others could read it, change the password too.",
            )
        if status.st_uid not in {os.geteuid(), 0}:
            raise CredentialError(
                f"{path} belongs to another user (uid {status.st_uid})",
                "Run as that user, or name a file of your own: 'credential: file:PATH'.",
            )


def _checked(password: str, where: str) -> str:
    """Return *password* if it can be one. *where* is for the message, which never quotes it."""
    reason = ""
    if not password:
        reason = "is empty"
    elif any(mark in password for mark in "\r\n\0"):
        reason = "has more than one line"
    elif any(0xD800 <= ord(mark) <= 0xDFFF for mark in password):
        reason = "is not UTF-8 text"
    if not reason:
        return password
    raise CredentialError(f"{where} {reason}", "Store the password itself there, on one line.")


def _from_tickets(_name: str) -> None:
    """Return None: the ticket cache, or on Windows the logon, speaks for the account."""


_SOURCES: Final[Mapping[Source, Callable[[str], str | None]]] = {
    Source.KEYRING: _from_keyring,
    Source.ENV: _from_environment,
    Source.FILE: _from_file,
    Source.KERBEROS: _from_tickets,
}
