"""What a partner's MX hosts offer is seen over real DNS and SMTP, and never believed too much."""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.resolver import Resolver

from orchestrator.lab.certificate import server_context
from orchestrator.postman.probe import HOSTS, Probe, probe, public
from tests.postman.servers import Mailbox, mail_server, scripted

Zone = Mapping[tuple[str, str], tuple[str, ...]]
ONE: Zone = {
    ("fabrikam.com.", "MX"): ("10 mx.fabrikam.com.",),
    ("mx.fabrikam.com.", "A"): ("127.0.0.1",),
}


@contextmanager
def resolver(zone: Zone) -> Iterator[Resolver]:
    """Serve *zone* as a name server on loopback, and yield a resolver that asks it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_answer, args=(server, zone), daemon=True)
        thread.start()
        found = Resolver(configure=False)
        found.nameservers = ["127.0.0.1"]
        found.port = server.getsockname()[1]
        found.lifetime = 5
        yield found
        server.sendto(b"", server.getsockname())
        thread.join(10)


def _answer(server: socket.socket, zone: Zone) -> None:
    while True:
        wire, client = server.recvfrom(4096)
        if not wire:
            return
        query = dns.message.from_wire(wire)
        asked = query.question[0]
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        kind = dns.rdatatype.to_text(asked.rdtype)
        rows = zone.get((asked.name.to_text(), kind))
        if rows:
            reply.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *rows))
        else:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        server.sendto(reply.to_wire(), client)


def look(zone: Zone, port: int, trust: ssl.SSLContext | None = None) -> Probe:
    with resolver(zone) as asks:
        return probe(
            "fabrikam.com", asks, port=port, seconds=2, allowed=lambda _: True, trust=trust
        )


def test_a_host_with_a_good_certificate_is_shown_with_its_names(tmp_path: Path) -> None:
    ca_file, context = server_context(tmp_path, ["mx.fabrikam.com"])
    with mail_server(Mailbox(), context) as port:
        [host] = look(ONE, port, ssl.create_default_context(cafile=ca_file)).hosts
    assert host.starttls
    assert host.version.startswith("TLS")
    assert host.certificate is not None
    assert host.certificate.names == ("mx.fabrikam.com",)
    assert not host.certificate.distrust


def test_a_certificate_for_another_name_is_shown_and_not_trusted(tmp_path: Path) -> None:
    ca_file, context = server_context(tmp_path, ["mail.adatum.com"])
    with mail_server(Mailbox(), context) as port:
        [host] = look(ONE, port, ssl.create_default_context(cafile=ca_file)).hosts
    assert host.certificate is not None
    assert host.certificate.names == ("mail.adatum.com",)
    assert "mismatch" in host.certificate.distrust


def test_a_host_without_starttls_is_said_to_offer_none() -> None:
    with mail_server(Mailbox()) as port:
        [host] = look(ONE, port).hosts
    assert host.starttls is False
    assert host.certificate is None


def test_what_is_no_smtp_server_is_a_problem_and_not_an_error() -> None:
    def web(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with scripted(web) as port:
        [host] = look(ONE, port).hosts
    assert host.starttls is None
    assert "no SMTP server" in host.problem


def test_a_host_at_a_private_address_is_not_spoken_to() -> None:
    with mail_server(Mailbox()) as port, resolver(ONE) as asks:
        [host] = probe("fabrikam.com", asks, port=port).hosts
    assert "not a public one" in host.problem
    assert host.starttls is None


def test_only_the_public_internet_is_public() -> None:
    assert public("8.8.8.8")
    assert not any(map(public, ("10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fe80::1")))


def test_a_domain_without_mx_or_with_a_null_mx_says_so() -> None:
    assert "MX cannot be found" in look({}, 1).problem
    assert "null MX" in look({("fabrikam.com.", "MX"): ("0 .",)}, 1).problem


def test_no_more_than_a_few_hosts_are_looked_at() -> None:
    many = tuple(f"{n} mx{n}.fabrikam.com." for n in range(10, 30))
    found = look({("fabrikam.com.", "MX"): many}, 1)
    assert [host.name for host in found.hosts] == [f"mx{n}.fabrikam.com" for n in range(10, 15)]
    assert found.left == 20 - HOSTS
    assert all("address cannot be found" in host.problem for host in found.hosts)
