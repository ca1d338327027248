"""What answers at the path is told by what it says, whoever it is."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from struct import pack

import pytest

from orchestrator.core.command import Transport
from orchestrator.core.errors import Unreachable
from orchestrator.core.inventory import Auth, Credential, Organization, Server, Source, Timeouts
from orchestrator.doctor import Check, Finding, State, examine

RESET = b"reset"

Serve = Callable[[bytes], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that says *answer* to every connection, or nothing, or resets it."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(answer: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=_answer, args=(listener, answer))
        listeners.append(listener)
        threads.append(thread)
        thread.start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    for listener in listeners:
        # Linux leaves accept() waiting when its socket is closed, not when it is shut down.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()


def _answer(listener: socket.socket, answer: bytes) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                asked = connection.recv(65_536)
                while asked and not asked.endswith(b"</s:Envelope>"):
                    asked += connection.recv(65_536)
                if answer is RESET:
                    # With this option, close() sends a reset instead of an end.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
                else:
                    connection.sendall(answer)


def _never_opened(_organization: Organization, _server: Server) -> Transport:
    raise Unreachable("a session was opened")


def greeting(port: int, path: str = "PowerShell") -> Finding:
    """Return what is found about HTTP, or the session if that was tried all the same."""
    server = Server("ex01.contoso.example", "127.0.0.1", port)
    organization = Organization(
        name="contoso",
        servers=(server,),
        credential=Credential(Source.KERBEROS),
        auth=Auth.KERBEROS,
        path=path,
        timeouts=Timeouts(connect=1),
    )
    findings = examine(organization, server, _never_opened, lambda: None)
    (finding,) = [finding for finding in findings if finding.check is Check.HTTP]
    return finding


def reply(status: str, body: str = "", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join([*lines, "", ""]) + body).encode()


PAGE = "<html><head><title>\n Welcome to\n Outlook </title></head></html>"


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (reply("200 OK", PAGE), State.FAILED, "a web page or some other service, 'Welcome to"),
        (reply("200 OK", "<x:IdentifyResponse/>"), State.OK, "speaks WS-Management"),
        (reply("302 Found", Location="/owa/"), State.FAILED, "sends us on to /owa/"),
        (reply("301 Moved"), State.FAILED, "sends us on to nowhere"),
        (reply("403 Forbidden"), State.UNKNOWN, "answers 403: forbidden"),
        (reply("404 Not Found", Server="nginx"), State.FAILED, "nothing at this path (nginx)"),
        (reply("405 No"), State.FAILED, "not remote PowerShell"),
        (reply("500 Oops"), State.UNKNOWN, "answers 500"),
        (reply("503 Down"), State.FAILED, "does not run now"),
        (reply("418 Teapot"), State.FAILED, "some other service"),
        (b"220 mail.contoso.example ESMTP\r\n", State.FAILED, "does not speak HTTP"),
        (b"\x15\x03\x03\x00\x02\x02\x16", State.FAILED, "does not speak HTTP"),
        (b"\x00", State.FAILED, "does not speak HTTP"),
    ],
)
def test_what_answers_is_told_by_what_it_says(
    serve: Serve, answer: bytes, state: State, said: str
) -> None:
    finding = greeting(serve(answer))
    assert (finding.state, said in finding.seen) == (state, True), finding
    assert bool(finding.advice) is (state is not State.OK)


@pytest.mark.parametrize(
    ("offers", "said"),
    [
        ("Negotiate, Kerberos", "authentication: Negotiate, Kerberos"),
        ('Basic realm="Negotiate, NTLM"', "authentication: Basic"),
        ('kerberos, Basic realm="x", NTLM', "authentication: Kerberos, NTLM, Basic"),
        ("Magic", "authentication: no way that is known"),
    ],
)
def test_the_ways_to_authenticate_are_read_from_the_offers(
    serve: Serve, offers: str, said: str
) -> None:
    finding = greeting(serve(reply("401 Unauthorized", WWW_Authenticate=offers)))
    assert finding.state is State.OK
    assert finding.seen.endswith(said)


def test_a_port_that_accepts_and_says_nothing_is_not_waited_for(serve: Serve) -> None:
    finding = greeting(serve(b""))
    assert finding.state is State.FAILED


def test_a_connection_that_is_reset_is_said_so(serve: Serve) -> None:
    finding = greeting(serve(RESET))
    assert finding.state is State.FAILED
    assert "the connection broke" in finding.seen


def test_a_port_that_only_listens_is_given_up_after_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        finding = greeting(listener.getsockname()[1])
    assert finding.state is State.FAILED
    assert "nobody answers at http://ex01.contoso.example" in finding.seen


@pytest.mark.parametrize("path", ["Power Shell", "PowerShell\u00fc", "/PowerShell/?x=1"])
def test_an_odd_path_is_asked_for_and_not_stumbled_over(serve: Serve, path: str) -> None:
    assert "answers 404: " in greeting(serve(reply("404 Not Found")), path).seen
