"""Cmdlets: binding, identities, lists, validation, what-if, questions, errors, the audit log."""

from typing import Any

import pytest
from pypsrp.powershell import PowerShell

from orchestrator.lab import Lab
from tests.lab.conftest import Start
from tests.lab.outsider import Client, Refused

RECEIVE = "TLSReceiveDomainSecureList"
SETTINGS = "TransportConfig:Transport Settings"
QUIET = {"Confirm": False}


def listed(lab: Lab, name: str = RECEIVE) -> Any:
    """Return a list of the transport settings."""
    return lab.snapshot()[SETTINGS][name]


def test_a_delta_removes_one_domain_and_leaves_the_rest(lab: Lab, client: Client) -> None:
    before = lab.snapshot()
    answer = client.run("Set-TransportConfig", **{RECEIVE: {"Remove": "FABRIKAM.com"}}, **QUIET)
    assert (answer.errors, answer.warnings, answer.output) == ([], [], [])
    before[SETTINGS][RECEIVE].remove("fabrikam.com")  # type: ignore[attr-defined]
    assert lab.snapshot() == before


def test_a_delta_adds_and_removes_at_once(lab: Lab, client: Client) -> None:
    delta = {"Add": ["a.example", "b.example"], "Remove": ["fabrikam.com"]}
    client.run("Set-TransportConfig", **{RECEIVE: delta}, **QUIET)
    assert listed(lab)[-2:] == ["a.example", "b.example"]
    assert "fabrikam.com" not in listed(lab)


@pytest.mark.parametrize("delta", [{"Remove": "absent.example"}, {"Add": "Fabrikam.COM"}])
def test_a_delta_that_changes_nothing_only_warns(
    lab: Lab, client: Client, delta: dict[str, str]
) -> None:
    before = listed(lab)
    answer = client.run("Set-TransportConfig", **{RECEIVE: delta}, **QUIET)
    assert answer.errors == []
    assert "no settings of 'Transport Settings' have been modified" in answer.warnings[0]
    assert listed(lab) == before
    assert [entry.effective for entry in lab.audit()] == [False]


def test_a_plain_value_overwrites_the_whole_list(lab: Lab, client: Client) -> None:
    client.run("Set-TransportConfig", **{RECEIVE: "only.example"}, **QUIET)
    assert listed(lab) == ["only.example"]


def test_null_wipes_the_list(lab: Lab, client: Client) -> None:
    client.run("Set-TransportConfig", **{RECEIVE: None}, **QUIET)
    assert listed(lab) == []


@pytest.mark.parametrize("domain", ["*.contoso.com", "two words.com", "", "a..b", "ümlaut.de"])
def test_only_a_domain_is_taken_for_a_domain(lab: Lab, client: Client, domain: str) -> None:
    answer = client.run("Set-TransportConfig", **{RECEIVE: {"Add": domain}}, **QUIET)
    assert answer.failed
    assert answer.error.startswith("ParameterArgumentTransformationError,")
    assert lab.audit() == ()


def test_the_same_domain_twice_is_refused_in_any_case(client: Client) -> None:
    answer = client.run("Set-TransportConfig", **{RECEIVE: ["a.example", "A.example"]}, **QUIET)
    assert answer.error.startswith("ParameterArgumentTransformationError,")


def test_a_list_holds_256_domains_and_no_more(lab: Lab, client: Client) -> None:
    many = [f"d{at}.example" for at in range(256)]
    assert client.run("Set-TransportConfig", **{RECEIVE: many}, **QUIET).errors == []
    answer = client.run("Set-TransportConfig", **{RECEIVE: {"Add": "more.example"}}, **QUIET)
    assert "[FailureCategory=Cmdlet-DataValidationException]" in answer.error
    assert len(listed(lab)) == 256


def test_an_unknown_cmdlet_ends_the_pipeline(client: Client) -> None:
    answer = client.run("Get-Nonsense")
    assert answer.failed
    assert answer.error == "CommandNotFoundException"


def test_an_unknown_parameter_ends_the_pipeline(client: Client) -> None:
    answer = client.run("Get-TransportConfig", Nonsense=1)
    assert answer.failed
    assert answer.error == (
        "NamedParameterNotFound,"
        "Microsoft.Exchange.Management.SystemConfigurationTasks.GetTransportConfig"
    )


def test_names_are_taken_in_any_case_and_by_an_unambiguous_beginning(client: Client) -> None:
    answer = client.run("get-receiveconnector", SERV="ex02")
    assert {record["Server"].adapted_properties["Name"] for record in answer.records} == {"EX02"}


def test_an_ambiguous_beginning_is_refused(client: Client) -> None:
    answer = client.run("Set-TransportConfig", TLS="x")
    assert answer.error.startswith("AmbiguousParameter,")


@pytest.mark.parametrize(
    "identity", ["EX02\\Default Frontend EX02", "ex02.contoso.example\\default frontend ex02"]
)
def test_a_receive_connector_is_found_by_server_and_name(client: Client, identity: str) -> None:
    (record,) = client.run("Get-ReceiveConnector", Identity=identity).records
    assert record["Name"] == "Default Frontend EX02"


def test_a_receive_connector_is_found_by_guid_and_by_distinguished_name(client: Client) -> None:
    (record,) = client.run("Get-ReceiveConnector", Identity="EX02\\Default EX02").records
    for key in ("Guid", "DistinguishedName"):
        (same,) = client.run("Get-ReceiveConnector", Identity=str(record[key])).records
        assert same["Guid"] == record["Guid"]


def test_a_bare_name_means_the_server_of_the_session(start: Start) -> None:
    lab = start("same-name")
    for at, server in enumerate(("EX01", "EX02", "EX03")):
        with Client(lab, server=at) as client:
            (record,) = client.run("Get-ReceiveConnector", Identity="From Fabrikam").records
        assert str(record["Identity"]) == f"{server}\\From Fabrikam"


def test_what_is_not_there_is_an_error_in_the_error_stream(client: Client) -> None:
    answer = client.run("Set-ReceiveConnector", Identity="EX09\\x", Enabled=False, **QUIET)
    assert not answer.failed
    (record,) = answer.errors
    assert record.category == 1003
    assert "[Server=EX01,RequestId=" in answer.error
    assert "[FailureCategory=Cmdlet-ManagementObjectNotFoundException]" in answer.error
    assert answer.error.endswith("SystemConfigurationTasks.SetReceiveConnector")
    assert "couldn't be found on 'dc01.contoso.example'" in str(record)


def test_error_action_stop_ends_the_pipeline(client: Client) -> None:
    answer = client.run("Get-ReceiveConnector", Identity="EX09\\x", ErrorAction="Stop")
    assert answer.failed


def test_statements_run_one_after_the_other_and_an_error_stops_none(client: Client) -> None:
    answer = client.pipe(
        [("Get-Nonsense", {})],
        [("Get-TransportConfig", {})],
        [("Get-SendConnector", {}), ("Select-Object", {"Property": ["Name", "Absent"]})],
    )
    assert not answer.failed
    assert answer.error == "CommandNotFoundException"
    assert [record["Name"] for record in answer.records] == ["Transport Settings", "To Internet"]
    assert answer.records[1] == {"Name": "To Internet", "Absent": None}
    assert answer.output[1].types[0].startswith("Selected.Microsoft.Exchange.Data.Directory.")


def test_a_property_can_be_expanded_into_the_pipeline(client: Client) -> None:
    answer = client.pipe(
        [
            ("Get-TransportConfig", {}),
            ("Select-Object", {"ExpandProperty": "TLSSendDomainSecureList"}),
        ]
    )
    assert [str(one) for one in answer.output] == ["woodgrovebank.com", "adatum.com"]


def test_objects_are_counted_without_being_sent(client: Client) -> None:
    answer = client.pipe([("Get-ReceiveConnector", {}), ("Measure-Object", {})])
    assert answer.records[0]["Count"] == 10


def test_a_pipe_into_a_set_cmdlet_changes_each_object(lab: Lab, client: Client) -> None:
    answer = client.pipe(
        [
            ("Get-ReceiveConnector", {"Server": "EX01"}),
            ("Set-ReceiveConnector", {"Comment": "seen", "Confirm": False}),
        ]
    )
    assert answer.errors == []
    assert [entry.object.partition("\\")[0] for entry in lab.audit()] == ["EX01"] * 5


def test_disabling_a_connector_changes_that_connector_only(lab: Lab, client: Client) -> None:
    before = lab.snapshot()
    client.run("Set-SendConnector", Identity="To Internet", Enabled=False, **QUIET)
    before["SendConnector:To Internet"]["Enabled"] = False
    assert lab.snapshot() == before


def test_what_if_says_what_it_would_do_and_does_nothing(lab: Lab, client: Client) -> None:
    before = lab.snapshot()
    answer = client.run("Set-TransportConfig", **{RECEIVE: {"Remove": "adatum.com"}}, WhatIf=...)
    (line,) = answer.host
    assert line.startswith("What if: Modifying the transport configuration settings")
    assert lab.snapshot() == before
    assert lab.audit() == ()


def test_some_cmdlets_ignore_what_if(start: Start) -> None:
    lab = start("whatif-ignored")
    with Client(lab) as client:
        client.run("Set-TransportConfig", **{RECEIVE: {"Remove": "fabrikam.com"}}, WhatIf=...)
    assert "fabrikam.com" not in listed(lab)


@pytest.mark.parametrize(("choice", "left"), [(0, False), (1, False), (2, True), (3, True)])
def test_an_unanswered_confirmation_is_asked_of_the_host(
    lab: Lab, choice: int, *, left: bool
) -> None:
    with Client(lab, choice=choice) as client:
        client.run("Set-TransportConfig", **{RECEIVE: {"Remove": "fabrikam.com"}})
        assert "Are you sure" in client.screen.questions[0]
    assert ("fabrikam.com" in listed(lab)) is left


def test_without_a_host_a_question_ends_the_pipeline(lab: Lab) -> None:
    with Client(lab, host=False) as client:
        answer = client.run("Set-TransportConfig", **{RECEIVE: {"Remove": "fabrikam.com"}})
    assert answer.failed
    assert answer.error == "HostFunctionNotImplemented"
    assert "fabrikam.com" in listed(lab)


def test_a_setting_validates_the_whole_connector(lab: Lab, client: Client) -> None:
    lab.edit("EX01\\Client Frontend EX01", Enabled=False, Bindings=["0.0.0.0:25"])
    answer = client.run(
        "Set-ReceiveConnector", Identity="EX01\\Client Frontend EX01", Enabled=True, **QUIET
    )
    assert "ConnectorMappingConflictException" in answer.error
    lab.edit("EX01\\Client Frontend EX01", RemoteIPRanges=["10.0.0.1"])
    answer = client.run(
        "Set-ReceiveConnector", Identity="EX01\\Client Frontend EX01", Enabled=True, **QUIET
    )
    assert answer.errors == []


def test_connectors_of_two_roles_never_share_an_endpoint(client: Client) -> None:
    answer = client.run(
        "Set-ReceiveConnector", Identity="EX01\\Default EX01", Bindings="0.0.0.0:25", **QUIET
    )
    assert "ReceiveConnectorRoleConflictException" in answer.error


def test_an_object_of_a_newer_version_cannot_be_changed(start: Start) -> None:
    lab = start("newer-object")
    with Client(lab) as client:
        (entry,) = [name for name in lab.snapshot() if "From the future" in name]
        identity = entry.partition(":")[2]
        answer = client.run("Set-ReceiveConnector", Identity=identity, Enabled=False, **QUIET)
    assert "InvalidObjectOperationException" in answer.error


def test_the_audit_log_can_be_searched_over_the_wire(client: Client) -> None:
    client.run("Set-TransportConfig", **{RECEIVE: {"Remove": "fabrikam.com"}}, **QUIET)
    client.run("Set-SendConnector", Identity="To Internet", Comment="x", **QUIET)
    answer = client.run("Search-AdminAuditLog", Cmdlets=["Set-TransportConfig"])
    (record,) = answer.records
    assert record["CmdletName"] == "Set-TransportConfig"
    assert record["Caller"] == "CONTOSO\\ops"
    assert record["Succeeded"] is True


def test_servers_tell_their_controller_only_when_asked(client: Client) -> None:
    plain = client.run("Get-ExchangeServer").records
    asked = client.run("Get-ExchangeServer", Status=...).records
    assert [record["CurrentConfigDomainController"] for record in plain] == [None, None]
    assert asked[0]["CurrentConfigDomainController"] == "dc01.contoso.example"


@pytest.mark.parametrize(
    ("cmdlet", "count"),
    [
        ("Get-OrganizationConfig", 1),
        ("Get-AcceptedDomain", 1),
        ("Get-EdgeSubscription", 0),
        ("Get-FormatData", 0),
        ("Exit-PSSession", 0),
        ("Get-Help", 1),
    ],
)
def test_these_cmdlets_answer_too(client: Client, cmdlet: str, count: int) -> None:
    answer = client.run(cmdlet)
    assert (len(answer.output), answer.errors) == (count, [])


def test_another_administrator_can_change_and_remove(lab: Lab, client: Client) -> None:
    lab.edit("To Internet", remove=True)
    lab.edit("TransportConfig", who="CONTOSO\\eve", TLSSendDomainSecureList=["x.example"])
    assert client.run("Get-SendConnector").output == []
    assert listed(lab, "TLSSendDomainSecureList") == ["x.example"]
    assert [entry.caller for entry in lab.audit()] == ["CONTOSO\\other", "CONTOSO\\eve"]


def test_everything_received_is_on_record(lab: Lab, client: Client) -> None:
    client.pipe([("Get-TransportConfig", {})], [("Get-SendConnector", {"Identity": "x"})])
    assert [(one.statement, one.cmdlet, dict(one.parameters)) for one in lab.commands] == [
        (0, "Get-TransportConfig", {}),
        (1, "Get-SendConnector", {"Identity": "x"}),
    ]


def test_a_set_cmdlet_has_to_be_told_what_to_change(lab: Lab, client: Client) -> None:
    answer = client.run("Set-ReceiveConnector", Enabled=False, **QUIET)
    assert answer.failed
    assert answer.error.startswith("MissingMandatoryParameter,")
    assert lab.audit() == ()


def test_an_argument_without_a_name_is_taken_by_position(client: Client) -> None:
    shell = PowerShell(client.pool).add_cmdlet("Get-SendConnector").add_argument("To Internet")
    assert client.invoke(shell).records[0]["Name"] == "To Internet"
    shell = PowerShell(client.pool).add_cmdlet("Get-SendConnector")
    answer = client.invoke(shell.add_argument("a").add_argument("b"))
    assert answer.error.startswith("PositionalParameterNotFound,")


def test_a_hashtable_knows_add_and_remove_only(client: Client) -> None:
    answer = client.run("Set-TransportConfig", **{RECEIVE: {"Delete": "x.example"}}, **QUIET)
    assert answer.error.startswith("ParameterArgumentTransformationError,")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Enabled", "maybe"),
        ("Bindings", "25"),
        ("RemoteIPRanges", "10.0.0.9-10.0.0.1"),
        ("PermissionGroups", "Everybody"),
        ("ConnectionTimeout", "soon"),
        ("MaxHopCount", "x"),
        ("MaxMessageSize", "huge"),
        ("Fqdn", "two words"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_binding(
    client: Client, name: str, value: str
) -> None:
    answer = client.run("Set-ReceiveConnector", Identity="Default EX01", **{name: value}, **QUIET)
    assert answer.error.startswith("ParameterArgumentTransformationError,")


@pytest.mark.parametrize("spaces", ["x y", "SMTP:contoso.com;101", "SMTP:*contoso;1"])
def test_only_an_address_space_is_taken_for_one(client: Client, spaces: str) -> None:
    answer = client.run("Set-SendConnector", Identity="To Internet", AddressSpaces=spaces, **QUIET)
    assert answer.error.startswith("ParameterArgumentTransformationError,")


def test_an_address_space_gets_its_type_and_cost(lab: Lab, client: Client) -> None:
    spaces = ["fabrikam.com", "*.fabrikam.com;5", "X400:c=us;a= ;p=x;2", "--"]
    client.run("Set-SendConnector", Identity="To Internet", AddressSpaces=spaces, **QUIET)
    assert lab.snapshot()["SendConnector:To Internet"]["AddressSpaces"] == [
        "SMTP:fabrikam.com;1",
        "SMTP:*.fabrikam.com;5",
        "X400:c=us;a= ;p=x;2",
        "SMTP:--;1",
    ]


def test_an_edge_server_gets_the_lists_when_it_is_synchronized(start: Start) -> None:
    lab = start("hybrid-edgesync")
    with Client(lab) as client:
        (edge,) = client.run("Get-EdgeSubscription").records
        client.run("Start-EdgeSynchronization", WhatIf=...)
        assert lab.organization.pushed == {}
        (status,) = client.run("Start-EdgeSynchronization").records
    assert (edge["Name"], status["Name"], status["Result"]) == ("EDGE01", "EDGE01", "Success")
    pushed = lab.organization.pushed["EDGE01"]
    assert pushed[RECEIVE] == ("fabrikam.com", "northwindtraders.com")


def test_the_audit_log_is_searched_by_date_user_object_and_parameter(client: Client) -> None:
    client.run("Set-TransportConfig", **{RECEIVE: {"Remove": "fabrikam.com"}}, **QUIET)
    client.run("Set-SendConnector", Identity="To Internet", Comment="x", **QUIET)
    for given, count in (
        ({"StartDate": "2999-01-01"}, 0),
        ({"EndDate": "01/01/2999 00:00:00"}, 2),
        ({"UserIds": ["contoso\\OPS"]}, 2),
        ({"ObjectIds": ["To Internet"]}, 1),
        ({"Parameters": [RECEIVE]}, 1),
        ({"ResultSize": 1}, 1),
    ):
        assert len(client.run("Search-AdminAuditLog", **given).output) == count, given


def test_a_property_that_is_not_there_cannot_be_expanded(client: Client) -> None:
    answer = client.pipe(
        [("Get-TransportConfig", {}), ("Select-Object", {"ExpandProperty": "Absent"})]
    )
    assert answer.error.startswith("ExpandPropertyNotFound,")


def test_the_first_objects_can_be_selected_and_plain_values_pass(client: Client) -> None:
    answer = client.pipe(
        [
            ("Get-TransportConfig", {}),
            ("Select-Object", {"ExpandProperty": RECEIVE}),
            ("Select-Object", {"First": 2}),
        ]
    )
    assert [str(one) for one in answer.output] == ["fabrikam.com", "northwindtraders.com"]


def test_a_running_question_can_be_stopped(lab: Lab, client: Client) -> None:
    shell = PowerShell(client.pool).add_cmdlet("Set-TransportConfig")
    shell.add_parameter(RECEIVE, None)
    client.screen.before = shell.stop
    with pytest.raises(Refused):
        shell.invoke()
    assert client.run("Get-TransportConfig").output
    assert lab.audit() == ()


def test_servers_say_where_their_protocol_logs_are(client: Client) -> None:
    for cmdlet, role in (
        ("Get-FrontendTransportService", "FrontEnd"),
        ("Get-TransportService", "Hub"),
    ):
        shown = client.run(cmdlet).records
        assert [record["Name"] for record in shown] == ["EX01", "EX02"]
        assert f"\\{role}\\ProtocolLog\\SmtpReceive" in shown[0]["ReceiveProtocolLogPath"]
    (one,) = client.run("Get-TransportService", Identity="ex02.contoso.example").records
    assert one["Name"] == "EX02"
    assert client.run("Get-TransportServer", Identity="nobody").errors
