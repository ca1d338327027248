"""What each kind of failure of the wire means, and what to do about it.

One function per kind, all of one shape: the exception and the stage in, a Verdict out. What an
exception means depends on when it comes, see Stage; the table of which exception is of which kind
is in faults.py. HTTP statuses and WS-Management faults have tables of their own here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from orchestrator.core.errors import (
    ConnectionLost,
    NotExchange,
    NotLetIn,
    ProtocolViolation,
    Throttled,
    TransportError,
    Unreachable,
)


class Stage(Enum):
    """How far the conversation had come."""

    OPENING = "while the session was being opened"
    SENDING = "while a command was being sent"
    RUNNING = "while a command was running"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a failure means: the class to raise, what to say, what to do next."""

    kind: type[TransportError]
    message: str
    advice: str = ""


LOOK = "Whether it took effect is unknown: look at the objects concerned before anything else."
NETWORK = "Check the server's name, the port and the firewalls between; orchestrator doctor helps."
_TRUST = "Name the authority that signed the server's certificate as ca_file, or correct the name."
_RIGHTS = (
    "Check the account, its password or ticket, and that remote PowerShell is allowed to it "
    "(Get-User ... RemotePowerShellEnabled)."
)
_ENDPOINT = (
    "The endpoint is http://<FQDN of one Exchange server>/PowerShell, port 80 or 443 with ssl; "
    "not WinRM's 5985, not a load-balanced name."
)
_LATER = "Wait, close sessions of this account that are no longer used, and try again."
_REPORT = (
    "If it comes again, run 'orchestrator --debug ...' and report it with the server's Exchange "
    "version."
)


def waiting_time(text: str) -> float | None:
    """Return for how many seconds the server asks to be left alone, if it says so.

    Exchange asks for seconds in some refusals and for milliseconds in others [obs].
    """
    match = _WAIT.search(text)
    if match is None:
        return None
    return float(match[1]) * {"m": 0.001, "s": 1.0}[match[2][0].lower()]


_WAIT = re.compile(
    r"(?:wait|retry|again|back ?off)\D{0,40}?(\d{1,9}(?:\.\d{1,9})?)\s*"
    r"(ms|milli-?seconds?|seconds?|s\b)",
    re.IGNORECASE,
)


def _chain(error: object) -> Iterator[BaseException]:
    """The exception and what it wraps, as requests wraps urllib3: in args, reason or cause."""
    if isinstance(error, BaseException):
        yield error
        for inner in (*error.args, getattr(error, "reason", None), error.__cause__):
            yield from _chain(inner)


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for each in _chain(error) for kind in type(each).__mro__}


def connected(error: BaseException | None) -> bool:
    """Return whether there ever was a connection that this failure could have broken."""
    return error is None or not _names(error) & _UNCONNECTED


_UNCONNECTED: Final = frozenset(
    {"NewConnectionError", "ConnectTimeout", "ConnectTimeoutError", "SSLError", "ProxyError"}
)
_READ: Final = 4096
_TAG = re.compile(r"<(?:style|script).*?</|<[^>]*>", re.DOTALL | re.IGNORECASE)


def _short(text: object) -> str:
    """One line of *text*, without the tags of an HTML page, at most 300 characters.

    What is cut first would be read by _TAG as often as there are tags that do not end.
    """
    line = " ".join(_TAG.sub(" ", str(text)[:_READ]).split())
    return line if len(line) <= 300 else line[:299] + "…"


def unreachable(error: BaseException, _stage: Stage) -> Verdict:
    """No connection came about."""
    return Verdict(Unreachable, f"cannot connect: {_short(error)}", NETWORK)


def dropped(error: BaseException, stage: Stage) -> Verdict:
    """A connection broke; or, by what the exception wraps, never came about."""
    names = _names(error)
    if "NameResolutionError" in names:
        return Verdict(Unreachable, "its name cannot be resolved", NETWORK)
    if names & {"NewConnectionError", "ConnectTimeoutError", "ConnectionRefusedError"}:
        return unreachable(error, stage)
    return Verdict(ConnectionLost, f"the connection broke: {_short(error)}", LOOK)


def silent(_error: BaseException, _stage: Stage) -> Verdict:
    """A request was sent and its answer did not come in time."""
    return Verdict(ConnectionLost, "the server did not answer in time", LOOK)


def late(error: BaseException, _stage: Stage) -> Verdict:
    """Our own deadline passed."""
    return Verdict(ConnectionLost, str(error), LOOK)


def untrusted(error: BaseException, stage: Stage) -> Verdict:
    """The TLS handshake failed, most often over the certificate; or TLS broke under a command.

    A session that was open may have carried the command before: only a certificate that was not
    accepted says that the connection is a new one, over which nothing was sent.
    """
    if stage is not Stage.OPENING and "SSLCertVerificationError" not in _names(error):
        return Verdict(ConnectionLost, f"TLS broke: {_short(error)}", LOOK)
    return Verdict(Unreachable, f"TLS could not be set up: {_short(error)}", _TRUST)


def unusable(error: BaseException, _stage: Stage) -> Verdict:
    """The address makes no URL."""
    return Verdict(Unreachable, f"not an address one can connect to: {_short(error)}", NETWORK)


def rejected(error: BaseException, _stage: Stage) -> Verdict:
    """The credential was refused."""
    return Verdict(NotLetIn, f"not let in: {_short(error)}", _RIGHTS)


def unspeakable(_error: BaseException, _stage: Stage) -> Verdict:
    """The credential cannot be written into an HTTP header."""
    # The text of the exception quotes a character of the password.
    return Verdict(NotLetIn, "the user name or password holds a character HTTP cannot carry")


def ticketless(error: BaseException, _stage: Stage) -> Verdict:
    """There is no credential, or it has expired."""
    advice = "Get a ticket (kinit user@REALM) or give a user and a password reference."
    return Verdict(NotLetIn, f"no usable credential: {_short(error)}", advice)


def misnamed(error: BaseException, _stage: Stage) -> Verdict:
    """The service principal is unknown."""
    advice = "Use the server's FQDN: Kerberos knows it as HTTP/<FQDN> (setspn -Q HTTP/<FQDN>)."
    return Verdict(NotLetIn, f"Kerberos does not know this server: {_short(error)}", advice)


def tampered(error: BaseException, _stage: Stage) -> Verdict:
    """Message encryption came out of step."""
    return Verdict(ProtocolViolation, f"the encryption does not fit: {_short(error)}", _REPORT)


def unequipped(error: BaseException, _stage: Stage) -> Verdict:
    """A library for this way of authentication is missing."""
    advice = "Install what the authentication needs: pip install 'orchestrator[kerberos]'."
    return Verdict(NotLetIn, _short(error), advice)


def deflected(error: BaseException, _stage: Stage) -> Verdict:
    """The server names another address. Neither commands nor credentials go there."""
    return Verdict(NotExchange, f"not followed: {_short(error)}", _ENDPOINT)


def garbled(error: BaseException, stage: Stage) -> Verdict:
    """What came back is no XML."""
    if stage is Stage.OPENING:
        return Verdict(NotExchange, "what answered does not speak WS-Management", _ENDPOINT)
    return violation(error, stage)


def violation(error: BaseException, _stage: Stage) -> Verdict:
    """What came back makes no sense."""
    return Verdict(ProtocolViolation, f"cannot be understood: {_short(error)}", _REPORT)


def status(error: BaseException, _stage: Stage) -> Verdict:
    """An HTTP status without a WS-Management fault."""
    code = error.args[1] if len(error.args) > 1 else 0
    page = _short(error.args[2]) if len(error.args) > 2 else ""
    kind, meaning, advice = STATUSES.get(
        code, (ProtocolViolation, "an answer that is no WS-Management", _REPORT)
    )
    text = f"HTTP {code}: {meaning}"
    return Verdict(kind, f"{text}: {page}" if page else text, advice)


def _told(error: BaseException) -> tuple[object, str]:
    """The number and the words of a fault, from pypsrp's exception or pywinrm's."""
    code = getattr(error, "wsman_fault_code", None) or getattr(error, "code", None)
    words = (getattr(error, "reason", None), getattr(error, "provider_fault", None))
    return code, " ".join(str(part) for part in words if part)


def fault(error: BaseException, stage: Stage) -> Verdict:
    """A WS-Management fault, by its number, else by words [obs]: Exchange throttles with code 0."""
    code, reason = _told(error)
    page = error.__context__
    if page is not None and code is None and not reason:
        # An XHTML page of an error: pypsrp takes every XML for a fault.
        return status(page, stage)
    text = _short(reason or error)
    if code in FAULTS:
        kind, meaning, advice = FAULTS[code]
        if kind is ConnectionLost and stage is Stage.SENDING and code in GONE:
            kind, advice = Unreachable, "Nothing was carried out: open a new session."
        return Verdict(kind, f"{meaning} (fault {code}: {text})", advice)
    if _QUOTA.search(text) or waiting_time(text) is not None:
        return Verdict(Throttled, f"the server asks to wait: {text}", _LATER)
    if _REFUSAL.search(text):
        return Verdict(NotLetIn, f"not let in: {text}", _RIGHTS)
    return Verdict(ProtocolViolation, f"refused with fault {code}: {text}", _REPORT)


def broken(error: BaseException, _stage: Stage) -> Verdict:
    """The pool ended instead of opening: Exchange refuses rights and quotas in that way [seen]."""
    text = _short(error)
    if _QUOTA.search(text) or waiting_time(text) is not None:
        return Verdict(Throttled, f"the server asks to wait: {text}", _LATER)
    return Verdict(NotLetIn, f"the session was refused: {text}", _RIGHTS)


# The words of Exchange's and of Windows' refusals, in English as sent to a client of that locale.
_QUOTA = re.compile(
    r"exceeded (?:the|a) maximum|maximum number of .*exceeded|allowed a maximum|quota|throttl"
    r"|micro ?delay",
    re.IGNORECASE,
)
_REFUSAL = re.compile(r"access is denied|not authori[sz]ed|unauthorized|AuthZ-Auth", re.IGNORECASE)

STATUSES: Final[dict[int, tuple[type[TransportError], str, str]]] = {
    400: (ConnectionLost, "the server does not know this conversation any more", LOOK),
    401: (NotLetIn, "not authenticated", _RIGHTS),
    403: (NotLetIn, "forbidden", _RIGHTS),
    404: (NotExchange, "there is no remote PowerShell at this path", _ENDPOINT),
    405: (NotExchange, "something else than remote PowerShell is at this path", _ENDPOINT),
    407: (Unreachable, "a proxy stands in between", NETWORK),
    429: (Throttled, "too many requests", _LATER),
    500: (ProtocolViolation, "the server failed without saying why", _REPORT),
    502: (ConnectionLost, "a gateway lost the server", LOOK),
    503: (Throttled, "the service is not available now", _LATER),
    504: (ConnectionLost, "a gateway waited for the server in vain", LOOK),
}

_QUOTAS: Final = (
    *(2150859173, 2150859174, 2150859175, 2150859176, 2150859179),
    *(2150859236, 2150859237, 2150859238, 2150859239, 2150859240, 2150859241, 2150859242),
)

GONE: Final = frozenset({2150858843, 2150858813})
"""ERROR_WSMAN_UNEXPECTED_SELECTORS, ..._INVALID_SELECTORS: the shell does not exist any more."""

# Numbers and their names: wsmerror.h of the Windows SDK [doc].
FAULTS: Final[dict[object, tuple[type[TransportError], str, str]]] = {
    5: (NotLetIn, "access denied", _RIGHTS),
    1326: (NotLetIn, "wrong user name or password", _RIGHTS),
    2150858793: (ConnectionLost, "the server had nothing to say in time", LOOK),
    2150858811: (NotExchange, "this shell is not offered at this path and port", _ENDPOINT),
    2150859180: (NotLetIn, "remote shells are not allowed on the server", _RIGHTS),
    **dict.fromkeys(_QUOTAS, (Throttled, "a quota of the server is used up", _LATER)),
    **dict.fromkeys(GONE, (ConnectionLost, "the server has ended this session", LOOK)),
}
