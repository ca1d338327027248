"""A server is examined over the real wire, and each finding says how to mend what it found."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.app.workplace import connect_psrp
from orchestrator.core.command import Command, Record, Result, Statement, Transport
from orchestrator.core.errors import CredentialError
from orchestrator.core.inventory import Organization, Server
from orchestrator.doctor import Check, Finding, Needed, State, examine
from orchestrator.lab import PASSWORD, DropBefore, Lab, Options, Scenario, load_scenario
from orchestrator.loader import load_inventory

LISTS = ("TLSReceiveDomainSecureList", "TLSSendDomainSecureList", "DomainController")
RIGHTS = (Needed("Set-TransportConfig", LISTS), Needed("Set-ReceiveConnector", ("Enabled",)))

Examine = Callable[..., list[Finding]]


@pytest.fixture
def looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Examine the first server of a lab; *changes* are of its organization or its server."""
    monkeypatch.setenv("ORCHESTRATOR_LAB_PASSWORD", PASSWORD)

    def look(lab: Lab, rights: Sequence[Needed] = RIGHTS, **changes: Any) -> list[Finding]:
        path = tmp_path / "inventory.yaml"
        auth = changes.pop("auth", "ntlm")
        path.write_text(lab.inventory_text(auth=auth), encoding="utf-8")
        connect = changes.pop("connect", connect_psrp)
        secret = changes.pop("secret", lambda: PASSWORD)
        organization = load_inventory(path).organizations[0]
        own = {key: changes.pop(key) for key in ("name", "address", "port") if key in changes}
        server = msgspec.structs.replace(organization.servers[0], **own)
        organization = msgspec.structs.replace(organization, **changes)
        return list(examine(organization, server, connect, secret, rights))

    return look


@pytest.fixture(scope="module")
def default() -> Iterator[Lab]:
    with Lab("default", options=Options(https=True)) as lab:
        yield lab


def of(findings: Sequence[Finding], check: Check) -> Finding:
    """Return the only finding of *check*."""
    (finding,) = [finding for finding in findings if finding.check is check]
    return finding


def failure(findings: Sequence[Finding]) -> Finding:
    """Return the only failed finding, after which only skipped ones may come."""
    at = next(n for n, finding in enumerate(findings) if finding.state is State.FAILED)
    assert {finding.state for finding in findings[:at]} <= {State.OK}
    assert {finding.state for finding in findings[at + 1 :]} <= {State.SKIPPED}
    assert all(f"'{findings[at].check}' failed" in each.seen for each in findings[at + 1 :])
    return findings[at]


def test_a_healthy_server_passes_every_check_in_order(default: Lab, looked: Examine) -> None:
    findings = looked(default)
    assert {finding.state for finding in findings} == {State.OK}
    assert not any(finding.advice for finding in findings)
    assert list(dict.fromkeys(finding.check for finding in findings)) == [
        Check.NAME,
        Check.TCP,
        Check.HTTP,
        Check.CREDENTIAL,
        Check.AUTHENTICATION,
        Check.SHELL,
        Check.SESSION,
        Check.CONTROLLER,
        Check.RIGHTS,
        Check.READS,
    ]
    assert "Negotiate, NTLM, Basic (Microsoft-IIS/10.0)" in of(findings, Check.HTTP).seen
    assert "Exchange Version 15.2" in of(findings, Check.SESSION).seen
    assert "dc01.contoso.example answers (pinned" in of(findings, Check.CONTROLLER).seen


def test_an_examination_changes_nothing_and_leaves_nothing(default: Lab, looked: Examine) -> None:
    before, seen = default.snapshot(), len(default.commands)
    looked(default)
    names = {entry.cmdlet for entry in default.commands[seen:]}
    assert all(name.startswith(("Get-", "Select-")) for name in names)
    assert default.snapshot() == before
    assert default.open_shells == 0


def test_no_finding_holds_the_password(default: Lab, looked: Examine) -> None:
    for user in (r"CONTOSO\ops", r"CONTOSO\nobody"):
        assert PASSWORD not in str(looked(default, user=user))


def test_a_name_that_does_not_resolve_is_the_first_to_fail(default: Lab, looked: Examine) -> None:
    failed = failure(looked(default, address="ex01.contoso.invalid"))
    assert failed.check is Check.NAME
    assert "ex01.contoso.invalid (where ex01.contoso.example is to be reached)" in failed.seen
    assert "address: IP" in failed.advice


@pytest.mark.parametrize("address", ["ex..contoso.example", "x" * 64 + ".example"])
def test_what_can_be_no_host_name_is_no_crash(default: Lab, looked: Examine, address: str) -> None:
    assert failure(looked(default, address=address)).check is Check.NAME


def test_a_closed_port_is_told_from_a_wrong_one(default: Lab, looked: Examine) -> None:
    failed = failure(looked(default, port=1))
    assert failed.check is Check.TCP
    assert "port 1 is closed" in failed.seen
    assert "not on WinRM's 5985" in failed.advice


def test_a_wrong_path_is_found_before_anybody_authenticates(default: Lab, looked: Examine) -> None:
    failed = failure(looked(default, path="owa", secret=_never))
    assert failed.check is Check.HTTP
    assert "/owa answers 404: there is nothing at this path" in failed.seen
    assert "the path 'PowerShell'" in failed.advice


def _never() -> str:
    raise AssertionError("the secret was asked for")


def test_plain_winrm_is_called_by_its_name(default: Lab, looked: Examine) -> None:
    findings = looked(default, path="wsman")
    failed = failure(findings)
    assert failed.check is Check.SHELL
    assert "plain WinRM answers" in failed.seen
    assert "without the shell Microsoft.Exchange" in failed.seen
    assert "2150858811" in failed.seen
    assert of(findings, Check.AUTHENTICATION).state is State.OK


def test_a_secret_that_cannot_be_had_ends_it_before_the_account_is_used(
    default: Lab, looked: Examine
) -> None:
    def lost() -> str:
        raise CredentialError("the keyring is locked", "Unlock it.")

    before = default.requests.total
    assert failure(looked(default, secret=lost)) == Finding(
        Check.CREDENTIAL, State.FAILED, "the keyring is locked", "Unlock it."
    )
    assert default.requests.total == before + 1


def test_a_ticket_is_not_taken_for_a_missing_password(default: Lab, looked: Examine) -> None:
    seen = of(looked(default, secret=lambda: None), Check.CREDENTIAL)
    assert (seen.state, seen.seen) == (State.OK, r"the ticket of CONTOSO\ops is used")


def test_a_wrong_password_is_tried_once(
    default: Lab, looked: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_LAB_PASSWORD", "not it")
    before = default.requests.total
    failed = failure(looked(default, auth="basic"))
    assert failed.check is Check.AUTHENTICATION
    assert "Check the account, its password" in failed.advice
    tried = [entry.action for entry in default.requests.log[before:]]
    assert tried.count("Authenticate") == 2  # one without any credential, one with the wrong one


def test_a_way_to_authenticate_that_is_not_offered_is_named(looked: Examine) -> None:
    with Lab("default", options=Options(auth=("basic",))) as lab:
        failed = failure(looked(lab))
    assert failed.check is Check.AUTHENTICATION
    assert "The server offers basic; the inventory says 'auth: ntlm'." in failed.advice


def test_a_connection_that_would_leak_the_password_is_not_made(
    default: Lab, looked: Examine
) -> None:
    failed = of(looked(default, auth="basic", allow_cleartext=False), Check.SESSION)
    assert failed.state is State.FAILED
    assert "sends the password in clear" in failed.seen
    assert "ssl: true" in failed.advice


def test_a_full_house_is_no_failed_authentication(looked: Examine, tmp_path: Path) -> None:
    with Lab("default", options=Options(quota=1)) as lab:
        path = tmp_path / "first.yaml"
        path.write_text(lab.inventory_text(), encoding="utf-8")
        organization = load_inventory(path).organizations[0]
        first = connect_psrp(organization, organization.servers[0])
        findings = looked(lab)
        first.close()
    failed = of(findings, Check.SESSION)
    assert failed.state is State.FAILED
    assert "wait" in failed.seen
    assert "close sessions" in failed.advice
    assert of(findings, Check.AUTHENTICATION).state is State.SKIPPED


def test_tls_is_looked_at_where_it_is_meant_to_be(default: Lab, looked: Examine) -> None:
    port, authority = default.servers[0].https_port, str(default.ca_file)
    findings = looked(
        default, ssl=True, port=port, ca_file=authority, name="localhost", address="localhost"
    )
    assert {finding.state for finding in findings} == {State.OK}
    assert "TLSv1.3, certificate for" in of(findings, Check.TLS).seen
    assert "issued by Lab CA" in of(findings, Check.TLS).seen
    assert "not known from here" in of(findings, Check.SESSION).seen


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "issuer certificate"),
        ({"ca_file": "the lab's", "name": "mail.contoso.example"}, "Hostname mismatch"),
        ({"ca_file": "/nowhere.pem"}, "no certificates can be read from /nowhere.pem"),
    ],
)
def test_a_certificate_that_convinces_nobody_ends_it(
    default: Lab, looked: Examine, changes: dict[str, str], said: str
) -> None:
    if changes.get("ca_file") == "the lab's":
        changes = changes | {"ca_file": str(default.ca_file)}
    failed = failure(looked(default, ssl=True, port=default.servers[0].https_port, **changes))
    assert failed.check is Check.TLS
    assert said in failed.seen
    assert "ca_file" in failed.advice


def test_tls_and_no_tls_are_not_confused(default: Lab, looked: Examine) -> None:
    spoken = failure(looked(default, port=default.servers[0].https_port))
    assert spoken.check is Check.HTTP
    assert "set 'ssl: true'" in spoken.advice
    unspoken = failure(looked(default, ssl=True))
    assert unspoken.check is Check.TLS
    assert "no TLS is spoken" in unspoken.seen


def test_without_a_pinned_controller_the_one_that_answers_is_named(
    default: Lab, looked: Examine
) -> None:
    seen = of(looked(default, domain_controller=""), Check.CONTROLLER)
    assert (seen.state, seen.seen[:29]) == (State.OK, "dc01.contoso.example answers ")
    assert "pinned in the inventory" not in seen.seen


def test_a_pinned_controller_that_is_gone_is_replaced_by_advice(
    default: Lab, looked: Examine
) -> None:
    findings = looked(default, domain_controller="dc07.contoso.example")
    seen = of(findings, Check.CONTROLLER)
    assert seen.state is State.FAILED
    assert "dc07.contoso.example does not answer" in seen.seen
    assert "'domain_controller: dc01.contoso.example'" in seen.advice
    assert of(findings, Check.READS).state is State.SKIPPED
    assert {each.state for each in findings if each.check is Check.RIGHTS} == {State.OK}


def test_every_read_is_asked_of_the_pinned_controller(default: Lab, looked: Examine) -> None:
    seen = len(default.commands)
    looked(default, domain_controller="dc02.contoso.example")
    asked = [each for each in default.commands[seen:] if each.cmdlet == "Get-SendConnector"]
    assert [each.parameters.get("DomainController") for each in asked] == ["dc02.contoso.example"]


def rights(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {each.seen: each for each in findings if each.check is Check.RIGHTS}


def test_a_cmdlet_without_the_parameter_is_not_enough(looked: Examine) -> None:
    with Lab("journaling-trap") as lab:
        found = rights(looked(lab))
    missing = "-TLSReceiveDomainSecureList, -TLSSendDomainSecureList"
    lacking = found[f"this account has Set-TransportConfig, but without {missing}"]
    assert lacking.state is State.FAILED
    assert (
        "New-ManagementRoleAssignment -Role 'Organization Transport Settings' "
        r"-User 'CONTOSO\ops'" in lacking.advice
    )
    assert found["this account has Set-ReceiveConnector with -Enabled"].state is State.OK


def test_a_cmdlet_that_is_not_granted_names_its_role(looked: Examine) -> None:
    with Lab("read-only-admin") as lab:
        findings = looked(lab, (*RIGHTS, Needed("Start-EdgeSynchronization")))
    found = rights(findings)
    assert {finding.state for finding in found.values()} == {State.FAILED}
    lacking = found["this account has no Set-ReceiveConnector"]
    assert "'Receive Connectors'" in lacking.advice
    unknown = found["this account has no Start-EdgeSynchronization"]
    assert "Get-ManagementRole -Cmdlet 'Start-EdgeSynchronization'" in unknown.advice
    assert {each.state for each in findings if each.check is Check.READS} == {State.OK}


def test_needs_are_united_and_compared_without_regard_to_case(
    default: Lab, looked: Examine
) -> None:
    needs = (
        Needed("set-transportconfig", ("tlsreceivedomainsecurelist",)),
        Needed("Set-TransportConfig", ("TLSReceiveDomainSecureList", "whatif")),
    )
    seen = of(looked(default, needs), Check.RIGHTS)
    assert seen.state is State.OK
    assert seen.seen.endswith("set-transportconfig with -tlsreceivedomainsecurelist, -whatif")


def test_where_nothing_is_needed_no_rights_are_reported(default: Lab, looked: Examine) -> None:
    assert not rights(looked(default, ()))
    assert not rights(looked(default, (), port=1))


class Odd:
    """A session whose server behaves as *asked* and *answered* make of what goes in and out."""

    def __init__(
        self,
        session: Transport,
        asked: Callable[[Command], Command],
        answered: Callable[[object], object],
    ) -> None:
        self._session = session
        self._asked = asked
        self._answered = answered

    def invoke(self, *statements: Statement) -> Result:
        """See core.command.Transport."""
        asked = (tuple(map(self._asked, statement)) for statement in statements)
        result = self._session.invoke(*asked)
        return replace(result, output=tuple(map(self._answered, result.output)))

    def close(self) -> None:
        """See core.command.Transport."""
        self._session.close()


def odd(
    asked: Callable[[Command], Command] = lambda call: call,
    answered: Callable[[object], object] = lambda record: record,
) -> Callable[[Organization, Server], Transport]:
    return lambda organization, server: Odd(connect_psrp(organization, server), asked, answered)


def test_a_server_that_lists_no_parameters_leaves_the_right_unknown(
    default: Lab, looked: Examine
) -> None:
    def without(record: object) -> object:
        assert isinstance(record, Record)
        kept = {name: value for name, value in record.properties.items() if name != "Parameters"}
        return replace(record, properties=kept)

    found = rights(looked(default, connect=odd(answered=without)))
    assert len(found) == 2
    assert {finding.state for finding in found.values()} == {State.UNKNOWN}


def test_a_server_without_get_command_leaves_every_right_unknown(
    default: Lab, looked: Examine
) -> None:
    def renamed(call: Command) -> Command:
        return Command("Get-Nothing") if call.name == "Get-Command" else call

    found = rights(looked(default, connect=odd(renamed)))
    assert len(found) == 2
    assert {finding.state for finding in found.values()} == {State.UNKNOWN}


def test_a_server_without_select_object_is_asked_plainly(default: Lab, looked: Examine) -> None:
    def renamed(call: Command) -> Command:
        return Command("Select-Nothing") if call.name == "Select-Object" else call

    assert {each.state for each in looked(default, connect=odd(renamed))} == {State.OK}


def test_another_controller_than_the_pinned_one_is_not_accepted(
    default: Lab, looked: Examine
) -> None:
    def heedless(call: Command) -> Command:
        kept = tuple(each for each in call.parameters if each[0] != "DomainController")
        return Command(call.name, kept)

    changes = {"domain_controller": "dc02.contoso.example", "connect": odd(heedless)}
    findings = looked(default, **changes)
    seen = of(findings, Check.CONTROLLER)
    assert seen.state is State.FAILED
    assert seen.seen == "dc01.contoso.example answered, although dc02.contoso.example was asked"
    assert of(findings, Check.READS).state is State.SKIPPED


def changed(**changes: Any) -> Scenario:
    return msgspec.structs.replace(load_scenario("default"), **changes)


def missing(kind: str, *properties: str) -> Scenario:
    shapes = load_scenario("default").shapes
    return changed(shapes=msgspec.structs.replace(shapes, missing={kind: properties}))


def test_a_controller_that_is_not_named_is_unknown_and_stops_nothing(looked: Examine) -> None:
    with Lab(missing("TransportConfig", "OriginatingServer")) as lab:
        findings = looked(lab)
    assert of(findings, Check.CONTROLLER).state is State.UNKNOWN
    assert {each.state for each in findings if each.check is Check.READS} == {State.OK}


def test_objects_nobody_can_tell_apart_are_an_unknown_read(looked: Examine) -> None:
    with Lab(missing("SendConnector", "Guid", "DistinguishedName")) as lab:
        findings = looked(lab)
    unknown = [each for each in findings if each.state is State.UNKNOWN]
    assert [each.check for each in unknown] == [Check.READS]
    assert unknown[0].seen.startswith("Get-SendConnector answers, and not legibly")


def test_an_organization_without_receive_connectors_is_not_believed(looked: Examine) -> None:
    servers = load_scenario("default").servers
    bare = tuple(msgspec.structs.replace(server, connectors=False) for server in servers)
    with Lab(changed(servers=bare, send_connectors=())) as lab:
        findings = looked(lab)
    reads = {each.seen: each.state for each in findings if each.check is Check.READS}
    assert reads["Get-SendConnector shows 0 objects"] is State.OK
    assert State.UNKNOWN in reads.values()
    assert "every organization has some" in str(reads)


def test_an_account_that_may_read_nothing_is_told_which_role_reads(looked: Examine) -> None:
    users = (msgspec.structs.replace(load_scenario("default").users[0], roles=()),)
    with Lab(changed(users=users)) as lab:
        findings = looked(lab, domain_controller="")
    seen = of(findings, Check.CONTROLLER)
    assert (seen.state, seen.seen) == (State.FAILED, "this account has no Get-TransportConfig")
    assert "'View-Only Configuration'" in seen.advice
    reads = [each for each in findings if each.check is Check.READS]
    assert [each.state for each in reads] == [State.FAILED] * 4


def test_a_connection_that_breaks_ends_the_examination_and_leaves_no_shell(
    looked: Examine,
) -> None:
    with Lab("default") as lab:
        lab.faults.append(DropBefore("Command", cmdlet="Get-Command"))
        findings = looked(lab)
        assert lab.open_shells == 0
    failed = failure(findings)
    assert failed.check is Check.RIGHTS
    assert "the connection broke" in failed.seen
    assert not failed.seen.startswith("ex01")


def test_who_stops_listening_leaves_no_session(default: Lab, looked: Examine) -> None:
    opened: list[int] = []

    def connect(organization: Organization, server: Server) -> Transport:
        findings = examine(organization, server, connect_psrp, lambda: PASSWORD)
        for finding in findings:
            if finding.check is Check.SESSION:
                break
        opened.append(default.open_shells)
        findings.close()
        opened.append(default.open_shells)
        return connect_psrp(organization, server)

    looked(default, connect=connect)
    assert opened == [1, 0]
