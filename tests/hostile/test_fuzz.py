"""A slice of the fuzzing of every reader; ``python -m bench.fuzz`` is the whole."""

import pytest

from bench.fuzz import fuzz
from bench.readers import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_answers_broken_input_in_its_own_words(name: str) -> None:
    assert not list(map(str, fuzz(name, max(1, 300 // TARGETS[name].cost), seed=20261123)))


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_answers_much_broken_input_in_its_own_words(name: str) -> None:
    assert not list(map(str, fuzz(name, 10_000 // TARGETS[name].cost, seed=11012)))


def test_the_fuzzer_finds_what_is_wrong_with_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = TARGETS["clixml"]
    monkeypatch.setitem(TARGETS, "careless", type(broken)(broken.read, broken.samples, ()))
    found = fuzz("careless", 50, seed=1)
    assert [one.what.partition(":")[0] for one in found] == ["ClixmlError"]
