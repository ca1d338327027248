"""Who is calling: Basic, NTLM, Negotiate and Kerberos, as state of one connection."""

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

from orchestrator.lab.scenario import User

Scheme = Literal["basic", "ntlm", "negotiate", "kerberos"]

_OFFERS: dict[Scheme, str] = {
    "negotiate": "Negotiate",
    "kerberos": "Kerberos",
    "ntlm": "NTLM",
    "basic": 'Basic realm="Exchange"',
}
_ENVIRONMENT = Lock()


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who may come in: *find* returns a user by any spelling; *file* lists them for NTLM."""

    find: Callable[[str], User | None]
    file: str
    host: str

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Let the acceptor see these accounts; the library takes them from the environment only."""
        with _ENVIRONMENT:
            before = os.environ.get("NTLM_USER_FILE")
            os.environ["NTLM_USER_FILE"] = self.file
            try:
                yield
            finally:
                if before is None:
                    del os.environ["NTLM_USER_FILE"]
                else:
                    os.environ["NTLM_USER_FILE"] = before


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a request: *user* may pass; without one, 401 with *headers*.

    With a user, *headers* carry the server's last token, if there is one.
    """

    user: User | None
    headers: tuple[tuple[str, str], ...] = ()


class Gate:
    """The state of authentication on one connection."""

    def __init__(self, accounts: Accounts, schemes: tuple[Scheme, ...]) -> None:
        self._accounts = accounts
        self._schemes = schemes
        self._pending: Any = None
        self.context: Any = None
        self.user: User | None = None

    def admit(self, authorization: str) -> Verdict:
        """Judge one request by its Authorization header."""
        scheme, _, token = authorization.partition(" ")
        word = scheme.casefold()
        if word == "basic" and "basic" in self._schemes:
            user = self._basic(token.strip())
            return Verdict(user) if user else self._refusal()
        if word in ("negotiate", "ntlm", "kerberos"):
            return self._step(scheme, token.strip())
        return Verdict(self.user) if self.user else self._refusal()

    def _refusal(self) -> Verdict:
        self._pending = self.context = self.user = None
        offers = [text for scheme, text in _OFFERS.items() if self._offered(scheme)]
        return Verdict(None, tuple(("WWW-Authenticate", text) for text in offers))

    def _offered(self, scheme: Scheme) -> bool:
        if scheme == "negotiate":
            return any(one in self._schemes for one in ("negotiate", "ntlm", "kerberos"))
        return scheme in self._schemes

    def _basic(self, token: str) -> User | None:
        try:
            name, _, password = b64decode(token, validate=True).decode().partition(":")
        except (NotBase64, UnicodeDecodeError):
            return None
        user = self._accounts.find(name)
        return user if user is not None and user.password == password else None

    def _step(self, scheme: str, token: str) -> Verdict:
        from spnego.exceptions import SpnegoError  # noqa: PLC0415 - Basic alone never pays for it

        try:
            data = b64decode(token, validate=True)
            if self._pending is None:
                self._pending = self._acceptor(data)
            with self._accounts.in_force():
                answer = self._pending.step(data)
        except (NotBase64, SpnegoError, ValueError):
            return self._refusal()
        headers = _token(scheme, answer)
        if not self._pending.complete:
            return Verdict(None, headers)
        self.context, self._pending = self._pending, None
        if self._accepts(self.context.negotiated_protocol):
            self.user = self._accounts.find(self.context.client_principal or "")
        return Verdict(self.user, headers) if self.user else self._refusal()

    def _accepts(self, protocol: str | None) -> bool:
        return "negotiate" in self._schemes or protocol in self._schemes

    def _acceptor(self, data: bytes) -> Any:
        """Return an acceptor for the protocol that the first token speaks."""
        import spnego  # noqa: PLC0415 - Basic alone never pays for it

        protocol = protocol_of(data)
        if not self._accepts(protocol) and protocol != "negotiate":
            raise ValueError(protocol)
        # Windows' own NTLM would ask for Windows' own accounts.
        own = {
            "ntlm": spnego.NegotiateOptions.use_ntlm,
            "negotiate": spnego.NegotiateOptions.use_negotiate,
        }
        options = own.get(protocol, spnego.NegotiateOptions.none)
        with self._accounts.in_force():
            return spnego.server(
                hostname=self._accounts.host, service="HTTP", protocol=protocol, options=options
            )


def protocol_of(token: bytes) -> Scheme:
    """Return the protocol of a first token: bare NTLM, bare Kerberos, or SPNEGO around either."""
    if token.startswith(b"NTLMSSP\x00"):
        return "ntlm"
    if b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02" in token[:20]:
        return "kerberos"
    return "negotiate"


def _token(scheme: str, token: bytes | None) -> tuple[tuple[str, str], ...]:
    if not token:
        return ()
    return (("WWW-Authenticate", f"{scheme} {b64encode(token).decode()}"),)
