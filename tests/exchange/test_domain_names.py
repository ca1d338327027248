"""A domain is what a list entry can hold; anything else is refused with what to write instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import UsageError
from orchestrator.core.facts import UnknownFact
from orchestrator.exchange.domains import (
    entries_for,
    entry_for,
    nearest,
    parent_of,
    parse_domain,
    to_ascii,
    to_unicode,
)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("fabrikam.com", "fabrikam.com"),
        ("FABRIKAM.Com", "fabrikam.com"),
        ("fabrikam.com.", "fabrikam.com"),
        ("mail.fabrikam.co.uk", "mail.fabrikam.co.uk"),
        ("fabrikam", "fabrikam"),
        ("1und1.de", "1und1.de"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("B\u00dcCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("stra\u00dfe.example", "xn--strae-oqa.example"),
    ],
)
def test_a_domain_is_returned_as_servers_write_it(text: str, domain: str) -> None:
    assert parse_domain(text) == domain


@pytest.mark.parametrize(
    ("text", "reason", "advice"),
    [
        ("", "is empty or has spaces", "fabrikam.com"),
        ("  ", "is empty or has spaces", "fabrikam.com"),
        (" fabrikam.com", "is empty or has spaces", "fabrikam.com"),
        ("fabri kam.com", "is empty or has spaces", "fabrikam.com"),
        ("fabrikam.com\n", "is empty or has spaces", "first data field"),
        ("fabrikam\u00a0.com", "is empty or has spaces", "first data field"),
        ("*.fabrikam.com", "has a wildcard", "subdomains are entries of their own"),
        ("*", "has a wildcard", "subdomains"),
        (".fabrikam.com", "has a wildcard", "subdomains"),
        ("bob@fabrikam.com", "is an address", "what follows the @"),
        ("192.0.2.10", "is an IP address", "fabrikam.com"),
        ("[192.0.2.10]", "is not a domain name", "fabrikam.com"),
        ("2001:db8::1", "is not a domain name", "fabrikam.com"),
        ("https://fabrikam.com", "is not a domain name", "fabrikam.com"),
        ("fabrikam..com", "is not a domain name", "fabrikam.com"),
        ("-fabrikam.com", "is not a domain name", "fabrikam.com"),
        ("fabrikam-.com", "is not a domain name", "fabrikam.com"),
        ("fabrikam.com,adatum.com", "is not a domain name", "fabrikam.com"),
        ("fabrikam.com';Remove-Mailbox", "is not a domain name", "fabrikam.com"),
        ("\u202efabrikam.com", r"'\\u202efabrikam.com' is not a domain name", "fabrikam.com"),
        ("a" * 64 + ".com", "is not a domain name", "fabrikam.com"),
        (".".join(["abc"] * 64), "is not a domain name", "fabrikam.com"),
        ("\u2603-.example", "is not a domain name", "fabrikam.com"),
    ],
)
def test_what_is_no_domain_is_refused_with_what_to_write(
    text: str, reason: str, advice: str
) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        parse_domain(text)
    assert advice in caught.value.advice
    assert caught.value.message.isprintable()


@given(st.text(max_size=80))
def test_any_text_is_a_plain_domain_or_is_refused(text: str) -> None:
    try:
        domain = parse_domain(text)
    except UsageError:
        return
    assert domain.isascii()
    assert domain == domain.lower().strip()
    assert parse_domain(domain) == domain
    assert to_unicode(domain)


@pytest.mark.parametrize(
    ("domain", "readable"),
    [
        ("fabrikam.com", "fabrikam.com"),
        ("xn--bcher-kva.example", "b\u00fccher.example"),
        ("xn--\u00ff.example", "xn--\u00ff.example"),
        ("xn--0.example", "xn--0.example"),
    ],
)
def test_a_domain_is_shown_as_people_write_it(domain: str, readable: str) -> None:
    assert to_unicode(domain) == readable


def test_a_name_that_has_no_ascii_form_stays_what_it_is() -> None:
    assert to_ascii("B\u00dcCHER\u2603-.example") == "b\u00fccher\u2603-.example"


_ENTRIES = ("Fabrikam.COM", "B\u00fccher.example", "xn--bcher-kva.example", "stra\u00dfe.example")


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ("fabrikam.com", ("Fabrikam.COM",)),
        ("xn--bcher-kva.example", ("B\u00fccher.example", "xn--bcher-kva.example")),
        ("mail.fabrikam.com", ()),
        ("com", ()),
        ("strasse.example", ()),
    ],
)
def test_an_entry_covers_exactly_itself_in_either_form(domain: str, found: tuple[str, ...]) -> None:
    assert entries_for(_ENTRIES, domain) == found
    assert entry_for(_ENTRIES, domain) == next(iter(found), None)


@pytest.mark.parametrize("entry", ["fabrikam.com;adatum.com", "fabrikam.com adatum.com", "a|b"])
def test_an_entry_that_is_several_in_one_is_unknown_and_not_another_domain(entry: str) -> None:
    with pytest.raises(UnknownFact, match="is not one domain"):
        entries_for(("tailspin.example", entry), "fabrikam.com")


def test_a_subdomain_of_an_entry_is_told_from_a_domain_that_ends_alike() -> None:
    assert parent_of(_ENTRIES, "mail.fabrikam.com") == "Fabrikam.COM"
    assert parent_of(_ENTRIES, "notfabrikam.com") is None
    assert parent_of(_ENTRIES, "fabrikam.com") is None


def test_the_nearest_entry_is_offered_where_one_is_near() -> None:
    assert nearest(("fabrikam.com", "adatum.com"), "fabrikan.com") == "fabrikam.com"
    assert nearest(("fabrikam.com",), "litware.example") is None
