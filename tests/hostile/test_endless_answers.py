"""Answers that do not end, or are not what they seem: each is left in bounded time and memory."""

import gzip
import itertools
import time
from collections.abc import Callable, Iterable, Iterator

import pytest
import requests
from requests.adapters import HTTPAdapter

from orchestrator.core.command import command
from orchestrator.core.errors import NotExchange, ProtocolViolation, TransportError
from orchestrator.transports.bounds import Bounded, Endless
from orchestrator.transports.psrp import open_session
from tests.hostile.villain import (
    OUTPUT,
    WARNING,
    Request,
    Villain,
    envelope,
    fragment,
    message,
    page,
    received,
    speaking,
)

OK = b"HTTP/1.1 200 OK\r\n"
GET = (command("Get-TransportConfig"),)
LOUD = "x" * 100_000

Script = Callable[[Request], Iterable[bytes]]


def endless_headers(_: Request) -> Iterator[bytes]:
    yield OK
    yield from (b"X-%d: %s\r\n" % (number, b"y" * 60_000) for number in itertools.count())


def endless_body(_: Request) -> Iterator[bytes]:
    yield OK + b"Content-Type: application/soap+xml\r\nContent-Length: 99999999999\r\n\r\n"
    yield from itertools.repeat(b" " * 65_536)


def endless_chunks(_: Request) -> Iterator[bytes]:
    yield OK + b"Transfer-Encoding: chunked\r\n\r\n"
    yield from itertools.repeat(b"10000\r\n" + b" " * 65_536 + b"\r\n")


def a_body_until_the_connection_closes(_: Request) -> Iterator[bytes]:
    yield OK + b"Connection: close\r\n\r\n"
    yield from itertools.repeat(b" " * 65_536)


def endless_interim_answers(_: Request) -> Iterator[bytes]:
    yield from itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def slowly(begin: bytes, piece: bytes) -> Script:
    """Return an answer of which a byte or two comes at a time, each sooner than a read gives up."""

    def answer(_: Request) -> Iterator[bytes]:
        yield begin
        while True:
            time.sleep(0.02)  # the server's own pace
            yield piece

    return answer


ENDLESS = [
    endless_body,
    endless_chunks,
    a_body_until_the_connection_closes,
    endless_interim_answers,
]
SLOW = {
    "a line of status": slowly(b"HTTP/1.1 200 O", b"K"),
    "a header": slowly(OK + b"X-Name: ", b"a"),
    "a body": slowly(OK + b"Content-Length: 5000\r\n\r\n", b" "),
    "the length of a chunk": slowly(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "interim answers": slowly(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("answer", ENDLESS, ids=lambda answer: answer.__name__)
def test_an_answer_without_an_end_is_left(answer: Script) -> None:
    with Villain(answer) as villain, pytest.raises(ProtocolViolation, match="longer than"):
        open_session(villain.target())


def test_headers_without_an_end_are_left() -> None:
    with Villain(endless_headers) as villain, pytest.raises(TransportError):
        open_session(villain.target())


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_an_answer_that_comes_byte_by_byte_is_left(answer: Script) -> None:
    session = requests.Session()
    session.mount("http://", Bounded(HTTPAdapter(), seconds=0.2))
    with session, Villain(answer) as villain, pytest.raises(Endless, match="end in"):
        session.get(f"http://127.0.0.1:{villain.port}/", timeout=10)


@pytest.mark.parametrize("packing", ["gzip", "deflate", "br", "gzip, gzip"])
def test_what_is_compressed_is_not_unpacked(packing: str) -> None:
    bomb = gzip.compress(gzip.compress(b" " * 10_000_000))
    header = f"Content-Encoding: {packing}"
    with (
        Villain(lambda _: page(bomb, header)) as villain,
        pytest.raises(NotExchange, match="does not speak"),
    ):
        open_session(villain.target())


@pytest.mark.parametrize("charset", ["punycode", "idna", "utf-7", "unicode_escape", "no-such"])
@pytest.mark.parametrize("status", ["200 OK", "500 Error"])
def test_an_encoding_of_the_servers_choice_is_not_taken(charset: str, status: str) -> None:
    text = b"a" * 500_000 + b"-" + b"b" * 500_000
    header = f"Content-Type: text/html; charset={charset}"
    with (
        Villain(lambda _: page(text, header, status=status)) as villain,
        pytest.raises(TransportError),
    ):
        open_session(villain.target())


@pytest.mark.parametrize("text", ["<" * 1_000_000, "<style" * 160_000, "wait " + "1" * 1_000_000])
def test_a_page_of_errors_that_is_hard_to_read_is_read_in_passing(text: str) -> None:
    with (
        Villain(lambda _: page(text.encode(), status="500 Error")) as villain,
        pytest.raises(TransportError) as caught,
    ):
        open_session(villain.target())
    assert len(str(caught.value)) < 1000


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9))
    + "]><s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'>&j;</s:Envelope>"
)
FILES = LAUGHS.replace('<!ENTITY a "ha">', '<!ENTITY a SYSTEM "file:///etc/hostname">')


@pytest.mark.parametrize("status", ["200 OK", "500 Error"])
@pytest.mark.parametrize("xml", [LAUGHS, FILES], ids=["laughs", "a file"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16"])
def test_a_declaration_of_entities_does_not_come_to_a_parser(
    xml: str, status: str, encoding: str
) -> None:
    with (
        Villain(lambda _: page(xml.encode(encoding), status=status)) as villain,
        pytest.raises(TransportError) as caught,
    ):
        open_session(villain.target())
    assert "haha" not in str(caught.value)


def test_elements_without_an_end_inside_one_another_are_left() -> None:
    deep = b"<a>" * 140_000 + b"</a>" * 140_000
    with Villain(lambda _: page(deep)) as villain, pytest.raises(TransportError):
        open_session(villain.target())


def forever(kind: int, xml: str) -> Script:
    """Return a server whose pipelines say *xml* again and again, five times in each answer."""

    def pipeline(_: Request) -> Iterator[str]:
        for start in itertools.count(10, 5):
            said = [fragment(message(kind, xml), which=start + at) for at in range(5)]
            yield received(b"".join(said))

    return speaking(pipeline=pipeline)


@pytest.mark.parametrize(
    "kind", [OUTPUT, WARNING, 0x00041010], ids=["output", "warning", "progress"]
)
def test_a_pipeline_that_never_ends_is_left(kind: int) -> None:
    with (
        Villain(forever(kind, f"<S>{LOUD}</S>")) as villain,
        pytest.raises(ProtocolViolation, match="50 MiB came"),
    ):
        open_session(villain.target()).invoke(GET)
    assert villain.requests[-1].action == "Delete"


def test_a_message_that_never_ends_is_left() -> None:
    def pipeline(_: Request) -> Iterator[str]:
        for number in itertools.count():
            yield received(fragment(LOUD.encode(), which=10, number=number, last=False))

    with (
        Villain(speaking(pipeline=pipeline)) as villain,
        pytest.raises(ProtocolViolation, match="have begun"),
    ):
        open_session(villain.target()).invoke(GET)


def test_messages_that_only_begin_are_left() -> None:
    def pipeline(_: Request) -> Iterator[str]:
        yield received(b"".join(fragment(b"", which=10 + at, last=False) for at in range(1000)))

    with (
        Villain(speaking(pipeline=pipeline)) as villain,
        pytest.raises(ProtocolViolation, match="have begun"),
    ):
        open_session(villain.target()).invoke(GET)


def test_a_session_that_never_opens_is_left() -> None:
    progress = fragment(message(0x00041010, f"<S>{LOUD}</S>"))

    def answer(request: Request) -> Iterable[bytes]:
        return speaking(pipeline=lambda _: iter(()))(request)

    def chatty(request: Request) -> Iterable[bytes]:
        if request.action != "Receive":
            return answer(request)
        return envelope(request, received(progress * 5))

    with Villain(chatty) as villain, pytest.raises(ProtocolViolation, match="50 MiB came"):
        open_session(villain.target())


@pytest.mark.parametrize("protocol", ["", "2", "evil", "2.x", "2.2\n", "9" * 5000 + ".1", "2.-1"])
def test_a_version_of_the_protocol_that_is_none_is_a_violation(protocol: str) -> None:
    with (
        Villain(speaking(protocol=protocol, pipeline=lambda _: iter(()))) as villain,
        pytest.raises(ProtocolViolation, match="version"),
    ):
        open_session(villain.target()).invoke(GET)
