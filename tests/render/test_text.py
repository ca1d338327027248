"""What is printed prints nothing but what is seen."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.render.text import LIMIT, Look, Tone, command_line, safe, table, wrapped


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("\u202efdp.exe", "\\u202efdp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("soft\u00adhyphen", "soft\\xadhyphen"),
        ("\U000e0041", "\\U000e0041"),
        ("\x9b31m", "\\x9b31m"),
        ("half \udc80", "half \\udc80"),
        ("b\u00fccher \u2713", "b\u00fccher \u2713"),
    ],
)
def test_hostile_characters_are_written_out(hostile: str, shown: str) -> None:
    assert safe(hostile) == shown


@given(st.text())
def test_no_text_makes_a_terminal_do_anything(text: str) -> None:
    bidirectional = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    for character in safe(text):
        assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(character) not in bidirectional


def test_what_is_absurdly_long_is_cut_and_says_so() -> None:
    shown = safe("x" * (LIMIT + 5))
    assert shown == "x" * LIMIT + "... (5 more characters)"


def test_a_command_is_never_wrapped_nor_cut() -> None:
    long = "Set-TransportConfig " + "x" * (LIMIT + 5)
    assert command_line(long, indent=2).text == "  " + long


@given(st.lists(st.from_regex(r"[a-z]{1,12}", fullmatch=True)), st.integers(40, 120))
def test_text_stays_within_its_columns(words: list[str], width: int) -> None:
    lines = list(wrapped(" ".join(words), Tone.PLAIN, indent=4, bullet="- ", width=width))
    assert all(len(line.text) <= width for line in lines)
    assert " ".join(" ".join(line.text for line in lines).removeprefix("    - ").split()) == (
        " ".join(words)
    )


def test_a_mark_says_the_same_where_only_ascii_can_be_shown() -> None:
    plain = Look(ascii=True)
    marks = [plain.mark(holds=holds) for holds in (True, False, None)]
    assert marks == ["ok", "NO", "  "]
    assert (plain.arrow + "".join(marks)).isascii()
    assert {len(Look().mark(holds=holds)) for holds in (True, False, None)} == {2}


def test_a_tables_columns_are_aligned_whatever_is_in_them() -> None:
    lines = [line.text for line in table(("a", "b"), [("long cell", "1"), ("x", "2\n3")])]
    assert lines == ["a          b", "long cell  1", "x          2\\x0a3"]
