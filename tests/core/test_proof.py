"""What findings add up to, and which of two stands: by table."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.core.errors import JournalDamaged
from orchestrator.core.events import (
    ChangeApplied,
    ChangeStarted,
    ChangeVerified,
    Event,
    Mandate,
    Outcome,
    ProofObserved,
    RollbackRequested,
    RunFinished,
    RunStarted,
)
from orchestrator.core.plan import seal
from orchestrator.core.proof import Evidence, Finding, Standing, Verdict, bounded, keep, prove
from orchestrator.core.run import Run, rebuild
from orchestrator.steps.domains import DomainSecureList
from tests.exchange.sample import INTERNET, NOW, config, frontend, plan, seen

P, C, S, W, X, U = (
    Verdict.PROVED,
    Verdict.CLEAR,
    Verdict.SILENT,
    Verdict.PENDING,
    Verdict.CONTRARY,
    Verdict.UNKNOWN,
)
SINCE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ALL = ("every_controller", "audit_log", "accepted_message", "no_events", "config_reloaded")


@pytest.mark.parametrize(
    ("verdicts", "standing"),
    [
        ((P, P, P, C, C), Standing.PROVED),
        ((P, P, P, C, X), Standing.PROVED),
        ((U, U, P, U, U), Standing.PROVED),
        ((P, P, S, C, U), Standing.SILENT),
        ((P, P, U, C, U), Standing.CLEAR),
        ((P, U, U, U, C), Standing.CLEAR),
        ((U, U, U, U, C), Standing.UNKNOWN),
        ((P, P, P, W, C), Standing.PENDING),
        ((P, P, P, C, W), Standing.PROVED),
        ((W, P, P, X, C), Standing.CONTRARY),
        ((X, W, P, C, C), Standing.CONTRARY),
        ((P, P, None, C, C), Standing.PENDING),
    ],
)
def test_findings_add_up(verdicts: tuple[Verdict | None, ...], standing: Standing) -> None:
    found = {name: Finding(verdict) for name, verdict in zip(ALL, verdicts, strict=True) if verdict}
    assert prove(ALL, found, SINCE).standing is standing
    assert prove(ALL, found, SINCE).since == SINCE


def test_a_run_that_asked_for_nothing_that_weighs_has_nothing_to_prove() -> None:
    assert prove((), {}, SINCE).standing is Standing.UNASKED
    assert prove(("config_reloaded",), {}, SINCE).standing is Standing.UNASKED


def test_a_run_that_asked_for_no_mail_is_confirmed_where_it_is_in_force() -> None:
    found = {"every_controller": Finding(P), "audit_log": Finding(P)}
    assert prove(found, found, SINCE).standing is Standing.CONFIRMED
    found["audit_log"] = Finding(U)
    assert prove(found, found, SINCE).standing is Standing.CLEAR


def test_evidence_is_recorded_in_bounds_and_what_is_against_first() -> None:
    against = Evidence("x" * 1000, holds=False)
    many = Finding(X, (*(Evidence("seen", holds=True),) * 300, against))
    cut = bounded(many)
    assert len(cut.evidence) == 201
    assert cut.evidence[0].holds is False
    assert len(cut.evidence[0].text) < 500
    assert cut.evidence[-1].text == "and 101 more"
    few = Finding(X, (Evidence("seen", holds=True), Evidence("not", holds=False)), SINCE, SINCE)
    assert bounded(few) == few


def test_a_proof_that_this_version_does_not_know_counts_all_the_same() -> None:
    assert prove(("from_the_future",), {}, SINCE).standing is Standing.PENDING


def test_pending_is_until_the_last_of_them_can_be_complete() -> None:
    found = {
        "audit_log": Finding(W, until=SINCE + timedelta(minutes=15)),
        "no_events": Finding(W, until=SINCE + timedelta(minutes=20)),
        "every_controller": Finding(P),
    }
    assert prove(found, found, SINCE).until == SINCE + timedelta(minutes=20)
    assert prove(("audit_log",), {}, SINCE).until is None


@pytest.mark.parametrize(
    ("name", "old", "new", "stands"),
    [
        ("audit_log", None, U, U),
        ("audit_log", W, U, U),
        ("audit_log", P, U, P),
        ("audit_log", P, X, X),
        ("every_controller", P, W, W),
        ("every_controller", P, P, P),
        ("no_events", C, X, X),
        ("accepted_message", P, W, P),
        ("accepted_message", P, S, P),
        ("accepted_message", P, X, X),
        ("accepted_message", X, P, P),
    ],
)
def test_what_was_seen_is_not_lost_by_not_seeing_it(
    name: str, old: Verdict | None, new: Verdict, stands: Verdict
) -> None:
    assert keep(name, Finding(old) if old else None, Finding(new)).verdict is stands


def _succeeded(*more: Event, proofs: tuple[str, ...] = ("audit_log",)) -> Run:
    step = DomainSecureList("receive", "fabrikam.com", "absent")
    facts = seen(config(), INTERNET, frontend("EX01"))
    sealed = seal(plan(step, facts=facts, proofs=[(None, name) for name in proofs]))
    return rebuild(
        [
            RunStarted(NOW, "r", sealed, Mandate("ops", "r"), 30.0),
            ChangeStarted(NOW, 0),
            ChangeApplied(NOW, 0),
            ChangeVerified(NOW, 0),
            *more,
        ]
    )


DONE = RunFinished(NOW, Outcome.SUCCEEDED)
LATER = NOW + timedelta(minutes=20)


def test_a_run_that_is_not_over_has_no_proof_and_one_that_succeeded_waits_for_it() -> None:
    assert _succeeded().proof is None
    proof = _succeeded(DONE).proof
    assert proof is not None
    assert (proof.standing, proof.since) == (Standing.PENDING, NOW)


def test_what_was_found_is_known_since_when_it_was_first_so() -> None:
    first, again = (
        ProofObserved(NOW, "audit_log", Finding(P)),
        ProofObserved(LATER, "audit_log", Finding(P)),
    )
    run = _succeeded(DONE, first, again)
    assert run.proofs["audit_log"].at == NOW
    changed = ProofObserved(LATER, "audit_log", Finding(X))
    assert _succeeded(DONE, first, changed).proofs["audit_log"].at == LATER


def test_a_proof_of_a_run_that_did_not_succeed_makes_no_sense() -> None:
    with pytest.raises(JournalDamaged, match="did not succeed"):
        _succeeded(ProofObserved(NOW, "audit_log", Finding(P)))


def test_what_is_rolled_back_is_no_longer_proved() -> None:
    observed = ProofObserved(NOW, "audit_log", Finding(P))
    run = _succeeded(DONE, observed, RollbackRequested(LATER, "ops"))
    assert run.proof is None
    assert not run.proofs
