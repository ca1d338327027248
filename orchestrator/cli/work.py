"""Plans made, carried out and reported: what run, plan and apply have in common."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import click
from msgspec.structs import replace

from orchestrator.app import brakes
from orchestrator.app.batch import side_by_side
from orchestrator.app.execution import (
    Done,
    Drifted,
    Options,
    carry_out,
    check_decided,
    new_batch,
)
from orchestrator.app.fleet import Pace, beyond, paced
from orchestrator.app.planning import LIFE, Planned, draft, plan_organization
from orchestrator.app.workplace import Workplace
from orchestrator.cli import codes
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.consent import (
    NOTHING_CHANGED,
    agree,
    apply_question,
    changing,
    reasoned,
    show_all,
    show_error,
)
from orchestrator.cli.progress import Progress
from orchestrator.cli.proving import proved
from orchestrator.cli.terminal import Terminal
from orchestrator.core.caps import Excess
from orchestrator.core.errors import OrchestratorError, RefusedError, UsageError
from orchestrator.core.events import Mandate, OnFailure
from orchestrator.core.inventory import Organization
from orchestrator.core.limits import Limits
from orchestrator.core.playbook import Playbook
from orchestrator.render.facts import Facts, error_facts, plan_facts, run_facts
from orchestrator.render.run import show_run
from orchestrator.render.text import BLANK, Line, Lines, Look, Tone, heading, plural, wrapped


def parse_settings(given: Sequence[str]) -> dict[str, str]:
    """Return the inputs of ``--set name=value``. UsageError for another form, or one twice."""
    found: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise UsageError(f"'{text}' is no input", "Write --set domain=fabrikam.com.")
        if name.strip() in found:
            raise UsageError(f"{name.strip()} is given twice", "Keep one --set of it.")
        found[name.strip()] = value
    return found


@contextmanager
def released(planned: Sequence[Planned]) -> Iterator[None]:
    """Close whatever sessions planning left open, however the work with them ends."""
    try:
        yield
    finally:
        for each in planned:
            if each.session is not None:
                each.session.close()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be planned: a playbook, the operator's words for its inputs, and for how long.

    *incident* is the id of the one that is answered, if any.
    """

    playbook: Playbook
    given: Mapping[str, str]
    life: timedelta = LIFE
    incident: str = ""


def plan_all(
    terminal: Terminal, workplace: Workplace, limit: Sequence[str], wanted: Wanted, forks: int
) -> list[Planned]:
    """Look at every organization that *limit* means, side by side.

    Abort where the operator wants to leave. UsageError, ConfigurationError before anything is
    asked of a server.
    """
    organizations = workplace.inventory.select(limit)
    for organization in organizations:
        draft(wanted.playbook, wanted.given, organization)

    def look(organization: Organization) -> Planned:
        planned = plan_organization(
            workplace, organization, wanted.playbook, wanted.given, wanted.life
        )
        if planned.plan is not None and wanted.incident:
            planned.plan = replace(planned.plan, incident=wanted.incident)
        return planned

    return looked(terminal, workplace, organizations, look, forks)


def looked(
    terminal: Terminal,
    workplace: Workplace,
    items: Sequence[Organization] | Sequence[Planned],
    look: Callable[..., Planned],
    forks: int,
) -> list[Planned]:
    """Return what *look* makes of each item, with a sign of life on a terminal."""
    with _waiting(terminal, f"Looking at {plural(len(items), 'organization')}"):
        planned = side_by_side(workplace, items, look, forks=forks)
    if workplace.stop.is_set():
        with released(planned):
            terminal.warn([Line(NOTHING_CHANGED)])
            raise click.Abort
    return planned


def _waiting(terminal: Terminal, text: str) -> AbstractContextManager[object]:
    if not terminal.live:
        return nullcontext()
    from rich.console import Console  # noqa: PLC0415 - only where it is a terminal

    return Console().status(text)


class How(NamedTuple):
    """How plans are carried out: what is recorded, what is asked, how many, and how fast.

    With *patience* the proofs are waited for afterwards, for that long.
    """

    mandate: Mandate
    on_failure: OnFailure
    whatif: bool
    yes: bool
    forks: int
    limits: Limits = Limits()
    pace: Pace = Pace()
    patience: timedelta | None = None


def decide(
    terminal: Terminal, workplace: Workplace, noun: str, planned: Sequence[Planned], how: How
) -> ExitCode:
    """Show *planned*, ask, and carry out what can be; return the gravest exit code."""
    ready = changing(planned)
    show = terminal.say if how.yes else terminal.tell
    show(show_all(planned, terminal.look))
    excess = capped(terminal, workplace, planned, how.limits)
    if ready and not excess:
        # A store that cannot be written to is found out here, before anybody is asked.
        ready = _let_through(terminal, workplace, ready, how)
    if excess or not ready:
        return conclude(terminal, noun, planned, [], limits=excess)
    mandate = reasoned(terminal, ready, how.mandate, yes=how.yes)
    if not agree(terminal, apply_question(ready), yes=how.yes):
        terminal.tell(sentence(NOTHING_CHANGED))
        return conclude(terminal, noun, planned, [])
    options = Options(mandate, how.on_failure, how.whatif, asked=not how.yes)
    done = carry_out_all(terminal, workplace, ready, options, how)
    of = codes.of_done
    if how.patience is not None:
        of = codes.of_proved
        done = proved(terminal, workplace, done, forks=how.forks, patience=how.patience)
    terminal.say(show_done(done, terminal.look))
    return conclude(terminal, noun, planned, done, of=of)


def carry_out_all(
    terminal: Terminal,
    workplace: Workplace,
    planned: Sequence[Planned],
    options: Options,
    how: How,
) -> list[Done]:
    """Carry out every plan under one batch, as fast as *how* says."""
    batch = new_batch(workplace)
    with Progress(terminal, [each.organization.name for each in planned]) as progress:
        return paced(
            workplace,
            planned,
            lambda each: carry_out(workplace, each, batch, options, progress.listen),
            lambda each: each.organization.name,
            pace=how.pace,
            forks=how.forks,
            on_interrupt=progress.interrupt,
        )


def capped(
    terminal: Terminal, workplace: Workplace, planned: Sequence[Planned], limits: Limits
) -> tuple[Excess, ...]:
    """Return the caps that carrying out *planned* would exceed, and say so."""
    excess = beyond(workplace, changing(planned), limits)
    if excess:
        terminal.say(heading("Too much for one batch: nothing of it is carried out"))
    for each in excess:
        terminal.say(wrapped(f"{each}.", Tone.BAD, indent=2, width=terminal.width))
        terminal.say(wrapped(each.way_out, indent=4, width=terminal.width))
    return excess


def _let_through(
    terminal: Terminal, workplace: Workplace, ready: Sequence[Planned], how: How
) -> list[Planned]:
    """Return those that nothing holds back now; the others learn why, as their error."""
    open_now = []
    for each in ready:
        try:
            if each.plan is not None:
                check_decided(each.plan, how.mandate, asked=not how.yes)
            passed = brakes.check(workplace, each.organization, how.mandate.break_glass or "")
        except RefusedError as error:
            each.error = error
            terminal.say(sentence(""))
            terminal.say(show_error(each.organization.name, error, terminal.look))
            continue
        open_now.append(each)
        if passed is not None:
            text = f"BREAK-GLASS: {each.organization.name}: goes on although it is {passed.reason}"
            terminal.warn(wrapped(text, Tone.BAD, width=terminal.width))
    return open_now


def show_done(done: Sequence[Done], look: Look) -> Lines:
    """Yield how it went in every organization."""
    for each in done:
        yield BLANK
        if each.run is not None:
            yield from show_run(each.run, look)
        if each.error is not None:
            yield from show_error(each.organization, each.error, look)


def of_planned(planned: Planned) -> ExitCode:
    """Return the exit code for a plan that is not, or not yet, carried out."""
    if planned.error is not None:
        return codes.of_error(planned.error)
    refused = planned.plan is not None and planned.plan.refusals
    return ExitCode.REFUSED if refused else ExitCode.DONE


def conclude(  # noqa: PLR0913 - what a document tells of
    terminal: Terminal,
    noun: str,
    planned: Sequence[Planned],
    done: Sequence[Done],
    *,
    limits: Sequence[Excess] = (),
    of: Callable[[Done], ExitCode] = codes.of_done,
    **more: object,
) -> ExitCode:
    """Print the JSON document, where it was asked for, and return the gravest exit code.

    *more* are further fields of the document; ``pending`` true turns waiting changes into 3.
    *limits* are the caps that it all would exceed, *of* tells the code of what was carried out.
    """
    ended = {each.organization: each for each in done}
    rows = [_row(each, ended.get(each.organization.name), of) for each in planned]
    found = [code for code, _ in rows]
    if more.pop("pending", False) and changing(planned):
        found.append(ExitCode.PENDING)
    if limits:
        found.append(ExitCode.REFUSED)
    code = codes.gravest(found)
    facts = [facts for _, facts in rows]
    over = {"limits": limits, "organizations": facts, "exit_code": int(code)}
    terminal.document(noun, {"dry_run": False, **more, **over})
    return code


def _row(
    planned: Planned, done: Done | None, of: Callable[[Done], ExitCode]
) -> tuple[ExitCode, Facts]:
    code = of_planned(planned) if done is None else of(done)
    error = planned.error if done is None else done.error
    return code, {
        "organization": planned.organization.name,
        "plan": plan_facts(planned.plan) if planned.plan else None,
        "run": run_facts(done.run) if done and done.run else None,
        "error": error_row(error) if error else None,
        "exit_code": int(code),
    }


def error_row(error: OrchestratorError) -> Facts:
    """Return an error as plain values, with the three-way difference where it has one."""
    return error_facts(error, error.drifts if isinstance(error, Drifted) else ())


def sentence(text: str) -> list[Line]:
    """Return *text* after an empty line."""
    return [BLANK, Line(text)]
