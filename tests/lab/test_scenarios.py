"""Scenario files: all that ship are sound; a wrong one is refused with its place."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.errors import ConfigurationError
from orchestrator.lab import Lab, load_scenario, parse_scenario, scenarios
from tests.lab.conftest import Start
from tests.lab.outsider import Client

HEAD = "title: t\ndescription: d\n"


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_every_scenario_starts_and_teaches_something(name: str) -> None:
    scenario = load_scenario(name)
    lab = Lab(scenario)
    snapshot = lab.snapshot()
    assert len(scenario.description) > 60
    assert snapshot["TransportConfig:Transport Settings"]["TLSReceiveDomainSecureList"]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("servres: []", 3, "did you mean 'servers'?"),
        ("servers:\n  - {nmae: EX01}", 4, "did you mean 'name'?"),
        ("session_quota: many", 3, "Expected `int`"),
        ("shapes: {lists: nonsense}", 3, "Invalid enum value 'nonsense'"),
        ("servers: [", 3, "not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"a\.yaml") as caught:
        parse_scenario(HEAD + text, "a.yaml")
    assert caught.value.line == line
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("receive_list: ['*.x']", "isn't a valid SMTP domain"),
        (
            "receive_connectors: [{name: a, properties: {Enabeld: true}}]",
            "did you mean 'Enabled'?",
        ),
        ("receive_connectors: [{name: a, servers: [EX09]}]", "there is no server 'EX09'"),
        ("send_connectors: [{name: a, properties: {Port: x}}]", "Port"),
        ("edits: [{identity: nobody, properties: {}}]", "there is no object 'nobody'"),
        ("users: [{name: a, roles: [Nonsense]}]", "no role 'Nonsense'"),
    ],
)
def test_what_exchange_would_not_take_is_refused_before_anything_starts(
    text: str, said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Lab(parse_scenario(HEAD + text))
    assert said in str(caught.value)


def test_a_missing_scenario_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'default'") as caught:
        load_scenario("defualt")
    assert "dedicated-pair" in caught.value.advice


def test_a_scenario_may_be_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(HEAD + "receive_list: [only.example]\n", encoding="utf-8")
    assert load_scenario(file).receive_list == ("only.example",)


def test_guids_are_the_same_in_every_run() -> None:
    assert Lab("same-name").snapshot() == Lab("same-name").snapshot()


def fabrikam(client: Client) -> dict[str, Any]:
    """Return the partner's connector as a client sees it."""
    (record,) = client.run("Get-ReceiveConnector", Identity="From Fabrikam").records
    return record


SHAPES = {
    "strings": "{lists: strings}",
    "joined": "{lists: joined}",
    "scalar": "{lists: scalar}",
    "holder": "{lists: holder}",
    "nil": "{lists: strings, empty: nil}",
}


@pytest.mark.parametrize(
    ("shape", "two", "one", "none"),
    [
        ("strings", ["a.example", "b.example"], ["c.example"], []),
        ("joined", "a.example, b.example", "c.example", ""),
        ("scalar", ["a.example", "b.example"], "c.example", []),
        ("nil", ["a.example", "b.example"], ["c.example"], None),
    ],
)
def test_lists_arrive_in_the_shape_that_a_scenario_asks_for(
    start: Start, shape: str, two: object, one: object, none: object
) -> None:
    text = f"{HEAD}receive_list: [a.example, b.example]\nsend_list: [c.example]\n"
    lab = start(parse_scenario(f"{text}shapes: {SHAPES[shape]}"))
    with Client(lab) as client:
        (record,) = client.run("Get-TransportConfig").records
    assert record["TLSReceiveDomainSecureList"] == two
    assert record["TLSSendDomainSecureList"] == one
    assert record["InternalSMTPServers"] == none


def test_a_list_may_hide_in_an_object(start: Start) -> None:
    lab = start(parse_scenario(f"{HEAD}send_list: [c.example]\nshapes: {SHAPES['holder']}"))
    with Client(lab) as client:
        (record,) = client.run("Get-TransportConfig").records
    holder = record["TLSSendDomainSecureList"].extended_properties
    assert holder == {"value": ["c.example"], "Count": 1}


def test_other_clothes_reach_the_client(start: Start) -> None:
    lab = start("other-shapes")
    with Client(lab) as client:
        answer = client.run("Get-ReceiveConnector", Identity="From Fabrikam")
        missing = client.run("Get-ReceiveConnector", Identity="EX09\\x")
    (record,) = answer.records
    assert answer.output[0].types[0].startswith("Deserialized.Microsoft.Exchange.")
    assert record["PermissionGroups"] == "Partners"
    assert record["RemoteIPRanges"] == "203.0.113.10, 203.0.113.11"
    assert record["TlsDomainCapabilities"] is None
    assert "nicht gefunden" in str(missing.errors[0])


def test_old_objects_lack_what_came_later(start: Start) -> None:
    lab = start("exchange-2010")
    with Client(lab) as client:
        record = fabrikam(client)
        missing = client.run("Get-ReceiveConnector", Identity="HUB01\\x")
    assert "TransportRole" not in record
    assert str(record["PermissionGroups"]) == "Partners"
    assert "FailureCategory" not in missing.error


def test_enumerations_and_links_have_the_shape_of_real_ones(lab: Lab, client: Client) -> None:
    (record,) = client.run("Get-ReceiveConnector", Identity="Default Frontend EX01").records
    assert record["AuthMechanism"].types[1:] == [
        "System.Enum",
        "System.ValueType",
        "System.Object",
    ]
    assert str(record["Identity"]) == "EX01\\Default Frontend EX01"
    assert str(record["Guid"]) == lab.organization.guid(
        "ReceiveConnector", "Default Frontend EX01", "EX01"
    )
    assert record["DistinguishedName"].startswith(
        "CN=Default Frontend EX01,CN=SMTP Receive Connectors,CN=Protocols,CN=EX01,CN=Servers,"
    )


def test_fifty_servers_are_read_whole(start: Start) -> None:
    lab = start("fifty-servers")
    with Client(lab) as client:
        answer = client.pipe(
            [
                ("Get-ReceiveConnector", {}),
                ("Select-Object", {"Property": ["Identity", "Guid", "Enabled"]}),
            ]
        )
    assert len(answer.output) == 300


UNCHANGEABLE = {"newer-object": {"EX02\\From the future"}}


@pytest.mark.parametrize("name", sorted(set(scenarios()) - {"fifty-servers"}))
def test_every_connector_can_be_switched_off_and_on_again(start: Start, name: str) -> None:
    lab = start(name)
    before = lab.snapshot()
    refused = set()
    with Client(lab) as client:
        for key, state in before.items():
            kind, _, label = key.partition(":")
            if kind == "TransportConfig" or not state["Enabled"]:
                continue
            for value in (False, True):
                answer = client.run(
                    f"Set-{kind}", Identity=state["Guid"], Enabled=value, Confirm=False
                )
                refused |= {label} if answer.errors else set()
    assert refused == UNCHANGEABLE.get(name, set())
    assert lab.snapshot() == before


def test_what_was_taken_meanwhile_cannot_be_switched_on_again(start: Start) -> None:
    lab = start("binding-conflict")
    with Client(lab) as client:
        answer = client.run(
            "Set-ReceiveConnector", Identity="Old Fabrikam", Enabled=True, Confirm=False
        )
    assert "ConnectorMappingConflictException" in answer.error
