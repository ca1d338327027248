"""What is printed for programs is described for people: docs/output.md names every document."""

import re
from pathlib import Path

from tests.cli.door import AGREED, RETIRE, Door

PAGE = Path("docs/output.md").read_text(encoding="utf-8")
COMMANDS = Path("orchestrator/cli")


def test_every_document_is_described() -> None:
    nouns: set[str] = set()
    for module in COMMANDS.glob("*.py"):
        source = module.read_text(encoding="utf-8")
        nouns |= set(re.findall(r"\.document\(\s*\"([a-z-]+)\"", source))
        nouns |= set(re.findall(r"conclude\(terminal, \"([a-z-]+)\"", source))
        nouns |= set(re.findall(r"decide\(terminal, workplace, \"([a-z-]+)\"", source))
    assert {"run", "plan", "apply", "rollback", "resume", "runs", "journal", "doctor"} <= nouns
    described = set(re.findall(r"`orchestrator/([a-z-]+)/1`", PAGE)) - {"error"}
    assert described == nouns


def test_every_field_of_a_plan_and_a_run_is_described(door: Door) -> None:
    [organization] = door(*RETIRE, *AGREED, "--output", "json").document["organizations"]
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    plan, run = organization["plan"], organization["run"]
    fields = {*organization, *plan, *plan["changes"][0], *run, *run["changes"][0], *run["mandate"]}
    fields |= {*plan["found"][0], *plan["changes"][0]["consequences"][0]}
    assert fields <= named
