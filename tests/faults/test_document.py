"""docs/faults.md is the table of answers, and the table knows every kind of fault."""

from collections import Counter

from orchestrator.lab.faults import FAULTS
from tests.faults.answer import rows
from tests.faults.document import PAGE, page


def test_the_page_is_up_to_date() -> None:
    found = PAGE.read_text(encoding="utf-8")
    assert found == page(), "write it anew: python -m tests.faults.document"


def test_every_kind_of_fault_has_an_answer() -> None:
    assert {str(fault["kind"]) for row in rows() for fault in row.faults} == set(FAULTS)


def test_no_two_rows_have_one_name() -> None:
    assert max(Counter(row.name for row in rows()).values()) == 1


def test_what_is_in_doubt_has_the_exit_code_that_says_so() -> None:
    assert {row.exit for row in rows() if row.doubt} == {7}
    assert not [row.name for row in rows() if row.exit == 7 and not row.doubt]
