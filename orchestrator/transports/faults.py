"""Every way in which the libraries beneath a transport fail, and what each one means to us.

ROWS maps the name of an exception class to the function that judges it. Names, not classes: the
table costs no import, and can name libraries that are not installed everywhere (krb5, gssapi,
sspilib). A class is judged by its own row, else by its nearest ancestor's, else by its package's.
To add a row: name the class as ``module.Class``. A test fails when pypsrp, requests, spnego or
pywinrm has an exception class that no row names.

What an exception means depends on when it comes, see Stage. The decision that matters: once a
pipeline may have begun, nothing but looking tells whether a write took effect.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from html import unescape
from types import TracebackType
from typing import Final, Self, TypeAlias
from urllib.parse import unquote

from orchestrator.core.errors import (
    ConnectionLost,
    ProtocolViolation,
    Throttled,
    TransportError,
    Unreachable,
)
from orchestrator.transports import verdicts
from orchestrator.transports.verdicts import LOOK, NETWORK, Stage, Verdict, waiting_time

Judge: TypeAlias = Callable[[BaseException, Stage], Verdict]


class Translation:
    """A ``with`` block out of which library exceptions come as TransportErrors.

    *server* names the server in the message. *stage* may be moved on inside the block. A text that
    quotes *hidden*, the password, is left out, and so is the exception that carries it. Exceptions
    that no row knows, above all those of our own mistakes, pass unchanged.
    """

    def __init__(self, server: str, stage: Stage, hidden: str | None = None) -> None:
        self.stage = stage
        self._server = server
        self._hidden = hidden

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            return
        translated = translate(error, self._server, self.stage, self._hidden)
        if translated is None:
            return
        raise translated from (None if _quotes(error, self._hidden) else error)


def translate(
    error: BaseException, server: str, stage: Stage, hidden: str | None = None
) -> TransportError | None:
    """Return what *error* means at *stage*, or None if it is not a failure of the wire."""
    judge = _row(error)
    if judge is None:
        return None
    verdict = judge(error, stage)
    if _quotes(error, hidden) and judge is not verdicts.unspeakable:
        verdict = replace(verdict, message="the answer quotes the password and is not shown")
    verdict = _staged(verdict, stage)
    if verdict.kind is Throttled:
        wait = waiting_time(str(error))
        return Throttled(verdict.message, verdict.advice, server=server, wait=wait)
    return verdict.kind(verdict.message, verdict.advice, server=server)


def _quotes(error: BaseException, hidden: str | None) -> bool:
    """Whether the text of *error* may hold the secret, as that of an encoder's error does."""
    if isinstance(error, UnicodeError):
        return True
    return bool(hidden) and any(str(hidden) in form for form in _forms(str(error)))


def _forms(text: str) -> Iterator[str]:
    """Yield *text* as it is, and what it says to whoever undoes the usual ways of writing it.

    A page that repeats a request's headers has the password in them as Base64.
    """
    yield from (text, unquote(text), unescape(text))
    for token in _BASE64.findall(text):
        with suppress(ValueError):
            said = b64decode(token + "=" * (-len(token) % 4))
            yield from (said.decode("utf-8", "replace"), said.decode("utf-16-le", "replace"))


def _staged(verdict: Verdict, stage: Stage) -> Verdict:
    """What is said about a pipeline that runs can only be that its end is unknown."""
    message = f"{verdict.message} ({stage.value})"
    if stage is Stage.RUNNING and verdict.kind is not ProtocolViolation:
        return Verdict(ConnectionLost, message, LOOK)
    if stage is Stage.OPENING and verdict.kind is ConnectionLost:
        return Verdict(Unreachable, message, NETWORK)
    return replace(verdict, message=message)


def _row(error: BaseException) -> Judge | None:
    for kind in type(error).__mro__:
        judge = ROWS.get(f"{kind.__module__}.{kind.__qualname__}")
        if judge is not None:
            return None if kind.__module__ == "builtins" and _is_ours(error) else judge
    return PACKAGES.get(type(error).__module__.partition(".")[0])


def _is_ours(error: BaseException) -> bool:
    """Whether a built-in exception rose in our own code: a mistake there is not a bad answer."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_globals["__name__"].startswith("orchestrator.")


_BASE64: Final = re.compile("[A-Za-z0-9+/]{4,}")

_REQUESTS: Final[dict[str, Judge]] = {
    "RequestException": verdicts.dropped,
    "HTTPError": verdicts.violation,
    "ConnectionError": verdicts.dropped,
    "ProxyError": verdicts.unreachable,
    "SSLError": verdicts.untrusted,
    "Timeout": verdicts.silent,
    "ConnectTimeout": verdicts.unreachable,
    "ReadTimeout": verdicts.silent,
    "ChunkedEncodingError": verdicts.dropped,
    "ContentDecodingError": verdicts.dropped,
    "StreamConsumedError": verdicts.violation,
    "RetryError": verdicts.unreachable,
    "TooManyRedirects": verdicts.garbled,
    "UnrewindableBodyError": verdicts.violation,
    "InvalidJSONError": verdicts.violation,
    "JSONDecodeError": verdicts.violation,
    "URLRequired": verdicts.unusable,
    "MissingSchema": verdicts.unusable,
    "InvalidSchema": verdicts.unusable,
    "InvalidURL": verdicts.unusable,
    "InvalidProxyURL": verdicts.unusable,
    "InvalidHeader": verdicts.unspeakable,
}

_PYPSRP: Final[dict[str, Judge]] = {
    "exceptions.WinRMError": verdicts.violation,
    "exceptions.AuthenticationError": verdicts.rejected,
    "exceptions.WinRMTransportError": verdicts.status,
    "exceptions.WSManFaultError": verdicts.fault,
    "exceptions._InvalidStateError": verdicts.violation,
    "exceptions.InvalidRunspacePoolStateError": verdicts.violation,
    "exceptions.InvalidPipelineStateError": verdicts.violation,
    "exceptions.InvalidPSRPOperation": verdicts.broken,
    "exceptions.FragmentError": verdicts.violation,
    "exceptions.SerializationError": verdicts.violation,
    "_pool_manager.NewConnectionDisabled": verdicts.violation,
}

_SPNEGO: Final[dict[str, Judge]] = {
    "SpnegoError": verdicts.rejected,
    "NativeError": verdicts.rejected,
    "FeatureMissingError": verdicts.unequipped,
    "BadMechanismError": verdicts.rejected,
    "BadNameError": verdicts.misnamed,
    "BadBindingsError": verdicts.rejected,
    "BadMICError": verdicts.tampered,
    "NoCredentialError": verdicts.ticketless,
    "NoContextError": verdicts.tampered,
    "InvalidTokenError": verdicts.rejected,
    "InvalidCredentialError": verdicts.rejected,
    "CredentialsExpiredError": verdicts.ticketless,
    "ContextExpiredError": verdicts.ticketless,
    "UnsupportedQop": verdicts.tampered,
    "OperationNotAvailableError": verdicts.ticketless,
}

_WINRM: Final[dict[str, Judge]] = {
    "WinRMError": verdicts.violation,
    "WSManFaultError": verdicts.fault,
    "WinRMTransportError": verdicts.status,
    "WinRMOperationTimeoutError": verdicts.silent,
    "AuthenticationError": verdicts.rejected,
    "BasicAuthDisabledError": verdicts.rejected,
    "InvalidCredentialsError": verdicts.rejected,
}

ROWS: Final[dict[str, Judge]] = {
    **{f"requests.exceptions.{name}": judge for name, judge in _REQUESTS.items()},
    **{f"pypsrp.{name}": judge for name, judge in _PYPSRP.items()},
    **{f"spnego.exceptions.{name}": judge for name, judge in _SPNEGO.items()},
    **{f"winrm.exceptions.{name}": judge for name, judge in _WINRM.items()},
    # pywinrm's copy of requests-kerberos, which cannot be imported without Kerberos.
    "winrm.vendor.requests_kerberos.exceptions.KerberosExchangeError": verdicts.ticketless,
    "winrm.vendor.requests_kerberos.exceptions.MutualAuthenticationError": verdicts.rejected,
    "orchestrator.transports.bounds.Deflected": verdicts.deflected,
    "orchestrator.transports.bounds.Disguised": verdicts.garbled,
    "orchestrator.transports.bounds.Endless": verdicts.violation,
    "orchestrator.transports.clixml.ClixmlError": verdicts.violation,
    "orchestrator.transports.connection.Webpage": verdicts.status,
    "orchestrator.transports.pool.Flooded": verdicts.violation,
    "orchestrator.transports.pool.Overdue": verdicts.late,
    "orchestrator.transports.pool.Truncated": verdicts.violation,
    "xml.etree.ElementTree.ParseError": verdicts.garbled,
    "struct.error": verdicts.violation,
    "builtins.ImportError": verdicts.unequipped,
    "builtins.UnicodeEncodeError": verdicts.unspeakable,
    "builtins.ConnectionRefusedError": verdicts.unreachable,
    "builtins.OSError": verdicts.dropped,
    # How pypsrp stumbles over an answer that lacks a part it takes for granted.
    "builtins.ValueError": verdicts.violation,
    "builtins.LookupError": verdicts.violation,
    "builtins.AttributeError": verdicts.violation,
    "builtins.TypeError": verdicts.violation,
}

PACKAGES: Final[dict[str, Judge]] = {
    "urllib3": verdicts.dropped,
    "http": verdicts.dropped,
    "krb5": verdicts.ticketless,
    "gssapi": verdicts.ticketless,
    "sspilib": verdicts.ticketless,
}
