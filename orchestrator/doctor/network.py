"""From the name to a conversation: does it resolve, is the port open, is TLS as it should be."""

import os
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from orchestrator.doctor.finding import Check, Finding, State
from orchestrator.doctor.patient import Patient

_DNS = (
    "Correct the name in the inventory or in DNS; where this machine cannot resolve it, say where "
    "to connect to: '{name: FQDN, address: IP}'."
)
_PORT = (
    "Exchange's endpoint is on port 80, or 443 with 'ssl: true', not on WinRM's 5985: check 'port' "
    "in the inventory, that the server is up, and the firewalls between."
)
_CERTIFICATE = (
    "Name the authority that signed the certificate as 'ca_file', or use the name that the "
    "certificate is for."
)


def resolve(patient: Patient) -> Iterator[Finding]:
    """Turn the server's address, which is its name unless the inventory says more, into numbers."""
    server = patient.server
    elsewhere = server.address != server.name
    try:
        found = socket.getaddrinfo(server.address, server.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no host name"
        meant = f" (where {server.name} is to be reached)" if elsewhere else ""
        text = f"{server.address}{meant} cannot be resolved: {reason}"
        yield Finding(Check.NAME, State.FAILED, text, _DNS)
        return
    text = f"{server.name} is reached at {server.address}" if elsewhere else server.name
    numbers = ", ".join(dict.fromkeys(str(entry[4][0]) for entry in found))
    known = "" if numbers == server.address else f" ({numbers})"
    yield Finding(Check.NAME, State.OK, text + known)


def dial(patient: Patient) -> socket.socket:
    """Return a connection to the server. Raises OSError."""
    server = patient.server
    timeout = patient.organization.timeouts.connect
    return socket.create_connection((server.address, server.port), timeout=timeout)


def knock(patient: Patient) -> Iterator[Finding]:
    """Open a TCP connection."""
    port = patient.server.port
    try:
        with dial(patient) as connection:
            peer = connection.getpeername()[0]
    except OSError as error:
        reason = _closed(error, patient.organization.timeouts.connect)
        yield Finding(Check.TCP, State.FAILED, f"port {port} {reason}", _PORT)
    else:
        yield Finding(Check.TCP, State.OK, f"port {port} is open on {peer}")


def _closed(error: OSError, seconds: int) -> str:
    match error:
        case ConnectionRefusedError():
            return "is closed: nothing listens there, or a firewall says so"
        case TimeoutError():
            return f"did not answer in {seconds} s: the server is down, or a firewall is mute"
        case _:
            return f"cannot be reached: {error.strerror or error}"


def shake(patient: Patient) -> Iterator[Finding]:
    """Do the TLS handshake, where TLS is meant to be spoken."""
    if not patient.organization.ssl:
        return
    try:
        context = trust(patient)
    except OSError as error:
        file = patient.organization.ca_file
        text = f"no certificates can be read from {file or 'the list of authorities'}: "
        text += error.strerror or str(error)
        yield Finding(Check.TLS, State.FAILED, text, "Name a readable PEM file as 'ca_file'.")
        return
    try:
        with wrap(patient, context) as connection:
            text = f"{connection.version()}, {_certificate(connection.getpeercert())}"
            yield Finding(Check.TLS, State.OK, text)
    except ssl.SSLCertVerificationError as error:
        text = f"the certificate is not to be trusted: {error.verify_message}"
        yield Finding(Check.TLS, State.FAILED, text, _CERTIFICATE)
    except OSError as error:
        text = f"no TLS is spoken on port {patient.server.port}: {_reason(error)}"
        advice = "Take 'ssl: true' away if the server offers plain http only, or correct 'port'."
        yield Finding(Check.TLS, State.FAILED, text, advice)


def trust(patient: Patient) -> ssl.SSLContext:
    """Return whom the sessions trust: *ca_file*, else what requests does. Raises OSError."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH  # noqa: PLC0415 - heavy

    environment = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    roots = patient.organization.ca_file or environment or DEFAULT_CA_BUNDLE_PATH
    folder = os.path.isdir(roots)  # noqa: PTH112 - the text may be empty or no path at all
    return ssl.create_default_context(
        cafile=None if folder else roots, capath=roots if folder else None
    )


def wrap(patient: Patient, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Return a TLS connection; the certificate is judged by the server's name. Raises OSError."""
    connection = dial(patient)
    try:
        return context.wrap_socket(connection, server_hostname=patient.server.name)
    except OSError:
        connection.close()
        raise


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    return error.strerror or str(error) or type(error).__name__


_Names = Sequence[Sequence[tuple[str, str]]]
_ORGANIZATION: Final = "organizationName"


def _certificate(certificate: Mapping[str, Any] | None) -> str:
    """Say whose certificate it is, from whom, and until when, as far as it says so."""
    held = certificate or {}
    names = ", ".join(dict.fromkeys(value for _, value in held.get("subjectAltName", ())))
    names = names or _part(held, "subject")
    return (
        f"certificate for {names}, issued by {_part(held, 'issuer')}, until {held.get('notAfter')}"
    )


def _part(certificate: Mapping[str, Any], key: str) -> str:
    names: _Names = certificate.get(key, ())
    found = {kind: value for name in names for kind, value in name}
    return found.get("commonName") or found.get(_ORGANIZATION) or "nobody"
