"""From the events to the proof, on organizations with mail: each is told what is wrong with it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.app import incidents
from orchestrator.app.diagnosis import Asked, examine, inputs
from orchestrator.app.execution import Options, carry_out, new_batch
from orchestrator.app.logs import Wanted, read_logs
from orchestrator.app.verification import verify
from orchestrator.core.events import Mandate
from orchestrator.core.proof import Standing
from orchestrator.core.run import Run
from orchestrator.exchange.diagnosis import Diagnosis, Remedy
from orchestrator.exchange.incident import Incident
from orchestrator.lab import Lab, load_scenario
from tests.app.conftest import REMOVE, RETIRE, Desk

Open = Callable[..., Desk]
PARTNER = "fabrikam.com"


@dataclass
class Time:
    """A clock that stands until it is moved."""

    now: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now


@pytest.fixture
def time() -> Time:
    """The time of lab and jump host alike."""
    return Time()


@pytest.fixture
def begin(open_desk: Open, time: Time) -> Iterator[Callable[[str], Desk]]:
    """Return a function that opens a desk on a shipped scenario with mail."""
    labs: list[Lab] = []

    def start(scenario: str) -> Desk:
        lab = Lab(load_scenario(scenario), clock=time)
        labs.append(lab)
        lab.start()
        return open_desk(lab, clock=time)

    yield start
    for lab in labs:
        lab.stop()


def events(desk: Desk) -> Incident:
    """Read the logs once and return the partner's incident."""
    place = desk.workplace
    organization = place.inventory.organizations[0]
    marks = incidents.load(place.store, organization.name).ledger.bookmarks
    seen = read_logs(place, organization, Wanted(bookmarks=marks))
    assert all(one.error is None for one in seen)
    found = incidents.record_logs(place, organization.name, seen)[1].open_of(PARTNER)
    assert found is not None
    return found


def diagnosis(desk: Desk) -> Diagnosis:
    """Say what is wrong, with the protocol logs of the servers."""
    place = desk.workplace
    organization = place.inventory.organizations[0]
    ledger = incidents.load(place.store, organization.name).ledger
    found = examine(place, organization, ledger, Asked(PARTNER, fetch=True))
    assert found.diagnosis is not None, found.error
    return found.diagnosis


def remedied(desk: Desk, playbook: str, given: Mapping[str, str]) -> Run:
    """Carry a playbook out."""
    mandate = Mandate("tester", reason="a test", approved_by="Ann")
    place = desk.workplace
    planned = desk.plan(playbook, **given)
    done = carry_out(place, planned, new_batch(place), Options(mandate), desk.heard)
    assert done.error is None, done.error
    assert done.run is not None
    return done.run


def standing(desk: Desk, run: Run) -> Standing:
    """Look whether it helped."""
    looked = verify(desk.workplace, run.id, desk.heard).run
    assert looked is not None
    assert looked.proof is not None
    return looked.proof.standing


def test_a_default_connector_takes_the_list_and_the_events_stop(
    begin: Callable[[str], Desk], time: Time
) -> None:
    desk = begin("incident")
    incident = events(desk)
    assert len({one.server for one in incident.sightings}) == 3
    found = diagnosis(desk)
    assert (found.verdict, found.refused) == (Remedy.REMOVE_FROM_LIST, (f"news@{PARTNER}",))
    run = remedied(desk, REMOVE, inputs(incident, ("domain", "connector")))
    assert standing(desk, run) is Standing.PENDING
    time.now += timedelta(minutes=6)
    before = events(desk).count
    time.now += timedelta(hours=2)
    assert events(desk).count == before
    assert standing(desk, run) is Standing.PROVED


def test_a_dedicated_pair_takes_list_and_connectors_and_either_alone_does_not_help(
    begin: Callable[[str], Desk], time: Time
) -> None:
    desk = begin("incident-dedicated")
    incident = events(desk)
    found = diagnosis(desk)
    assert found.verdict is Remedy.RETIRE_DEDICATED
    assert {"half-list", "half-connector"} <= {one.rule for one in found.findings}
    given = inputs(incident, ("domain", "connector"))
    assert given["connector"].lower().endswith("\\from fabrikam")
    refused = desk.plan(REMOVE, **given)
    assert refused.plan is not None
    assert refused.session is not None
    refused.session.close()
    assert [one.rule for one in refused.plan.refusals] == ["partners-only"]
    run = remedied(desk, RETIRE, given)
    time.now += timedelta(hours=1)
    assert standing(desk, run) is Standing.PROVED


@pytest.mark.parametrize(
    ("scenario", "verdict", "rule"),
    [
        ("forged-sender", Remedy.NEEDS_A_PERSON, "accepted-elsewhere"),
        ("relay-in-front", Remedy.RELAY_IN_FRONT, "relay-in-front"),
        ("our-side", Remedy.FIX_OUR_SIDE, "tls-not-offered"),
    ],
)
def test_where_protection_is_not_at_fault_nobody_is_told_to_take_it_away(
    begin: Callable[[str], Desk], scenario: str, verdict: Remedy, rule: str
) -> None:
    desk = begin(scenario)
    events(desk)
    found = diagnosis(desk)
    assert (found.verdict, found.decided.rule) == (verdict, rule)
    assert found.suggestion is None or found.suggestion.playbook not in {REMOVE, RETIRE}
    assert desk.writes() == []


def test_our_own_side_is_mended_and_the_partner_comes_in_with_tls(
    begin: Callable[[str], Desk], time: Time
) -> None:
    desk = begin("our-side")
    events(desk)
    run = remedied(desk, "offer-tls", {"connector": "EX02\\Partners"})
    assert run.outcome is not None
    time.now += timedelta(minutes=30)
    assert desk.lab.send(PARTNER, "203.0.113.10", server="EX02", tls="started").startswith("250")
    assert desk.lab.send(PARTNER, "203.0.113.10", server="EX02").startswith("530")
