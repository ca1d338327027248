"""A server that means harm: whatever bytes a test wants, for as long as anybody reads them."""

import itertools
import re
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Self
from uuid import UUID

from orchestrator.transports.target import Deadlines, Target
from tests.transports.conftest import ENVELOPE

Answer = Callable[["Request"], Iterable[bytes]]


class Request:
    """One request as it came: its head, and the parts of its body that answers need."""

    def __init__(self, head: str, body: str) -> None:
        self.head = head
        self.body = body
        self.action = "".join(re.findall(r"Action[^>]*>[^<]*/(\w+)<", body))
        self.message = "".join(re.findall(r"MessageID[^>]*>([^<]*)<", body))

    def header(self, name: str) -> str:
        """Return a header, or nothing."""
        found = re.search(rf"^{name}: *(.*?)\r$", self.head, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""


class Villain:
    """Answers each request with the bytes that *answer* yields, until the client has gone.

    *requests* are those that came. *gone* counts the answers that the client did not read to their
    end: an endless one that it left is one of these.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.gone = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for connection in self._open:
            connection.close()

    def target(self, **options: object) -> Target:
        """The way to this server, by Basic, with deadlines that a test can wait for."""
        plain = Target(
            name="ex1.contoso.com",
            address="127.0.0.1",
            port=self.port,
            auth="basic",
            allow_cleartext=True,
            user="admin",
            secret=lambda: "public",
            deadlines=Deadlines(connect=2, operation=1, read=2, pipeline=5),
        )
        return replace(plain, **options)  # type: ignore[arg-type] # whatever a Target has

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        with suppress(OSError):
            while request := _read(stream.readline, stream.read):
                self.requests.append(request)
                try:
                    for piece in self.answer(request):
                        connection.sendall(piece)
                except OSError:
                    self.gone += 1
                    return


def _read(line: Callable[[], bytes], read: Callable[[int], bytes]) -> Request | None:
    lines: list[bytes] = []
    while (piece := line()) not in (b"", b"\r\n"):
        lines.append(piece)
    if not lines:
        return None
    head = b"".join(lines).decode("latin-1")
    length = re.search(r"content-length: *(\d+)", head, re.IGNORECASE)
    return Request(head, read(int(length[1]) if length else 0).decode("latin-1"))


def page(body: bytes, *headers: str, status: str = "200 OK") -> Iterator[bytes]:
    """Yield a whole answer with *body*."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    yield "\r\n".join(lines).encode("latin-1") + body


def envelope(request: Request, body: str) -> Iterator[bytes]:
    """Yield an answer that fits *request*, as WS-Management has it."""
    whole = ENVELOPE.format(relates=request.message, body=body)
    yield from page(whole.encode(), "Content-Type: application/soap+xml;charset=UTF-8")


SHELL = "<rsp:Shell><rsp:ShellId>00000000-0000-0000-0000-000000000001</rsp:ShellId></rsp:Shell>"
RUNNING = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Running"
CAPABILITY, POOL_STATE = 0x00010002, 0x00021005
OUTPUT, WARNING, PIPELINE_STATE, PIPELINE_CALL = 0x00041004, 0x00041009, 0x00041006, 0x00041100


def message(kind: int, xml: str) -> bytes:
    """Return one PSRP message from the server."""
    head = (1).to_bytes(4, "little") + kind.to_bytes(4, "little")
    return head + UUID(int=0).bytes_le * 2 + xml.encode()


def fragment(data: bytes, *, which: int = 1, number: int = 0, last: bool = True) -> bytes:
    """Return one fragment; a *which* and *number* of its own for each, unless a test lies."""
    flags = (1 if number == 0 else 0) | (2 if last else 0)
    sized = len(data).to_bytes(4, "big")
    return which.to_bytes(8, "big") + number.to_bytes(8, "big") + bytes([flags]) + sized + data


def received(*fragments: bytes, state: str = RUNNING) -> str:
    """Return the body of an answer to Receive."""
    streams = "".join(
        f'<rsp:Stream Name="stdout">{b64encode(each).decode()}</rsp:Stream>' for each in fragments
    )
    return (
        f'<rsp:ReceiveResponse>{streams}<rsp:CommandState State="{state}"/></rsp:ReceiveResponse>'
    )


def opened(protocol: str = "2.2") -> bytes:
    """Return what opens a pool: the capability and its state, as two messages in two fragments."""
    capable = (
        f'<Obj RefId="0"><MS><Version N="protocolversion">{protocol}</Version>'
        '<Version N="PSVersion">2.0</Version>'
        '<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
    )
    state = '<Obj RefId="0"><MS><I32 N="RunspaceState">2</I32></MS></Obj>'
    return fragment(message(CAPABILITY, capable)) + fragment(message(POOL_STATE, state), which=2)


def speaking(*, protocol: str = "2.2", pipeline: Callable[[Request], Iterable[str]]) -> Answer:
    """Return an Exchange server that opens sessions and whose pipelines are as *pipeline* says.

    *pipeline* yields the bodies of the answers to Receive, one after the other.
    """
    bodies: list[Iterator[str]] = []

    def answer(request: Request) -> Iterator[bytes]:
        match request.action:
            case "Create":
                yield from envelope(request, SHELL)
            case "Command":
                bodies.append(iter(pipeline(request)))
                known = re.search(r'CommandId="([^"]+)"', request.body)
                number = known[1] if known else ""
                inner = f"<rsp:CommandId>{number}</rsp:CommandId>"
                yield from envelope(request, f"<rsp:CommandResponse>{inner}</rsp:CommandResponse>")
            case "Receive" if bodies:
                yield from envelope(request, next(bodies[-1]))
            case "Receive":
                yield from envelope(request, received(opened(protocol)))
            case _:
                yield from envelope(request, "")

    return answer


def outputs(xml: str, *, each: int = 1) -> Iterator[str]:
    """Yield endlessly what puts *xml* out, *each* messages in one answer."""
    for start in itertools.count(10, each):
        pieces = [fragment(message(OUTPUT, xml), which=start + at) for at in range(each)]
        yield received(b"".join(pieces))


def finished(*, xml: str = "", kind: int = OUTPUT) -> Iterator[str]:
    """Yield one message of *kind* that says *xml*, and that the pipeline has completed."""
    said = fragment(message(kind, xml), which=10) if xml else b""
    done = '<Obj RefId="0"><MS><I32 N="PipelineState">4</I32></MS></Obj>'
    yield received(said + fragment(message(PIPELINE_STATE, done), which=11))
