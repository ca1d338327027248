"""Writes docs/faults.md from the table of answers: ``python -m tests.faults.document``."""

from collections.abc import Iterator
from pathlib import Path

from tests.faults.answer import Group, Row, Then, groups

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"

_HEAD = """\
# What goes wrong, and what the product answers

Generated from `tests/faults/answers.yaml` by `python -m tests.faults.document`; do not edit. Every
row is a test (`tests/faults/test_answers.py`): the real program, over the real protocol, against
the lab with that fault, with NTLM and message encryption and once more with Basic.

In each of them, too: every command took effect at most once by the lab's own audit log, nothing
else in the organization was touched, no shell was left on a server, and the number of HTTP requests
stayed below a bound. Reads are tried again, up to four times, on the next server; a write is never
sent again before somebody looked.

*Says* is a part of what the operator reads. *Exit* is explained in [exit-codes.md](exit-codes.md).
*Organization* is its state by the lab itself, whatever the product says; **in doubt** means that
the product does not claim to know it, and says so. Where a command comes next, it was run, once
what went wrong had passed, and led to what the last column says.
"""

_STATES = {
    "as before": "as before",
    "as asked": "as asked for",
    "partly": "the changes before it are made, the others not",
}


def page() -> str:
    """Return the page as it has to be."""
    return "\n".join([_HEAD, *(line for group in groups() for line in _section(group))])


def _section(group: Group) -> Iterator[str]:
    yield f"## {group.title}\n"
    yield "| what goes wrong | when | says | exit | organization | what comes next |"
    yield "|---|---|---|---|---|---|"
    for row in group.rows:
        cells = (row.name, row.when, _says(row.says), row.exit, _state(row), _next(row))
        yield "| " + " | ".join(map(str, cells)) + " |"
    yield ""


def _says(text: str) -> str:
    return f"“{text}”" if text else ""


def _state(row: Row) -> str:
    state = _STATES[row.state]
    if row.job == "rollback" and row.state == "as asked":
        state = "as the run left it"
    return f"**in doubt**, and said so; it is {state}" if row.doubt else state


def _next(row: Row) -> str:
    if row.next is None:
        return "nothing has to" if row.exit == 0 else "what the answer names as the way out"
    then: Then = row.next
    where = f" with `domain_controller: {then.controller}`" if then.controller else ""
    again = "the same command again" if then.command == "run" else f"`orchestrator {then.command}`"
    return f"{again}{where}: “{then.says}”, exit {then.exit}, {_STATES[then.state]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
