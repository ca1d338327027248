"""Inputs and placeholders: a value for every input, whole and typed, or a sentence why not."""

import pytest

from orchestrator.core.errors import UsageError
from orchestrator.core.playbook import (
    Input,
    InputType,
    Literal,
    Playbook,
    complete_inputs,
    missing_inputs,
    placeholder,
    substitute,
)

_PLAYBOOK = Playbook(
    "fix",
    "T",
    "D",
    (),
    (
        Input("domain", InputType.DOMAIN, "The domain.", required=True),
        Input("connector", InputType.RECEIVE_CONNECTOR, "The connector.", required=True),
        Input("include_send", InputType.BOOLEAN, "Send.", default=False),
        Input("note", InputType.TEXT, "A note."),
        Input("region", InputType.TEXT, "Where.", required=True, default="emea"),
    ),
    (),
    (),
    (),
    "0" * 64,
)


def test_every_input_gets_a_value() -> None:
    assert complete_inputs(_PLAYBOOK, {"domain": "x.com", "connector": "c"}) == {
        "domain": "x.com",
        "connector": "c",
        "include_send": False,
        "note": None,
        "region": "emea",
    }


def test_missing_inputs_are_named_with_what_they_are_for() -> None:
    assert [spec.name for spec in missing_inputs(_PLAYBOOK, {"domain": None})] == [
        "domain",
        "connector",
    ]
    with pytest.raises(UsageError, match=r"fix needs domain: The domain\.; connector") as caught:
        complete_inputs(_PLAYBOOK, {})
    assert caught.value.advice == "Add --set domain=... --set connector=..."


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("{{ domain }}", "domain"),
        ("{{domain}}", "domain"),
        ("  {{ domain }} ", "domain"),
        ("x {{ domain }}", None),
        ("{{ domain }}{{ domain }}", None),
        ("{{ domain | upper }}", None),
        ("{{ domain.__class__ }}", None),
        ("{{ 1domain }}", None),
        ("{ domain }", None),
        (True, None),
        (("{{ domain }}",), None),
        (None, None),
    ],
)
def test_a_placeholder_is_one_name_alone(argument: Literal, name: str | None) -> None:
    assert placeholder(argument) == name


def test_a_placeholder_keeps_the_type_of_its_input() -> None:
    arguments: dict[str, Literal] = {"a": "{{ flag }}", "b": "plain", "c": 3, "d": "{{ none }}"}
    assert substitute(arguments, {"flag": True, "none": None}) == {
        "a": True,
        "b": "plain",
        "c": 3,
        "d": None,
    }
