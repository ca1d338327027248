"""YAML becomes data that knows its places, and every fault is named where it stands."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta

from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError
from orchestrator.document import convert, parse, schema
from orchestrator.document.tree import MAX_BYTES, MAX_DEPTH, MAX_NODES, Tree, dotted


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("0", 0),
        ("-7", -7),
        ("+7", "+7"),
        ("80", 80),
        ("0123", "0123"),
        ("0x1f", "0x1f"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("1.10", "1.10"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("2026-11-23", "2026-11-23"),
        ("9" * 18, int("9" * 18)),
        ("9" * 19, "9" * 19),
        ("null", None),
        ("~", None),
        ("", None),
        ("Null", "Null"),
        ("'true'", "true"),
        ('"80"', "80"),
        ("''", ""),
        ("<<", "<<"),
        ("=", "="),
        (r"CONTOSO\ops", r"CONTOSO\ops"),
        ("[a, {b: 1}]", ["a", {"b": 1}]),
    ],
)
def test_a_scalar_means_what_it_looks_like(written: str, meant: Tree) -> None:
    document = parse(f"key: {written}")
    assert document.tree == {"key": meant}
    assert repr(document.tree) == repr({"key": meant}), "True and 1 are not the same here"


def test_a_block_of_text_keeps_its_lines() -> None:
    assert parse("letter: |\n  Dear partner,\n\n    indented\n").tree == {
        "letter": "Dear partner,\n\n  indented\n"
    }


def test_lines_may_end_as_on_windows() -> None:
    document = parse("a: 1\r\nb:\r\n  - c\r\n")
    assert document.tree == {"a": 1, "b": ["c"]}
    assert document.places["b", 0] == (3, 5)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", (None, None), "the file is empty"),
        ("# nothing\n", (None, None), "the file is empty"),
        ("a: 1\nb: 2\na: 3\n", (3, 1), "'a' is written twice, first in line 1"),
        ("a: {b: 1, b: 2}\n", (1, 11), "'b' is written twice, first in line 1"),
        ("a:\n\tb: 1\n", (2, 1), "a tab is used to indent"),
        ("a:\n  \tb: 1\n", (2, 3), "a tab is used to indent"),
        ("a: &x 1\n", (1, 4), "anchors and aliases (& and *) are not used here"),
        ("a: &x [1]\n", (1, 4), "anchors and aliases (& and *) are not used here"),
        ("a: *x\n", (1, 4), "anchors and aliases (& and *) are not used here"),
        ("*x : 1\n", (1, 1), "anchors and aliases (& and *) are not used here"),
        ("a: !!str 1\n", (1, 4), "tags (!) are not used here"),
        ("a: !!map {}\n", (1, 4), "tags (!) are not used here"),
        ("a: ! 1\n", (1, 4), "tags (!) are not used here"),
        ("1: a\n", (1, 1), "a key has to be text"),
        ("true: a\n", (1, 1), "a key has to be text"),
        ("~: a\n", (1, 1), "a key has to be text"),
        ("? [a]\n: b\n", (1, 3), "a key has to be text"),
        ("? {a: b}\n: c\n", (1, 3), "a key has to be text"),
        ("a\n---\nb\n", (2, 1), "a second document begins"),
        ("a: x\u202ey\n", (1, 5), "the character U+202E cannot be seen and is not allowed"),
        ("a: 1\nb: \ufeffx\n", (2, 4), "the character U+FEFF cannot be seen and is not allowed"),
        ("a: \x00\n", (1, 4), "the character U+0000 cannot be seen and is not allowed"),
        ("a: x\u2028y\n", (1, 5), "the character U+2028 cannot be seen and is not allowed"),
        ("a: \ud800\n", (1, 4), "the character U+D800 cannot be seen and is not allowed"),
        ('a: "\\0"\n', (1, 4), "the character U+0000 cannot be seen and is not allowed"),
        ('a: "\\u202e"\n', (1, 4), "the character U+202E cannot be seen and is not allowed"),
        ("[" * 40, (1, MAX_DEPTH + 1), f"nested more than {MAX_DEPTH} deep"),
        ("[" * 500_000, (1, MAX_DEPTH + 1), f"nested more than {MAX_DEPTH} deep"),
        ("- " * 500_000, (1, 2 * MAX_DEPTH + 1), f"nested more than {MAX_DEPTH} deep"),
        ("[" + "a," * (MAX_NODES + 1), None, f"more than {MAX_NODES} parts"),
        ("a" * (MAX_BYTES + 1), (None, None), "the file is larger than 1024 KiB"),
        ("ä" * (MAX_BYTES // 2 + 1), (None, None), "the file is larger than 1024 KiB"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(
    text: str, place: tuple[int | None, int | None] | None, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, "file.yaml")
    assert caught.value.reason == message
    assert caught.value.file == "file.yaml"
    assert place is None or (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize(
    ("text", "line", "advice"),
    [
        ("a: 1\nb\n  c: 2\n", 3, "a missing quote, colon or space"),
        ("a: [1, 2\nb: 3\n", 2, "a missing quote, colon or space"),
        ("a: 'b\n", 2, "a missing quote, colon or space"),
        ('a: 1\nb: "CONTOSO\\ops"\n', 2, "use single quotes"),
        ('a: "\\U00110000"\n', 1, "use single quotes"),
        ("%YAML 9.9\n---\na: 1\n", 1, "a missing quote, colon or space"),
    ],
)
def test_what_is_not_yaml_is_said_with_its_line(text: str, line: int, advice: str) -> None:
    with pytest.raises(ConfigurationError, match="this is not YAML") as caught:
        parse(text)
    assert caught.value.line == line
    assert advice in caught.value.advice


@given(st.text(alphabet="ab:-[]{},'\"|>&*!%#?~ \n\t\\01u\u202eä", max_size=60))
@example("a: !<tag:yaml.org,2002:str> b")
@example("? ")
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    places = set[int | None]()
    try:
        places |= {place.line for place in parse(text).places.values()}
    except ConfigurationError as error:
        places.add(error.line)
    assert places <= {None, *range(1, text.count("\n") + 3)}


def test_the_parser_in_python_reads_the_same_where_the_one_in_c_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "a: [1, no, {b: 'c'}]\nd:\n  - e: |\n      f\n"
    fast = parse(text)
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert parse(text) == fast


_WORDS = st.text(alphabet="abc :#'\"-?[]{}&*!\\ä0123", max_size=12)
_TREES: st.SearchStrategy[Tree] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | _WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(_TREES.filter(lambda tree: tree is not None))
def test_what_another_program_wrote_is_read_as_it_was_meant(tree: Tree) -> None:
    assert parse(yaml.safe_dump(json.loads(json.dumps(tree)))).tree == tree


@given(
    st.recursive(
        st.integers(0, 9),
        lambda inner: st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, min_size=1),
        max_leaves=10,
    ).filter(lambda tree: isinstance(tree, dict))
)
def test_the_place_of_an_entry_is_where_its_key_stands(tree: Any) -> None:
    text = yaml.safe_dump(tree)
    document = parse(text)
    for path, place in document.places.items():
        line = text.splitlines()[place.line - 1]
        assert not path or line[place.column - 1 :].startswith(f"{path[-1]}:")


def test_an_error_at_a_part_that_was_not_written_stands_at_the_part_around_it() -> None:
    document = parse("a:\n  b: [1, 2]\n", "f.yaml")
    error = document.error(("a", "b", 7, "c"), "is missing", "Add it.")
    assert str(error) == "f.yaml:2:3: is missing at a.b[7].c"
    assert error.advice == "Add it."


def test_a_path_reads_as_people_write_it() -> None:
    assert dotted(("organizations", "contoso", "servers", 0)) == "organizations.contoso.servers[0]"
    assert dotted((0, "a")) == "[0].a"


class _Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class _Leaf(Plain, frozen=True):
    size: Annotated[int, Meta(gt=0, lt=10, description="From 1 to 9.")] = 1
    colour: _Colour = _Colour.RED
    shape: Literal["round", "square"] = "round"
    secret: Annotated[str, Meta(max_length=9, pattern="^x", extra={"secret": True})] = "x"
    exact: bool = False


class _Tree(Plain, frozen=True):
    leaves: Annotated[
        Mapping[Annotated[str, Meta(pattern="^[a-z]+$", description="Small letters.")], _Leaf],
        Meta(description="All leaves."),
    ]
    branches: tuple[Mapping[str, tuple[str | _Leaf, ...]], ...] = ()
    pair: tuple[_Leaf | None, ...] = ()


@pytest.mark.parametrize(
    ("text", "error", "advice"),
    [
        ("leafs: {}", "1:1: unknown key 'leafs' at leafs", "Did you mean 'leaves'?"),
        ("branches: []", "1:1: the key 'leaves' is missing", "All leaves."),
        ("leaves: 5", "1:1: a mapping is expected, not a whole number at leaves", "All leaves."),
        (
            "leaves: {a: {}, b: {}, B: {}}",
            "1:24: 'B' is not allowed here at leaves.B",
            "Small letters.",
        ),
        (
            "leaves:\n  a: {size: 1}\n  b: {size: 0}\n  c: {size: 0}",
            "3:7: a number of at least 1 is expected, not 0 at leaves.b.size",
            "From 1 to 9.",
        ),
        (
            "leaves: {a: {size: 10}}",
            "1:14: a number of at most 9 is expected, not 10 at leaves.a.size",
            "From 1 to 9.",
        ),
        (
            "leaves: {a: {colour: rde}}",
            "1:14: 'rde' is not one of red, green at leaves.a.colour",
            "Did you mean 'red'?",
        ),
        (
            "leaves: {a: {shape: oblong}}",
            "1:14: 'oblong' is not one of round, square at leaves.a.shape",
            "Possible here: round, square.",
        ),
        (
            "leaves: {a: {secret: Sesame}}",
            "1:14: what is written there is not allowed here at leaves.a.secret",
            "",
        ),
        (
            "leaves: {a: {secret: x234567890}}",
            "1:14: text of at most 9 characters is expected at leaves.a.secret",
            "",
        ),
        (
            "leaves: {a: {exact: On}}",
            "1:14: true or false is expected, not text 'On' at leaves.a.exact",
            "Write true or false; yes, no, on and off are plain text here.",
        ),
        (
            "leaves: {a: {exact: perhaps}}",
            "1:14: true or false is expected, not text 'perhaps' at leaves.a.exact",
            "",
        ),
        (
            "leaves: {}\nbranches: [{a: [x]}, {b: [x, 5]}]",
            "2:30: text or a mapping is expected, not a whole number at branches[1].b[1]",
            "Put it in quotes if it is meant as text.",
        ),
        (
            "leaves: {}\nbranches: [{a: [x], b: [{}, {siz: 1}]}]",
            "2:30: unknown key 'siz' at branches[0].b[1].siz",
            "Did you mean 'size'?",
        ),
        (
            "leaves: {}\npair: [{colour: blue}]",
            "2:9: 'blue' is not one of red, green at pair[0].colour",
            "Possible here: green, red.",
        ),
    ],
)
def test_what_a_type_forbids_is_said_in_words(text: str, error: str, advice: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        convert(parse(text), _Tree)
    assert str(caught.value) == error
    assert caught.value.advice == advice


class _Even(Plain, frozen=True):
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError("an even number is expected")


def test_what_a_type_says_itself_is_passed_on() -> None:
    with pytest.raises(ConfigurationError, match=r"^1:1: an even number is expected$"):
        convert(parse("number: 1"), _Even)


class _Pair(Plain, frozen=True):
    both: Annotated[Mapping[str, _Leaf], Meta(min_length=2)]


def test_a_fault_in_entries_that_cannot_stand_alone_is_named_by_what_holds_them() -> None:
    with pytest.raises(ConfigurationError) as caught:
        convert(parse("both: {a: {}, b: {size: 0}}"), _Pair)
    assert str(caught.value) == "1:1: Expected `int` >= 1, in one of the entries at both"


def test_a_long_text_is_cut_in_a_message() -> None:
    with pytest.raises(ConfigurationError) as caught:
        convert(parse(f"leaves: {{a: {{shape: {'o' * 500}}}}}"), _Tree)
    assert "oooo ... is not one of round, square" in str(caught.value)
    assert len(str(caught.value)) < 150


def test_a_hint_goes_before_a_similar_word() -> None:
    with pytest.raises(ConfigurationError) as caught:
        convert(parse("leafs: {}"), _Tree, {"leafs": "The plural is leaves."})
    assert caught.value.advice == "The plural is leaves."


@given(
    st.lists(st.text("abcdef", min_size=1, max_size=4), min_size=1, max_size=9, unique=True),
    st.data(),
)
def test_the_first_faulty_entry_among_many_is_the_one_that_is_named(
    names: list[str], data: st.DataObject
) -> None:
    faulty = set(data.draw(st.lists(st.sampled_from(names), min_size=1)))
    text = "leaves:\n" + "".join(f"  {n}: {{size: {0 if n in faulty else 1}}}\n" for n in names)
    with pytest.raises(ConfigurationError) as caught:
        convert(parse(text), _Tree)
    first = next(name for name in names if name in faulty)
    assert caught.value.path == f"leaves.{first}.size"
    assert caught.value.line == names.index(first) + 2


def test_a_schema_names_its_dialect_its_title_and_what_each_key_is_for() -> None:
    found = schema(_Tree, "Trees")
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["title"] == "Trees"
    leaf = found["$defs"]["_Leaf"]
    assert leaf["additionalProperties"] is False
    assert leaf["properties"]["size"]["description"] == "From 1 to 9."
