"""A letter reaches a real SMTP server once, or it is known that it did not."""

import socket
from pathlib import Path

import pytest

from orchestrator.core.errors import (
    ConfigurationError,
    ConnectionLost,
    NotLetIn,
    ProtocolViolation,
    TransportError,
    Unreachable,
)
from orchestrator.core.inventory import Smtp
from orchestrator.lab.certificate import server_context
from orchestrator.postman.delivery import LetterRejected, hand_over
from tests.postman.servers import Mailbox, dropping, mail_server, scripted, until

LETTER = b"Subject: x\r\n\r\n.a line that begins with a dot\r\nthe end\r\n"


def give(smtp: Smtp, seconds: float = 10.0) -> str:
    return hand_over(smtp, "a@contoso.example", "b@fabrikam.com", LETTER, seconds)


def clear(port: int) -> Smtp:
    return Smtp(host="127.0.0.1", port=port, tls="none", sender="a@contoso.example")


def test_a_letter_arrives_word_for_word_and_encrypted(tmp_path: Path) -> None:
    ca_file, context = server_context(tmp_path, ["127.0.0.1"])
    mailbox = Mailbox()
    with mail_server(mailbox, context) as port:
        smtp = Smtp(host="127.0.0.1", port=port, ca_file=str(ca_file), sender="a@contoso.example")
        assert give(smtp) == "250 2.0.0 queued as 4711"
    assert mailbox.letters == [LETTER]
    assert mailbox.recipients == ["b@fabrikam.com"]
    assert mailbox.encrypted == [True]


def test_a_server_without_starttls_gets_nothing() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port, pytest.raises(NotLetIn, match="no STARTTLS"):
        give(Smtp(host="127.0.0.1", port=port, sender="a@contoso.example"))
    assert not mailbox.letters


def test_a_server_that_cannot_be_trusted_gets_nothing(tmp_path: Path) -> None:
    _, context = server_context(tmp_path, ["127.0.0.1"])
    mailbox = Mailbox()
    with mail_server(mailbox, context) as port, pytest.raises(NotLetIn, match="not trusted"):
        give(Smtp(host="127.0.0.1", port=port, sender="a@contoso.example"))
    assert not mailbox.letters


def test_a_certificate_for_another_name_is_not_trusted(tmp_path: Path) -> None:
    ca_file, context = server_context(tmp_path, ["mail.contoso.example"])
    with mail_server(Mailbox(), context) as port, pytest.raises(NotLetIn, match="not trusted"):
        give(Smtp(host="127.0.0.1", port=port, ca_file=str(ca_file), sender="a@contoso.example"))


def test_a_ca_file_that_is_none_is_the_inventorys_fault(tmp_path: Path) -> None:
    broken = tmp_path / "ca.pem"
    broken.write_text("no certificate")
    with pytest.raises(ConfigurationError, match=r"ca\.pem"):
        give(Smtp(host="127.0.0.1", port=1, ca_file=str(broken), sender="a@contoso.example"))


@pytest.mark.parametrize(
    "mailbox", [Mailbox(rcpt="550 5.1.1 nobody"), Mailbox(data="554 5.7.1 nobody")]
)
def test_a_refusal_is_passed_on_in_the_servers_words(mailbox: Mailbox) -> None:
    with mail_server(mailbox) as port, pytest.raises(LetterRejected, match=r"5\.\d\.1 nobody"):
        give(clear(port))


def test_a_server_that_demands_a_login_is_said_to() -> None:
    mailbox = Mailbox(rcpt="530 5.7.0 Authentication required")
    with mail_server(mailbox) as port, pytest.raises(NotLetIn, match="wants us to log in"):
        give(clear(port))


def test_before_data_nobody_has_it() -> None:
    with scripted(dropping("data")) as port, pytest.raises(Unreachable, match="before the letter"):
        give(clear(port))


def test_after_the_letter_nobody_knows() -> None:
    with scripted(dropping("after")) as port, pytest.raises(ConnectionLost):
        give(clear(port))


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable, match="no connection"):
        give(clear(port))


def _endless_line(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"220" + b"x" * 4096)


def _endless_greeting(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"220-still greeting\r\n" * 100)


def _web(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    until(connection, b"never")


@pytest.mark.parametrize("play", [_endless_line, _endless_greeting, _web])
def test_what_is_no_smtp_server_is_given_up(play: object) -> None:
    with scripted(play) as port, pytest.raises(ProtocolViolation):  # type: ignore[arg-type]  # parametrize loses the type
        give(clear(port))


def test_a_server_that_drips_is_given_up_when_the_time_for_everything_is_over() -> None:
    stopped = socket.socketpair()

    def drip(connection: socket.socket) -> None:
        stopped[0].settimeout(0.05)
        while True:
            connection.sendall(b"2")
            try:
                stopped[0].recv(1)
            except TimeoutError:
                continue

    with (
        stopped[0],
        stopped[1],
        scripted(drip) as port,
        pytest.raises(TransportError, match="time"),
    ):
        give(clear(port), 0.5)
