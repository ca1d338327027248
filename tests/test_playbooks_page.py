"""docs/playbooks.md is true: every kind, argument, type, key and rule is there, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml

from orchestrator.app import rehearsal
from orchestrator.app.rehearsal import load_rehearsal
from orchestrator.app.stage import rehearse
from orchestrator.core.command import Plain
from orchestrator.core.playbook import InputType
from orchestrator.loader import load_playbook
from orchestrator.loader.playbook import Written
from orchestrator.steps import PREDICATES, PROOFS, STEP_KINDS

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "playbooks.md").read_text(encoding="utf-8")
EXAMPLES = {
    next(iter(yaml.safe_load(text).values())): text
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    if "steps:" in text
}


def section(heading: str) -> str:
    """Return what stands under a heading, with what stands under its own headings."""
    level = "#" * (len(heading) - len(heading.lstrip("#")))
    found = re.search(
        rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{len(level)}}} |\Z)", PAGE, re.DOTALL | re.MULTILINE
    )
    assert found, heading
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Return the first cells of each table in *text*, without heads."""
    tables = re.findall(r"^\|[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)", text, re.MULTILINE)
    return [re.findall(r"^\| `([^`]+)`", table, re.MULTILINE) for table in tables]


def fields(kind: object) -> list[str]:
    assert isinstance(kind, type)
    assert issubclass(kind, Plain)
    return [field.encode_name for field in msgspec.structs.fields(kind)]


@pytest.mark.parametrize(
    ("heading", "kinds"),
    [("## Steps", STEP_KINDS), ("## Predicates", PREDICATES), ("## Proofs", PROOFS)],
)
def test_every_kind_is_explained_with_all_of_its_arguments(
    heading: str, kinds: dict[str, object]
) -> None:
    described = re.findall(r"^### `(\w+)`$", section(heading), re.MULTILINE)
    assert sorted(described) == sorted(kinds)
    for name, kind in kinds.items():
        tables = rows(section(f"### `{name}`"))
        assert [each for table in tables for each in table] == fields(kind), name


def test_every_key_of_a_playbook_is_explained() -> None:
    assert rows(section("## The keys of the file")) == [fields(Written)]


def test_every_type_of_input_is_explained() -> None:
    assert rows(section("## Inputs")) == [[each.value for each in InputType]]


def test_every_key_of_a_rehearsal_is_explained() -> None:
    assert rows(section("## Rehearsals")) == [fields(rehearsal.Case), fields(rehearsal.Expected)]


def verdicts(name: str) -> Iterator[str]:
    """Yield the rules by which the product makes a Refusal or a Consequence."""
    for file in (ROOT / "orchestrator").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=called), args=[ast.Constant(value=str(rule)), *_]):
                    if called == name:
                        yield rule


def test_every_rule_is_explained() -> None:
    refusing, following = rows(section("## What no playbook can do"))
    assert refusing == sorted(set(verdicts("Refusal")))
    assert following == sorted(set(verdicts("Consequence")))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_a_playbook(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.yaml"
    file.write_text(EXAMPLES[name], encoding="utf-8")
    assert load_playbook(file).name == name


def test_the_example_of_a_rehearsal_passes(tmp_path: Path) -> None:
    (text,) = [t for t in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "cases:" in t]
    for folder, content in (("playbooks", EXAMPLES["log-a-connector"]), ("tests/playbooks", text)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "log-a-connector.yaml").write_text(content, encoding="utf-8")
    found = load_rehearsal(tmp_path / "tests" / "playbooks" / "log-a-connector.yaml")
    assert [rehearse(found, case).faults for case in found.cases] == [(), (), ()]
