"""Errors are sorted by who must act, and keep what happened as facts."""

import inspect
from datetime import UTC, datetime

import pytest

from orchestrator.core import errors
from orchestrator.core.errors import (
    ConfigurationError,
    HeldError,
    OrchestratorError,
    Throttled,
    TransportError,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConfigurationError("wrong"), "wrong"),
        (ConfigurationError("wrong", path="a.b[0]"), "wrong at a.b[0]"),
        (ConfigurationError("wrong", file="x.yaml", line=3, column=7), "x.yaml:3:7: wrong"),
        (ConfigurationError("wrong", file="x.yaml", path="a"), "x.yaml: wrong at a"),
        (ConfigurationError("wrong", line=3), "3: wrong"),
        (TransportError("gone", server="ex01"), "ex01: gone"),
        (TransportError("gone"), "gone"),
    ],
)
def test_an_error_says_where(error: OrchestratorError, text: str) -> None:
    assert str(error) == error.message == text


def test_the_parts_of_a_message_stay_apart() -> None:
    wrong = ConfigurationError("wrong", "mend it", file="x", line=1, column=2, path="a")
    assert (wrong.reason, wrong.advice) == ("wrong", "mend it")
    assert (wrong.file, wrong.line, wrong.column, wrong.path) == ("x", 1, 2, "a")
    busy = Throttled("not now", "wait", server="ex01", wait=2.5)
    assert (busy.wait, busy.server, busy.advice) == (2.5, "ex01", "wait")
    since = datetime(2026, 11, 23, tzinfo=UTC)
    held = HeldError("held", owner="ops@jump01", since=since)
    assert (held.owner, held.since) == ("ops@jump01", since)


def test_the_tree_at_the_head_of_the_module_names_every_error() -> None:
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, OrchestratorError)
    ]
    drawn = inspect.getdoc(errors) or ""
    assert len(kinds) > 10
    for kind in kinds:
        assert kind.__name__ in drawn


def test_a_program_that_failed_says_how_as_far_as_that_is_known() -> None:
    told = errors.ProgramFailed("wevtutil", 5, "Access is denied.", server="ex01")
    assert str(told) == "ex01: wevtutil ended with 5: Access is denied."
    silent = errors.ProgramFailed("wevtutil", None, "", server="ex01", advice="Look there.")
    assert (silent.message, silent.advice) == ("ex01: wevtutil failed: no reason", "Look there.")
