"""Faults as data: what each kind does to a client that nobody here wrote."""

import time
from typing import Any

import pytest
from pypsrp.exceptions import WinRMError, WinRMTransportError, WSManFaultError
from requests.exceptions import RequestException

from orchestrator.core.errors import ConfigurationError
from orchestrator.lab import Lab, fault, load_scenario, parse_scenario
from tests.lab.conftest import Start
from tests.lab.outsider import Client
from tests.lab.test_process import ask, line, process

RECEIVE = "TLSReceiveDomainSecureList"
REMOVAL: dict[str, Any] = {RECEIVE: {"Remove": "fabrikam.com"}, "Confirm": False}
SET: dict[str, Any] = {"action": "Command", "cmdlet": "Set-TransportConfig"}
CONFIG = "TransportConfig:Transport Settings"
CONNECTOR = "EX01\\Default Frontend EX01"


def listed(lab: Lab) -> bool:
    """Whether the removal has not taken effect."""
    return "fabrikam.com" in str(lab.snapshot()[CONFIG][RECEIVE])


@pytest.mark.parametrize(
    ("row", "broken", "stays"),
    [
        ({"kind": "drop-before", **SET}, RequestException, True),
        ({"kind": "drop-after", **SET}, RequestException, False),
        ({"kind": "kill", **SET}, RequestException, True),
        ({"kind": "kill", "moment": "after", **SET}, RequestException, False),
        ({"kind": "http", "status": 403, **SET}, WinRMError, True),
        ({"kind": "http", "status": 500, "body": "empty", **SET}, WinRMTransportError, True),
        ({"kind": "http", "status": 503, "moment": "after", **SET}, WinRMError, False),
        ({"kind": "http", "status": 500, "body": "fault", **SET}, WSManFaultError, True),
        ({"kind": "wsman-fault", "code": 5, "text": "no", **SET}, WSManFaultError, True),
        ({"kind": "timed-out", "moment": "after", **SET}, WSManFaultError, False),
        ({"kind": "garbage", **SET}, Exception, True),
        ({"kind": "garbage", "content": "xml", "moment": "after", **SET}, Exception, False),
        ({"kind": "garbage", "content": "binary", **SET}, Exception, True),
        ({"kind": "garbage", "content": "empty", **SET}, Exception, True),
        ({"kind": "truncate", **SET}, Exception, False),
        ({"kind": "truncate", "closing": True, **SET}, RequestException, False),
    ],
    ids=lambda value: " ".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_a_struck_request_fails_before_or_after_it_was_handled(
    lab: Lab, row: dict[str, Any], broken: type[Exception], *, stays: bool
) -> None:
    client = Client(lab)
    client.pool.open()
    lab.faults.append(fault(**row))
    with pytest.raises(broken):
        client.run("Set-TransportConfig", **REMOVAL)
    client.connection.close()
    assert listed(lab) is stays


def test_a_fault_strikes_the_nth_time_as_often_as_it_says(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("transient", cmdlet="Get-TransportConfig", nth=2, times=2))
    errors = [len(client.run("Get-TransportConfig").errors) for _ in range(4)]
    assert errors == [0, 1, 1, 0]


def test_a_fault_may_be_about_one_server(lab: Lab) -> None:
    lab.faults.append(fault("http", status=404, action="Create", server="ex01", times=0))
    with pytest.raises(WinRMError), Client(lab):
        pass
    with Client(lab, server=1):
        assert lab.open_shells == 1


def test_faults_are_switched_off_again(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("language"))
    german = client.run("Get-ReceiveConnector", Identity="EX09\\x")
    lab.faults.clear()
    english = client.run("Get-ReceiveConnector", Identity="EX09\\x")
    assert "nicht gefunden" in str(german.errors[0])
    assert "couldn't be found" in str(english.errors[0])


@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
def test_a_quota_asks_to_wait(lab: Lab, unit: str) -> None:
    lab.faults.append(fault("quota", wait=7, unit=unit))
    with pytest.raises(WSManFaultError, match=f"wait for 7 {unit}"), Client(lab):
        pass
    with Client(lab):
        assert lab.open_shells == 1


def test_a_stalled_request_is_never_answered(lab: Lab) -> None:
    client = Client(lab, read_timeout=1, operation_timeout=1)
    client.pool.open()
    lab.faults.append(fault("stall", **SET))
    with pytest.raises(RequestException):
        client.run("Set-TransportConfig", **REMOVAL)
    client.connection.close()
    assert listed(lab)


def test_a_dripping_answer_is_whole_in_the_end(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("drip", action="Command", size=100, seconds=0.01))
    lab.faults.append(fault("delay", action="Command", seconds=0.01))
    assert client.run("Get-TransportConfig").output


def test_a_killed_server_loses_its_shells_and_comes_back_on_its_port(lab: Lab) -> None:
    client = Client(lab)
    client.pool.open()
    lab.kill("EX01")
    assert lab.open_shells == 0
    with pytest.raises(RequestException):
        client.run("Get-TransportConfig")
    client.connection.close()
    lab.revive("EX01")
    lab.revive("EX01")
    with Client(lab) as again:
        assert again.run("Get-TransportConfig").output


def test_a_server_may_restart_by_itself(lab: Lab) -> None:
    client = Client(lab)
    client.pool.open()
    lab.faults.append(fault("kill", action="Command", back_after=0.0))
    with pytest.raises(RequestException):
        client.run("Get-TransportConfig")
    client.connection.close()
    for _ in range(100):
        try:
            with Client(lab) as again:
                assert again.run("Get-TransportConfig").output
                return
        except RequestException:
            continue
    pytest.fail("it never came back")


def test_another_administrator_edits_at_the_nth_request(lab: Lab, client: Client) -> None:
    row = {"identity": "TransportConfig", "properties": {RECEIVE: ["other.example"]}}
    lab.faults.append(fault("edit", action="Command", nth=2, **row))
    seen = [client.run("Get-TransportConfig").records[0][RECEIVE] for _ in range(3)]
    assert ["other.example" in str(one.property_sets) for one in seen] == [False, True, True]
    assert [entry.caller for entry in lab.audit()] == ["CONTOSO\\other"]


def test_an_object_vanishes(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("vanish", action="Command", identity=CONNECTOR))
    assert client.run("Get-ReceiveConnector", Identity=CONNECTOR).errors


def test_an_object_is_replaced_by_another_of_the_same_name(lab: Lab, client: Client) -> None:
    (before,) = client.run("Get-ReceiveConnector", Identity=CONNECTOR).records
    lab.faults.append(fault("replace", action="Command", identity=CONNECTOR))
    (after,) = client.run("Get-ReceiveConnector", Identity=CONNECTOR).records
    assert after["Name"] == before["Name"]
    assert str(after["Guid"]) != str(before["Guid"])
    by_guid = client.run(
        "Set-ReceiveConnector", Identity=str(before["Guid"]), Enabled=False, Confirm=False
    )
    assert "ManagementObjectNotFoundException" in by_guid.error


def test_a_domain_controller_goes_away_and_comes_back(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("controller-gone", controller="dc01", action="Command", times=1))
    gone = client.run("Get-TransportConfig", DomainController="dc01.contoso.example")
    back = client.run("Get-TransportConfig", DomainController="dc01.contoso.example")
    assert "ADTransientException" in gone.error
    assert back.records[0]["OriginatingServer"] == "dc01.contoso.example"


def test_a_server_turns_to_another_controller_where_none_is_named(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("controller-gone", controller="dc01"))
    (record,) = client.run("Get-TransportConfig").records
    assert record["OriginatingServer"] == "dc02.contoso.example"


def test_replication_lags_from_when_that_is_switched_on(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("lag"))
    client.run("Set-TransportConfig", **REMOVAL)
    assert not listed(lab)
    late = lab.snapshot("dc02.contoso.example")[CONFIG][RECEIVE]
    assert "fabrikam.com" in str(late)
    lab.replicate()
    assert "fabrikam.com" not in str(lab.snapshot("dc02.contoso.example")[CONFIG][RECEIVE])


def test_a_slow_command_takes_effect_after_its_client_has_gone(lab: Lab) -> None:
    lab.faults.append(fault("slow", cmdlet="Set-TransportConfig", seconds=0.3))
    lab.faults.append(fault("drop-after", **SET))
    client = Client(lab)
    client.pool.open()
    with pytest.raises(RequestException):
        client.run("Set-TransportConfig", **REMOVAL)
    client.connection.close()
    assert listed(lab)
    deadline = time.monotonic() + 10
    while listed(lab) and time.monotonic() < deadline:
        with Client(lab) as other:
            other.run("Get-TransportConfig")
    assert not listed(lab)


def test_a_cmdlet_asks_in_spite_of_confirm_false(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("prompt", cmdlet="Set-TransportConfig"))
    client.screen.choice = 2
    client.run("Set-TransportConfig", **REMOVAL)
    assert client.screen.questions
    assert listed(lab)


def test_a_cmdlet_writes_in_spite_of_whatif(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("whatif-ignored", cmdlet="Set-TransportConfig"))
    client.run("Set-TransportConfig", **REMOVAL, WhatIf=...)
    assert not listed(lab)


def test_a_right_vanishes_from_the_cmdlet_and_from_what_get_command_shows(
    lab: Lab, client: Client
) -> None:
    lab.faults.append(fault("right-lost", cmdlet="Set-TransportConfig", parameter=RECEIVE))
    assert "NamedParameterNotFound" in client.run("Set-TransportConfig", **REMOVAL).error
    (shown,) = client.run("Get-Command", Name="Set-TransportConfig").records
    assert RECEIVE not in str(shown["Parameters"])
    lab.faults.clear()
    assert not client.run("Set-TransportConfig", **REMOVAL).errors


def test_a_connector_fails_its_validation_in_one_direction(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("revalidation", enabled=True))
    off = client.run("Set-ReceiveConnector", Identity=CONNECTOR, Enabled=False, Confirm=False)
    on = client.run("Set-ReceiveConnector", Identity=CONNECTOR, Enabled=True, Confirm=False)
    assert not off.errors
    assert "DataValidationException" in on.error
    assert lab.snapshot()[f"ReceiveConnector:{CONNECTOR}"]["Enabled"] is False


def test_errors_come_in_another_language_with_the_same_ids(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("language", nth=2, times=1))
    english, german = (client.run("Get-ReceiveConnector", Identity="EX09\\x") for _ in range(2))
    assert "couldn't be found" in str(english.errors[0])
    assert "nicht gefunden" in str(german.errors[0])
    assert "ManagementObjectNotFoundException" in german.error


def test_lists_change_their_shape_between_two_reads(lab: Lab, client: Client) -> None:
    lab.faults.append(fault("shapes", lists="joined", nth=2, times=1))
    first, second, third = (client.run("Get-TransportConfig").records[0][RECEIVE] for _ in range(3))
    assert isinstance(second, str)
    assert not isinstance(first, str)
    assert not isinstance(third, str)


def test_a_scenario_may_have_faults_from_the_start(start: Start) -> None:
    text = "title: t\ndescription: d\nreceive_list: [fabrikam.com]\nfaults:\n"
    lab = start(parse_scenario(f"{text}  - {{kind: quota, wait: 1}}\n"))
    with pytest.raises(WSManFaultError, match="wait for 1 seconds"), Client(lab):
        pass
    with Client(lab):
        assert lab.open_shells == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{kind: qota}", "did you mean 'quota'?"),
        ("{kind: slow, seconds: 1, cmdelt: x}", "did you mean 'cmdlet'?"),
        ("{kind: slow}", "missing required field `seconds`"),
        ("{kind: stall, nth: 0}", "Expected `int` >= 1"),
        ("{kind: stall, action: Recieve}", "Invalid enum value 'Recieve'"),
        ("{action: Command}", "missing required field `kind`"),
    ],
)
def test_a_wrong_fault_is_refused_with_its_place(row: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_scenario(f"title: t\ndescription: d\nfaults:\n  - {row}\n", "a.yaml")
    assert said in str(caught.value)
    assert caught.value.line == 4


def test_a_wrong_fault_of_a_running_lab_is_refused_with_the_nearest_word() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'stall'"):
        fault("stal")
    with pytest.raises(ConfigurationError, match="did you mean 'action'"):
        fault("stall", acton="Command")


def test_faults_are_switched_over_standard_input() -> None:
    with process("default") as running:
        line(running)
        for order, answer in (
            ('{"fault": {"kind": "quota"}}', {"faults": 1}),
            ('{"fault": {"kind": "stall", "action": "Command"}}', {"faults": 2}),
            ('{"faults": [{"kind": "lag"}]}', {"faults": 1}),
            ('{"faults": []}', {"faults": 0}),
        ):
            ask(running, order)
            assert line(running) == answer
        for order in ("{", "[]", '{"fault": {"kind": "qota"}}', '{"faults": [], "more": 1}'):
            ask(running, order)
            assert line(running).keys() == {"error"}


def test_a_lab_without_faults_has_none() -> None:
    assert not Lab(load_scenario("default")).faults
