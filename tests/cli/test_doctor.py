"""``orchestrator doctor``: what is missing is named, with the way to mend it."""

from collections.abc import Callable

import pytest

from orchestrator.app.checkup import needed
from orchestrator.core.command import Plain
from orchestrator.doctor import Needed
from orchestrator.loader import find_playbook, load_playbook
from orchestrator.loader.playbook import parse_playbook
from orchestrator.steps import STEP_KINDS
from tests.cli.door import Door

Open = Callable[..., Door]


def test_where_all_is_well_everything_has_its_tick(door: Door) -> None:
    answer = door("doctor")
    assert answer.code == 0, answer
    assert "This machine" in answer.out
    assert "contoso: ex01.contoso.example" in answer.out
    assert "contoso: ex02.contoso.example" in answer.out
    assert "✗" not in answer.out
    assert "✓ rights: this account has Set-ReceiveConnector with " in answer.words


def test_nothing_is_changed_by_looking(door: Door) -> None:
    before = door.lab.snapshot()
    door("doctor")
    assert door.received() == []
    assert door.lab.snapshot() == before
    assert door.lab.open_shells == 0
    assert not (door.folder / "store").exists()


def test_a_missing_parameter_is_4_with_the_role_that_grants_it(open_door: Open) -> None:
    answer = open_door("journaling-trap")("doctor", "remove-domain-security")
    assert answer.code == 4
    assert "has Set-TransportConfig, but without -TLSReceiveDomainSecureList" in answer.words
    assert "New-ManagementRoleAssignment -Role 'Organization Transport Settings'" in answer.words


def test_only_the_rights_that_the_named_playbooks_need_are_weighed(open_door: Open) -> None:
    door = open_door("read-only-admin", user="CONTOSO\\lists")
    assert door("doctor", "remove-domain-security").code == 0
    assert door("doctor", "retire-dedicated-connectors").code == 4


def test_a_wrong_password_is_8_and_tried_once(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_LAB_PASSWORD", "wrong")
    answer = door("doctor")
    assert answer.code == 8
    assert "✗ authentication:" in answer.words
    assert "not looked at, because ex01.contoso.example refused the credential" in answer.words


def test_a_server_that_is_not_there_is_8(door: Door) -> None:
    door.lab.stop()
    answer = door("doctor")
    assert answer.code == 8
    assert "✗ tcp:" in answer.words


def test_a_store_that_cannot_be_used_is_1(door: Door) -> None:
    (door.folder / "store").write_text("a file where a directory should be")
    answer = door("doctor")
    assert answer.code == 1
    assert "✗ store:" in answer.words


def test_a_store_with_runs_in_it_says_how_many(door: Door) -> None:
    done = door(
        "run",
        "remove-domain-security",
        "--set",
        "domain=fabrikam.com",
        "--yes",
        "--reason",
        "a test",
    )
    assert done.code == 0
    assert "runs in it: 1" in door("doctor").words


def test_findings_are_a_document_too(door: Door) -> None:
    document = door("doctor", "--output", "json").document
    assert document["exit_code"] == 0
    first = document["findings"][0]
    assert (first["organization"], first["check"]) == ("", "python")
    assert {each["server"] for each in document["findings"]} == {
        "",
        "ex01.contoso.example",
        "ex02.contoso.example",
    }


def test_what_a_playbook_may_call_is_known_by_parameter() -> None:
    found = needed([load_playbook(find_playbook("retire-dedicated-connectors"))])
    assert set(found) == {
        Needed("Get-TransportConfig", ("DomainController",)),
        Needed("Get-ReceiveConnector", ("DomainController",)),
        Needed("Get-SendConnector", ("DomainController",)),
        Needed("Set-TransportConfig", ("TLSReceiveDomainSecureList", "DomainController")),
        Needed("Set-TransportConfig", ("TLSSendDomainSecureList", "DomainController")),
        Needed("Set-ReceiveConnector", ("Enabled", "DomainController")),
        Needed("Set-SendConnector", ("Enabled", "DomainController")),
    }


def test_a_property_is_needed_as_exchange_spells_it() -> None:
    text = (
        b"name: own\ntitle: Own\ndescription: Own.\nsteps:\n"
        b"  - property: {object: TransportConfig, property: internalsmtpservers, includes: a}\n"
    )
    assert needed([parse_playbook(text, "own.yaml")])[-1] == (
        Needed("Set-TransportConfig", ("InternalSMTPServers", "DomainController"))
    )


STEPS: dict[str, dict[str, object]] = {
    "domain_secure_list": {"list": "send", "domain": "a.example", "state": "absent"},
    "dedicated_receive_connectors": {"connector": "A", "state": "disabled"},
    "dedicated_send_connector": {"domain": "a.example", "state": "disabled"},
    "auth_mechanism": {"connector": "A", "includes": "Tls"},
    "domain_secure_enabled": {"domain": "a.example", "receive_connector": "A"},
    "property": {"object": "SendConnector", "identity": "A", "property": "Port", "equals": 25},
}


@pytest.mark.parametrize("kind", STEP_KINDS)
def test_every_kind_of_step_says_which_parameter_it_sets(kind: str) -> None:
    assert issubclass(STEP_KINDS[kind], Plain)
    arguments = ", ".join(f"{name}: {value}" for name, value in STEPS[kind].items())
    text = f"name: own\ntitle: Own\ndescription: Own.\nsteps:\n  - {kind}: {{{arguments}}}\n"
    writing = [
        each
        for each in needed([parse_playbook(text.encode(), "own.yaml")])
        if each.cmdlet.startswith("Set-")
    ]
    assert len(writing) == 1
    assert len(writing[0].parameters) == 2
