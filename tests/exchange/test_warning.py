"""Warnings: which of them say that nothing was changed."""

import pytest

from orchestrator.exchange.warning import says_unmodified


@pytest.mark.parametrize(
    "text",
    [
        "The command completed successfully but no settings of 'X' have been modified.",
        "The command completed successfully but no settings of 'X'\r\n  have been modified.",
        "Der Befehl wurde abgeschlossen, es wurden jedoch keine Einstellungen von 'X' geändert.",
    ],
)
def test_that_nothing_was_modified_is_understood_in_more_than_one_language(text: str) -> None:
    assert says_unmodified(text)


@pytest.mark.parametrize("text", ["", "Changes take effect after a restart.", "no settings of 'X'"])
def test_other_warnings_say_nothing_of_it(text: str) -> None:
    assert not says_unmodified(text)
