"""What answers at the endpoint's path before anybody has said who they are.

What an HTTP status says is a row of ``_STATUSES``. That a remote PowerShell endpoint answers 401
to whom it does not know is [inf]; so what does not speak clearly against one is ``unknown``, and
the attempt to open a session decides.
"""

import re
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException
from typing import Final, NamedTuple
from urllib.parse import quote

from orchestrator.core.inventory import Auth
from orchestrator.doctor.finding import Check, Finding, State
from orchestrator.doctor.network import dial, trust, wrap
from orchestrator.doctor.patient import Patient

# WS-Management's question "who are you?" (DSP0226, section 11), the same for every server.
_IDENTIFY: Final = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    b'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    b"<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
)
_HEADERS: Final = {"Content-Type": "application/soap+xml;charset=UTF-8", "Connection": "close"}
_MOST: Final = 65_536

_ENDPOINT = (
    "Exchange's endpoint is at the path 'PowerShell', on port 80 or 443 of one Exchange server; "
    "correct 'path' and 'port' in the inventory."
)
_SPEAKS_TLS = "If this port speaks https, set 'ssl: true'. " + _ENDPOINT
_SCHEMES = ("Negotiate", "Kerberos", "NTLM", "Basic", "Digest", "CredSSP", "Bearer")

SERVES: Final[Mapping[Auth, frozenset[str]]] = {
    Auth.KERBEROS: frozenset({"kerberos", "negotiate"}),
    Auth.NEGOTIATE: frozenset({"negotiate", "kerberos", "ntlm"}),
    Auth.NTLM: frozenset({"ntlm", "negotiate"}),
    Auth.BASIC: frozenset({"basic"}),
}
"""The offers of a server, any of which will do for each way to authenticate."""


class _Answer(NamedTuple):
    status: int
    server: str
    offered: tuple[str, ...]
    location: str
    text: str


def greet(patient: Patient) -> Iterator[Finding]:
    """Ask who is there, without authentication; what has to stand at the path asks for it."""
    try:
        answer = _asked(patient)
    except HTTPException as error:
        text = f"what answers at {patient.url} does not speak HTTP ({type(error).__name__})"
        yield Finding(Check.HTTP, State.FAILED, text, _SPEAKS_TLS)
        return
    except TimeoutError:
        text = f"the port is open, and nobody answers at {patient.url}"
        yield Finding(Check.HTTP, State.FAILED, text, _SPEAKS_TLS)
        return
    except OSError as error:
        text = f"the connection broke over a request to {patient.url}: {error.strerror or error}"
        yield Finding(Check.HTTP, State.FAILED, text, _SPEAKS_TLS)
        return
    patient.offered = answer.offered
    yield _judged(patient, answer)


def _asked(patient: Patient) -> _Answer:
    secure = patient.organization.ssl
    client = HTTPConnection(patient.server.name, patient.server.port)
    client.sock = wrap(patient, trust(patient)) if secure else dial(patient)
    try:
        client.request("POST", _path(patient), body=_IDENTIFY, headers=_HEADERS)
        response = client.getresponse()
        text = response.read(_MOST).decode("utf-8", "replace")
        offers = response.headers.get_all("WWW-Authenticate") or []
        return _Answer(
            response.status,
            response.headers.get("Server", ""),
            tuple(_schemes(", ".join(offers))),
            response.headers.get("Location", ""),
            text,
        )
    finally:
        client.close()


def _path(patient: Patient) -> str:
    return "/" + quote(patient.organization.path.lstrip("/"), safe="/?&=%")


def _schemes(offers: str) -> Iterator[str]:
    """Yield which schemes are offered. Their parameters are in the way: ``Basic realm="a, b"``."""
    words = {match.casefold() for match in re.findall(r"[A-Za-z]+", re.sub(r'"[^"]*"', "", offers))}
    return (scheme.casefold() for scheme in _SCHEMES if scheme.casefold() in words)


def _judged(patient: Patient, answer: _Answer) -> Finding:
    by = f" ({answer.server})" if answer.server else ""
    if answer.status == 401:
        names = [scheme for scheme in _SCHEMES if scheme.casefold() in answer.offered]
        ways = ", ".join(names) or "no way that is known"
        return Finding(Check.HTTP, State.OK, f"{patient.url} asks for authentication: {ways}{by}")
    if "IdentifyResponse" in answer.text:
        return Finding(Check.HTTP, State.OK, f"{patient.url} speaks WS-Management{by}")
    if answer.status in range(300, 400):
        text = f"{patient.url} sends us on to {answer.location or 'nowhere'}{by}"
        return Finding(Check.HTTP, State.FAILED, text, _ENDPOINT)
    state, meaning, advice = _STATUSES.get(answer.status, _PAGE)
    return Finding(
        Check.HTTP,
        state,
        f"{patient.url} answers {answer.status}: {meaning}{_title(answer)}{by}",
        advice,
    )


def _title(answer: _Answer) -> str:
    found = re.search(r"<title>(.{1,200}?)</title>", answer.text, re.IGNORECASE | re.DOTALL)
    return f", '{' '.join(found[1].split())}'" if found else ""


_POOL = (
    "Start the application pool MSExchangePowerShellFrontEndAppPool (Exchange 2010: "
    "MSExchangePowerShellAppPool) in IIS on the server."
)
_LATER = "An authenticated request may be answered better; if not, see the server's IIS log."
_PAGE: Final = (State.FAILED, "a web page or some other service", _ENDPOINT)
_STATUSES: Final[Mapping[int, tuple[State, str, str]]] = {
    400: (State.UNKNOWN, "it does not understand the question", _SPEAKS_TLS),
    403: (
        State.UNKNOWN,
        "forbidden",
        "If it wants https, set 'ssl: true'; IIS may also refuse this machine's address.",
    ),
    404: (State.FAILED, "there is nothing at this path", _ENDPOINT),
    405: (State.FAILED, "a web page, not remote PowerShell", _ENDPOINT),
    407: (State.FAILED, "a proxy stands in between", "Name the Exchange server itself."),
    411: (State.UNKNOWN, "it does not take the question", _LATER),
    415: (State.UNKNOWN, "it does not take the question", _LATER),
    500: (State.UNKNOWN, "an error", _LATER),
    502: (State.FAILED, "a gateway does not reach the server", "Name the Exchange server itself."),
    503: (State.FAILED, "the service does not run now", _POOL),
    504: (State.FAILED, "a gateway does not reach the server", "Name the Exchange server itself."),
}
