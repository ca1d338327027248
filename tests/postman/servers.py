"""SMTP servers on loopback: real ones by aiosmtpd, and ones that misbehave on purpose."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Mailbox:
    """Keeps what arrives. *rcpt* and *data* are answers other than acceptance."""

    rcpt: str = ""
    data: str = ""
    letters: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: D102, N802 - aiosmtpd's shape
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        del server, session, options
        envelope.rcpt_tos.append(address)
        return self.rcpt or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: D102, N802 - likewise
        del server
        self.letters.append(envelope.content)
        self.recipients += envelope.rcpt_tos
        self.encrypted.append(session.ssl is not None)
        return self.data or "250 2.0.0 queued as 4711"


class _OnAnyPort(Controller):
    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd leaves it untyped


@contextlib.contextmanager
def mail_server(mailbox: Mailbox, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve SMTP, with STARTTLS where there is a *context*, and yield the port."""
    server = _OnAnyPort(mailbox, hostname="127.0.0.1", port=0, tls_context=context)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@contextlib.contextmanager
def scripted(play: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve one connection after the other by *play*, and yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, play), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _serve(listener: socket.socket, play: Callable[[socket.socket], None]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            play(connection)


def until(connection: socket.socket, ending: bytes) -> bytes:
    """Return what a client says, up to *ending*."""
    heard = b""
    while ending not in heard:
        found = connection.recv(4096)
        if not found:
            break
        heard += found
    return heard


def dropping(at: str) -> Callable[[socket.socket], None]:
    """Return a server that hangs up: before ``data``, or ``after`` the whole letter came in."""

    def play(connection: socket.socket) -> None:
        connection.sendall(b"220 mx.example\r\n")
        for answer in (b"250 mx.example\r\n", b"250 OK\r\n", b"250 OK\r\n"):
            until(connection, b"\r\n")
            connection.sendall(answer)
        until(connection, b"\r\n")
        if at == "after":
            connection.sendall(b"354 go on\r\n")
            until(connection, b"\r\n.\r\n")

    return play
