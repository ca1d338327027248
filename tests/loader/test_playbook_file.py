"""A playbook file is checked against the tables of kinds before anything is asked of a server."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import ConfigurationError
from orchestrator.core.playbook import Answer, Input, InputType, Invocation, Playbook
from orchestrator.loader import (
    find_playbook,
    load_playbook,
    parse_playbook,
    playbook_names,
    playbook_schema,
)
from orchestrator.loader.entry import SAMPLES, SECTIONS
from orchestrator.loader.playbook import Written
from orchestrator.steps import PREDICATES, PROOFS, STEP_KINDS, build_predicate, build_step

_ERRORS = sorted((Path(__file__).parent / "playbook_errors").glob("*.yaml"))

_FIX = r"""
name: fix
title: Fix it
description: >
  What it does,
  and when.
answers:
  - {source: MSExchangeTransport, event: 11012}
inputs:
  domain: {type: domain, required: true, description: The domain.}
  connector: {type: receive-connector, description: The connector.}
  sure: {type: boolean, default: true, description: Whether.}
  size: {type: integer, default: 5, description: How large.}
  note: {type: text, default: 'x', description: A note.}
require:
  - listed: {list: receive, domain: "{{ domain }}"}
    when: sure
  - accepts_anonymous: {connector: "{{connector}}"}
steps:
  - domain_secure_list: {list: receive, domain: '{{ domain }}', state: absent}
    when: {listed: {list: send, domain: adatum.com}}
  - property:
      object: ReceiveConnector
      identity: EX01\From Fabrikam
      property: MaxMessageSize
      equals: "{{ size }}"
verify:
  - read_back
  - read_back:
"""


def test_a_playbook_is_read_whole() -> None:
    content = _FIX.encode()
    assert parse_playbook(content, "playbooks/fix.yaml") == Playbook(
        name="fix",
        title="Fix it",
        description="What it does, and when.",
        answers=(Answer("MSExchangeTransport", 11012),),
        inputs=(
            Input("domain", InputType.DOMAIN, "The domain.", required=True),
            Input("connector", InputType.RECEIVE_CONNECTOR, "The connector."),
            Input("sure", InputType.BOOLEAN, "Whether.", default=True),
            Input("size", InputType.INTEGER, "How large.", default=5),
            Input("note", InputType.TEXT, "A note.", default="x"),
        ),
        require=(
            Invocation("listed", {"list": "receive", "domain": "{{ domain }}"}, "sure", 16),
            Invocation("accepts_anonymous", {"connector": "{{connector}}"}, None, 18),
        ),
        steps=(
            Invocation(
                "domain_secure_list",
                {"list": "receive", "domain": "{{ domain }}", "state": "absent"},
                Invocation("listed", {"list": "send", "domain": "adatum.com"}, None, 21),
                20,
            ),
            Invocation(
                "property",
                {
                    "object": "ReceiveConnector",
                    "identity": r"EX01\From Fabrikam",
                    "property": "MaxMessageSize",
                    "equals": "{{ size }}",
                },
                None,
                22,
            ),
        ),
        verify=(Invocation("read_back", {}, None, 28), Invocation("read_back", {}, None, 29)),
        digest=hashlib.sha256(content).hexdigest(),
    )


@pytest.mark.parametrize("path", _ERRORS, ids=lambda path: path.stem)
def test_a_mistake_is_explained_where_it_stands(path: Path) -> None:
    """The first comment of the file is the message, the second the advice."""
    message, advice = (line[1:].strip() for line in path.read_text("utf-8").splitlines()[:2])
    with pytest.raises(ConfigurationError) as caught:
        parse_playbook(path.read_bytes(), "fix.yaml")
    assert str(caught.value) == f"fix.yaml:{message}"
    assert caught.value.advice == advice


@pytest.mark.parametrize("name", playbook_names())
def test_a_shipped_playbook_can_be_built_for_any_inputs(name: str) -> None:
    playbook = load_playbook(find_playbook(name))
    full = {each.name: SAMPLES[each.type] for each in playbook.inputs}
    least = {each.name: full[each.name] if each.required else None for each in playbook.inputs}
    for inputs in (full, least):
        for step in playbook.steps:
            assert build_step(step, inputs).queries()
        for predicate in playbook.require:
            assert build_predicate(predicate, inputs).queries()


def test_the_digest_is_of_the_bytes_not_of_their_meaning() -> None:
    once = parse_playbook(_FIX.encode(), "fix.yaml")
    again = parse_playbook(_FIX.encode() + b"# a comment\n", "fix.yaml")
    assert once.steps == again.steps
    assert once.digest != again.digest


@given(st.data())
def test_a_playbook_cut_anywhere_is_read_or_refused_and_never_breaks(data: st.DataObject) -> None:
    lines = _FIX.splitlines(keepends=True)
    kept = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    text = "".join(line for line, keep in zip(lines, kept, strict=True) if keep)
    try:
        found = parse_playbook(text.encode(), "fix.yaml").name
    except ConfigurationError as error:
        found = error.file
    assert found.removesuffix(".yaml") == "fix"


def test_every_kind_is_known_to_its_section_and_to_editors() -> None:
    assert [set(section.kinds) for section in SECTIONS.values()] == [
        set(PREDICATES),
        set(STEP_KINDS),
        set(PROOFS),
    ]
    found = playbook_schema()["$defs"]
    for section, (_, kinds) in SECTIONS.items():
        forms = found["Written"]["properties"][section]["items"]["anyOf"]
        named = {form["required"][0]: form for form in forms if "required" in form}
        assert set(named) == set(kinds)
        assert all("when" in form["properties"] for form in named.values())
        for kind in kinds.values():
            assert set(found[kind.__name__]["properties"]) == set(kind.__struct_fields__)


def test_editors_take_a_placeholder_for_any_argument_and_a_word_for_a_bare_proof() -> None:
    found = playbook_schema()["$defs"]
    state = found["DomainSecureList"]["properties"]["state"]["anyOf"]
    assert state[0] == {"enum": ["absent", "present"]}
    assert state[1]["description"] == "The value of an input."
    assert {"const": "read_back"} in found["Written"]["properties"]["verify"]["items"]["anyOf"]
    described = [found["Written"]["properties"][key] for key in Written.__struct_fields__]
    assert all(each["description"] for each in described)
