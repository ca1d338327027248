"""A letter composed beside a running organization: what is probed and asked stands in it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from orchestrator.app.composition import Request, accepted_domains, compose
from orchestrator.lab import Lab
from orchestrator.postman.probe import Certificate, Host, Probe
from tests.app.conftest import Desk

ASKED = Request(
    "fabrikam.com", 11012, "it@fabrikam.com", "contoso@provider.example", "+1 425 555 0100"
)
UNTIL = datetime(2026, 12, 24, tzinfo=UTC)


@pytest.fixture
def desk(dedicated: Lab, open_desk: Callable[..., Desk]) -> Desk:
    """A desk beside a lab."""
    return open_desk(dedicated)


def words(desk: Desk, probed: Probe) -> str:
    organization = desk.workplace.inventory.organizations[0]
    found = compose(desk.workplace, organization, ASKED, lambda _: probed)
    return " ".join(found.letter.body.split())


def test_what_mx_hosts_offer_is_said_with_what_it_does_not_prove(desk: Desk) -> None:
    shown = Certificate(("mail.adatum.com",), UNTIL, "Hostname mismatch")
    said = words(
        desk,
        Probe(
            (Host("mx1", "192.0.2.1", True, "TLSv1.3", shown), Host("mx2", starttls=False)), left=3
        ),
    )
    assert (
        "mx1: offers STARTTLS; TLSv1.3; certificate for mail.adatum.com, until 2026-12-24" in said
    )
    assert "not trusted here (Hostname mismatch)" in said
    assert "mx2: offers no STARTTLS" in said
    assert "(3 more were not looked at)" in said
    assert "proves nothing about the server that sends" in said


def test_a_partner_without_mx_is_said_to_have_none(desk: Desk) -> None:
    assert "null MX" in words(desk, Probe(problem="takes no mail (null MX)"))


def test_what_comes_from_a_partners_host_is_harmless(desk: Desk) -> None:
    said = words(desk, Probe((Host("mx", problem="550 \x1b[2Jgone\r\nBcc: x"),)))
    assert "\x1b" not in said
    assert r"\x1b[2Jgone\x0d\x0aBcc: x" in said


@pytest.mark.parametrize("user", [None, "CONTOSO\\nobody"])
def test_accepted_domains_are_read_or_known_to_be_unread(desk: Desk, user: str | None) -> None:
    organization = desk.workplace.inventory.organizations[0]
    if user is not None:
        organization = replace(organization, user=user)
    found = accepted_domains(desk.workplace, organization)
    assert found == (None if user else ("contoso.example",))
