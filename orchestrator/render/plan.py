"""A plan on the screen: what was found, what would change, what follows, what forbids it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import assert_never

from orchestrator.core.command import powershell
from orchestrator.core.facts import Value
from orchestrator.core.plan import Change, Plan, label
from orchestrator.core.playbook import Concern, Consequence, Refusal, Sign
from orchestrator.core.setting import Flags, Member, Scalar, Setting
from orchestrator.render.text import (
    BLANK,
    Line,
    Lines,
    Look,
    Tone,
    command_line,
    heading,
    plural,
    safe,
    wrapped,
)

CONCERNS: Mapping[Concern, str] = {
    Concern.SECURITY: "What is no longer protected",
    Concern.MAIL_FLOW: "Mail coming in",
    Concern.OUTBOUND: "Mail going out",
    Concern.UNKNOWN: "What cannot be known from here",
    Concern.NOTE: "To note",
}
"""Headings of consequences, in the order in which an operator wants to read them."""


def show_plan(plan: Plan, look: Look) -> Lines:
    """Yield the whole plan. What is last is what matters most for the question that follows."""
    yield from _head(plan, look)
    yield from _found(plan, look)
    if plan.refusals:
        yield from _would_change(plan, look)
        yield from _refused(plan, look)
    elif plan.changes:
        yield from _changes(plan, look)
        yield from _consequences(plan, look)
        yield from _notes(plan, look)
        yield from _validity(plan, look)
    else:
        yield from _notes(plan, look)
        yield from heading("Nothing to do")
        text = "Everything that the playbook asks for is so already."
        yield from wrapped(text, Tone.GOOD, indent=2, width=look.width)


def _head(plan: Plan, look: Look) -> Lines:
    title = f"{plan.organization.name}: {plan.title}"
    yield from wrapped(title, Tone.HEADING, width=look.width)
    given = ", ".join(f"{name}={_input(value)}" for name, value in _given(plan))
    text = f"{plan.playbook} with {given}" if given else plan.playbook
    yield from wrapped(text, indent=2, width=look.width)
    text = f"read from the domain controller {plan.controller}, through the server {plan.server}"
    yield from wrapped(text, Tone.QUIET, indent=2, width=look.width)


def _given(plan: Plan) -> list[tuple[str, object]]:
    return [(name, value) for name, value in plan.inputs.items() if value is not None]


def _input(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _found(plan: Plan, look: Look) -> Lines:
    # What a refusal rests on is shown with it, and not twice.
    elsewhere = {sign for refusal in plan.refusals for sign in refusal.evidence}
    found = [sign for sign in plan.found if sign not in elsewhere]
    if found:
        yield from heading("What was found")
        yield from signs(found, look, indent=2)


def signs(evidence: Iterable[Sign], look: Look, *, indent: int) -> Lines:
    """Yield every sign under the object it is about, with a tick or a cross where it judges."""
    for subject, group in groupby(evidence, lambda sign: sign.subject):
        own = list(group)
        yield Line(" " * indent + safe(subject))
        wide = max(len(sign.property) for sign in own)
        for sign in own:
            bullet = f"{look.mark(holds=sign.holds)} {safe(sign.property).ljust(wide)}  "
            tone = Tone.BAD if sign.holds is False else Tone.PLAIN
            shown = wrapped(
                sign.value or "(empty)", tone, indent=indent + 1, bullet=bullet, width=look.width
            )
            yield from shown


def _changes(plan: Plan, look: Look) -> Lines:
    yield from heading(f"{plural(len(plan.changes), 'change')}, made one at a time")
    for number, change in enumerate(plan.changes, 1):
        yield from show_change(change, number, look)
        yield command_line(powershell(change.difference.apply), indent=5, label="do    ")
        yield command_line(powershell(change.difference.undo), indent=5, label="undo  ")


def show_change(change: Change, number: int, look: Look) -> Lines:
    """Yield what is touched, and its state before and after."""
    bullet = f"{number:>2}  "
    yield from wrapped(label(change.setting), indent=1, bullet=bullet, width=look.width)
    yield from wrapped(transition(change, look), indent=5, width=look.width)


def transition(change: Change, look: Look) -> str:
    """Return the state before and after in words, and what stays."""
    setting, difference = change.setting, change.difference
    if not isinstance(setting, Member):
        return f"{value(difference.before)} {look.arrow} {value(difference.after)}"
    ends = ("absent", "present") if setting.present else ("present", "absent")
    text = f"{difference.before or difference.after}: {ends[0]} {look.arrow} {ends[1]}"
    if difference.untouched is None:
        return text
    return f"{text}; {plural(difference.untouched, 'other entry stays', 'other entries stay')}"


def stated(setting: Setting) -> str:
    """Return what *setting* makes true, in words."""
    match setting:
        case Member(member=member, present=present):
            return f"{label(setting)} {'with' if present else 'without'} {member}"
        case Scalar(value=given):
            return f"{label(setting)} is {value(given)}"
        case Flags(flags=flags):
            return f"{label(setting)} is {value(flags)}"
        case _:
            assert_never(setting)


def value(given: Value) -> str:
    """Return a touched value in words."""
    match given:
        case None | () | "":
            return "(empty)"
        case tuple():
            return ", ".join(given)
        case _:
            return str(given)


def _consequences(plan: Plan, look: Look) -> Lines:
    told: dict[Consequence, list[int]] = {}
    for number, change in enumerate(plan.changes, 1):
        for consequence in change.consequences:
            told.setdefault(consequence, []).append(number)
    for concern, title in CONCERNS.items():
        own = [item for item in told.items() if item[0].concern is concern]
        if own:
            yield from heading(title)
        for consequence, numbers in own:
            yield from _consequence(consequence, numbers if len(plan.changes) > 1 else (), look)


def _consequence(consequence: Consequence, numbers: Sequence[int], look: Look) -> Lines:
    security = consequence.concern is Concern.SECURITY
    about = _about(numbers)
    bullet = "! " if security else "- "
    tone = Tone.WARNING if security else Tone.PLAIN
    text = consequence.text + about
    yield from wrapped(text, tone, indent=2, bullet=bullet, width=look.width)
    for subject, group in groupby(consequence.evidence, lambda sign: sign.subject):
        said = "; ".join(f"{sign.property} {sign.value or '(empty)'}" for sign in group)
        seen = f"{subject}: {said}"
        yield from wrapped(seen, Tone.QUIET, indent=4, bullet="seen: ", width=look.width)


def _about(numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    return f" (change{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))})"


def _notes(plan: Plan, look: Look) -> Lines:
    if plan.notes:
        yield from heading("Beside that")
    for note in plan.notes:
        yield from wrapped(note, indent=2, bullet="- ", width=look.width)


def _validity(plan: Plan, look: Look) -> Lines:
    yield BLANK
    text = (
        f"Everything is read and written on {plan.controller}. "
        f"This plan can be carried out until {plan.expires:%Y-%m-%d %H:%M} UTC."
    )
    yield from wrapped(text, Tone.QUIET, width=look.width)
    if plan.attended is True:
        text = "It is for a person to decide: with --yes, --approved-by has to name who did."
        yield from wrapped(text, width=look.width)


def _would_change(plan: Plan, look: Look) -> Lines:
    if plan.changes:
        yield from heading(f"It asks for {plural(len(plan.changes), 'change')}")
    for number, change in enumerate(plan.changes, 1):
        yield from show_change(change, number, look)


def _refused(plan: Plan, look: Look) -> Lines:
    yield from heading("Refused")
    yield from wrapped("Nothing of this plan is carried out.", Tone.BAD, indent=2, width=look.width)
    told: set[tuple[Sign, ...]] = set()
    for refusal in plan.refusals:
        yield from _refusal(refusal, look, again=refusal.evidence in told)
        told.add(refusal.evidence)
    yield from _notes(plan, look)


def _refusal(refusal: Refusal, look: Look, *, again: bool) -> Lines:
    """Yield the rule, its reason, every sign it judged by, and the way out."""
    yield BLANK
    text = f"{refusal.rule}: {refusal.reason.rstrip('.')}."
    yield from wrapped(
        text, Tone.BAD, indent=2, bullet=f"{look.mark(holds=False).strip()} ", width=look.width
    )
    if again and refusal.evidence:
        yield from wrapped("The signs are those shown above.", indent=6, width=look.width)
    else:
        yield from signs(refusal.evidence, look, indent=6)
    if refusal.way_out:
        yield from wrapped(refusal.way_out, indent=4, bullet="Way out: ", width=look.width)
