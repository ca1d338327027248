"""A server that says yes and shows the effect a little later: it is looked at again, both ways."""

from collections.abc import Callable

from orchestrator.core.events import Outcome
from orchestrator.lab import Lab, fault
from tests.app.conftest import REMOVE, Desk

Open = Callable[..., Desk]

LIST = "TLSReceiveDomainSecureList"
WITH = ["adatum.com", "Fabrikam.com", "litware.com"]
WITHOUT = ["adatum.com", "litware.com"]


def show(lab: Lab, first: list[str], then: list[str]) -> None:
    """Let the first look after the next Set still see the list as *first*, the next as *then*."""
    set_first = "Set-TransportConfig"
    lab.faults.append(
        fault(
            "edit",
            action="Receive",
            cmdlet=set_first,
            moment="after",
            identity="TransportConfig",
            properties={LIST: first},
        )
    )
    look = {"action": "Receive", "cmdlet": "Get-TransportConfig", "moment": "after"}
    lab.faults.append(
        fault("edit", **look, nth=3, identity="TransportConfig", properties={LIST: then})
    )


def test_a_change_and_its_undo_that_show_a_little_later_are_waited_for(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    planned = desk.plan(REMOVE, domain="fabrikam.com")
    show(dedicated, WITH, WITHOUT)
    done = desk.carry_out(planned)
    assert done.run is not None
    assert done.run.outcome is Outcome.SUCCEEDED
    show(dedicated, WITHOUT, WITH)
    undone = desk.roll_back(done.run.id)
    assert undone.run is not None
    assert undone.run.outcome is Outcome.ROLLED_BACK
    assert len(desk.writes()) == 2
