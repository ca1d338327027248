"""What a letter may say, for which events there is one, and which answer would get through."""

import pytest

from orchestrator.core.errors import RefusedError, UsageError
from orchestrator.exchange.family import SECURITY_EVENTS
from orchestrator.exchange.incident import Sighting
from orchestrator.exchange.letter import (
    GROUNDS,
    asks,
    ensure_answerable,
    ground,
    parse_address,
    parse_telephone,
    sightings_of,
    way_there,
)


def test_there_is_a_letter_for_what_a_partner_can_mend_and_for_nothing_else() -> None:
    ours = set(SECURITY_EVENTS) - set(GROUNDS)
    assert ours == {11018, 11022, 12014, 12016, 12018}
    for event in ours:
        with pytest.raises(RefusedError, match="nothing that a partner can mend"):
            ground(event)
    with pytest.raises(UsageError):
        ground(1)


def test_answers_are_quoted_only_where_they_are_known() -> None:
    assert {e: why.answer for e, why in GROUNDS.items() if why.answer} == {
        11012: "530 5.7.1",
        11021: "451 4.7.3",
    }


def test_every_request_is_complete() -> None:
    for event in GROUNDS:
        assert asks(event, "fabrikam.com")
        assert not any("{" in each for each in asks(event, "fabrikam.com"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@",
        "@b.example",
        "a b@c.example",
        "a\n@b.example",
        "a..b@c.example",
        "a@b@",
        "x" * 65 + "@b.example",
    ],
)
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--to"):
        parse_address(text, "--to")


def test_an_address_has_its_domain_in_ascii() -> None:
    assert parse_address(" ops@B\u00fccher.example ", "--to") == "ops@xn--bcher-kva.example"


def test_a_telephone_number_is_needed() -> None:
    assert parse_telephone(" +49 (30) 1234-56 ") == "+49 (30) 1234-56"
    for text in ("", "none", "12", "+1\r\nBcc: x"):
        with pytest.raises(UsageError):
            parse_telephone(text)


@pytest.mark.parametrize(
    ("reply_to", "accepted"),
    [
        ("a@fabrikam.com", ()),
        ("a@mail.fabrikam.com", ()),
        ("a@fabrikam.com", None),
        ("a@contoso.example", ("contoso.example",)),
        ("a@eu.contoso.example", ("*.Contoso.example",)),
        ("a@contoso.example", ("*.contoso.example",)),
        ("a@anything.example", ("*",)),
    ],
)
def test_an_answer_that_would_be_refused_is_refused_here(
    reply_to: str, accepted: tuple[str, ...] | None
) -> None:
    with pytest.raises(RefusedError):
        ensure_answerable(reply_to, "fabrikam.com", 11012, accepted)


def test_another_mailbox_is_a_way_back_and_what_is_not_known_is_said() -> None:
    away = ("a@eu.contoso.example", "fabrikam.com", 11012)
    assert ensure_answerable(*away, ("contoso.example",)) == ""
    assert "could not be read" in ensure_answerable(*away, None)


def test_where_our_mail_is_held_the_partners_answer_still_comes_in() -> None:
    assert ensure_answerable("a@contoso.example", "fabrikam.com", 11014, ("contoso.example",)) == ""


def test_a_letter_that_would_wait_with_the_other_mail_is_said_to() -> None:
    assert "waits with it" in way_there("it@fabrikam.com", "fabrikam.com", 11014)
    assert way_there("it@fabrikam.example", "fabrikam.com", 11014) == ""
    assert way_there("it@fabrikam.com", "fabrikam.com", 11012) == ""


def test_a_letter_speaks_of_its_own_event_and_domain_only() -> None:
    mine = Sighting(11012, "", "Fabrikam.com", "c", "s")
    others = (Sighting(11017, "", "fabrikam.com", "c", "s"), Sighting(11012, "", "x.com", "c", "s"))
    assert sightings_of((mine, *others), "fabrikam.com", 11012) == (mine,)
