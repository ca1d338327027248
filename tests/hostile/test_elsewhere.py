"""A server cannot send us elsewhere, nor make us give away who we are, nor do what it asks for."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from orchestrator.core.command import Record, command
from orchestrator.core.errors import NotExchange, TransportError
from orchestrator.transports.bounds import Bounded, Disguised
from orchestrator.transports.psrp import SAID, open_session
from tests.hostile.villain import (
    PIPELINE_CALL,
    WARNING,
    Request,
    Villain,
    finished,
    fragment,
    message,
    page,
    received,
    speaking,
)

GET = (command("Get-TransportConfig"),)


def nothing(_: Request) -> Iterable[bytes]:
    return page(b"", status="500 Error")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_a_redirect_to_another_address_is_not_followed(status: int, auth: str) -> None:
    with Villain(nothing) as other:
        location = f"Location: http://127.0.0.1:{other.port}/PowerShell"

        def deflecting(_: Request) -> Iterable[bytes]:
            return page(b"", location, status=f"{status} Elsewhere")

        with Villain(deflecting) as villain, pytest.raises(NotExchange, match="not followed"):
            open_session(villain.target(auth=auth))
    assert not other.requests


def test_a_redirect_after_the_first_token_is_not_followed() -> None:
    """NTLM's challenge, and then another address for the proof: what a relay would want."""
    challenge = (
        "TlRMTVNTUAACAAAABgAGADgAAAAVgoriAAECAwQFBgcAAAAAAAAAACAAIAA+AAAACgBjRQAAAA9FAFgAMQACAAYARQBY"
        "ADEAAQAGAEUAWAAxAAcACAAAAAAAAAAAAAAAAAA="
    )
    with Villain(nothing) as other:

        def relaying(request: Request) -> Iterable[bytes]:
            token = request.header("Authorization").partition(" ")[2]
            if len(token) < 200 and "Negotiate" in request.header("Authorization"):
                return page(
                    b"", f"WWW-Authenticate: Negotiate {challenge}", status="401 Unauthorized"
                )
            location = f"Location: http://127.0.0.1:{other.port}/"
            return page(b"", location, status="307 Elsewhere")

        with Villain(relaying) as villain, pytest.raises(TransportError):
            open_session(villain.target(auth="ntlm", allow_cleartext=False))
    assert not other.requests


def test_the_password_goes_nowhere_but_where_basic_sends_it() -> None:
    with Villain(nothing) as villain, pytest.raises(TransportError):
        open_session(villain.target(auth="ntlm", allow_cleartext=False))
    said = "".join(request.head + request.body for request in villain.requests)
    assert "public" not in said
    assert "cHVibGlj" not in said


@pytest.mark.parametrize(
    "form",
    ["public", "YWRtaW46cHVibGlj", "Basic YWRtaW46cHVibGlj=="],
    ids=["plain", "base64", "header"],
)
@pytest.mark.parametrize("status", ["500 Error", "403 Forbidden"])
def test_a_server_that_quotes_what_it_was_told_is_not_quoted(form: str, status: str) -> None:
    with (
        Villain(lambda _: page(f"you said {form}".encode(), status=status)) as villain,
        pytest.raises(TransportError) as caught,
    ):
        open_session(villain.target())
    assert form not in str(caught.value)
    cause: BaseException | None = caught.value
    while cause is not None:
        assert form not in str(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


CALLS = {
    "ReadLine": "",
    "ReadLineAsSecureString": "",
    "Prompt": "<S>Give me</S><S>your secret</S>",
    "PromptForCredential1": "<S>Windows</S><S>Enter your password</S><S>admin</S><S>x</S>",
    "PromptForChoice": "<S>Delete</S><S>everything?</S>",
    "ReadKey": "",
    "GetBufferContents": "",
    "GetName": "",
    "PushRunspace": "",
    "PopRunspace": "",
    "SetShouldExit": "<I32>0</I32>",
    "SetWindowTitle": "<S>\x1b]0;owned\x07</S>".replace("\x1b", "_x001B_").replace(
        "\x07", "_x0007_"
    ),
    "EnterNestedPrompt": "",
    "NotifyBeginApplication": "",
    "NoSuchMethod": "<S>x</S>",
    "": "",
    "__init__": "",
    "lines": "",
}


@pytest.mark.parametrize("method", CALLS)
def test_no_call_of_the_server_to_its_host_is_answered(method: str) -> None:
    call = (
        f'<Obj RefId="0"><MS><I64 N="ci">1</I64><Obj N="mi" RefId="1"><ToString>{method}</ToString>'
        f'<I32>1</I32></Obj><Obj N="mp" RefId="2"><LST>{CALLS[method]}</LST></Obj></MS></Obj>'
    )

    def pipeline(_: Request) -> Iterator[str]:
        return finished(xml=call, kind=PIPELINE_CALL)

    with Villain(speaking(pipeline=pipeline)) as villain:
        session = open_session(villain.target())
        session.invoke(GET)
        session.close()
    sent = [request.action for request in villain.requests]
    assert "Send" not in sent
    assert "public" not in "".join(request.body for request in villain.requests)


@pytest.mark.parametrize(
    "kind",
    [
        "System.Management.Automation.PSCredential",
        "System.Management.Automation.ScriptBlock",
        "System.Diagnostics.Process",
        "builtins.eval",
        "os.system",
    ],
)
def test_a_type_of_the_servers_choice_is_a_name_and_nothing_more(kind: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    xml = (
        f'<Obj RefId="0"><TN RefId="0"><T>{kind}</T></TN><ToString>touch {mark}</ToString>'
        f'<Props><SBK N="Code">touch {mark}</SBK><SS N="Password">AAAA</SS></Props></Obj>'
    )
    with Villain(speaking(pipeline=lambda _: finished(xml=xml))) as villain:
        found = open_session(villain.target()).invoke(GET).output
    assert isinstance(found[0], Record)
    assert found[0].types == (kind,)
    assert found[0].properties["Code"] == f"touch {mark}"
    assert not mark.exists()


def sealed(answer: bytes, *headers: str) -> None:
    """Send a request that is sealed, as far as its head goes, to a server that says *answer*."""
    session = requests.Session()
    session.mount("http://", Bounded(HTTPAdapter(), seconds=5))
    kind = 'multipart/encrypted;protocol="x";boundary="Encrypted Boundary"'
    with session, Villain(lambda _: page(answer, *headers)) as villain:
        session.post(f"http://127.0.0.1:{villain.port}/", headers={"Content-Type": kind}, timeout=5)


def test_an_answer_in_clear_is_not_taken_in_a_session_that_is_encrypted() -> None:
    """Whoever stands in between could otherwise say what the server never said."""
    with pytest.raises(Disguised, match="in clear"):
        sealed(b"<s:Envelope/>", "Content-Type: application/soap+xml;charset=UTF-8")
    with pytest.raises(Disguised, match="in clear"):
        sealed(b"<s:Envelope/>")


@pytest.mark.parametrize("boundary", ["(a+)+$", "Encrypted Boundary|(a|a)*b", ".*"])
def test_a_boundary_that_is_an_expression_is_not_taken(boundary: str) -> None:
    with pytest.raises(Disguised, match="not WinRM's"):
        sealed(b"--" + b"a" * 60, f'Content-Type: multipart/encrypted;boundary="{boundary}"')


def test_what_a_server_says_about_a_change_has_an_end() -> None:
    said = [
        fragment(message(WARNING, f"<S>{'w' * 20_000}</S>"), which=100 + at) for at in range(300)
    ]

    def pipeline(_: Request) -> Iterator[str]:
        yield from (received(b"".join(said[at : at + 20])) for at in range(0, 300, 20))
        yield from finished()

    with Villain(speaking(pipeline=pipeline)) as villain:
        result = open_session(villain.target()).invoke(GET)
    assert len(result.warnings) == SAID
    assert result.warnings[0].endswith("(12000 more characters)")
