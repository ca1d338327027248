"""Rehearsals: the shipped ones pass, wrong ones are noticed, and mistakes have their place."""

import textwrap
from pathlib import Path

import pytest

from orchestrator.app.moves import Moved, Snapshot, moves
from orchestrator.app.rehearsal import (
    Case,
    Rehearsal,
    find_rehearsal,
    load_rehearsal,
    rehearsal_schema,
    rehearsals,
)
from orchestrator.app.stage import Rehearsed, rehearse
from orchestrator.core.errors import ConfigurationError, UsageError
from orchestrator.lab import scenarios
from orchestrator.loader import playbook_names

TOP = Path(__file__).resolve().parent.parent.parent
SHIPPED = [load_rehearsal(file) for file in rehearsals(TOP)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rehearsal", "case"),
    [
        pytest.param(each, case, id=f"{each.playbook.name}: {case.name}")
        for each in SHIPPED
        for case in each.cases
    ],
)
def test_the_playbook_does_in_the_lab_what_its_rehearsal_says(
    rehearsal: Rehearsal, case: Case
) -> None:
    assert rehearse(rehearsal, case).faults == ()


def test_every_shipped_playbook_has_a_rehearsal() -> None:
    assert sorted(each.playbook.name for each in SHIPPED) == sorted(playbook_names())


def test_every_scenario_is_the_stage_of_a_rehearsal() -> None:
    assert set(scenarios()) <= {case.scenario for each in SHIPPED for case in each.cases}


def write(folder: Path, text: str) -> Path:
    file = folder / "rehearsal.yaml"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return file


def play(folder: Path, text: str) -> Rehearsed:
    """Rehearse the only case of a file."""
    rehearsal = load_rehearsal(write(folder, text))
    (case,) = rehearsal.cases
    return rehearse(rehearsal, case)


def removed(entry: str, more: str = "") -> str:
    """Return an expectation: one entry leaves the list."""
    change = f"{{object: TransportConfig, property: TLSReceiveDomainSecureList, before: {entry}}}"
    return f"expect: {{changes: [{change}]{more}}}"


PLANNED = "planned: TransportConfig TLSReceiveDomainSecureList from 'fabrikam.com' to ''"
PROTECTED = "protect: {domains: [fabrikam.com]}"
NOTICED = {
    "another entry": ((removed("adatum.com"),), PLANNED),
    "an entry spelled otherwise than it is stored": ((removed("Fabrikam.com"),), PLANNED),
    "a change where there should be none": (("expect: {changes: []}",), PLANNED),
    "a refusal that does not come": (
        ("expect: {refused: take-over}",),
        "refused: expected take-over",
    ),
    "a refusal that should not come": (
        (PROTECTED, "expect: {changes: []}"),
        "refused by protected (the inventory protects fabrikam.com)",
    ),
    "another rule": (
        (PROTECTED, "expect: {refused: [protected, take-over]}"),
        "refused: expected protected, take-over",
    ),
    "evidence that is not shown": (
        ("scenario: journaling-trap", "expect: {refused: rights, evidence: [EX09]}"),
        "no evidence about EX09; there is: session",
    ),
    "a consequence that is not told": (
        (removed("fabrikam.com", ", follows: [take-over]"),),
        "nothing follows by take-over; by forged-sender, propagation, receive-list",
    ),
    "an end that does not come": (
        (removed("fabrikam.com", ", result: failed"),),
        "it succeeded, not failed",
    ),
    "an account that the scenario does not have": (
        ("user: nobody", "expect: {changes: []}"),
        "the scenario has no account 'nobody'; it has ops",
    ),
    "an object that the scenario does not have": (
        ("given: [{object: From Nowhere, set: {Enabled: false}}]", "expect: {changes: []}"),
        "the scenario has no object 'From Nowhere'",
    ),
    "a property that the object does not have": (
        ("given: [{object: TransportConfig, set: {Enable: false}}]", "expect: {changes: []}"),
        "a TransportConfig has no property 'Enable'",
    ),
}


@pytest.mark.parametrize(("lines", "fault"), NOTICED.values(), ids=NOTICED)
def test_a_rehearsal_notices(tmp_path: Path, lines: tuple[str, ...], fault: str) -> None:
    case = ("- name: wrong", "  inputs: {domain: fabrikam.com}", *(f"  {line}" for line in lines))
    text = "\n".join(("playbook: remove-domain-security", "cases:", *case))
    played = play(tmp_path, text)
    assert any(each.startswith(fault) for each in played.faults), played.faults


def test_a_rehearsal_notices_a_rollback_that_does_not_succeed(tmp_path: Path) -> None:
    played = play(
        tmp_path,
        r"""
        playbook: retire-dedicated-connectors
        cases:
          - name: meanwhile another connector has the binding
            scenario: binding-conflict
            inputs: {domain: fabrikam.com, connector: 'EX01\New Fabrikam'}
            given:
              - object: 'EX01\Old Fabrikam'
                set: {Enabled: true, PermissionGroups: AnonymousUsers}
            expect:
              changes:
                - object: TransportConfig
                  property: TLSReceiveDomainSecureList
                  before: fabrikam.com
                - {object: 'EX01\New Fabrikam', property: Enabled, before: true, after: false}
        """,
    )
    assert played.faults
    assert played.faults[0].startswith("the rollback did not succeed")


def test_a_second_run_may_be_refused_where_the_rehearsal_says_so(tmp_path: Path) -> None:
    (tmp_path / "unlist.yaml").write_text(
        "name: unlist\ntitle: Unlist\ndescription: Takes what is listed off the list.\n"
        "require:\n  - listed: {list: receive, domain: fabrikam.com}\n"
        "steps:\n  - domain_secure_list: {list: receive, domain: fabrikam.com, state: absent}\n"
    )
    text = """
        playbook: ./unlist.yaml
        cases:
          - name: off it goes
            expect:
              changes:
                - object: TransportConfig
                  property: TLSReceiveDomainSecureList
                  before: fabrikam.com
        """
    assert play(tmp_path, text).faults[0] == "again: expected nobody"
    again = text.rstrip() + "\n              again: listed\n"
    assert play(tmp_path, again).faults == ()


MISTAKES = {
    "an unknown scenario": (
        "{name: x, scenario: defualt, inputs: {domain: a.example}, expect: {changes: []}}",
        "cases[0].scenario",
        "no scenario is called 'defualt'",
    ),
    "an unknown input": (
        "{name: x, inputs: {domian: a.example}, expect: {changes: []}}",
        "cases[0].inputs",
        "remove-domain-security has no input 'domian'",
    ),
    "a missing input": (
        "{name: x, inputs: {}, expect: {changes: []}}",
        "cases[0].inputs",
        "remove-domain-security needs domain",
    ),
    "no expectation": (
        "{name: x, inputs: {domain: a.example}}",
        "cases[0]",
        "the key 'expect' is missing",
    ),
    "an expectation of nothing in particular": (
        "{name: x, inputs: {domain: a.example}, expect: {}}",
        "cases[0].expect",
        "exactly one of 'changes' and 'refused' is expected",
    ),
    "two expectations": (
        "{name: x, inputs: {domain: a.example}, expect: {changes: [], refused: listed}}",
        "cases[0].expect",
        "exactly one of 'changes' and 'refused' is expected",
    ),
    "an unknown end": (
        "{name: x, inputs: {domain: a.example}, expect: {changes: [], result: suceeded}}",
        "cases[0].expect.result",
        "'suceeded' is not one of",
    ),
    "an unknown key": (
        "{name: x, senario: default, inputs: {domain: a.example}, expect: {changes: []}}",
        "cases[0].senario",
        "unknown key 'senario'",
    ),
}


@pytest.mark.parametrize(("case", "place", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_has_its_place(tmp_path: Path, case: str, place: str, message: str) -> None:
    file = write(tmp_path, f"playbook: remove-domain-security\ncases:\n  - {case}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_rehearsal(file)
    assert (caught.value.file, caught.value.line) == (str(file), 3)
    assert caught.value.path == place
    assert message in caught.value.reason


def test_two_cases_may_not_have_one_name(tmp_path: Path) -> None:
    case = "{name: x, inputs: {domain: a.example}, expect: {changes: []}}"
    file = write(tmp_path, f"playbook: remove-domain-security\ncases:\n  - {case}\n  - {case}\n")
    with pytest.raises(ConfigurationError, match=r":4:\d+: another case has this name"):
        load_rehearsal(file)


def test_an_unknown_playbook_has_its_place_and_the_nearest_name(tmp_path: Path) -> None:
    file = write(tmp_path, "playbook: remove-domain-securty\ncases: [{name: x, expect: {}}]\n")
    with pytest.raises(ConfigurationError, match=r"rehearsal.yaml:1:1: there is no") as caught:
        load_rehearsal(file)
    assert "remove-domain-security" in caught.value.advice


def test_a_rehearsal_is_found_by_the_playbooks_name_its_file_or_its_own() -> None:
    own = TOP / "tests" / "playbooks" / "remove-domain-security.yaml"
    playbook = TOP / "playbooks" / "remove-domain-security.yaml"
    assert find_rehearsal("remove-domain-security").resolve() == own
    assert find_rehearsal(str(playbook)).resolve() == own
    assert find_rehearsal(str(own)).resolve() == own
    with pytest.raises(UsageError) as caught:
        find_rehearsal("remove-domain-securty")
    assert "remove-domain-security" in caught.value.advice


def test_the_schema_of_rehearsals_knows_their_keys() -> None:
    found = rehearsal_schema()["$defs"]
    assert set(found["Written"]["properties"]) == {"playbook", "cases"}
    assert {"scenario", "inputs", "given", "meanwhile", "expect"} <= set(
        found["Case"]["properties"]
    )


def test_a_list_in_another_order_has_not_moved() -> None:
    before = {"TransportConfig:Transport Settings": {"List": ["a", "b"], "Size": 1}}
    after = {"TransportConfig:Transport Settings": {"List": ["b", "a"], "Size": 1}}
    assert moves(before, after) == []


def test_entries_values_and_whole_objects_move_one_by_one() -> None:
    before: Snapshot = {
        "TransportConfig:Transport Settings": {"List": ["a", "b", "b"], "Size": 1},
        "SendConnector:Gone": {"Enabled": True},
    }
    after: Snapshot = {
        "TransportConfig:Transport Settings": {"List": ["b", "c"], "Size": None},
        "ReceiveConnector:EX01\\New": {"Enabled": True},
    }
    assert sorted(moves(before, after)) == [
        Moved("EX01\\New", "", "", "there"),
        Moved("Gone", "", "there", ""),
        Moved("TransportConfig", "List", "", "c"),
        Moved("TransportConfig", "List", "a", ""),
        Moved("TransportConfig", "List", "b", ""),
        Moved("TransportConfig", "Size", "1", ""),
    ]
