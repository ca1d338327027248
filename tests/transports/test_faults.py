"""The table of failures: complete, and right about what is known and what is not."""

import importlib
import inspect
import ssl
import xml.etree.ElementTree as ET
from types import ModuleType

import pypsrp._pool_manager
import pypsrp.exceptions
import pytest
import requests
import requests.exceptions
import spnego.exceptions
import urllib3.exceptions as urllib3
import winrm.exceptions
from pypsrp.exceptions import (
    AuthenticationError,
    InvalidPSRPOperation,
    WinRMTransportError,
    WSManFaultError,
)

from orchestrator.core.errors import (
    ConnectionLost,
    CredentialError,
    NotExchange,
    NotLetIn,
    ProtocolViolation,
    Throttled,
    TransportError,
    Unreachable,
)
from orchestrator.transports.clixml import ClixmlError, unescape
from orchestrator.transports.faults import ROWS, Translation, translate
from orchestrator.transports.verdicts import Stage, waiting_time

OPENING, SENDING, RUNNING = Stage.OPENING, Stage.SENDING, Stage.RUNNING

LIBRARIES = [
    pypsrp.exceptions,
    pypsrp._pool_manager,  # noqa: SLF001 - an exception of its own may come out of it
    requests.exceptions,
    spnego.exceptions,
    winrm.exceptions,
]


def exceptions_of(module: ModuleType) -> set[str]:
    """The names of the exceptions, not warnings, which *module* defines."""
    return {
        f"{module.__name__}.{name}"
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception)
        and not issubclass(kind, Warning)
        and kind.__module__ == module.__name__
    }


@pytest.mark.parametrize("module", LIBRARIES, ids=lambda module: module.__name__)
def test_every_exception_class_of_the_libraries_has_a_row(module: ModuleType) -> None:
    assert exceptions_of(module) - ROWS.keys() == set()


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "krb5" not in row and "kerberos" not in row]
)
def test_every_row_names_a_class_that_exists(row: str) -> None:
    module, _, name = row.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), name), Exception)


def fault(code: object, reason: str = "") -> WSManFaultError:
    """A WS-Management fault as pypsrp raises it."""
    return WSManFaultError(code, "EX1", reason, None, None, None)


def refused() -> requests.ConnectionError:
    """What requests makes of a refused connection."""
    pool = urllib3.NewConnectionError(None, "[Errno 111] refused")  # type: ignore[arg-type] # only kept
    return requests.ConnectionError(urllib3.MaxRetryError(None, "/PowerShell", pool))  # type: ignore[arg-type] # likewise


def nameless() -> requests.ConnectionError:
    """What requests makes of a name that does not resolve."""
    pool = urllib3.NameResolutionError("ex9.invalid", None, OSError("unknown"))  # type: ignore[arg-type] # only kept
    return requests.ConnectionError(urllib3.MaxRetryError(None, "/PowerShell", pool))  # type: ignore[arg-type] # likewise


def dropped() -> requests.ConnectionError:
    """What requests makes of a connection that breaks."""
    cause = urllib3.ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))
    return requests.ConnectionError(cause)


BUSY = (
    "[FailureCategory=AuthZ-AuthorizationException] Fail to create a runspace because you have "
    "exceeded the maximum number of connections allowed : 18 for the policy party : MaxConcurrency."
)

MEANINGS = [
    (refused(), OPENING, Unreachable, "cannot connect"),
    (refused(), SENDING, Unreachable, "cannot connect"),
    (refused(), RUNNING, ConnectionLost, "cannot connect"),
    (nameless(), OPENING, Unreachable, "cannot be resolved"),
    (requests.ConnectTimeout("t"), SENDING, Unreachable, "cannot connect"),
    (dropped(), OPENING, Unreachable, "broke"),
    (dropped(), SENDING, ConnectionLost, "broke"),
    (dropped(), RUNNING, ConnectionLost, "broke"),
    (requests.ReadTimeout("t"), OPENING, Unreachable, "did not answer"),
    (requests.ReadTimeout("t"), SENDING, ConnectionLost, "did not answer"),
    (requests.exceptions.SSLError("self-signed"), OPENING, Unreachable, "TLS"),
    (requests.exceptions.SSLError("EOF in violation of protocol"), SENDING, ConnectionLost, "TLS"),
    (requests.exceptions.SSLError("bad record mac"), RUNNING, ConnectionLost, "TLS"),
    (
        requests.exceptions.SSLError(ssl.SSLCertVerificationError("expired")),
        SENDING,
        Unreachable,
        "TLS",
    ),
    (requests.exceptions.InvalidURL("x"), OPENING, Unreachable, "address"),
    (ConnectionResetError(104, "reset"), RUNNING, ConnectionLost, "broke"),
    (AuthenticationError("no"), OPENING, NotLetIn, "not let in"),
    (AuthenticationError("no"), SENDING, NotLetIn, "not let in"),
    (AuthenticationError("no"), RUNNING, ConnectionLost, "not let in"),
    (spnego.exceptions.NoCredentialError(), OPENING, NotLetIn, "credential"),
    (spnego.exceptions.BadNameError(), OPENING, NotLetIn, "does not know this server"),
    (spnego.exceptions.BadMICError(), RUNNING, ProtocolViolation, "encryption"),
    (ImportError("requires the Python gssapi library"), OPENING, NotLetIn, "gssapi"),
    (WinRMTransportError("http", 404, "<h1>Not Found</h1>"), OPENING, NotExchange, "Not Found"),
    (WinRMTransportError("http", 403, ""), OPENING, NotLetIn, "403"),
    (WinRMTransportError("http", 503, ""), SENDING, Throttled, "503"),
    (WinRMTransportError("http", 400, ""), SENDING, ConnectionLost, "400"),
    (WinRMTransportError("http", 418, ""), OPENING, ProtocolViolation, "418"),
    (WinRMTransportError("http", 404, ""), RUNNING, ConnectionLost, "404"),
    (fault(2150858811, "resource URI"), OPENING, NotExchange, "not offered"),
    (fault(5, "Access is denied."), OPENING, NotLetIn, "access denied"),
    (fault(2150859173, "wait 30 seconds"), OPENING, Throttled, "quota"),
    (fault(2150858843, "shell not found"), SENDING, Unreachable, "ended this session"),
    (fault(2150858843, "shell not found"), RUNNING, ConnectionLost, "ended this session"),
    (fault(2150858793, "timed out"), OPENING, Unreachable, "in time"),
    (fault("w:InternalError", BUSY), OPENING, Throttled, "MaxConcurrency"),
    (fault(0, "The user is not authorized."), OPENING, NotLetIn, "authorized"),
    (fault(0, "the server is out of order"), OPENING, ProtocolViolation, "out of order"),
    (InvalidPSRPOperation(BUSY), OPENING, Throttled, "MaxConcurrency"),
    (InvalidPSRPOperation("no rights"), OPENING, NotLetIn, "no rights"),
    (InvalidPSRPOperation("closed"), RUNNING, ConnectionLost, "closed"),
    (ET.ParseError("syntax error"), OPENING, NotExchange, "does not speak"),
    (ET.ParseError("syntax error"), RUNNING, ProtocolViolation, "syntax error"),
    (ClixmlError("not well-formed"), RUNNING, ProtocolViolation, "not well-formed"),
    (AttributeError("'NoneType'"), SENDING, ProtocolViolation, "NoneType"),
    (winrm.exceptions.InvalidCredentialsError("no"), OPENING, NotLetIn, "not let in"),
    (winrm.exceptions.WinRMTransportError("http", 404, "x"), OPENING, NotExchange, "404"),
]


@pytest.mark.parametrize(
    ("error", "stage", "kind", "words"),
    MEANINGS,
    ids=[f"{type(error).__name__}-{stage.name}" for error, stage, _, _ in MEANINGS],
)
def test_each_failure_is_told_by_who_must_act(
    error: Exception, stage: Stage, kind: type[TransportError], words: str
) -> None:
    translated = translate(error, "ex1.contoso.com", stage)
    assert type(translated) is kind
    assert translated.server == "ex1.contoso.com"
    assert words in translated.message
    assert str(translated).startswith("ex1.contoso.com: ")
    assert translated.advice.endswith(".")


def test_once_a_command_runs_no_failure_says_that_nothing_happened() -> None:
    for error, _, _, _ in MEANINGS:
        assert isinstance(translate(error, "ex1", RUNNING), ConnectionLost | ProtocolViolation), (
            error
        )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please wait for 30 seconds.", 30.0),
        ("try again after 1500 milliseconds", 1.5),
        ("Retry in 90 s", 90.0),
        ("wait 250 ms", 0.25),
        ("BACKOFF: back off 2.5 seconds", 2.5),
        ("The maximum is 18. Close sessions.", None),
        ("", None),
    ],
)
def test_the_time_to_wait_is_read_from_the_text(text: str, seconds: float | None) -> None:
    assert waiting_time(text) == seconds


def test_throttling_carries_the_time_to_wait() -> None:
    error = translate(fault(0, f"{BUSY} Please wait for 1500 milliseconds."), "ex1", OPENING)
    assert isinstance(error, Throttled)
    assert error.wait == 1.5


def test_a_page_is_told_as_text_and_cut() -> None:
    page = f"<html><style>h1 {{}}</style><h1>Not</h1>\n<p>found {'x' * 9000}</p></html>"
    error = translate(WinRMTransportError("http", 404, page), "ex1", OPENING)
    assert error is not None
    assert "Not found xxx" in error.message
    assert "<" not in error.message
    assert "h1" not in error.message
    assert len(error.message) < 500


def test_a_text_that_quotes_the_password_is_not_told() -> None:
    with (
        pytest.raises(ProtocolViolation) as caught,
        Translation("ex1", SENDING, "s3cret  word"),
    ):
        raise WinRMTransportError("http", 500, "you sent s3cret  word")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_password_that_http_cannot_carry_is_not_quoted_in_part() -> None:
    with pytest.raises(NotLetIn) as caught, Translation("ex1", OPENING):
        "pass\u20acword".encode("latin-1")
    assert "20ac" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_exceptions_raised_on_purpose_and_unknown_ones_pass() -> None:
    for error in (CredentialError("no keyring"), Unreachable("x"), RuntimeError("x")):
        with pytest.raises(type(error)) as caught, Translation("ex1", RUNNING):
            raise error
        assert caught.value is error


def test_our_own_mistakes_are_not_laid_at_the_servers_door() -> None:
    with pytest.raises(TypeError), Translation("ex1", RUNNING):
        unescape(7)  # type: ignore[arg-type] # that is the mistake
