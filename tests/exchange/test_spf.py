"""What an SPF record allows, as far as an address can be compared with it."""

import pytest

from orchestrator.exchange.spf import Record, record


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all",
            Record(("192.0.2.0/24", "2001:db8::/32")),
        ),
        ("V=SPF1 +ip4:192.0.2.1", Record(("192.0.2.1/32",))),
        ("v=spf1 include:_spf.example.net. ~all", Record(include=("_spf.example.net",))),
        (
            "v=spf1 a mx a:mail.example.com/28 mx:example.net",
            Record(a=("fabrikam.com", "mail.example.com"), mx=("fabrikam.com", "example.net")),
        ),
        ("v=spf1 a/24", Record(a=("fabrikam.com",))),
        ("v=spf1 redirect=_spf.example.com", Record(redirect="_spf.example.com")),
        ("v=spf1 redirect=%{d}", Record()),
        (
            "v=spf1 -ip4:192.0.2.1 ?include:x.example ip4:nonsense include:%{i}.x exists:y.z !!",
            Record(),
        ),
        ("v=spf1", Record()),
        ("v=spf10 ip4:192.0.2.1", None),
        ("google-site-verification=x", None),
    ],
)
def test_what_a_record_allows(text: str, found: Record | None) -> None:
    assert record(text, "fabrikam.com") == found
