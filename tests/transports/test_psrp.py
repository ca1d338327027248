"""The contract of a transport, on the real protocol: what is asked comes back, nothing is left."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.command import Delta, ErrorRecord, Record, Result, command
from orchestrator.core.errors import ConnectionLost, NotExchange, NotLetIn, Throttled, Unreachable
from orchestrator.lab import Delay, DropAfter, DropBefore, Lab, Options
from orchestrator.lab.faults import Effect, Reply, Seen
from orchestrator.transports.psrp import FINISHED, IDLE, PsrpSession, open_session
from orchestrator.transports.target import Authentication, Deadlines, Target

LIST = "TLSReceiveDomainSecureList"
GET = command("Get-TransportConfig")
REMOVE = command("Set-TransportConfig", **{LIST: Delta(remove=("fabrikam.com",))}, Confirm=False)
WAYS: list[Authentication] = ["ntlm", "basic", "negotiate"]


class Clock:
    """Seconds that pass when somebody says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


class Once:
    """Does *deed* before the first request of *action*, and answers it with *effect*."""

    def __init__(
        self, action: str, deed: Callable[[], None] = lambda: None, effect: Effect | None = None
    ) -> None:
        self._action = action
        self._deed = deed
        self._effect = effect
        self._done = False

    def before(self, seen: Seen) -> Effect | None:
        """Do it."""
        if self._done or seen.action != self._action:
            return None
        self._done = True
        self._deed()
        return self._effect

    def after(self, _seen: Seen) -> Effect | None:
        """Do nothing."""
        return None


@pytest.fixture
def lab() -> Iterator[Lab]:
    """An organization, and the proof that nobody left anything behind in it."""
    with Lab("default") as running:
        yield running
        assert running.open_shells == 0
        assert running.open_pipelines == 0


def target(lab: Lab, auth: Authentication = "ntlm", **changes: Any) -> Target:
    """The first server of the lab."""
    user = lab.scenario.users[0]
    here = Target(
        name=lab.servers[0].server,
        address="127.0.0.1",
        port=lab.servers[0].port,
        auth=auth,
        allow_cleartext=auth == "basic",
        user=f"{user.name}@{lab.scenario.domain}",
        secret=lambda: user.password,
    )
    return replace(here, **changes)


@pytest.fixture(params=WAYS)
def session(lab: Lab, request: pytest.FixtureRequest) -> Iterator[PsrpSession]:
    """An open session, by each way of authentication."""
    opened = open_session(target(lab, request.param))
    yield opened
    opened.close()


def listed(result: Result) -> list[str | None]:
    """The domains on the receive list of the only object of *result*."""
    (config,) = result.output
    assert isinstance(config, Record)
    domains = config.properties[LIST]
    assert isinstance(domains, tuple)
    return [domain.text for domain in domains]


def only(errors: tuple[ErrorRecord, ...]) -> ErrorRecord:
    """The only error."""
    (error,) = errors
    return error


def test_objects_come_back_as_records(session: PsrpSession) -> None:
    result = session.invoke((GET,))
    assert "fabrikam.com" in listed(result)
    assert (result.errors, result.warnings, result.host) == ((), (), ())


def test_commands_may_be_piped(session: PsrpSession) -> None:
    names = command("Select-Object", Property=("Name", "Enabled"))
    result = session.invoke((command("Get-ReceiveConnector"), names))
    assert len(result.output) > 1
    for record in result.output:
        assert isinstance(record, Record)
        assert list(record.properties) == ["Name", "Enabled"]


def test_several_statements_answer_one_after_the_other(session: PsrpSession) -> None:
    result = session.invoke((GET,), (command("Get-SendConnector"),))
    kinds = [each.types[0].rpartition(".")[2] for each in result.output if isinstance(each, Record)]
    assert kinds == ["TransportConfigContainer", "SmtpSendConnectorConfig"]


def test_a_write_changes_what_it_says_and_nothing_else(session: PsrpSession) -> None:
    before = listed(session.invoke((GET,)))
    result = session.invoke((REMOVE,))
    assert result == Result()
    assert listed(session.invoke((GET,))) == [one for one in before if one != "fabrikam.com"]


def test_a_write_without_effect_is_told_by_a_warning(session: PsrpSession) -> None:
    session.invoke((REMOVE,))
    (warning,) = session.invoke((REMOVE,)).warnings
    assert "no settings" in warning


def test_what_if_speaks_through_the_host(lab: Lab, session: PsrpSession) -> None:
    before = lab.snapshot()
    whatif = command(REMOVE.name, **dict(REMOVE.parameters), WhatIf=True)
    (line,) = session.invoke((whatif,)).host
    assert line.startswith("What if: ")
    assert lab.snapshot() == before
    assert session.invoke((GET,)).host == ()


def test_a_question_ends_the_pipeline_instead_of_holding_it(lab: Lab, session: PsrpSession) -> None:
    before = lab.snapshot()
    result = session.invoke((command(REMOVE.name, **{LIST: Delta(remove=("fabrikam.com",))}),))
    error = only(result.errors)
    assert error.terminating
    assert error.error_id == "PromptRefused"
    assert "Are you sure" in error.message
    assert lab.snapshot() == before
    assert lab.open_pipelines == 0
    assert "fabrikam.com" in listed(session.invoke((GET,)))


def test_an_unknown_cmdlet_is_an_error_of_the_result(session: PsrpSession) -> None:
    error = only(session.invoke((command("Get-Nonsense"),)).errors)
    assert error.terminating
    assert error.error_id == "CommandNotFoundException"
    assert error.exception == "System.Management.Automation.CommandNotFoundException"
    assert error.category == "ObjectNotFound"
    assert error.target == "Get-Nonsense"


def test_an_unknown_parameter_is_an_error_of_the_result(session: PsrpSession) -> None:
    error = only(session.invoke((command(GET.name, Nonsense=True),)).errors)
    assert error.failure == "NamedParameterNotFound"
    assert error.category == "InvalidArgument"


def test_an_error_in_one_statement_is_told_with_the_output_of_the_others(
    session: PsrpSession,
) -> None:
    result = session.invoke((GET,), (command("Get-ReceiveConnector", Identity="No\\Such"),))
    assert "fabrikam.com" in listed(result)
    assert result.errors
    assert not any(error.terminating for error in result.errors)


def test_a_session_goes_on_after_an_error(session: PsrpSession) -> None:
    session.invoke((command("Get-Nonsense"),))
    assert "fabrikam.com" in listed(session.invoke((GET,)))


def test_a_pipeline_costs_two_requests_and_a_session_four(lab: Lab) -> None:
    session = open_session(target(lab, "basic"))
    for _ in range(FINISHED):
        session.invoke((GET,))
    session.close()
    assert lab.requests.by_action == {
        "Create": 1,
        "Receive": 2 + FINISHED,
        "Command": FINISHED,
        "Delete": 1,
    }


def test_ntlm_with_encryption_costs_two_requests_more(lab: Lab) -> None:
    open_session(target(lab, "ntlm")).close()
    assert lab.requests.by_action["Authenticate"] == 2


def test_a_long_session_does_not_pile_up_pipelines_on_the_server(lab: Lab) -> None:
    session = open_session(target(lab, "basic"))
    for _ in range(FINISHED + 5):
        session.invoke((GET,))
        assert lab.open_pipelines <= FINISHED
    session.close()


def test_closing_twice_is_closing_once_and_a_closed_session_sends_nothing(lab: Lab) -> None:
    session = open_session(target(lab))
    session.close()
    sent = lab.requests.total
    session.close()
    with pytest.raises(Unreachable, match="ended"):
        session.invoke((GET,))
    assert lab.requests.total == sent


@pytest.mark.parametrize("auth", WAYS)
def test_a_wrong_password_is_not_let_in_and_not_told(lab: Lab, auth: Authentication) -> None:
    with pytest.raises(NotLetIn) as caught:
        open_session(target(lab, auth, secret=lambda: "Wr0ng-and-secret"))
    assert "Wr0ng" not in str(caught.value)
    assert lab.servers[0].server in str(caught.value)


@pytest.mark.parametrize("auth", WAYS)
def test_a_wrong_path_is_told_by_name(lab: Lab, auth: Authentication) -> None:
    with pytest.raises(NotExchange) as caught:
        open_session(target(lab, auth, path="owa"))
    assert "/PowerShell" in caught.value.advice


def test_another_configuration_is_not_exchange(lab: Lab) -> None:
    with pytest.raises(NotExchange):
        open_session(target(lab, configuration="Microsoft.PowerShell"))


def test_too_many_sessions_are_throttled(lab: Lab) -> None:
    sessions = [open_session(target(lab, "basic")) for _ in range(lab.scenario.session_quota)]
    with pytest.raises(Throttled):
        open_session(target(lab, "basic"))
    for session in sessions:
        session.close()


@pytest.mark.parametrize("auth", WAYS)
@pytest.mark.parametrize(
    ("trouble", "done"), [(DropBefore("Command"), False), (DropAfter("Command"), True)]
)
def test_a_drop_leaves_the_outcome_unknown_and_no_shell(
    lab: Lab,
    auth: Authentication,
    trouble: DropBefore | DropAfter,
    done: bool,  # noqa: FBT001 - a table
) -> None:
    session = open_session(target(lab, auth))
    lab.faults.append(trouble)
    with pytest.raises(ConnectionLost):
        session.invoke((REMOVE,))
    assert lab.open_shells == 0
    assert ("fabrikam.com" not in str(lab.snapshot())) is done
    with pytest.raises(Unreachable):
        session.invoke((GET,))


@pytest.mark.parametrize("auth", WAYS)
@pytest.mark.parametrize(
    "trouble", [DropBefore("Create"), DropBefore("Receive"), DropAfter("Receive")]
)
def test_a_drop_while_opening_leaves_no_shell(
    lab: Lab, auth: Authentication, trouble: DropBefore | DropAfter
) -> None:
    lab.faults.append(trouble)
    with pytest.raises(Unreachable):
        open_session(target(lab, auth))
    assert lab.open_shells == 0


@pytest.mark.parametrize("auth", WAYS)
@pytest.mark.parametrize("kind", [DropBefore, DropAfter])
def test_a_drop_while_the_answer_is_awaited_leaves_no_shell(
    lab: Lab, auth: Authentication, kind: type[DropBefore | DropAfter]
) -> None:
    session = open_session(target(lab, auth))
    lab.faults.append(kind("Receive"))
    with pytest.raises(ConnectionLost):
        session.invoke((REMOVE,))
    assert lab.open_shells == 0


@pytest.mark.parametrize("auth", WAYS)
def test_closing_does_not_mind_a_drop(lab: Lab, auth: Authentication) -> None:
    session = open_session(target(lab, auth))
    lab.faults.append(DropAfter("Delete"))
    session.close()


def test_a_server_that_does_not_answer_is_given_up(lab: Lab) -> None:
    hasty = Deadlines(operation=1, read=1.1)
    session = open_session(target(lab, deadlines=hasty))
    lab.faults.append(Delay("Receive", seconds=60))
    with pytest.raises(ConnectionLost, match="did not answer in time"):
        session.invoke((REMOVE,))


def test_a_pipeline_that_does_not_end_is_given_up_at_its_deadline(lab: Lab) -> None:
    clock = Clock()
    session = open_session(target(lab), clock)
    lab.faults.append(Once("Command", lambda: setattr(clock, "now", clock.now + 301)))
    with pytest.raises(ConnectionLost, match="deadline"):
        session.invoke((REMOVE,))
    assert "fabrikam.com" not in str(lab.snapshot())


def test_opening_has_a_deadline_too(lab: Lab) -> None:
    clock = Clock()
    lab.faults.append(Once("Create", lambda: setattr(clock, "now", clock.now + 301)))
    with pytest.raises(Unreachable, match="deadline"):
        open_session(target(lab), clock)


def test_a_session_that_was_idle_for_long_is_replaced_before_it_is_used(lab: Lab) -> None:
    clock = Clock()
    session = open_session(target(lab), clock)
    session.invoke((GET,))
    clock.now += IDLE + 1
    assert "fabrikam.com" in listed(session.invoke((GET,)))
    assert lab.open_shells == 1
    assert lab.requests.by_action["Create"] == 2
    session.close()


def test_a_refusal_of_the_command_itself_says_that_nothing_happened(lab: Lab) -> None:
    session = open_session(target(lab, "basic"))
    lab.faults.append(Once("Command", effect=Reply(503, b"busy, wait 5 seconds")))
    with pytest.raises(Throttled) as caught:
        session.invoke((REMOVE,))
    assert caught.value.wait == 5
    assert "fabrikam.com" in str(lab.snapshot())


def test_a_cleanup_that_fails_does_not_take_the_result_away(lab: Lab) -> None:
    session = open_session(target(lab))
    for _ in range(FINISHED):
        session.invoke((GET,))
    lab.faults.append(DropBefore("Signal"))
    assert "fabrikam.com" in listed(session.invoke((GET,)))
    with pytest.raises(Unreachable):
        session.invoke((GET,))


def test_an_interrupt_on_the_way_leaves_no_shell(lab: Lab) -> None:
    class Interrupted(Clock):
        """Ctrl-C comes when the deadline of a pipeline that runs is looked at."""

        def __call__(self) -> float:
            if any(entry.action == "Command" for entry in lab.requests.log):
                raise KeyboardInterrupt
            return self.now

    session = open_session(target(lab), Interrupted())
    with pytest.raises(KeyboardInterrupt):
        session.invoke((GET,))


def test_sessions_side_by_side_do_not_touch_one_another(lab: Lab) -> None:
    results: list[int] = []

    def work() -> None:
        session = open_session(target(lab))
        results.extend(len(session.invoke((GET,)).output) for _ in range(5))
        session.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 30


def test_a_session_does_not_show_its_secret(lab: Lab) -> None:
    session = open_session(target(lab))
    shown = "".join(map(repr, (session, *vars(session).values())))
    session.close()
    assert lab.scenario.users[0].password not in shown


def test_names_of_parameters_and_cmdlets_are_data_too(lab: Lab) -> None:
    session = open_session(target(lab))
    for name in ("Get-TransportConfig; Remove-Item x", "& { exit }", "$(1)"):
        assert only(session.invoke((command(name),)).errors).category == "ObjectNotFound"
    session.close()
    assert [entry.cmdlet for entry in lab.commands] == []


def test_a_session_over_https_trusts_the_named_authority_only() -> None:
    with Lab("default", options=Options(https=True)) as lab:
        secure = replace(
            target(lab),
            name="localhost",
            ssl=True,
            port=lab.servers[0].https_port,
            ca_file=str(lab.ca_file),
        )
        for auth in WAYS:
            session = open_session(replace(secure, auth=auth))
            assert "fabrikam.com" in listed(session.invoke((GET,)))
            session.close()
        for wrong in (replace(secure, ca_file=None), replace(secure, name="ex9.contoso.com")):
            with pytest.raises(Unreachable, match="TLS"):
                open_session(wrong)
        assert lab.open_shells == 0


def test_any_number_of_results_comes_back_in_order(lab: Lab) -> None:
    session = open_session(target(lab))
    statements = tuple(itertools.repeat((GET,), 25))
    assert len(session.invoke(*statements).output) == 25
    session.close()
