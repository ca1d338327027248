"""What the lab writes, read by a library nobody here wrote."""

from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st
from psrpcore import PSRemotingCrypto
from psrpcore.types._serializer import deserialize  # the package exports it nowhere else

from orchestrator.lab.clixml import Style, Writer, escape
from orchestrator.lab.forms import Link
from orchestrator.lab.vocabulary import AUTH_MECHANISMS, DOMAINS, REFERENCE


def read(document: str) -> Any:
    """Return what psrpcore makes of a document."""
    return deserialize(ET.fromstring(document), PSRemotingCrypto())  # noqa: S314 - our own


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives(text: str) -> None:
    assert (read(f"<S>{escape(text)}</S>") or "") == text


@settings(deadline=None)
@given(st.lists(st.from_regex(r"[a-z]{1,9}\.example", fullmatch=True), unique=True))
def test_any_list_survives(domains: list[str]) -> None:
    out = Writer(Style())
    DOMAINS.write(out, tuple(domains))
    members = read(out.text())
    assert [str(one) for one in members] == domains
    assert members.PSTypeNames[0].startswith(
        "Deserialized.Microsoft.Exchange.Data.MultiValuedProperty`1[["
    )


@settings(deadline=None)
@given(st.sets(st.sampled_from(sorted(AUTH_MECHANISMS.members)), min_size=1))
def test_flags_combine_in_any_order(names: set[str]) -> None:
    assert AUTH_MECHANISMS.read(list(names)) == AUTH_MECHANISMS.read(", ".join(sorted(names)))


def test_repeated_types_are_references_and_the_same_object_is_sent_once() -> None:
    out = Writer(Style(noise=False))
    out.begin(())
    out.open("MS")
    REFERENCE.write(out, Link("a", "CN=a"), "Identity")
    REFERENCE.write(out, Link("b", "CN=b"), "Server")
    assert out.again("Identity", "Id")
    assert not out.again("Absent", "Other")
    out.close("MS")
    out.end()
    text = out.text()
    assert text.count("<TN ") == 1
    assert text.count("<TNRef ") == 1
    decoded = read(text)
    assert decoded.Id.DistinguishedName == decoded.Identity.DistinguishedName == "CN=a"
    assert decoded.Server.DistinguishedName == "CN=b"
