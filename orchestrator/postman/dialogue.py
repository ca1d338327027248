"""One conversation in SMTP, bounded: how long it takes in all, and how much the server may say.

smtplib waits anew for each piece that arrives and keeps every line of an answer: a server that
drips, or never ends its greeting, holds it for ever. Here one deadline is over everything.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple

from orchestrator.core.errors import ConnectionLost, ProtocolViolation, Unreachable

LIMIT = 64 * 1024
"""Bytes of the longest answer that is read."""

_LINE = re.compile(r"([2-5][0-9]{2})([ -]?)(.*)", re.DOTALL)


class Reply(NamedTuple):
    """An answer: its *code*, and its *lines* without it."""

    code: int
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.code} {' '.join(self.lines)}".strip()


class Dialogue:
    """A connection to one SMTP server. *seconds* are for the whole conversation."""

    def __init__(
        self,
        address: tuple[str, int],
        seconds: float,
        *,
        name: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect. Raises Unreachable."""
        self.name = name or address[0]
        self._clock = clock
        self._until = clock() + seconds
        self._rest = b""
        try:
            self._socket: socket.socket = socket.create_connection(address, seconds)
        except OSError as error:
            raise Unreachable(
                f"no connection to port {address[1]}: {_why(error)}",
                "Is the name right, and is the port open from this machine?",
                server=self.name,
            ) from error

    def reply(self) -> Reply:
        """Return the server's next answer. Raises ConnectionLost, ProtocolViolation."""
        lines: list[str] = []
        size = 0
        while True:
            line = self._line()
            size += len(line)
            found = _LINE.fullmatch(line.decode("utf-8", "replace").rstrip("\r\n"))
            if found is None or size > LIMIT:
                reason = "its answer never ends" if found else "what answers is no SMTP server"
                raise ProtocolViolation(reason, "Look at who listens there.", server=self.name)
            lines.append(found[3])
            if found[2] != "-":
                return Reply(int(found[1]), tuple(lines))

    def ask(self, words: str) -> Reply:
        """Send one line and return the answer. Raises ConnectionLost, ProtocolViolation."""
        self.send(words.encode("ascii") + b"\r\n")
        return self.reply()

    def send(self, data: bytes) -> None:
        """Send *data*. Raises ConnectionLost."""
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(error) from error

    def secure(self, context: ssl.SSLContext) -> None:
        """Begin TLS. What the server said before it is forgotten. Raises ssl.SSLError, OSError.

        Answers that came in clear behind the one to STARTTLS are an injection: ConnectionLost.
        """
        if self._rest:
            raise ConnectionLost("it spoke in clear after STARTTLS", server=self.name)
        self._socket.settimeout(self._left())
        self._socket = context.wrap_socket(self._socket, server_hostname=self.name)

    @property
    def tls(self) -> ssl.SSLSocket | None:
        """The connection, where it is encrypted."""
        return self._socket if isinstance(self._socket, ssl.SSLSocket) else None

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _line(self) -> bytes:
        while b"\n" not in self._rest:
            if len(self._rest) > LIMIT:
                raise ProtocolViolation(
                    "its line never ends", "Look at who listens there.", server=self.name
                )
            self._rest += self._received()
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _received(self) -> bytes:
        try:
            self._socket.settimeout(self._left())
            found = self._socket.recv(4096)
        except OSError as error:
            raise self._lost(error) from error
        if not found:
            raise ConnectionLost("it hung up", "Try again later.", server=self.name)
        return found

    def _left(self) -> float:
        left = self._until - self._clock()
        if left <= 0:
            raise TimeoutError
        return left

    def _lost(self, error: OSError) -> ConnectionLost:
        return ConnectionLost(_why(error), "Try again later.", server=self.name)


def _why(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return error.strerror or str(error) or type(error).__name__
