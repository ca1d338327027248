"""Faults on purpose: dropped before, dropped after, late."""

import pytest
from requests.exceptions import ConnectionError as Broken

from orchestrator.lab import Delay, DropAfter, DropBefore, Lab
from orchestrator.lab.faults import Effect, Reply, Seen, Trouble
from tests.lab.outsider import Client

RECEIVE = "TLSReceiveDomainSecureList"
REMOVAL = {RECEIVE: {"Remove": "fabrikam.com"}, "Confirm": False}


@pytest.mark.parametrize(
    ("trouble", "effective"),
    [
        (DropBefore("Command", cmdlet="Set-TransportConfig"), False),
        (DropAfter("Command", cmdlet="Set-TransportConfig"), True),
        (DropBefore("Command", 2), False),
        (DropAfter("Command", 2), True),
        (DropBefore("Receive", 4), True),
        (DropAfter("Receive", 4), True),
    ],
)
def test_a_dropped_write_did_or_did_not_take_effect(
    lab: Lab, trouble: Trouble, *, effective: bool
) -> None:
    client = Client(lab)
    client.pool.open()
    lab.faults.append(trouble)
    client.run("Get-TransportConfig")
    with pytest.raises(Broken):
        client.run("Set-TransportConfig", **REMOVAL)
    client.connection.close()
    listed = lab.snapshot()["TransportConfig:Transport Settings"][RECEIVE]
    assert ("fabrikam.com" not in listed) is effective  # type: ignore[operator]
    assert [entry.effective for entry in lab.audit()] == [True] * effective


def test_after_a_drop_the_server_goes_on(lab: Lab) -> None:
    lab.faults.append(DropBefore("Create", 1))
    with pytest.raises(Broken), Client(lab):
        pass
    with Client(lab) as client:
        assert client.run("Get-TransportConfig").output


def test_a_delay_only_delays(lab: Lab) -> None:
    lab.faults.append(Delay("Command", seconds=0.01))
    with Client(lab) as client:
        assert client.run("Get-TransportConfig").output


class Closed:
    """A trouble of the test's own: the server is too busy to open a session."""

    def before(self, seen: Seen) -> Effect | None:
        """Answer Create with a page of the web server."""
        return Reply(503, b"Service Unavailable") if seen.action == "Create" else None

    def after(self, seen: Seen) -> Effect | None:
        """Do nothing."""
        del seen
        return None


def test_a_trouble_may_answer_for_the_server(lab: Lab) -> None:
    lab.faults.append(Closed())
    with pytest.raises(Exception, match="503"), Client(lab):
        pass
    assert lab.open_shells == 0
    lab.faults.clear()
    with Client(lab):
        assert lab.open_shells == 1
