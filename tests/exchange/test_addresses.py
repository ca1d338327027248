"""Ranges, bindings and address spaces are read exactly, or not at all."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.facts import UnknownFact
from orchestrator.exchange.addresses import (
    AddressSpace,
    Binding,
    Span,
    address_space,
    bindings,
    carries,
    covers,
    is_everything,
    listens,
    meet,
    merged,
    outranks,
    spans,
)


def _v4(low: str, high: str) -> Span:
    return Span(4, int(IPv4Address(low)), int(IPv4Address(high)))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("192.0.2.10", _v4("192.0.2.10", "192.0.2.10")),
        (" 192.0.2.10 ", _v4("192.0.2.10", "192.0.2.10")),
        ("192.0.2.0/24", _v4("192.0.2.0", "192.0.2.255")),
        ("192.0.2.7/24", _v4("192.0.2.0", "192.0.2.255")),
        ("192.0.2.0(255.255.255.0)", _v4("192.0.2.0", "192.0.2.255")),
        ("192.0.2.1-192.0.2.9", _v4("192.0.2.1", "192.0.2.9")),
        ("192.0.2.1 - 192.0.2.9", _v4("192.0.2.1", "192.0.2.9")),
        ("0.0.0.0-255.255.255.255", Span(4, 0, 2**32 - 1)),
        ("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Span(6, 0, 2**128 - 1)),
        ("2001:db8::1", Span(6, 0x20010DB8 << 96 | 1, 0x20010DB8 << 96 | 1)),
        ("2001:db8::/127", Span(6, 0x20010DB8 << 96, 0x20010DB8 << 96 | 1)),
    ],
)
def test_a_range_is_read_in_each_form_that_exchange_writes(text: str, span: Span) -> None:
    assert spans([text]) == (span,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mail.fabrikam.com",
        "192.0.2.10-",
        "192.0.2.9-192.0.2.1",
        "192.0.2.1-::5",
        "192.0.2.0/33",
        "192.0.2.1-192.0.2.2-192.0.2.3",
        "192.0.2.0(255.0.255.0)",
        "x" * 500,
    ],
)
def test_a_range_that_cannot_be_read_is_not_guessed(text: str) -> None:
    with pytest.raises(UnknownFact, match=r"RemoteIPRanges.*cannot be read"):
        spans([text])


def test_ranges_are_the_same_however_they_are_cut() -> None:
    cut = ["192.0.2.128/25", "192.0.2.0-192.0.2.127", "192.0.2.5"]
    assert merged(spans(cut)) == spans(["192.0.2.0/24"])
    assert merged(spans(["::1", "0.0.0.1"])) == (Span(4, 1, 1), Span(6, 1, 1))


@pytest.mark.parametrize(
    ("wide", "narrow", "answer"),
    [
        (["192.0.2.0/24"], ["192.0.2.10"], True),
        (["192.0.2.0/25", "192.0.2.128/25"], ["192.0.2.0/24"], True),
        (["192.0.2.0/25"], ["192.0.2.0/24"], False),
        (["0.0.0.0-255.255.255.255"], ["::1"], False),
        (["0.0.0.0/0", "::/0"], ["203.0.113.0/24", "2001:db8::/32"], True),
        (["192.0.2.10"], ["192.0.2.10", "192.0.2.11"], False),
    ],
)
def test_covering_means_every_address(wide: list[str], narrow: list[str], answer: bool) -> None:  # noqa: FBT001 - a table
    assert covers(merged(spans(wide)), spans(narrow)) is answer


_RANGES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda two: Span(4, min(two), max(two))),
    min_size=1,
    max_size=4,
).map(tuple)


@given(_RANGES, _RANGES)
def test_covering_agrees_with_looking_at_each_address(
    wide: tuple[Span, ...], narrow: tuple[Span, ...]
) -> None:
    def holds(ranges: tuple[Span, ...]) -> set[int]:
        return {address for span in ranges for address in range(span.low, span.high + 1)}

    assert covers(merged(wide), narrow) == (holds(narrow) <= holds(wide))
    assert holds(merged(wide)) == holds(wide)


@given(_RANGES, _RANGES, _RANGES)
def test_outranking_agrees_with_looking_at_each_address(
    one: tuple[Span, ...], other: tuple[Span, ...], among: tuple[Span, ...]
) -> None:
    def narrowest(ranges: tuple[Span, ...], address: int) -> float:
        return min(
            (span.high - span.low for span in ranges if span.low <= address <= span.high),
            default=float("inf"),
        )

    gets = any(
        narrowest(one, address) <= narrowest(other, address) and narrowest(one, address) < 2**32
        for address in range(42)
        if narrowest(among, address) < 2**32
    )
    assert outranks(one, other, among) == gets


@pytest.mark.parametrize(
    ("ranges", "answer"),
    [
        (["0.0.0.0-255.255.255.255"], True),
        (["0.0.0.0/0"], True),
        (["::/0"], True),
        (["0.0.0.0/1", "128.0.0.0/1"], True),
        (["0.0.0.0-127.255.255.255", "128.0.0.0-255.255.255.254"], False),
        (["10.0.0.0/8"], False),
        ([], False),
    ],
)
def test_everything_is_every_address_of_a_version(ranges: list[str], answer: bool) -> None:  # noqa: FBT001 - a table
    assert is_everything(spans(ranges)) is answer


def test_a_binding_is_an_address_and_a_port() -> None:
    assert bindings(["0.0.0.0:25", "[::]:587", "192.0.2.1:2525"]) == (
        Binding(4, 0, 25),
        Binding(6, 0, 587),
        Binding(4, int(IPv4Address("192.0.2.1")), 2525),
    )


@pytest.mark.parametrize("text", ["", "25", ":25", "192.0.2.1", "192.0.2.1:smtp", "mail:25"])
def test_a_binding_that_cannot_be_read_is_not_guessed(text: str) -> None:
    with pytest.raises(UnknownFact, match="Bindings"):
        bindings([text])


@pytest.mark.parametrize(
    ("own", "asked", "answer"),
    [
        ("0.0.0.0:25", "192.0.2.1:25", True),
        ("192.0.2.1:25", "192.0.2.1:25", True),
        ("192.0.2.1:25", "0.0.0.0:25", False),
        ("0.0.0.0:25", "0.0.0.0:587", False),
        ("[::]:25", "192.0.2.1:25", False),
        ("[::]:25", "[2001:db8::1]:25", True),
    ],
)
def test_the_unspecified_address_listens_for_all_of_its_version(
    own: str,
    asked: str,
    answer: bool,  # noqa: FBT001 - a table
) -> None:
    assert listens(bindings([own]), bindings([asked])[0]) is answer


def test_two_bindings_meet_where_either_stands_for_the_other() -> None:
    everywhere, one = bindings(["0.0.0.0:25"]), bindings(["192.0.2.1:25"])
    assert meet(everywhere, one)
    assert meet(one, everywhere)
    assert not meet(one, bindings(["192.0.2.2:25", "192.0.2.1:26"]))


@pytest.mark.parametrize(
    ("text", "space"),
    [
        ("SMTP:contoso.com;1", ("SMTP", "contoso.com", 1)),
        ("smtp:Contoso.COM;20", ("SMTP", "contoso.com", 20)),
        ("contoso.com", ("SMTP", "contoso.com", 1)),
        ("contoso.com;5", ("SMTP", "contoso.com", 5)),
        ("SMTP:*;1", ("SMTP", "*", 1)),
        ("*", ("SMTP", "*", 1)),
        ("--;1", ("SMTP", "--", 1)),
        ("*.contoso.com;3", ("SMTP", "*.contoso.com", 3)),
        ("X400:c=US;a=MCI;p=Contoso;o=Sales;5", ("X400", "c=us;a=mci;p=contoso;o=sales", 5)),
        ("x400:c=US;a=MCI;p=Contoso", ("X400", "c=us;a=mci;p=contoso", 1)),
        ("FAX:*;1", ("FAX", "*", 1)),
        ("contoso.com;\u00b2", ("SMTP", "contoso.com;\u00b2", 1)),
    ],
)
def test_an_address_space_is_type_space_and_cost(text: str, space: tuple[str, str, int]) -> None:
    assert address_space(text) == AddressSpace(*space)


@pytest.mark.parametrize(
    ("own", "other", "answer"),
    [
        ("*", "fabrikam.com", True),
        ("*", "*.fabrikam.com", True),
        ("*", "*", True),
        ("fabrikam.com", "fabrikam.com", True),
        ("fabrikam.com", "*.fabrikam.com", False),
        ("fabrikam.com", "mail.fabrikam.com", False),
        ("*.fabrikam.com", "mail.fabrikam.com", True),
        ("*.fabrikam.com", "*.mail.fabrikam.com", True),
        ("*.fabrikam.com", "*.fabrikam.com", True),
        ("*.fabrikam.com", "fabrikam.com", False),
        ("*.fabrikam.com", "notfabrikam.com", False),
        ("fabrikam.com", "*", False),
        ("--", "fabrikam.com", False),
        ("--", "--", False),
        ("X400:c=US;a=MCI", "X400:c=us;a=mci;7", True),
        ("X400:c=US;a=MCI", "X400:c=us;a=att;7", False),
        ("*", "X400:c=us;a=mci;7", False),
    ],
)
def test_a_connector_carries_what_its_space_covers(own: str, other: str, answer: bool) -> None:  # noqa: FBT001 - a table
    assert carries(address_space(own), address_space(other)) is answer
