"""Hints from DNS, asked of a name server on loopback."""

import socket
import threading
from collections.abc import Iterator, Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from orchestrator.exchange.diagnosis import Hint
from orchestrator.resolver import LOOKUPS, hints

ZONE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("fabrikam.com.", "TXT"): ('"v=spf1 ip4:203.0.113.0/24 include:_spf.fabrikam.com a mx -all"',),
    ("_spf.fabrikam.com.", "TXT"): (
        (
            '"v=spf1 ip6:2001:db8::/32 include:fabrikam.com include:broken.example "'
            ' "redirect=gone.example"'
        ),
    ),
    ("fabrikam.com.", "A"): ("198.51.100.1",),
    ("fabrikam.com.", "MX"): ("10 mx.fabrikam.com.",),
    ("mx.fabrikam.com.", "A"): ("198.51.100.25",),
    ("mx.fabrikam.com.", "AAAA"): ("2001:db8:1::25",),
    ("null.example.", "MX"): ("0 .",),
    **{(f"loop{n}.example.", "TXT"): (f'"v=spf1 include:loop{n + 1}.example"',) for n in range(50)},
}


def _answer(wire: bytes, asked: list[str]) -> bytes:
    query = dns.message.from_wire(wire)
    question = query.question[0]
    name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
    asked.append(f"{kind} {name}")
    reply = dns.message.make_response(query)
    if name == "broken.example.":
        reply.set_rcode(dns.rcode.REFUSED)
    elif not any(known == name for known, _ in ZONE):
        reply.set_rcode(dns.rcode.NXDOMAIN)
    elif texts := ZONE.get((name, kind)):
        reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *texts))
    return reply.to_wire()


@pytest.fixture
def asked() -> list[str]:
    """What the name server was asked."""
    return []


@pytest.fixture
def resolver(asked: list[str]) -> Iterator[dns.resolver.Resolver]:
    """A resolver that asks a name server on loopback, and nobody else."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                wire, peer = server.recvfrom(4096)
                if not wire:
                    return
                server.sendto(_answer(wire, asked), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        found = dns.resolver.Resolver(configure=False)
        found.nameservers, found.port = ["127.0.0.1"], server.getsockname()[1]
        yield found
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", server.getsockname())
        thread.join()


def test_spf_and_mx_are_followed_and_each_hint_says_which_it_is(
    resolver: dns.resolver.Resolver,
) -> None:
    found = hints("fabrikam.com", resolver)
    assert set(found.hints) == {
        Hint("203.0.113.0/24", "SPF"),
        Hint("198.51.100.1", "SPF"),
        Hint("198.51.100.25", "SPF"),
        Hint("2001:db8:1::25", "SPF"),
        Hint("2001:db8::/32", "SPF"),
        Hint("198.51.100.25", "MX"),
        Hint("2001:db8:1::25", "MX"),
    }


def test_what_cannot_be_resolved_is_a_gap_and_what_is_not_there_is_none(
    resolver: dns.resolver.Resolver,
) -> None:
    assert [gap.rpartition(":")[0] for gap in hints("fabrikam.com", resolver).gaps] == [
        "DNS TXT broken.example"
    ]
    nothing = hints("null.example", resolver)
    assert (nothing.hints, nothing.gaps) == ((), [])


def test_a_record_that_leads_on_and_on_is_asked_a_bounded_number_of_times(
    resolver: dns.resolver.Resolver, asked: list[str]
) -> None:
    assert hints("loop0.example", resolver).hints == ()
    assert len(asked) == LOOKUPS
