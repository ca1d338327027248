"""What a person sees before anything is changed, and how they agree to it."""

from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from orchestrator.app.execution import Drifted
from orchestrator.app.planning import Planned
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import OrchestratorError, UsageError
from orchestrator.core.events import Mandate
from orchestrator.core.plan import Plan
from orchestrator.render.drift import show_drifts
from orchestrator.render.plan import show_plan
from orchestrator.render.text import BLANK, Line, Lines, Look, Tone, heading, plural, table, wrapped

NOTHING_CHANGED = "Nothing was changed."


def show_all(planned: Sequence[Planned], look: Look) -> Lines:
    """Yield each organization's plan, or why there is none."""
    for number, each in enumerate(planned):
        if number:
            yield BLANK
            yield Line("-" * look.width, Tone.QUIET)
        if each.plan is not None:
            yield from show_plan(each.plan, look)
        if each.error is not None:
            yield from show_error(each.organization.name, each.error, look)
    if len(planned) > 1:
        yield from heading("All together")
        yield from table(("organization", "plan"), [_summary(each) for each in planned])


def _summary(planned: Planned) -> tuple[str, str]:
    plan = planned.plan
    if plan is None:
        text = f"no plan: {planned.error}"
    elif plan.refusals:
        text = "refused: " + ", ".join(dict.fromkeys(each.rule for each in plan.refusals))
    elif plan.changes:
        lowers = "; takes protection away" if plan.lowers_security else ""
        text = plural(len(plan.changes), "change") + lowers
    else:
        text = "nothing to do"
    return planned.organization.name, text


def show_error(organization: str, error: OrchestratorError, look: Look) -> Lines:
    """Yield what went wrong in one organization, and what to do about it."""
    said = str(error)
    text = said if said.startswith(organization) else f"{organization}: {said}"
    yield from wrapped(f"error: {text}", Tone.BAD, width=look.width)
    if isinstance(error, Drifted):
        yield from show_drifts(error.drifts, look)
    if error.advice:
        yield from wrapped(error.advice, indent=2, width=look.width)


def changing(planned: Sequence[Planned]) -> list[Planned]:
    """Return those that can be carried out and have something to change."""
    return [each for each in planned if each.plan and each.plan.changes and not each.plan.refusals]


def agree(terminal: Terminal, question: str, *, yes: bool) -> bool:
    """Ask whether to go ahead. UsageError where nobody is there to be asked and *yes* is not."""
    if yes:
        return True
    if not terminal.interactive:
        raise UsageError(
            "nobody can be asked whether to go ahead: standard input is not a terminal; "
            "nothing was changed",
            "Look at it first (--dry-run), then add --yes to agree to it beforehand.",
        )
    return terminal.confirm(f"\n{question}")


def apply_question(planned: Sequence[Planned]) -> str:
    """Return what is asked before *planned* is carried out."""
    return f"Apply these changes to {plural(len(planned), 'organization')}?"


def reasoned(
    terminal: Terminal, planned: Sequence[Planned], mandate: Mandate, *, yes: bool
) -> Mandate:
    """Return *mandate* with the reason that taking protection away needs; a person is asked."""
    plans = [each.plan for each in planned if each.plan is not None]
    lowering = [plan for plan in plans if plan.lowers_security]
    if mandate.reason or not lowering:
        return mandate
    if yes or not terminal.interactive:
        raise _unreasoned(lowering)
    question = "\nThis takes protection away. The reason, for the record"
    return replace(mandate, reason=terminal.prompt(question))


def _unreasoned(lowering: Sequence[Plan]) -> UsageError:
    names = ", ".join(plan.organization.name for plan in lowering)
    return UsageError(
        f"this takes protection away ({names}) and needs a reason; nothing was changed",
        'Add --reason "..."; --ticket, --approved-by and --review-by are recorded with it.',
    )


def review_date(text: str, today: date) -> str:
    """Return a date as ``YYYY-MM-DD``, or nothing. UsageError for no date, or one gone by."""
    if not text:
        return ""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"'{text}' is no date for --review-by", f"Write it as {today.isoformat()}."
        ) from None
    if found < today:
        raise UsageError(
            f"--review-by {found.isoformat()} has gone by",
            "Name the day on which somebody looks whether the exception is still needed.",
        )
    return found.isoformat()
