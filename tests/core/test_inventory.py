"""Who is meant, what is protected, and which connections contradict themselves."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.core.contradictions import contradictions
from orchestrator.core.errors import UsageError
from orchestrator.core.inventory import (
    Auth,
    Credential,
    Encryption,
    Inventory,
    Organization,
    Protection,
    Server,
    Source,
    Timeouts,
)


def _organization(name: str = "contoso", *tags: str) -> Organization:
    host = f"ex01.{name}.example"
    return Organization(
        name=name,
        servers=(Server(host, host, 80),),
        credential=Credential(Source.KERBEROS),
        tags=tags,
    )


_THREE = Inventory(
    (
        _organization("contoso", "production", "emea"),
        _organization("tailspin", "production"),
        _organization("fabrikam", "test"),
    ),
    {"europe": ("contoso", "fabrikam"), "tagged": ("fabrikam",)},
)


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["contoso"], ["contoso"]),
        (["all"], ["contoso", "tailspin", "fabrikam"]),
        (["*"], ["contoso", "tailspin", "fabrikam"]),
        (["fabrikam,contoso"], ["contoso", "fabrikam"]),
        (["fabrikam", "contoso", "fabrikam"], ["contoso", "fabrikam"]),
        ([" fabrikam , contoso "], ["contoso", "fabrikam"]),
        (["europe"], ["contoso", "fabrikam"]),
        (["tag:production"], ["contoso", "tailspin"]),
        (["tag:prod*"], ["contoso", "tailspin"]),
        (["tag:*"], ["contoso", "tailspin", "fabrikam"]),
        (["t*"], ["tailspin", "fabrikam"]),
        (["?ontoso"], ["contoso"]),
        (["[cf]*"], ["contoso", "fabrikam"]),
        (["all,!contoso"], ["tailspin", "fabrikam"]),
        (["!contoso,all"], ["tailspin", "fabrikam"]),
        (["europe", "!tag:test"], ["contoso"]),
        (["tag:production,!europe"], ["tailspin"]),
        (["all", "!fabrikam", "fabrikam"], ["contoso", "tailspin"]),
    ],
)
def test_patterns_choose_by_name_group_and_tag(patterns: list[str], names: list[str]) -> None:
    assert [each.name for each in _THREE.select(patterns)] == names


@pytest.mark.parametrize(
    ("patterns", "message", "advice"),
    [
        (["contosso"], "'contosso' is no organization, group", "Did you mean 'contoso'?"),
        (["Contoso"], "'Contoso' is no organization, group", "Did you mean 'contoso'?"),
        (["tag:prod"], "'tag:prod' is no organization, group", "Did you mean 'tag:production'?"),
        (["production"], "'production' is no", "Did you mean 'tag:production'?"),
        (["contoso,!tailspn"], "'tailspn' is no", "Did you mean 'tailspin'?"),
        (["x*"], "'x*' is no", "There are: all, contoso, europe, fabrikam, tag:emea"),
        (["contoso,"], "'' is no", "There are: all"),
        ([""], "'' is no", "There are: all"),
        (["alll"], "'alll' is no", "Did you mean 'all'?"),
        (["a*"], "'a*' is no", "There are: all"),
        (["tag:contoso"], "'tag:contoso' is no", ""),
        (["!contoso"], "the selection only takes away", "--limit 'all,!contoso'"),
        (["europe,!all"], "'europe,!all' leaves no", "it is contoso, fabrikam."),
        ([], "has 3 organizations: contoso, tailspin, fabrikam", "say --limit all"),
    ],
)
def test_a_selection_that_is_not_clear_is_an_error(
    patterns: list[str], message: str, advice: str
) -> None:
    with pytest.raises(UsageError) as caught:
        _THREE.select(patterns)
    assert message in caught.value.message
    assert advice in caught.value.advice


def test_the_only_organization_needs_no_pattern() -> None:
    only = Inventory((_organization(),))
    assert only.select([]) == only.organizations


_PATTERNS = st.lists(
    st.tuples(
        st.sampled_from(["", "!"]),
        st.sampled_from(
            ["contoso", "tailspin", "fabrikam", "europe", "all", "tag:test", "tag:production", "*"]
        ),
    ).map("".join),
    min_size=1,
    max_size=5,
)


def _selected(patterns: Sequence[str]) -> set[str]:
    try:
        return {each.name for each in _THREE.select(patterns)}
    except UsageError:
        return set()


@given(_PATTERNS)
def test_order_repetition_and_commas_do_not_matter(patterns: list[str]) -> None:
    assert _selected(patterns) == _selected(patterns[::-1]) == _selected([",".join(patterns * 2)])


@given(_PATTERNS)
def test_what_is_taken_away_is_never_chosen(patterns: list[str]) -> None:
    spared = [word[1:] for word in patterns if word.startswith("!")]
    assume(spared)
    assert not _selected(patterns) & _selected(spared)


@given(_PATTERNS, _PATTERNS)
def test_more_names_never_choose_less(some: list[str], more: list[str]) -> None:
    added = [word for word in more if not word.startswith("!")]
    assert _selected(some) <= _selected([*some, *added])


@given(st.lists(st.text(max_size=8), max_size=4))
def test_any_words_choose_something_or_are_a_usage_error(patterns: list[str]) -> None:
    assert _selected(patterns) <= {"contoso", "tailspin", "fabrikam"}


_GUID = "0f6f3b4e-5a5c-4d53-9f0c-3a1f0e6c2b11"


@pytest.mark.parametrize(
    ("entry", "protected"),
    [
        ("Scanner relay", True),
        ("SCANNER RELAY", True),
        (r"EX01\Scanner relay", True),
        (r"ex01\scanner relay", True),
        (r"EX02\Scanner relay", False),
        (_GUID, True),
        (_GUID.upper(), True),
        ("{" + _GUID + "}", True),
        ("Scanner", False),
        ("Scanner relay ", False),
        ("*", False),
        ("", False),
    ],
)
def test_a_connector_is_protected_by_name_identity_or_guid(entry: str, *, protected: bool) -> None:
    protection = Protection(connectors=("another", entry))
    seen = protection.protects_connector("Scanner relay", r"EX01\Scanner relay", _GUID)
    assert seen is protected


def test_a_connector_without_a_name_is_not_protected_by_an_empty_entry() -> None:
    assert not Protection(connectors=("", "{}")).protects_connector("", "", "")


@pytest.mark.parametrize(
    ("domain", "protected"),
    [
        ("adatum.com", True),
        ("ADATUM.com", True),
        ("mail.adatum.com", False),
        ("datum.com", False),
        ("", False),
    ],
)
def test_a_domain_is_protected_exactly(domain: str, *, protected: bool) -> None:
    assert Protection(domains=("Adatum.com",)).protects_domain(domain) is protected


_PASSWORD = Credential(Source.KEYRING, "contoso")
_KEYS: Sequence[tuple[dict[str, object], list[str]]] = [
    ({}, []),
    ({"auth": Auth.NTLM, "credential": _PASSWORD, "user": "u"}, []),
    ({"auth": Auth.NEGOTIATE}, []),
    ({"auth": Auth.NEGOTIATE, "credential": _PASSWORD}, ["user"]),
    ({"credential": _PASSWORD}, ["user"]),
    ({"auth": Auth.NTLM, "credential": _PASSWORD}, ["user"]),
    ({"auth": Auth.NTLM, "user": "u"}, ["credential"]),
    ({"auth": Auth.BASIC, "credential": _PASSWORD, "user": "u"}, ["auth"]),
    ({"auth": Auth.BASIC, "credential": _PASSWORD, "user": "u", "ssl": True}, []),
    ({"auth": Auth.BASIC, "credential": _PASSWORD, "user": "u", "allow_cleartext": True}, []),
    (
        {
            "auth": Auth.BASIC,
            "credential": _PASSWORD,
            "user": "u",
            "encryption": Encryption.ALWAYS,
        },
        ["auth", "encryption"],
    ),
    ({"auth": Auth.BASIC, "ssl": True, "user": "u"}, ["credential"]),
    ({"encryption": Encryption.NEVER}, ["encryption"]),
    ({"encryption": Encryption.NEVER, "ssl": True}, []),
    ({"encryption": Encryption.NEVER, "allow_cleartext": True}, []),
    ({"encryption": Encryption.ALWAYS}, []),
    ({"encryption": Encryption.ALWAYS, "ssl": True}, ["encryption"]),
    ({"ca_file": "/ca.pem"}, ["ca_file"]),
    ({"ca_file": "/ca.pem", "ssl": True}, []),
    ({"timeouts": Timeouts(operation=120)}, ["timeouts"]),
    ({"timeouts": Timeouts(operation=119)}, []),
]


@pytest.mark.parametrize(("changed", "keys"), _KEYS)
def test_what_cannot_work_or_would_leak_is_found(
    changed: dict[str, object], keys: list[str]
) -> None:
    organization = msgspec.structs.replace(_organization(), **changed)
    found = tuple(contradictions(organization))
    assert [each.key for each in found] == keys
    assert all(each.advice for each in found)


def test_a_credential_is_written_as_its_reference() -> None:
    assert str(_PASSWORD) == "keyring:contoso"
    assert str(Credential(Source.KERBEROS)) == "kerberos:"


def test_an_inventory_survives_being_written_to_disk() -> None:
    assert msgspec.json.decode(msgspec.json.encode(_THREE), type=Inventory) == _THREE
