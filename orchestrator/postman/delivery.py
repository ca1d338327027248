"""A letter handed over to the SMTP server that the inventory names.

Up to the answer to DATA nobody has the letter, whatever breaks. From the first byte of it until
the server's answer nobody knows: that time is kept as short as it can be, and has its own error.
"""

import re
import socket
import ssl
from collections.abc import Sequence

from orchestrator.core.errors import (
    ConfigurationError,
    ConnectionLost,
    NotLetIn,
    ProtocolViolation,
    TransportError,
    Unreachable,
)
from orchestrator.core.inventory import Smtp
from orchestrator.postman.dialogue import Dialogue, Reply

SECONDS = 60.0
"""For the whole conversation."""


class LetterRejected(TransportError):
    """The server answered that it does not take the letter. *reply* is what it said."""

    def __init__(self, reply: Reply, server: str) -> None:
        super().__init__(
            f"the letter is not taken: {reply}",
            "Ask whoever runs that server, or send the .eml file by other means.",
            server=server,
        )
        self.reply = reply


def hand_over(smtp: Smtp, sender: str, to: str, message: bytes, seconds: float = SECONDS) -> str:
    """Give *message* to the server and return its answer.

    Raises LetterRejected; ConnectionLost where nobody knows whether it was taken; any other
    TransportError, or ConfigurationError, where it certainly was not.
    """
    context = _context(smtp)
    dialogue = Dialogue((smtp.host, smtp.port), seconds)
    try:
        try:
            _begin(dialogue, smtp, context)
            _address(dialogue, sender, to)
        except ConnectionLost as error:
            raise Unreachable(f"before the letter was sent: {error}", error.advice) from error
        return _give(dialogue, message)
    finally:
        dialogue.close()


def _context(smtp: Smtp) -> ssl.SSLContext | None:
    if smtp.tls == "none":
        return None
    try:
        return ssl.create_default_context(cafile=smtp.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"the CA file {smtp.ca_file} cannot be used: {error}",
            "Name a file with certificates in PEM.",
            path="smtp.ca_file",
        ) from error


def _begin(dialogue: Dialogue, smtp: Smtp, context: ssl.SSLContext | None) -> None:
    if context is not None and smtp.tls == "implicit":
        _secure(dialogue, context)
    _expect(dialogue, dialogue.reply(), 220)
    offers = _greet(dialogue)
    if context is None or smtp.tls == "implicit":
        return
    if "STARTTLS" not in offers:
        raise NotLetIn(
            "it offers no STARTTLS; nothing was sent in clear",
            "Have it offer TLS, or say 'tls: none' under 'smtp' where anybody may read letters.",
            server=dialogue.name,
        )
    _expect(dialogue, dialogue.ask("STARTTLS"), 220)
    _secure(dialogue, context)
    _greet(dialogue)


def _secure(dialogue: Dialogue, context: ssl.SSLContext) -> None:
    try:
        dialogue.secure(context)
    except ssl.SSLCertVerificationError as error:
        raise NotLetIn(
            f"its certificate is not trusted: {error.verify_message}",
            "Name its CA as 'ca_file' under 'smtp', and its server by the name in the certificate.",
            server=dialogue.name,
        ) from error
    except (ssl.SSLError, OSError) as error:
        raise NotLetIn(f"TLS failed: {error}", "Nothing was sent.", server=dialogue.name) from error


def _greet(dialogue: Dialogue) -> frozenset[str]:
    reply = dialogue.ask(f"EHLO {own_name()}")
    _expect(dialogue, reply, 250)
    return extensions(reply)


def extensions(reply: Reply) -> frozenset[str]:
    """Return the keywords that an answer to EHLO names."""
    return frozenset(line.split(" ")[0].upper() for line in reply.lines[1:])


def own_name() -> str:
    """Return this machine's name as EHLO takes it."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", name) else "localhost"


def _address(dialogue: Dialogue, sender: str, to: str) -> None:
    for words in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>"):
        _taken(dialogue, dialogue.ask(words), (250, 251))
    _taken(dialogue, dialogue.ask("DATA"), (354,))


def _taken(dialogue: Dialogue, reply: Reply, wanted: Sequence[int]) -> None:
    if reply.code == 530:
        raise NotLetIn(
            f"it wants us to log in, which this program does not do: {reply}",
            "Let it relay for this machine by its address, or send the .eml file by other means.",
            server=dialogue.name,
        )
    if reply.code not in wanted:
        raise LetterRejected(reply, dialogue.name)


def _expect(dialogue: Dialogue, reply: Reply, code: int) -> None:
    if reply.code != code:
        raise NotLetIn(f"it does not let us in: {reply}", "Try again later.", server=dialogue.name)


def _give(dialogue: Dialogue, message: bytes) -> str:
    stuffed = re.sub(rb"(?m)^\.", b"..", message)
    ending = b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
    dialogue.send(stuffed + ending)
    try:
        reply = dialogue.reply()
    except ProtocolViolation as error:
        raise ConnectionLost(str(error), error.advice) from error
    if reply.code // 100 != 2:
        raise LetterRejected(reply, dialogue.name)
    return str(reply)
