"""Management roles: what is not granted does not exist."""

import pytest
from pypsrp.exceptions import WSManFaultError

from orchestrator.lab import Lab
from tests.lab.conftest import Start
from tests.lab.outsider import Client, selectors


@pytest.fixture
def delegated(start: Start) -> Lab:
    """An organization with one user for each kind of right."""
    return start("read-only-admin")


def parameters(client: Client, cmdlet: str) -> set[str]:
    """Return the parameters that Get-Command shows."""
    (record,) = client.run("Get-Command", Name=cmdlet).records
    return set(record["Parameters"])


def test_whoever_may_only_read_has_no_set_cmdlets(delegated: Lab) -> None:
    with Client(delegated, user="viewer") as client:
        assert client.run("Get-TransportConfig").output
        assert client.run("Set-TransportConfig").error == "CommandNotFoundException"
        assert client.run("Search-AdminAuditLog").error == "CommandNotFoundException"
        answer = client.run("Get-Command", Name="Set-TransportConfig")
    assert answer.error.startswith("CommandNotFoundException,")


def test_the_role_journaling_has_the_cmdlet_without_the_lists(start: Start) -> None:
    with Client(start("journaling-trap")) as client:
        found = parameters(client, "Set-TransportConfig")
        answer = client.run("Set-TransportConfig", TLSReceiveDomainSecureList={"Remove": "x.y"})
    assert "JournalingReportNdrTo" in found
    assert "TLSReceiveDomainSecureList" not in found
    assert answer.error.startswith("NamedParameterNotFound,")


def test_a_full_role_shows_the_lists(lab: Lab, client: Client) -> None:
    del lab
    found = parameters(client, "Set-TransportConfig")
    assert {"TLSReceiveDomainSecureList", "DomainController", "Confirm", "WhatIf"} <= found


def test_several_commands_are_shown_at_once(client: Client) -> None:
    answer = client.run("Get-Command", Name=["Set-SendConnector", "Get-S*"])
    names = [record["Name"] for record in answer.records]
    assert names == ["Set-SendConnector", "Get-SendConnector"]


def test_roles_can_be_read(client: Client) -> None:
    roles = client.run("Get-ManagementRole", Cmdlet="Set-TransportConfig").records
    assert [role["Name"] for role in roles] == ["Organization Transport Settings", "Journaling"]
    assigned = client.run("Get-ManagementRoleAssignment", RoleAssignee="CONTOSO\\ops").records
    assert "Receive Connectors" in [one["Role"] for one in assigned]


def test_nobody_may_use_the_shell_of_another(delegated: Lab) -> None:
    with Client(delegated, user="viewer") as viewer, Client(delegated, user="ops") as other:
        shell = viewer.pool.shell
        with pytest.raises(WSManFaultError) as caught:
            other.connection.delete(shell.resource_uri, selector_set=selectors(shell.id))
    assert caught.value.code == 2150858843
