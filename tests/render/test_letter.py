"""Templates are bounded, their faults have a line, and nothing hostile reaches a header."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import ConfigurationError
from orchestrator.core.letter import Letter
from orchestrator.render.letter import LIMIT, eml, fill, text_form

HEAD = "Subject: x\n\n"


def letter(subject: str, body: str) -> Letter:
    return Letter(
        id="1/contoso",
        organization="contoso",
        domain="fabrikam.com",
        event=11012,
        sender="mail@contoso.example",
        to="postmaster@fabrikam.com",
        reply_to="contoso@provider.example",
        telephone="1",
        subject=subject,
        body=body,
        message_id="<1@contoso.example>",
        made=datetime(2026, 11, 25, 9, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (HEAD + "{{ nobody }}", "4242:3"),
        (HEAD + "{% if %}", "4242:3"),
        (HEAD + "\n{{ 'a' * 1000000000 }}", "4242:4"),
        (HEAD + "{{ domain.__class__.__mro__ }}", "4242:3"),
        (HEAD + "{{ range(9) }}", "4242:3"),
        (HEAD + "{% include 'other' %}", "4242"),
        (HEAD + "{{ 1 / 0 }}", "4242:3"),
        (
            HEAD + "{% for a in many %}{% for b in many %}{{ domain }}{% endfor %}{% endfor %}",
            "longer than",
        ),
        ("No subject\n\nbody", "Subject"),
        ("Subject: \n\nbody", "Subject"),
        (HEAD, "Subject"),
        ("x" * (LIMIT + 1), "too long"),
    ],
)
def test_a_template_that_cannot_be_used_is_told_with_its_line(template: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        fill(template, {"domain": "fabrikam.com", "many": ["x"] * 400}, "4242")


def test_numbers_may_be_multiplied() -> None:
    assert fill(HEAD + "{{ 6 * 7 }}", {}).body == "42\n"


@given(st.text(), st.text())
def test_whatever_an_event_says_a_letter_has_its_own_headers_only(subject: str, said: str) -> None:
    words = fill("Subject: s{{ subject }}\n\nb{{ said }}", {"subject": subject, "said": said})
    message = message_from_bytes(eml(letter(*words)), policy=policy.default)
    assert sorted(message.keys()) == [
        *[
            "Content-Transfer-Encoding",
            "Content-Type",
            "Date",
            "From",
            "MIME-Version",
            "Message-ID",
        ],
        *["Reply-To", "Subject", "To"],
    ]
    assert message["To"] == "postmaster@fabrikam.com"
    assert message.get_content().startswith("b")


def test_the_same_letter_is_the_same_bytes() -> None:
    one = letter("Gr\u00fc\u00dfe", "Stra\u00dfe\n.\n")
    assert eml(one) == eml(one)
    assert message_from_bytes(eml(one), policy=policy.default)["Subject"] == "Gr\u00fc\u00dfe"
    assert text_form(one).endswith("Stra\u00dfe\n.\n")
