"""What is decoded once, and what is forgotten."""

import pytest

from orchestrator.transports.clixml import ClixmlError, decode
from orchestrator.transports.recollection import MOST, Recollection


class Decoder:
    """Decodes, and counts how often it had to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, xml: bytes) -> object:
        """Decode."""
        self.calls += 1
        return decode(xml)


def test_the_same_bytes_are_decoded_once_and_others_anew() -> None:
    decoder = Decoder()
    read = Recollection(decoder)
    assert [read(b"<S>a</S>"), read(b"<S>a</S>"), read(b"<Nil/>"), read(b"<Nil/>")] == [
        "a",
        "a",
        None,
        None,
    ]
    assert decoder.calls == 2


def test_what_cannot_be_decoded_is_not_remembered() -> None:
    decoder = Decoder()
    read = Recollection(decoder)
    for _ in range(2):
        with pytest.raises(ClixmlError):
            read(b"<S>")
    assert decoder.calls == 2


def test_no_more_is_remembered_than_a_session_may_hold() -> None:
    decoder = Decoder()
    read = Recollection(decoder)
    half = b"<S>%s</S>" % (b"x" * (MOST // 2))
    for xml in (b"<S>a</S>", half, half.replace(b"x", b"y"), b"<S>a</S>"):
        read(xml)
    assert decoder.calls == 4


def test_a_message_that_fills_the_memory_alone_is_not_kept() -> None:
    decoder = Decoder()
    read = Recollection(decoder)
    for _ in range(2):
        read(b"<S>%s</S>" % (b"x" * MOST))
    assert decoder.calls == 2
