"""One TCP connection: HTTP/1.1, authentication, message encryption.

Not ASGI: NTLM, Kerberos and message encryption are state of the connection, a fault has to be able
to drop it, and a client that went away in a long poll must not take fragments with it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, assert_never
from urllib.parse import urlsplit

import h11

from orchestrator.lab.endpoint import Caller, Endpoint
from orchestrator.lab.faults import (
    Cut,
    Deed,
    Drip,
    Drop,
    Effect,
    Fail,
    Kill,
    Reply,
    Seen,
    Trouble,
    Wait,
    World,
    effects,
)
from orchestrator.lab.gate import Accounts, Gate, Scheme, Verdict
from orchestrator.lab.seal import protocol_of, seal, unseal
from orchestrator.lab.soap import Fault, fault

_SOAP = "application/soap+xml;charset=UTF-8"
_NOT_FOUND = (
    b"<!DOCTYPE html><html><head><title>404 - File or directory not found.</title></head><body>"
    b"<h1>Server Error</h1><h2>404 - File or directory not found.</h2></body></html>"
)
_PATHS = ("/powershell", "/wsman")


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """One HTTP request as answered; *status* is 0 where the connection was dropped."""

    action: str
    server: str
    user: str
    status: int


@dataclass(slots=True)
class Conditions:
    """What all connections of a lab share. *delay* is in seconds, for each HTTP request."""

    schemes: tuple[Scheme, ...]
    delay: float = 0.0
    troubles: list[Trouble] = field(default_factory=list)
    log: list[RequestEntry] = field(default_factory=list)
    authentications: int = 0
    world: World | None = None
    kill: Callable[[str, float | None], Awaitable[None]] | None = None


_MANNER: ContextVar[Drip | Cut | None] = ContextVar("manner", default=None)
"""How the answer to the request at hand is written; None is whole and at once."""


class Dropped(Exception):
    """The connection is to be closed without an answer."""


class Replaced(Exception):
    """Something else is to be answered."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.status))
        self.reply = reply


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Connection(asyncio.Protocol):
    """The server's side of one connection."""

    def __init__(
        self,
        endpoint: Endpoint,
        accounts: Accounts,
        conditions: Conditions,
        opened: Callable[["Connection", bool], None],
    ) -> None:
        self.endpoint = endpoint
        self._conditions = conditions
        self._opened = opened
        self._gate = Gate(accounts, conditions.schemes)
        # A Kerberos ticket with many groups in it makes for a long header.
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 17)
        self._transport: Any = None
        self._request: h11.Request | None = None
        self._body: list[bytes] = []
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport
        self._opened(self, True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel what was under way: the client will not read it."""
        del exc
        self._opened(self, False)
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._http.receive_data(data)
        self._advance()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _advance(self) -> None:
        if self._task is not None:
            return
        try:
            self._read()
        except h11.RemoteProtocolError:
            self.abort()

    def _read(self) -> None:
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                self._request, self._body = event, []
                if self._http.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    self._transport.write(self._http.send(go_on))
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and self._request is not None:
                serving = self._serve(self._request, b"".join(self._body))
                self._task = asyncio.get_running_loop().create_task(serving)
                self._task.add_done_callback(self._served)
                return
            elif event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                return

    def _served(self, task: "asyncio.Task[None]") -> None:
        """Let a mistake of the lab itself break the connection, not hang it."""
        if not task.cancelled() and task.exception() is not None:
            self._note("LabFailed", "", 0)
            self.abort()
            raise RuntimeError("the lab failed") from task.exception()

    async def _serve(self, request: h11.Request, body: bytes) -> None:
        _MANNER.set(None)
        try:
            response = await self._respond(request, body)
        except Dropped:
            self._note("Dropped", "", 0)
            self.abort()
            return
        except Replaced as replaced:
            reply = replaced.reply
            response = _Response(reply.status, reply.body, reply.content_type)
        if not await self._written(response):
            return
        self._task = None
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._advance()
        elif self._http.our_state in (h11.MUST_CLOSE, h11.CLOSED):
            self._transport.close()

    async def _respond(self, request: h11.Request, body: bytes) -> _Response:
        if self._conditions.delay:
            await asyncio.sleep(self._conditions.delay)
        path = urlsplit(request.target.decode("ascii", "replace")).path
        if not path.casefold().rstrip("/").startswith(_PATHS):
            self._note("NotFound", "", 404)
            return _Response(404, _NOT_FOUND, "text/html")
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        verdict = self._gate.admit(headers.get("authorization", ""))
        if verdict.user is None or not body:
            return await self._authenticate(verdict)
        caller = Caller(verdict.user, path, self._address())
        return await self._deliver(headers.get("content-type", ""), body, caller, verdict.headers)

    async def _authenticate(self, verdict: Verdict) -> _Response:
        self._conditions.authentications += 1
        seen = Seen("Authenticate", self._conditions.authentications, self.endpoint.server)
        try:
            await trouble(self._conditions, seen, after=False)
        except Fault as problem:
            raise Replaced(Reply(500, fault("", problem, self.endpoint.server), _SOAP)) from problem
        status = 200 if verdict.user else 401
        self._note("Authenticate", verdict.user.name if verdict.user else "", status)
        return _Response(status, headers=verdict.headers)

    async def _deliver(
        self, content_type: str, body: bytes, caller: Caller, extra: tuple[tuple[str, str], ...]
    ) -> _Response:
        protocol = protocol_of(content_type)
        context = self._gate.context
        if protocol:
            from spnego.exceptions import SpnegoError  # noqa: PLC0415 - heavy

            try:
                body = unseal(context, body)
            except (ValueError, AttributeError, SpnegoError):
                # Sealed for another connection, as of a client whose own one broke.
                self._note("Unsealable", caller.user.name, 400)
                return _Response(400)
        status, answer, action = await self.endpoint.handle(body, caller)
        self._note(action, caller.user.name, status)
        if not protocol:
            return _Response(status, answer, _SOAP, extra)
        spaced = caller.path.casefold().startswith("/powershell")
        sealed_type, sealed = seal(context, answer, protocol, spaced=spaced)
        return _Response(status, sealed, sealed_type, extra)

    def _address(self) -> str:
        peer = self._transport.get_extra_info("peername")
        return str(peer[0]) if peer else ""

    def _note(self, action: str, user: str, status: int) -> None:
        entry = RequestEntry(action, self.endpoint.server, user, status)
        self._conditions.log.append(entry)

    async def _written(self, response: _Response) -> bool:
        """Write the answer in the manner that was decided; tell whether the connection lives."""
        manner = _MANNER.get()
        if isinstance(manner, Cut) and not manner.closing:
            response = replace(response, body=response.body[: len(response.body) // 2])
        head, body = self._framed(response)
        match manner:
            case Drip(size=size, seconds=seconds):
                self._transport.write(head)
                for at in range(0, len(body), size):
                    await asyncio.sleep(seconds)
                    self._transport.write(body[at : at + size])
            case Cut(closing=True):
                self._transport.write(head + body[: len(body) // 2])
                self._transport.close()
                return False
            case _:
                self._transport.write(head + body)
        return True

    def _framed(self, response: _Response) -> tuple[bytes, bytes]:
        headers = [
            ("Server", "Microsoft-IIS/10.0"),
            ("Content-Length", str(len(response.body))),
            *response.headers,
        ]
        if response.content_type:
            headers.append(("Content-Type", response.content_type))
        head = self._http.send(h11.Response(status_code=response.status, headers=headers))
        data = self._http.send(h11.Data(data=response.body)) if response.body else b""
        end = self._http.send(h11.EndOfMessage())
        return head or b"", (data or b"") + (end or b"")


async def trouble(conditions: Conditions, seen: Seen, *, after: bool) -> None:
    """Let what goes wrong happen. Raises Dropped, Replaced, or a WSMan fault."""
    for effect in effects(conditions.troubles, seen, after=after):
        await _happen(conditions, seen, effect)


async def _happen(conditions: Conditions, seen: Seen, effect: Effect) -> None:
    match effect:
        case Drop():
            raise Dropped
        case Wait(seconds):
            await asyncio.sleep(seconds)
        case Reply() as reply:
            raise Replaced(reply)
        case Fail(problem):
            raise problem
        case Deed(do):
            if conditions.world is not None:
                do(conditions.world)
        case Kill(server, back_after):
            if conditions.kill is not None:
                await conditions.kill(server or seen.server, back_after)
            raise Dropped
        case Drip() | Cut():
            _MANNER.set(effect)
        case _:
            assert_never(effect)
