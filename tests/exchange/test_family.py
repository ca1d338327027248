"""What an event of the family says, and what it leaves open."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.exchange.event import RawEvent, SecurityEvent, event_id, host, interpret
from orchestrator.exchange.family import PROVIDERS, SECURITY_EVENTS, Side
from orchestrator.exchange.tally import Tally

AT = datetime(2026, 11, 12, 14, 14, 15, tzinfo=UTC)
SENTENCE = SECURITY_EVENTS[11012].sentence


def raw(number: int = 11012, *data: str, **given: Any) -> RawEvent:
    fields = {"provider": PROVIDERS[0], "computer": "EX01.contoso.com", "at": AT, "data": data}
    return RawEvent(id=number, **{**fields, **given})


def event(number: int = 11012, *data: str, **given: Any) -> SecurityEvent:
    found = interpret(raw(number, *data, **given))
    assert found is not None
    return found


def test_the_family_is_11011_to_11022_and_what_is_said_of_our_certificates() -> None:
    assert list(SECURITY_EVENTS) == [*range(11011, 11023), 12014, 12016, 12018]


def test_domain_and_connector_come_first_except_in_11022() -> None:
    for number in range(11011, 11022):
        assert SECURITY_EVENTS[number].strings[:2] == ("domain", "connector")
    found = event(11022, "AcceptCloudServicesMail", "Inbound", "Expired", "contoso.com")
    assert (found.domain, found.connector) == ("contoso.com", r"EX01\Inbound")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_both_services_log_the_family(provider: str) -> None:
    found = event(11012, "fabrikam.com", "Default Frontend EX01", provider=provider)
    assert (found.domain, found.connector) == ("fabrikam.com", r"EX01\Default Frontend EX01")
    assert found.remediable
    assert not found.incomplete


@pytest.mark.parametrize(
    "provider",
    ["MSExchangeTransportDelivery", "MSExchangeTransportSubmission", "msexchangetransport", ""],
)
def test_a_provider_is_ours_by_its_exact_name_alone(provider: str) -> None:
    assert interpret(raw(11012, "fabrikam.com", "C", provider=provider)) is None


@pytest.mark.parametrize(
    ("number", "meant"),
    [
        (11012, 11012),
        (3221498628, 11012),
        (3221498628 - 2**32, 11012),
        (0x80042EF2, 12018),
        (3221498628 + 2**32, 3221498628 + 2**32),
        (0x10002B04, 0x10002B04),
        (-(2**40), -(2**40)),
    ],
)
def test_an_instance_id_holds_the_id_in_its_lower_half(number: int, meant: int) -> None:
    assert event_id(number) == meant


@pytest.mark.parametrize("number", [16022, 110120, 1, 0, -1])
def test_other_ids_are_none_of_the_family(number: int) -> None:
    assert interpret(raw(number, "fabrikam.com", "C")) is None


@pytest.mark.parametrize(
    ("computer", "server"),
    [
        ("EX01.contoso.com", "EX01"),
        ("EX01", "EX01"),
        ("", ""),
        ("192.0.2.7", ""),
        ("2001:db8::7", ""),
    ],
)
def test_the_server_is_the_host_part_of_the_computer(computer: str, server: str) -> None:
    assert host(computer) == server
    found = event(11012, "fabrikam.com", "C", computer=computer)
    assert found.connector == (f"{server}\\C" if server else "")
    assert found.remediable is bool(server)
    assert any(text.startswith("computer") for text in found.incomplete) is not bool(server)


def test_a_send_connector_belongs_to_no_server() -> None:
    assert event(11014, "fabrikam.com", "To Fabrikam").connector == "To Fabrikam"
    assert SECURITY_EVENTS[11014].side is Side.SEND


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        (("%1", "%2"), ["domain: the placeholder %1", "connector: the placeholder %2"]),
        (("fabrikam.com",), ["connector: it is not there"]),
        (("fabrikam.com", " "), ["connector: it is not there"]),
        (("", "C"), ["domain: it is not there"]),
        (("fabri\ufffdkam.com", "C"), ["domain: characters of it were lost"]),
        (("*.fabrikam.com", "C"), ["domain: '*.fabrikam.com' has a wildcard"]),
        ((), ["the data fields: they are not there"]),
    ],
)
def test_what_is_missing_is_said(data: tuple[str, ...], missing: list[str]) -> None:
    found = event(11012, *data)
    assert len(found.incomplete) == len(missing)
    for text, beginning in zip(found.incomplete, missing, strict=True):
        assert text.startswith(beginning)
    assert not found.remediable


def test_a_time_without_its_zone_is_missing_too() -> None:
    found = event(11012, "fabrikam.com", "C", at=None, written="11/12/2026 3:14:15 PM")
    assert [text.partition(":")[0] for text in found.incomplete] == ["time"]
    assert found.remediable


def test_what_the_reader_knows_to_be_missing_comes_first() -> None:
    found = event(11012, faults=("the text ends here",))
    assert found.incomplete[0] == "the text ends here"
    assert found.incomplete[1:] == ("domain: it is not there", "connector: it is not there")


def test_named_strings_are_taken_by_number_or_by_name() -> None:
    numbered = event(11012, named={"param2": "C", "param1": "fabrikam.com"})
    named = event(11012, named={"connector": "C", "domain": "fabrikam.com"})
    half = event(11012, named={"param2": "C"})
    assert numbered.details == named.details == {"domain": "fabrikam.com", "connector": "C"}
    assert half.details == {"connector": "C"}


def test_joined_strings_part_only_where_that_can_be_done_one_way() -> None:
    two = event(11012, "fabrikam.com, From Fabrikam, Inc.", joined=True)
    assert two.details == {"domain": "fabrikam.com", "connector": "From Fabrikam, Inc."}
    three = event(11011, "fabrikam.com, C, Expired", joined=True)
    assert three.details["status"] == "Expired"
    unclear = event(11011, "fabrikam.com, From Fabrikam, Inc., Expired", joined=True)
    assert not unclear.details
    assert "joined" in unclear.incomplete[0]
    assert not event(11012, joined=True).details


def _spoken(domain: str, connector: str) -> str:
    return SENTENCE.replace("%1", domain).replace("%2", connector)


def test_the_whole_english_sentence_is_taken_and_said_to_be_the_source() -> None:
    text = _spoken("fabrikam.com", "From 'Fabrikam'").replace(" the ", "\r\n  the ")
    found = event(message=text)
    assert found.details == {"domain": "fabrikam.com", "connector": "From 'Fabrikam'"}
    assert found.from_sentence
    assert found.remediable


@pytest.mark.parametrize(
    "text",
    [
        _spoken("fabrikam.com", "C")[:100],
        _spoken("fabrikam.com", "C") + " and more",
        "Note: " + _spoken("fabrikam.com", "C"),
        SENTENCE.replace("%1", "fabrikam.com", 1).replace("%1", "other.com").replace("%2", "C"),
        "Eine Nachricht von der Domäne 'fabrikam.com' auf dem Connector 'C'.",
    ],
)
def test_half_a_sentence_or_a_foreign_one_says_nothing(text: str) -> None:
    found = event(message=text)
    assert not found.details
    assert "differs by language" in found.incomplete[0]


def test_the_sentence_of_a_sibling_is_not_known() -> None:
    assert not event(11018, message=_spoken("fabrikam.com", "C")).details


def test_data_fields_count_for_more_than_the_sentence() -> None:
    found = event(11012, "fabrikam.com", "C", message=_spoken("other.com", "D"))
    assert found.domain == "fabrikam.com"
    assert not found.from_sentence


@given(st.lists(st.text(max_size=20), max_size=5), st.text(max_size=60), st.booleans())
def test_whatever_is_logged_can_be_asked(data: list[str], message: str, joined: bool) -> None:  # noqa: FBT001 - a drawn value
    found = event(11012, *data, message=message, joined=joined)
    assert found.remediable is (not found.incomplete)


def test_a_tally_adds_up_by_domain_and_connector() -> None:
    tally = Tally()
    for minutes, domain, name in ((30, "Fabrikam.com", "C"), (0, "fabrikam.com", "c")):
        tally.add(event(11012, domain, name, at=AT + timedelta(minutes=minutes)))
    tally.add(event(11012, "fabrikam.com", "C", at=None))
    tally.add(event(11012, "fabrikam.com", "D"))
    tally.add(event(11011, "a.example", "D", "Expired"))
    first, second, third = tally.groups()
    assert (first.count, first.undated) == (3, 1)
    assert (first.first, first.last) == (AT, AT + timedelta(minutes=30))
    assert [group.event.id for group in (second, third)] == [11012, 11011]


def test_an_event_in_two_exports_is_counted_once() -> None:
    tally = Tally()
    assert tally.add(event(11012, "fabrikam.com", "C", record=7))
    assert not tally.add(event(11012, "fabrikam.com", "C", record=7))
    assert tally.add(event(11012, "fabrikam.com", "C", record=7, computer="EX02"))
    assert tally.repeated == 1


def test_an_export_that_lost_the_names_does_not_hide_one_that_has_them() -> None:
    tally = Tally()
    assert tally.add(event(11012, record=7))
    assert tally.add(event(11012, "fabrikam.com", "C", record=7))
    assert [group.event.remediable for group in tally.groups()] == [False, True]


def test_domains_that_a_stranger_makes_up_take_bounded_room() -> None:
    tally = Tally(largest=3, remembered=2)
    for number in range(8):
        tally.add(event(11012, f"d{number}.example", "C", record=number))
    assert len(list(tally.groups())) == 3
    assert tally.beyond == 5
    again = [tally.add(event(11012, f"d{n}.example", "C", record=n)) for n in range(3)]
    assert again == [False, False, True]


def test_events_of_which_less_is_known_are_told_apart_by_what_is() -> None:
    tally = Tally()
    tally.add(event(11012, "fabrikam.com", "C", computer=""))
    tally.add(event(12016, "mail.contoso.com", computer="EX01"))
    tally.add(event(12016, "mail.contoso.com", computer="EX02"))
    assert [group.count for group in tally.groups()] == [1, 1, 1]
