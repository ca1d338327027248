"""SmtpReceive protocol logs as servers write them, and as strangers would have them be."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.exchange.senders import Roll, is_internal, is_known
from orchestrator.exchange.smtplog import LONGEST, Attempt, ProtocolLog, address_of

FIELDS = (
    "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,"
    "event,data,context\r\n"
)
CONNECTOR = r"EX01\From Fabrikam"


def row(
    event: str,
    data: str = "",
    *,
    session: str = "A",
    remote: str = "203.0.113.9:4711",
    at: str = "2026-11-23T08:00:00.000Z",
) -> str:
    """Return one line."""
    quoted = f'"{data}"' if "," in data else data
    return f"{at},{CONNECTOR},{session},1,10.0.0.1:25,{remote},{event},{quoted},\r\n"


def read(*lines: str) -> tuple[ProtocolLog, list[Attempt]]:
    """Read lines behind a header."""
    log = ProtocolLog()
    return log, list(log.read((FIELDS, *lines)))


def mail(domain: str = "fabrikam.com") -> str:
    """Return the command that names a sender."""
    return f"MAIL FROM:<anna@{domain}> SIZE=1000 BODY=8BITMIME"


def told(attempts: Sequence[Attempt]) -> list[tuple[str, str, bool, int]]:
    """Return what matters of each attempt."""
    return [(a.remote, a.domain, a.tls, a.code) for a in attempts]


def test_a_refused_session_has_its_address_domain_and_answer() -> None:
    log, (attempt,) = read(
        row("+"),
        row(">", "220 mail.contoso.com ready"),
        row("<", "EHLO mail.fabrikam.com"),
        row(">", "250  mail.contoso.com Hello [203.0.113.9] SIZE STARTTLS"),
        row("<", mail()),
        row("*", "Tarpit for '0.00:00:05'"),
        row(">", "530 5.7.1 Not authenticated, sorry"),
        row("-"),
    )
    assert attempt == Attempt(
        datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
        CONNECTOR,
        "203.0.113.9",
        "anna@fabrikam.com",
        "fabrikam.com",
        tls=False,
        code=530,
        text="5.7.1 Not authenticated, sorry",
    )
    assert attempt.refused
    assert (log.rows, log.damaged, log.first) == (8, 0, attempt.at)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (
            (
                row("<", "STARTTLS"),
                row(">", "220 2.0.0"),
                row("<", mail()),
                row(">", "250 ok"),
            ),
            [("203.0.113.9", "fabrikam.com", True, 250)],
        ),
        (
            (row("<", "STARTTLS"), row(">", "454 no"), row("<", mail()), row(">", "250 ok")),
            [("203.0.113.9", "fabrikam.com", False, 250)],
        ),
        (
            (row("<", mail()), row("<", "RCPT TO:<a@b.c>"), row(">", "530 5.7.1 no")),
            [("203.0.113.9", "fabrikam.com", False, 530)],
        ),
        (
            (row("<", mail()), row(">", "250-first"), row(">", "250 last")),
            [("203.0.113.9", "fabrikam.com", False, 250)],
        ),
        (
            (row("<", mail("b\u00fccher.example")), row(">", "250")),
            [("203.0.113.9", "xn--bcher-kva.example", False, 250)],
        ),
        (
            (row("<", "mail from: <>"), row(">", "250 ok")),
            [("203.0.113.9", "", False, 250)],
        ),
        (
            (
                row("<", mail(), session="B", remote="[2001:db8::7]:1"),
                row(">", "530", session="B"),
            ),
            [("2001:db8::7", "fabrikam.com", False, 530)],
        ),
        (
            (row("<", mail()), row("-")),
            [("203.0.113.9", "fabrikam.com", False, 0)],
        ),
        (
            (row("<", mail()), row("+"), row(">", "530 another session")),
            [("203.0.113.9", "fabrikam.com", False, 0)],
        ),
        ((row("<", mail()),), [("203.0.113.9", "fabrikam.com", False, 0)]),
        (
            (row("<", "EHLO x"), row("<", mail()), row(">", "530 no")),
            [("203.0.113.9", "fabrikam.com", False, 530)],
        ),
        ((row(">", "530 without a question"), row("?", "what")), []),
    ],
    ids=[
        "over TLS",
        "TLS that was not to be had",
        "pipelined",
        "a reply of several lines",
        "an international domain",
        "the null sender",
        "IPv6",
        "gone before the reply",
        "a session id used again",
        "a torn end",
        "a reply that was not logged",
        "strange rows",
    ],
)
def test_what_a_session_says_is_understood(
    lines: Sequence[str], found: list[tuple[str, str, bool, int]]
) -> None:
    assert told(read(*lines)[1]) == found


def test_the_header_gives_the_order_of_the_fields() -> None:
    log = ProtocolLog()
    header = "#Fields: session-id,event,data,remote-endpoint,connector-id,date-time"
    lines = (header, f"A,<,{mail()},192.0.2.1:25,EX01\\X,2026-11-23T09:00:00+01:00", "A,>,530 x,,,")
    (attempt,) = log.read(lines)
    assert (attempt.remote, attempt.at) == ("192.0.2.1", datetime(2026, 11, 23, 8, 0, tzinfo=UTC))


def test_damage_is_counted_and_reading_goes_on() -> None:
    log, attempts = read(
        "torn, li",
        row("<", 'a "quote" in, the middle').replace("\r\n", '"\r\n'),
        "x" * (LONGEST + 1),
        row("<", mail(), at="yesterday"),
        row(">", "530 no", at="2026-11-23T08:00:00"),
        "\r\n",
    )
    assert [(a.at, a.code) for a in attempts] == [(None, 530)]
    assert log.damaged == 3
    assert log.rows == 2


def test_a_header_without_what_is_needed_makes_every_row_damaged() -> None:
    log = ProtocolLog()
    assert list(log.read(("#Fields: event,data", "<,MAIL FROM:<a@b.c>", "#Date: today"))) == []
    assert (log.rows, log.damaged) == (0, 1)


def test_sessions_that_never_end_cost_bounded_memory() -> None:
    lines = (row("<", mail(), session=str(number)) for number in range(10_050))
    assert len(read(*lines)[1]) == 10_050
    flood = [row("<", "RSET")] * 200
    assert told(read(*flood, row("<", mail()))[1])[-1][1] == "fabrikam.com"


@given(st.lists(st.text(max_size=60) | st.just(row("<", mail())) | st.just(row(">", "530 x"))))
def test_nothing_that_stands_in_a_log_breaks_the_reading(lines: list[str]) -> None:
    log, attempts = read(*lines)
    assert len(attempts) <= len(lines)
    assert log.rows + log.damaged <= len(lines)


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("192.0.2.7:25", "192.0.2.7"),
        ("[2001:db8::7]:25", "2001:db8::7"),
        ("[::ffff:192.0.2.7]:25", "192.0.2.7"),
        ("[fe80::1%3]:25", "fe80::1"),
        ("", ""),
        ("somewhere:25", ""),
    ],
)
def test_an_endpoint_is_an_address_and_a_port(endpoint: str, address: str) -> None:
    assert address_of(endpoint) == address


def attempt(remote: str, domain: str = "fabrikam.com", code: int = 530, user: str = "a") -> Attempt:
    """Return an attempt."""
    at = datetime(2026, 11, 23, 8, code % 60, tzinfo=UTC)
    return Attempt(
        at, CONNECTOR, remote, f"{user}@{domain}", domain, tls=False, code=code, text="x"
    )


def test_who_was_refused_is_counted_by_address_and_who_else_sends_from_there() -> None:
    roll = Roll("fabrikam.com")
    for one in (
        attempt("192.0.2.1"),
        attempt("192.0.2.1", user="b"),
        attempt("192.0.2.1", code=250),
        attempt("192.0.2.2"),
        attempt("192.0.2.4", code=451, user="later"),
        attempt("192.0.2.5", code=250),
        attempt("192.0.2.3", code=0),
        attempt("192.0.2.1", "adatum.com", 250),
        attempt("192.0.2.1", "", 250),
    ):
        roll.add(one)
    found = roll.senders(["log"], [], None, None)
    assert [(o.address, o.refused, o.accepted, o.others) for o in found.refused] == [
        ("192.0.2.1", 2, 1, ("adatum.com",)),
        ("192.0.2.2", 1, 0, ()),
        ("192.0.2.4", 1, 0, ()),
    ]
    assert [origin.address for origin in found.accepted] == ["192.0.2.5"]
    first = found.refused[0]
    assert (first.connectors, first.answer) == ((CONNECTOR,), "530 x")
    assert first.first is not None
    assert first.last is not None
    assert first.first < first.last
    assert found.senders == ("a@fabrikam.com", "b@fabrikam.com")


def test_a_flood_of_addresses_senders_and_domains_costs_bounded_memory() -> None:
    roll = Roll("fabrikam.com")
    for number in range(1_100):
        roll.add(attempt(f"192.0.2.{number % 250}", user=str(number)))
        roll.add(attempt("192.0.2.1", f"d{number}.example", 250))
    for number in range(50_100):
        roll.add(attempt(str(number), "other.example", 250))
        roll.add(attempt(f"x{number}", user="1"))
    found = roll.senders((), (), None, None)
    assert len(found.senders) == 1_000
    assert found.more >= 100
    assert len(found.origins) == 50_000
    assert max(len(origin.others) for origin in found.origins) == 20


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.0.1", "100.64.0.1", "fd00::1", "::1", "198.51.100.9"]
)
def test_an_address_is_internal_by_its_range_or_by_the_list_of_our_own(address: str) -> None:
    assert is_internal(address, ("198.51.100.0/24",))


@pytest.mark.parametrize("address", ["203.0.113.9", "2001:db8::1", ""])
def test_any_other_address_is_not_internal(address: str) -> None:
    assert not is_internal(address, ("198.51.100.0/24",))


def test_an_address_that_cannot_be_read_is_no_known_one() -> None:
    assert not is_known("", ("203.0.113.0/24",))
    assert not is_known("203.0.113.9", ())
