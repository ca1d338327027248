"""A domain on a list: exactly that entry, as it is stored, and nothing near it."""

from typing import Literal

import pytest

from orchestrator.core.command import Delta
from orchestrator.core.facts import Observation, UnknownFact
from orchestrator.core.setting import Member
from orchestrator.exchange.objects import (
    RECEIVE_LIST,
    SEND_LIST,
    TRANSPORT_CONFIG,
)
from orchestrator.steps.domains import DomainSecureList
from orchestrator.steps.predicates import Listed
from tests.exchange.sample import config, frontend, plan, refused, seen

_ABSENT = DomainSecureList("receive", "fabrikam.com", "absent")
_PRESENT = DomainSecureList("receive", "fabrikam.com", "present")


@pytest.mark.parametrize(
    ("entries", "step", "delta", "untouched"),
    [
        (["adatum.com", "fabrikam.com"], _ABSENT, Delta(remove=("fabrikam.com",)), 1),
        (["FABRIKAM.com"], _ABSENT, Delta(remove=("FABRIKAM.com",)), 0),
        (["adatum.com"], _PRESENT, Delta(add=("fabrikam.com",)), 1),
        ([], _PRESENT, Delta(add=("fabrikam.com",)), 0),
    ],
)
def test_one_member_is_changed_by_delta_and_the_others_stay(
    entries: list[str], step: DomainSecureList, delta: Delta, untouched: int
) -> None:
    made = plan(step, facts=seen(config(entries), frontend("EX01")))
    (change,) = made.changes
    assert not made.refusals
    assert dict(change.difference.apply.parameters)[RECEIVE_LIST] == delta
    assert change.difference.untouched == untouched
    inverse = Delta(add=delta.remove, remove=delta.add)
    assert dict(change.difference.undo.parameters)[RECEIVE_LIST] == inverse


@pytest.mark.parametrize(
    ("entries", "step"),
    [(["adatum.com"], _ABSENT), ([], _ABSENT), (["Fabrikam.com"], _PRESENT)],
)
def test_what_is_so_already_needs_no_change(entries: list[str], step: DomainSecureList) -> None:
    made = plan(step, facts=seen(config(entries)))
    assert not made.changes
    assert not made.refusals


def test_a_list_that_is_null_is_empty_but_one_that_was_not_shown_is_unknown() -> None:
    null = Observation(config().ref, {RECEIVE_LIST: None, SEND_LIST: None})
    assert not plan(_ABSENT, facts=seen(null)).refusals
    assert len(plan(_PRESENT, facts=seen(null, frontend("EX01"))).changes) == 1
    missing = Observation(config().ref, {SEND_LIST: ()})
    made = plan(_ABSENT, facts=seen(missing))
    assert refused(made.refusals) == ["unknown-state"]


def test_a_configuration_that_is_not_known_refuses() -> None:
    made = plan(_ABSENT, facts=seen(unknown=[TRANSPORT_CONFIG]))
    assert refused(made.refusals) == ["unknown-state"]
    assert "access is denied" in made.refusals[0].reason
    with pytest.raises(UnknownFact):
        _ABSENT.settle(seen(unknown=[TRANSPORT_CONFIG]))


def test_a_domain_listed_in_both_forms_goes_in_both() -> None:
    entries = ["B\u00fccher.example", "adatum.com", "xn--bcher-kva.example"]
    step = DomainSecureList("receive", "xn--bcher-kva.example", "absent")
    made = plan(step, facts=seen(config(entries)), domains=("xn--bcher-kva.example",))
    assert [change.difference.before for change in made.changes] == [entries[0], entries[2]]
    assert [change.difference.untouched for change in made.changes] == [2, 1]
    assert "xn--bcher-kva.example is how servers write b\u00fccher.example." in made.notes
    assert any("stored as B\u00fccher.example" in note for note in made.notes)


def test_a_domain_with_another_letter_is_another_domain() -> None:
    step = DomainSecureList("receive", "strasse.example", "absent")
    assert not plan(step, facts=seen(config(["stra\u00dfe.example"]))).changes


def test_a_subdomain_of_a_listed_domain_is_refused_with_what_to_do() -> None:
    step = DomainSecureList("receive", "mail.fabrikam.com", "absent")
    settled = step.settle(seen(config(["Fabrikam.com"])))
    assert refused(settled.refusals) == ["exact-domain"]
    assert "--set domain=Fabrikam.com" in settled.refusals[0].way_out
    adding = DomainSecureList("receive", "mail.fabrikam.com", "present")
    assert not adding.settle(seen(config(["Fabrikam.com"]))).refusals
    listed_itself = config(["fabrikam.com", "mail.fabrikam.com"])
    assert not step.settle(seen(listed_itself)).refusals


@pytest.mark.parametrize(
    ("entries", "note"),
    [
        (["fabrikan.com"], "fabrikam.com is not on TLSReceiveDomainSecureList. Did you mean"),
        (["adatum.com"], "fabrikam.com is not on TLSReceiveDomainSecureList."),
        (["Fabrikam.com"], "The entry is stored as Fabrikam.com;"),
    ],
)
def test_what_is_worth_knowing_is_noted(entries: list[str], note: str) -> None:
    (found,) = _ABSENT.settle(seen(config(entries))).notes
    assert found.startswith(note)


def test_what_was_found_is_told_in_numbers() -> None:
    (sign,) = _ABSENT.settle(seen(config(["a.com", "fabrikam.com", "b.com"]))).found
    assert sign.value == "holds fabrikam.com; 2 other entries"


@pytest.mark.parametrize(("which", "name"), [("receive", RECEIVE_LIST), ("send", SEND_LIST)])
def test_a_step_is_about_one_list(which: Literal["receive", "send"], name: str) -> None:
    step = DomainSecureList(which, "fabrikam.com", "absent")
    (query,) = step.queries()
    assert query.properties == (name,)
    (setting,) = step.settle(seen(config(send=["fabrikam.com"]))).settings
    assert setting == Member(config().ref, name, "fabrikam.com", present=False)


def test_whether_a_domain_is_listed_is_a_question_about_the_exact_entry() -> None:
    assert Listed("receive", "fabrikam.com").check(seen(config(["FABRIKAM.COM"]))) is None
    for entries in (["mail.fabrikam.com"], ["com"], []):
        refusal = Listed("receive", "fabrikam.com").check(seen(config(entries)))
        assert refusal is not None
        assert refusal.reason == f"fabrikam.com is not on {RECEIVE_LIST}"
    assert Listed("send", "fabrikam.com").check(seen(config())) is not None
    (query,) = Listed("send", "fabrikam.com").queries()
    assert (query.kind, query.properties) == (TRANSPORT_CONFIG, (SEND_LIST,))


def test_that_a_domain_is_listed_rests_on_no_other_entry() -> None:
    assert not Listed("receive", "fabrikam.com").grounds(seen(config()))
