"""Rows: runs as a table or a spreadsheet, and what is unprotected."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from orchestrator.core.command import powershell
from orchestrator.core.run import Run
from orchestrator.core.setting import Member
from orchestrator.render.plan import value
from orchestrator.render.run import state
from orchestrator.render.text import Line, Lines, Look, Tone, safe, table, wrapped

# The wide forms count in East Asian spreadsheets. What follows a semicolon is a cell of its own
# where the comma is the decimal mark: there a spreadsheet takes the semicolon for the separator.
_FORMULA = re.compile("(^|;)(?=\\s*[=+@\uff1d\uff0b\uff0d\uff20-])")

COLUMNS = (
    "run",
    "organization",
    "playbook",
    "started",
    "ended",
    "outcome",
    "actor",
    "reason",
    "ticket",
    "approved_by",
    "review_by",
    "change",
    "object",
    "property",
    "member",
    "before",
    "after",
    "status",
    "detail",
    "apply",
    "undo",
)


def list_runs(runs: Sequence[Run]) -> Lines:
    """Yield one row for each run."""
    if not runs:
        yield Line("No run is recorded.")
        return
    rows = [
        (run.id, f"{run.started:%Y-%m-%d %H:%M}", run.plan.playbook, run.mandate.actor, state(run))
        for run in runs
    ]
    yield from table(("run", "begun (UTC)", "playbook", "by", "how it stands"), rows)


def csv_lines(runs: Sequence[Run]) -> Iterator[str]:
    """Yield a head and one line for each change of each run, as RFC 4180 has it.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    yield _line(COLUMNS)
    for run in runs:
        for position in range(len(run.statuses)):
            yield _line([defused(cell) for cell in _row(run, position)])


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def defused(cell: str) -> str:
    """Return *cell* safe to print and to open in a spreadsheet."""
    return _FORMULA.sub(r"\1'", safe(cell, limit=32_000))


def _row(run: Run, position: int) -> tuple[str, ...]:
    change, mandate = run.plan.changes[position], run.mandate
    setting, difference = change.setting, change.difference
    return (
        run.id,
        run.plan.organization.name,
        run.plan.playbook,
        run.started.isoformat(),
        run.ended.isoformat() if run.ended else "",
        run.outcome.value if run.outcome else "",
        mandate.actor,
        mandate.reason,
        mandate.ticket,
        mandate.approved_by,
        mandate.review_by,
        str(position + 1),
        setting.ref.label,
        setting.property,
        setting.member if isinstance(setting, Member) else "",
        value(difference.before),
        value(difference.after),
        run.statuses[position].value,
        run.details.get(position, ""),
        powershell(difference.apply),
        powershell(difference.undo),
    )


def is_overdue(review_by: str, today: date) -> bool:
    """Say whether the day of review has gone by. No day is never overdue, but marked anyway."""
    return bool(review_by) and date.fromisoformat(review_by) < today


_TOLD = (
    ("reason", "reason"),
    ("ticket", "ticket"),
    ("approved by", "approved_by"),
    ("BREAK-GLASS", "break_glass"),
)


def list_exceptions(exceptions: Sequence[Mapping[str, object]], look: Look) -> Lines:
    """Yield what is unprotected, what is due for review first marked as such."""
    if not exceptions:
        yield Line("Nothing is recorded as unprotected.", Tone.GOOD)
    for each in exceptions:
        what = f"{each['organization']}: {each['setting']}"
        yield from wrapped(what, Tone.HEADING, width=look.width)
        yield _review(each)
        told = (("since", f"{each['since']:%Y-%m-%d}, run {each['run']}"),)
        for head, said in (*told, *((head, str(each.get(name, ""))) for head, name in _TOLD)):
            if said:
                bullet = f"{head:<12}"
                yield from wrapped(said, indent=2, bullet=bullet, width=look.width)


def _review(exception: Mapping[str, object]) -> Line:
    due = str(exception["review_by"])
    if exception["overdue"]:
        return Line(f"  review by   {safe(due)}  OVERDUE", Tone.BAD)
    return Line(f"  review by   {safe(due) or 'never: nobody named a day'}", Tone.PLAIN)
