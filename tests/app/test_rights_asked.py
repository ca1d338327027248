"""How often a session is asked what it may do: once, because the answer stands while it is open."""

from collections.abc import Callable

from conftest import RETIRE, Desk  # type: ignore[import-not-found]

from orchestrator.core.facts import Query
from orchestrator.exchange.objects import CMDLET, TRANSPORT_CONFIG
from orchestrator.lab import DropAfter, Lab

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


def test_a_session_that_was_replaced_while_it_was_asked_is_asked_for_its_rights_too(
    dedicated: Lab, open_desk: Open
) -> None:
    workplace = open_desk(dedicated).workplace
    session = workplace.session(workplace.inventory.organizations[0])
    first = session.ask((LISTS, RIGHTS))
    dedicated.faults.append(DropAfter("Command", cmdlet="Get-TransportConfig"))
    again = session.ask((LISTS, RIGHTS))
    assert again.known[CMDLET] == first.known[CMDLET]
    assert asked(dedicated) == 2
    session.close()
