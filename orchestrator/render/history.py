"""Everything that is recorded of a run: who wanted it and why, what happened, what was sent."""

from collections.abc import Iterator, Sequence

from orchestrator.core.command import powershell
from orchestrator.core.events import Event, Mandate
from orchestrator.core.run import Run
from orchestrator.render.event import tell
from orchestrator.render.run import show_run
from orchestrator.render.text import Line, Lines, Look, Tone, command_line, heading, safe, wrapped


def show_history(run: Run, events: Sequence[Event], look: Look) -> Lines:
    """Yield the whole story of *run*, which *events* are the record of."""
    yield Line(safe(f"run {run.id}"), Tone.HEADING)
    for head, said in _facts(run):
        if said:
            yield from wrapped(said, indent=2, bullet=f"{head:<12}", width=look.width)
    yield from heading("What happened (UTC)")
    for event in events:
        line = tell(run.plan, event)
        yield Line(f"  {event.at:%m-%d %H:%M:%S}  {line.text}", line.tone)
    yield from heading("Commands")
    for position, change in enumerate(run.plan.changes, 1):
        yield command_line(
            powershell(change.difference.apply), indent=0, label=f"{position:>3} do    "
        )
        yield command_line(powershell(change.difference.undo), indent=0, label="    undo  ")
    yield from heading("How it stands")
    yield from show_run(run, look)


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    plan = run.plan
    yield "playbook", f"{plan.playbook}: {plan.title}"
    given = ((name, said) for name, said in plan.inputs.items() if said is not None)
    yield "inputs", ", ".join(f"{name}={said}" for name, said in given)
    yield "controller", plan.controller
    yield from _mandate(run.mandate)


def _mandate(mandate: Mandate) -> Iterator[tuple[str, str]]:
    yield "by", mandate.actor
    yield "reason", mandate.reason
    yield "ticket", mandate.ticket
    yield "approved by", mandate.approved_by
    yield "review by", mandate.review_by
    yield "break-glass", mandate.break_glass or ""
