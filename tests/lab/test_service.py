"""The protocol: authentication, encryption, paths, shells, faults."""

import subprocess
import sys

import pytest
from pypsrp.exceptions import AuthenticationError, WinRMError, WSManFaultError
from pypsrp.powershell import PowerShell
from pypsrp.wsman import WSManAction
from requests.exceptions import ReadTimeout

from orchestrator.lab import Lab
from tests.lab.conftest import Start
from tests.lab.outsider import Client, receive_element, selectors


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
def test_a_client_logs_on_with(lab: Lab, auth: str) -> None:
    with Client(lab, auth=auth) as client:
        answer = client.run("Get-TransportConfig")
    assert answer.records[0]["Name"] == "Transport Settings"
    assert lab.open_shells == 0


@pytest.mark.parametrize(
    ("auth", "encryption"),
    [("ntlm", "never"), ("ntlm", "always"), ("negotiate", "always"), ("basic", "never")],
)
def test_messages_are_sealed_as_the_client_wishes(lab: Lab, auth: str, encryption: str) -> None:
    with Client(lab, auth=auth, encryption=encryption) as client:
        assert client.run("Get-SendConnector").output


@pytest.mark.parametrize("name", ["CONTOSO\\ops", "contoso.example\\OPS", "ops@contoso.example"])
def test_an_account_has_several_spellings(lab: Lab, name: str) -> None:
    with Client(lab, auth="ntlm", username=name) as client:
        assert client.run("Get-OrganizationConfig").output


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
def test_a_wrong_password_is_refused(lab: Lab, auth: str) -> None:
    with pytest.raises(AuthenticationError), Client(lab, auth=auth, password="wrong"):
        pass
    assert lab.open_shells == 0


def test_only_the_chosen_schemes_are_offered(start: Start) -> None:
    lab = start(auth=("ntlm",))
    with pytest.raises(AuthenticationError), Client(lab, auth="basic"):
        pass


def test_tls_carries_basic_and_the_authority_is_known(start: Start) -> None:
    lab = start(https=True)
    with Client(lab, ssl=True, cert_validation=str(lab.ca_file)) as client:
        assert client.run("Get-ReceiveConnector").output


def test_an_unknown_path_is_a_page_of_the_web_server(lab: Lab) -> None:
    with pytest.raises(WinRMError), Client(lab, path="exchange"):
        pass
    assert lab.requests.by_action == {"NotFound": 1}


def test_the_ordinary_path_does_not_know_exchange(lab: Lab) -> None:
    with pytest.raises(WSManFaultError) as caught, Client(lab, path="wsman"):
        pass
    assert caught.value.code == 2150858811


def test_the_ordinary_path_has_a_shell_without_exchange_cmdlets(lab: Lab) -> None:
    with Client(lab, path="wsman", configuration="Microsoft.PowerShell") as client:
        answer = client.run("Get-TransportConfig")
    assert answer.failed
    assert answer.error == "CommandNotFoundException"


def test_script_text_is_refused_as_in_no_language_mode(client: Client) -> None:
    answer = client.invoke(PowerShell(client.pool).add_script("Get-TransportConfig"))
    assert answer.failed
    assert answer.error == "ScriptsNotAllowed"


def test_a_nineteenth_session_of_one_user_is_refused_until_one_is_closed(start: Start) -> None:
    lab = start(quota=2)
    with Client(lab) as first, Client(lab):
        with pytest.raises(WSManFaultError, match="wait for 60 seconds"), Client(lab):
            pass
        first.pool.close()
        with Client(lab):
            assert lab.open_shells == 2


def test_a_closed_shell_is_an_invalid_selector(lab: Lab) -> None:
    client = Client(lab)
    client.pool.open()
    shell = client.pool.shell
    client.connection.delete(shell.resource_uri, selector_set=selectors(shell.id))
    with pytest.raises(WSManFaultError) as caught:
        shell.receive("stdout")
    client.connection.close()
    assert caught.value.code == 2150858843


def test_disconnecting_is_refused_and_the_session_goes_on(client: Client) -> None:
    with pytest.raises(WSManFaultError):
        client.pool.disconnect()
    assert client.run("Get-TransportConfig").output


def test_an_idle_receive_times_out_as_long_as_the_client_wanted(client: Client) -> None:
    with pytest.raises(WSManFaultError) as caught:
        client.pool.shell.receive("stdout", timeout=1)
    assert caught.value.code == 2150858793


def test_a_long_answer_comes_in_several_fragments(start: Start) -> None:
    lab = start("two-hundred-domains")
    with Client(lab) as client:
        (record,) = client.run("Get-TransportConfig").records
    (members,) = record["TLSReceiveDomainSecureList"].property_sets
    assert members.count("<Obj ") == 200


def test_a_command_longer_than_an_envelope_arrives_whole(client: Client) -> None:
    answer = client.run("Get-ReceiveConnector", Identity="x" * 400_000)
    assert "ManagementObjectNotFound" in answer.error


def test_leaks_can_be_seen(lab: Lab) -> None:
    with Client(lab) as client:
        shell = PowerShell(client.pool).add_cmdlet("Get-TransportConfig")
        shell.invoke()
        assert (lab.open_shells, lab.open_pipelines) == (1, 1)
        shell.close()
        assert lab.open_pipelines == 0


def test_requests_are_counted_by_action(lab: Lab) -> None:
    with Client(lab) as client:
        client.run("Get-TransportConfig")
    assert lab.requests.by_action == {
        "Create": 1,
        "Receive": 3,
        "Command": 1,
        "Signal": 1,
        "Delete": 1,
    }


def test_a_session_survives_its_connection(lab: Lab) -> None:
    with Client(lab) as client:
        client.connection.close()
        assert client.run("Get-TransportConfig").output
    assert lab.open_shells == 0


def test_who_went_away_in_a_long_poll_takes_nothing_with_them(lab: Lab) -> None:
    with Client(lab, choice=0) as client:
        shell = PowerShell(client.pool).add_cmdlet("Set-TransportConfig")
        shell.add_parameter("TLSReceiveDomainSecureList", None)
        client.screen.before = lambda: poll_and_go(client, shell)
        answer = client.invoke(shell)
    assert answer.errors == []
    assert [entry.effective for entry in lab.audit()] == [True]


def poll_and_go(client: Client, shell: PowerShell) -> None:
    """Wait for output on a connection of its own, and leave before there is any."""
    twin = client.twin(read_timeout=0.2)
    receive = receive_element(shell)
    with pytest.raises(ReadTimeout):
        twin.connection.invoke(
            WSManAction.RECEIVE,
            client.pool.shell.resource_uri,
            receive,
            selector_set=selectors(client.pool.shell.id),
        )
    twin.connection.close()


def test_making_a_lab_known_costs_no_heavy_import() -> None:
    heavy = "{'psrpcore', 'spnego', 'cryptography', 'h11', 'pypsrp', 'requests', 'asyncio'}"
    code = f"import sys, orchestrator.lab; sys.exit(len({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603
