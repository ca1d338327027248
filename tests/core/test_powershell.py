"""The line for people says exactly what the data says, and hides nothing."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.core.command import (
    Argument,
    Command,
    Delta,
    ErrorRecord,
    command,
    powershell,
    quote,
)

_QUOTES = "'\u2018\u2019\u201a\u201b"
_TOKEN = re.compile(
    rf"[{_QUOTES}]((?:[^{_QUOTES}]|[{_QUOTES}]{{2}})*)[{_QUOTES}]"
    r"|\[char\]0x([0-9a-f]{4})|\[char\]::ConvertFromUtf32\(0x([0-9a-f]{5,6})\)"
)


def _evaluate(expression: str) -> str:
    """Return the text that PowerShell makes of *expression*: quoted text, or a sum of parts."""
    whole = _TOKEN.fullmatch(expression)
    if whole:
        return _part(whole)
    assert expression.startswith("(")
    assert expression.endswith(")")
    text, position, inner = "", 0, expression[1:-1]
    while position < len(inner):
        found = _TOKEN.match(inner, position)
        assert found, inner[position:]
        text, position = text + _part(found), found.end()
        if position < len(inner):
            assert inner.startswith(" + ", position)
            position += 3
    return text


def _part(found: re.Match[str]) -> str:
    if found[2] or found[3]:
        return chr(int(found[2] or found[3], 16))
    return re.sub(f"([{_QUOTES}])[{_QUOTES}]", r"\1", found[1])


@given(st.text(max_size=40))
@example("it's \u2019fine\u2018\u201a\u201b")
@example("a\nRemove-Mailbox *")
@example("\u202egnp.exe\u200b\ufeff\u061c\xad\U000e0041")
@example('$(Remove-Mailbox *) `n "x"; | # -Confirm:$false')
@example("''''")
@example("\ud800")
def test_quoted_text_evaluates_to_exactly_itself_on_one_line(text: str) -> None:
    quoted = quote(text)
    assert _evaluate(quoted) == text
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", quoted)
    assert not re.search("[\ud800-\udfff]", quoted)


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("contoso.com", "'contoso.com'"),
        ("", "''"),
        ("O'Neill \u2019s", "'O''Neill \u2019\u2019s'"),
        ("a\nb", "('' + 'a' + [char]0x000a + 'b')"),
        (True, "$true"),
        (False, "$false"),
        (None, "$null"),
        (25, "25"),
        (-1, "-1"),
        (("a", "b'c"), "'a','b''c'"),
        ((), "@()"),
        (Delta(remove=("x.com",)), "@{Remove='x.com'}"),
        (Delta(add=("a", "b"), remove=("c",)), "@{Add='a','b'; Remove='c'}"),
        (Delta(), "@{}"),
    ],
)
def test_an_argument_is_written_as_an_administrator_would(value: Argument, literal: str) -> None:
    assert powershell(command("Set-X", Value=value)) == f"Set-X -Value {literal}"


def test_a_switch_is_bare_or_says_false() -> None:
    line = powershell(command("Set-X", Enabled=False, WhatIf=True, Confirm=False))
    assert line == "Set-X -Enabled $false -WhatIf -Confirm:$false"


def test_a_pipeline_is_one_line() -> None:
    statement = (command("Get-X"), command("Select-Object", Property=("A", "B")))
    assert powershell(statement) == "Get-X | Select-Object -Property 'A','B'"
    assert powershell(Command("Get-X")) == "Get-X"


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (
            ErrorRecord(
                "x", "[Server=EX01] [FailureCategory=Cmdlet-ADOperationException] 1A2B,Set"
            ),
            "ADOperationException",
        ),
        (ErrorRecord("x", "CommandNotFoundException"), "CommandNotFoundException"),
        (ErrorRecord("x", "NamedParameterNotFound,Microsoft.X"), "NamedParameterNotFound"),
        (ErrorRecord("x", "", "System.Management.Automation.RuntimeException"), "RuntimeException"),
        (ErrorRecord("x"), ""),
    ],
)
def test_what_failed_is_told_without_language(error: ErrorRecord, failure: str) -> None:
    assert error.failure == failure


def test_an_argument_without_a_name_stands_in_its_place() -> None:
    call = Command("wevtutil.exe", (("", "qe"), ("", "it's")))
    assert powershell(call) == "wevtutil.exe 'qe' 'it''s'"
