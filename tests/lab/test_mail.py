"""How a service takes a message, as tables."""

from collections.abc import Mapping

import pytest

from orchestrator.lab.mail import Certificate, Loaded, Message, Port, Tls, chosen, take

EVERY = ("0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
OK = "250 2.1.0 Sender OK"
STRANGER = "530 5.7.1 Client was not authenticated"
PARTNER = "203.0.113.10"

STANDARD: Mapping[str, object] = {
    "Enabled": True,
    "DomainSecureEnabled": True,
    "RequireTLS": False,
    "AuthMechanism": "Tls, Integrated",
    "PermissionGroups": "AnonymousUsers, ExchangeServers",
    "Bindings": ("[::]:25", "0.0.0.0:25"),
    "RemoteIPRanges": EVERY,
    "Fqdn": "ex01.contoso.example",
}


def port(name: str = "Default", **values: object) -> Port:
    """Return a connector that differs from a default one in *values*."""
    return Port(name, {**STANDARD, **values})


DEFAULT = port()
DEDICATED = port("From Fabrikam", PermissionGroups="Partners", RemoteIPRanges=(PARTNER,))
DEAF = port(AuthMechanism="Integrated")
INSECURE = port(DomainSecureEnabled=False)
STRICT = port(RequireTLS=True)


@pytest.mark.parametrize("domain", ["fabrikam.com", "FABRIKAM.com"])
@pytest.mark.parametrize(
    ("connector", "tls", "event", "reply"),
    [
        (DEFAULT, "none", 11012, "530 5.7.1"),
        (DEFAULT, "no-certificate", 11017, "530 5.7.1"),
        (DEFAULT, "wrong-certificate", 11015, "530 5.7.1"),
        (DEFAULT, "invalid-certificate", 11011, "454 4.7.5"),
        (DEFAULT, "started", None, OK),
        (DEDICATED, "none", 11012, "530 5.7.1"),
        (DEDICATED, "started", None, OK),
        (INSECURE, "none", 11021, "451 4.7.3"),
        (INSECURE, "started", 11021, "451 4.7.3"),
        (DEAF, "none", 11018, "454 4.7.5"),
        (DEAF, "started", 11018, "454 4.7.5"),
    ],
)
def test_mail_of_a_listed_domain_is_held_to_mutual_tls(
    domain: str, connector: Port, tls: Tls, event: int | None, reply: str
) -> None:
    loaded = Loaded((connector,), frozenset({"fabrikam.com"}))
    taken = take(loaded, Message(domain, PARTNER, tls))
    assert [one.id for one in taken.events] == ([event] if event else [])
    assert all(one.strings[:2] == (domain, connector.name) for one in taken.events)
    assert taken.reply.startswith(reply)
    assert taken.accepted is (reply == OK)


@pytest.mark.parametrize(
    ("connector", "tls", "reply"),
    [
        (DEFAULT, "none", OK),
        (DEFAULT, "invalid-certificate", OK),
        (INSECURE, "none", OK),
        (DEDICATED, "none", STRANGER),
        (DEDICATED, "started", STRANGER),
        (STRICT, "none", "530 5.7.0 Must issue a STARTTLS command first"),
        (STRICT, "started", OK),
    ],
)
@pytest.mark.parametrize("listed", ["", "sub.fabrikam.com", "com", "xfabrikam.com"])
def test_any_other_domain_needs_a_door_for_everybody_and_logs_nothing(
    listed: str, connector: Port, tls: Tls, reply: str
) -> None:
    taken = take(Loaded((connector,), frozenset({listed})), Message("fabrikam.com", PARTNER, tls))
    assert (taken.reply, taken.events) == (reply, ())


def test_a_subdomain_is_another_domain() -> None:
    loaded = Loaded((DEFAULT,), frozenset({"fabrikam.com"}))
    assert take(loaded, Message("eu.fabrikam.com", PARTNER)).reply == OK


@pytest.mark.parametrize(("certificate", "event"), [("expired", 12016), ("missing", 12014)])
def test_without_a_certificate_nothing_is_offered_and_both_reasons_are_logged(
    certificate: Certificate, event: int
) -> None:
    loaded = Loaded((DEFAULT,), frozenset({"fabrikam.com"}), certificate)
    taken = take(loaded, Message("fabrikam.com", PARTNER, "started"))
    assert [one.id for one in taken.events] == [event, 11018]
    assert taken.events[0].strings[0] == "ex01.contoso.example"
    assert not taken.tls


def test_a_certificate_does_not_matter_where_tls_is_not_offered_anyway() -> None:
    assert take(Loaded((DEAF,), certificate="missing"), Message("a.example", PARTNER)).events == ()


WIDE = port("Wide", RemoteIPRanges=("203.0.113.0/24",))
HUB = port("Hub", Bindings=("0.0.0.0:2525",), RemoteIPRanges=(PARTNER,))
OFF = port("Off", Enabled=False, RemoteIPRanges=(PARTNER,))


@pytest.mark.parametrize(
    ("connectors", "remote", "name"),
    [
        ([DEFAULT, WIDE, DEDICATED], PARTNER, "From Fabrikam"),
        ([DEDICATED, WIDE, DEFAULT], "203.0.113.11", "Wide"),
        ([DEDICATED, WIDE, DEFAULT], "198.51.100.1", "Default"),
        ([DEFAULT, OFF, HUB], PARTNER, "Default"),
        ([DEFAULT], "2001:db8::1", "Default"),
        ([DEDICATED], "198.51.100.1", None),
        ([OFF, HUB], PARTNER, None),
    ],
)
def test_the_narrowest_connector_that_is_on_and_at_port_25_takes_a_session(
    connectors: list[Port], remote: str, name: str | None
) -> None:
    found = chosen(connectors, remote)
    assert (found.name if found else None) == name
