"""What is read, and how often: what stands or no longer matters is not asked for again."""

from collections.abc import Callable

from orchestrator.core.facts import Query, Unknown
from orchestrator.exchange.objects import CMDLET, TRANSPORT_CONFIG
from orchestrator.lab import DropAfter, Lab
from tests.app.conftest import RETIRE, Desk

Open = Callable[..., Desk]
RIGHTS = Query(CMDLET, ("Name", "Parameters"), ("Set-TransportConfig",))
LISTS = Query(TRANSPORT_CONFIG, ("TLSReceiveDomainSecureList",))


def asked(lab: Lab) -> int:
    """How often the server was asked for its cmdlets."""
    return sum(call.cmdlet == "Get-Command" for call in lab.commands)


def test_a_plan_and_its_run_ask_once_each_what_the_session_may_do(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    planned = desk.plan(RETIRE, domain="fabrikam.com", connector="EX01\\From Fabrikam")
    assert asked(dedicated) == 1
    done = desk.carry_out(planned)
    assert done.error is None
    assert asked(dedicated) == 2


def test_the_answer_stands_for_as_long_as_the_session_is_open(
    dedicated: Lab, open_desk: Open
) -> None:
    workplace = open_desk(dedicated).workplace
    session = workplace.session(workplace.inventory.organizations[0])
    first = session.ask((LISTS, RIGHTS))
    again = session.ask((LISTS, RIGHTS))
    assert first.known[CMDLET] == again.known[CMDLET] != ()
    assert asked(dedicated) == 1
    session.close()
    assert session.ask((LISTS, RIGHTS)).known[CMDLET] == first.known[CMDLET]
    assert asked(dedicated) == 2
    session.close()


def test_a_server_that_shows_no_cmdlet_and_says_nothing_of_it_has_not_answered(
    dedicated: Lab, open_desk: Open
) -> None:
    workplace = open_desk(dedicated).workplace
    session = workplace.session(workplace.inventory.organizations[0])
    # A pattern that nothing fits is the one question that Get-Command answers with silence.
    silence = Query(CMDLET, ("Name", "Parameters"), ("Get-Nothing*",))
    for questions in ((LISTS, silence), (silence,)):
        assert isinstance(session.ask(questions).known[CMDLET], Unknown)
    session.close()


def test_a_session_that_was_replaced_while_it_was_asked_is_asked_for_its_rights_too(
    dedicated: Lab, open_desk: Open
) -> None:
    workplace = open_desk(dedicated).workplace
    session = workplace.session(workplace.inventory.organizations[0])
    first = session.ask((LISTS, RIGHTS))
    dedicated.faults.append(DropAfter("Command", 2, "Get-TransportConfig"))
    again = session.ask((LISTS, RIGHTS))
    assert again.known[CMDLET] == first.known[CMDLET]
    assert asked(dedicated) == 2
    session.close()


def test_the_last_look_is_at_what_was_changed_and_at_nothing_else(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    done = desk.carry_out(desk.plan(RETIRE, domain="fabrikam.com", connector="EX01\\From Fabrikam"))
    assert done.error is None
    read = [call.cmdlet for call in dedicated.commands if call.cmdlet.startswith("Get-")]
    assert set(read[-2:]) == {"Get-TransportConfig", "Get-ReceiveConnector"}
    assert read.count("Get-SendConnector") == read.count("Get-TransportConfig") - 1
