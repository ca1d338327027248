"""Domain controllers: pinning, replication, and who answers."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.lab import Lab, load_scenario
from tests.lab.conftest import Start
from tests.lab.outsider import Client

RECEIVE = "TLSReceiveDomainSecureList"
SETTINGS = "TransportConfig:Transport Settings"
REMOVAL = {RECEIVE: {"Remove": "fabrikam.com"}, "Confirm": False}


@pytest.fixture
def lagging(start: Start) -> Lab:
    """Two sites whose controllers lag."""
    return start("lagging-controllers")


def has(lab: Lab, controller: str) -> bool:
    """Tell whether a controller still lists fabrikam.com."""
    listed = lab.snapshot(f"{controller}.contoso.example")[SETTINGS][RECEIVE]
    return "fabrikam.com" in listed  # type: ignore[operator]


def test_a_write_reaches_one_controller_until_it_is_replicated(lagging: Lab) -> None:
    with Client(lagging) as client:
        client.run("Set-TransportConfig", **REMOVAL)
    assert [has(lagging, name) for name in ("dc01", "dc02", "dc03")] == [False, True, True]
    lagging.replicate()
    assert [has(lagging, name) for name in ("dc01", "dc02", "dc03")] == [False, False, False]


def test_a_pinned_controller_answers_and_says_so(lagging: Lab) -> None:
    pinned = {"DomainController": "dc03.contoso.example"}
    with Client(lagging) as client:
        client.run("Set-TransportConfig", **REMOVAL, **pinned)
        (there,) = client.run("Get-TransportConfig", **pinned).records
        (here,) = client.run("Get-TransportConfig").records
    assert there["OriginatingServer"] == "dc03.contoso.example"
    assert "fabrikam.com" not in there[RECEIVE].property_sets[0]
    assert here["OriginatingServer"] == "dc01.contoso.example"
    assert "fabrikam.com" in here[RECEIVE].property_sets[0]


def test_each_server_reads_from_the_controller_of_its_site(lagging: Lab) -> None:
    with Client(lagging, server=1) as client:
        (record,) = client.run("Get-TransportConfig").records
    assert record["OriginatingServer"] == "dc03.contoso.example"


def test_a_controller_may_be_called_by_its_host_name(lagging: Lab) -> None:
    with Client(lagging) as client:
        (record,) = client.run("Get-TransportConfig", DomainController="DC02").records
    assert record["OriginatingServer"] == "dc02.contoso.example"


def test_an_unknown_controller_is_an_error(lagging: Lab) -> None:
    with Client(lagging) as client:
        answer = client.run("Get-TransportConfig", DomainController="dc09.contoso.example")
    assert answer.failed
    assert "[FailureCategory=Cmdlet-ADTransientException]" in answer.error
    assert answer.errors[0].category == 1002


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now


def test_replication_within_a_site_takes_its_time() -> None:
    clock = Clock()
    lab = Lab(load_scenario("lagging-controllers"), clock=clock)
    lab.edit("TransportConfig", controller="dc01.contoso.example", TLSReceiveDomainSecureList=[])
    clock.now += timedelta(seconds=14)
    assert has(lab, "dc02")
    clock.now += timedelta(seconds=1)
    assert not has(lab, "dc02")
    assert has(lab, "dc03")


def test_the_latest_write_of_an_attribute_wins() -> None:
    clock = Clock()
    lab = Lab(load_scenario("lagging-controllers"), clock=clock)
    for controller, domain in (("dc01", "first.example"), ("dc03", "second.example")):
        lab.edit(
            "TransportConfig",
            controller=f"{controller}.contoso.example",
            TLSReceiveDomainSecureList=[domain],
        )
    lab.replicate()
    states = [lab.snapshot(f"{one}.contoso.example")[SETTINGS] for one in ("dc01", "dc02", "dc03")]
    assert [state[RECEIVE] for state in states] == [["second.example"]] * 3
