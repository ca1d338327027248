"""What a server's answer over HTTP may be: how long, how late, from where, in which form.

The libraries beneath trust the server. requests follows a redirect to another host, and would
authenticate there; http.client skips as many interim answers as come, and waits anew for each byte
of a header; a body is unpacked and kept whatever its size; the encoding that a server names may be
one that takes quadratic time to decode; and in a session with message encryption pypsrp takes an
answer in clear. Here each answer is held to MOST bytes off the wire and to a time in all, is never
followed elsewhere, is never unpacked, is UTF-8, and is sealed where the request was.

It is beneath urllib3's reading and above the socket, so that TLS and plain connections, headers,
interim answers, chunks and bodies are all counted in the one place through which they have to come.
"""

import io
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from typing import Any, Final

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter

MOST: Final = 1024 * 1024
"""Bytes of one answer. An envelope has at most 500 KiB: what we ask for, and Windows holds to."""

_SEALED: Final = ("multipart/encrypted;", "multipart/x-multi-encrypted;")
_BOUNDARY: Final = 'boundary="Encrypted Boundary"'


class Endless(Exception):
    """An answer is longer than any may be, or does not come to its end in time."""


class Deflected(Exception):
    """The server sends us to another address, where nothing is sent."""


class Disguised(Exception):
    """An answer is not in the form that was asked for."""


class _Counted(io.RawIOBase):
    """The bytes of one answer, as they come, until there are too many or it is too late."""

    def __init__(self, raw: io.RawIOBase, seconds: float, clock: Callable[[], float]) -> None:
        super().__init__()
        self._raw = raw
        # Where pypsrp looks for the certificate, which authentication is bound to.
        self._sock = getattr(raw, "_sock", None)
        self._left = MOST
        self._clock = clock
        self._until = clock() + seconds
        self._seconds = seconds

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what has come. Raises Endless."""
        if self._clock() > self._until:
            raise Endless(f"its answer did not come to an end in {self._seconds:g} s")
        count = self._raw.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise Endless(f"its answer is longer than {MOST // 1024} KiB")
        return count

    def close(self) -> None:
        """Give the socket back."""
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    """http.client's answer, counted from its first byte."""

    def __init__(
        self, sock: Any, *args: Any, seconds: float, clock: Callable[[], float], **options: Any
    ) -> None:
        super().__init__(sock, *args, **options)
        counted = _Counted(self.fp.detach(), seconds, clock)
        self.fp = io.BufferedReader(counted)


class Bounded(BaseAdapter):
    """Sends by *inner*, whose answers it holds to the bounds. *seconds* are for one answer.

    Raises Endless, Deflected, Disguised; the connection is closed then.
    """

    def __init__(
        self, inner: HTTPAdapter, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._inner = inner
        made = partial(_Answer, seconds=seconds, clock=clock)
        pools = inner.poolmanager.pool_classes_by_scheme
        inner.poolmanager.pool_classes_by_scheme = {
            scheme: partial(_pool, pool, made) for scheme, pool in pools.items()
        }

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Send one request, see requests."""
        response = self._inner.send(request, *args, **options)
        # By this, what authenticates sends its next token: not past us.
        response.connection = self  # type: ignore[assignment] # any adapter will do
        try:
            _admit(request, response)
        except BaseException:
            response.close()
            raise
        # What the server names may be "punycode", and then a MiB takes hours.
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Close every connection."""
        self._inner.close()


def _pool(
    kind: Callable[..., Any], made: Callable[..., HTTPResponse], *args: Any, **options: Any
) -> Any:
    pool = kind(*args, **options)
    pool.ConnectionCls = partial(_connection, pool.ConnectionCls, made)
    return pool


def _connection(
    kind: Callable[..., Any], made: Callable[..., HTTPResponse], *args: Any, **options: Any
) -> Any:
    connection = kind(*args, **options)
    connection.response_class = made
    return connection


def _admit(request: PreparedRequest, response: Response) -> None:
    if response.is_redirect:
        raise Deflected(f"it sends us on to {response.headers['location'][:200]}")
    packed = response.headers.get("Content-Encoding", "identity")
    if packed.strip().lower() != "identity":
        raise Disguised("its answer is compressed, which was not asked for")
    kind = response.headers.get("Content-Type", "")
    sealed = kind.startswith(_SEALED)
    # pypsrp makes a regular expression of the boundary, which could be one that never ends.
    if sealed and not (kind.endswith(_BOUNDARY) and kind.count("boundary") == 1):
        raise Disguised("the parts of its answer are told apart in a way that is not WinRM's")
    asked = str(request.headers.get("Content-Type") or "").startswith(_SEALED)
    if asked and not sealed and response.ok and response.status_code != 204:
        raise Disguised("it answers in clear in a session that is encrypted")
