"""A diagnosis on the screen: what is wrong, why, on what evidence, and the one command."""

import shlex

from orchestrator.exchange.diagnosis import Diagnosis, Finding, Remedy, Suggestion
from orchestrator.exchange.senders import Origin, Senders
from orchestrator.render.text import (
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

_SHOWN = 20
_SIGNS = 12
_SOURCES = 3

VERDICTS = {
    Remedy.REMOVE_FROM_LIST: "take the domain off the list; nothing else",
    Remedy.RETIRE_DEDICATED: "take the domain off the list and retire its own connectors",
    Remedy.FIX_OUR_SIDE: "our own side is at fault: mend it, not the list",
    Remedy.RELAY_IN_FRONT: "something stands in front of Exchange: look there first",
    Remedy.CONTACT_PARTNER: "the partner has to mend its side: write to it",
    Remedy.NOTHING_TO_DO: "there is nothing to do",
    Remedy.NEEDS_A_PERSON: "a person has to decide; nothing is guessed",
}


def describe(organization: str, found: Diagnosis, look: Look) -> Lines:
    """Yield the verdict, every finding with its evidence, and what to type next."""
    yield from heading(f"{organization}: {found.domain}")
    tone = Tone.WARNING if found.verdict is Remedy.NEEDS_A_PERSON else Tone.GOOD
    yield from wrapped(f"{found.verdict}: {VERDICTS[found.verdict]}.", tone, width=look.width)
    yield from heading("What is wrong, and why")
    yield from _finding(found.decided, look)
    rest = {one.text: one for one in found.findings if one.text != found.decided.text}
    if rest:
        yield from heading("What else was found")
    for finding in rest.values():
        # What holds of another server as well needs no second list of signs.
        yield from _finding(finding, look, bare=finding.rule == found.decided.rule)
    yield from _refused(found, look)
    yield from heading("What it would not do")
    for text in found.instead:
        yield from wrapped(text, indent=2, bullet="- ", width=look.width)
    yield from _next(organization, found, look)


def _finding(finding: Finding, look: Look, *, bare: bool = False) -> Lines:
    text = f"{finding.text} ({finding.rule} {finding.mark})"
    yield from wrapped(text, indent=2, bullet="- ", width=look.width)
    for sign in () if bare else finding.signs[:_SIGNS]:
        mark = look.mark(holds=sign.holds)
        said = f"{mark} {sign.subject} {sign.property}: {sign.value}"
        yield from wrapped(said, Tone.QUIET, indent=6, width=look.width)
    if len(finding.signs) > _SIGNS and not bare:
        yield Line(f"      and {plural(len(finding.signs) - _SIGNS, 'more sign')}", Tone.QUIET)
    if finding.sources:
        sources = "; ".join(finding.sources[:_SOURCES])
        if len(finding.sources) > _SOURCES:
            sources += f"; and {len(finding.sources) - _SOURCES} more"
        yield from wrapped(f"Seen in: {sources}", Tone.QUIET, indent=6, width=look.width)


def _refused(found: Diagnosis, look: Look) -> Lines:
    if not found.refused:
        if found.verdict in {Remedy.REMOVE_FROM_LIST, Remedy.RETIRE_DEDICATED}:
            text = (
                "Mail that was refused has bounced, and its senders must send again; who they are "
                "only the protocol log says (--protocol-log auto)."
            )
            yield from wrapped(text, Tone.WARNING, indent=2, width=look.width)
        return
    yield from heading("Senders whose mail was refused: they must send again")
    for sender in found.refused[:_SHOWN]:
        yield from wrapped(sender or "<> (a bounce)", indent=2, width=look.width)
    more = max(len(found.refused) - _SHOWN, 0) + found.more
    if more:
        yield Line(f"  and {more} more", Tone.QUIET)


def _next(organization: str, found: Diagnosis, look: Look) -> Lines:
    command = command_of(organization, found)
    if command:
        yield from heading("To go on; nothing is changed by looking")
        yield command_line(command + look.options, indent=2)
    elif found.suggestion is not None:
        text = "A name in it cannot be typed as it is shown, so no command is given."
        yield from wrapped(text, Tone.WARNING, indent=2, width=look.width)
    if found.by_hand:
        yield from heading("For a person, in the Exchange Management Shell of that server")
        for line in found.by_hand:
            yield command_line(line, indent=2)
        if found.incident and "Set-" in " ".join(found.by_hand):
            word = shlex.quote("What was done, and where")
            yield from wrapped("Then record it:", indent=2, width=look.width)
            yield command_line(f"orchestrator incidents note {found.incident} {word}", indent=2)


def command_of(organization: str, found: Diagnosis) -> str:
    """Return the one command, or nothing where there is none, or where it could not be typed.

    Whatever changes anything is suggested as a dry run.
    """
    if found.suggestion is None:
        return ""
    named = (organization, found.incident, *(value for _, value in found.suggestion.inputs))
    if any(safe(text) != text or "\n" in text for text in named):
        return ""
    if found.suggestion.playbook == CONTACT:
        named_by = "--incident" if found.incident else "--limit"
        about = shlex.quote(found.incident or organization)
        way_back = "--reply-to ADDRESS --telephone NUMBER"
        return f"orchestrator {CONTACT} {shlex.quote(found.domain)} {named_by} {about} {way_back}"
    return f"orchestrator run {found.suggestion.playbook} {_inputs(organization, found)} --dry-run"


CONTACT = "contact-partner"


def _inputs(organization: str, found: Diagnosis) -> str:
    suggestion = found.suggestion or Suggestion("")
    said = [f"--set {shlex.quote(f'{name}={value}')}" for name, value in suggestion.inputs]
    if not found.incident:
        return " ".join([f"--limit {shlex.quote(organization)}", *said])
    return " ".join([f"--incident {shlex.quote(found.incident)}", *_beyond(found, said)])


def _beyond(found: Diagnosis, said: list[str]) -> list[str]:
    """Return what has to be said beside the incident, because it does not say so itself."""
    inputs = dict(found.suggestion.inputs) if found.suggestion else {}
    connector = inputs.get("connector")
    own = [text for text in said if not text.startswith(("--set domain=", "--set 'domain="))]
    if connector is None:
        return [*own, *(["--set connector="] if _takes_connector(found) else [])]
    same = len(found.recorded) == 1 and found.recorded[0].casefold() == connector.casefold()
    return [] if same else own


def _takes_connector(found: Diagnosis) -> bool:
    """Say whether the incident would fill in a connector that is not to be named."""
    named = found.suggestion is not None and found.suggestion.playbook == "remove-domain-security"
    return named and len(found.recorded) == 1


def diagnosis_facts(
    organization: str, found: Diagnosis, senders: Senders | None
) -> dict[str, object]:
    """Return a diagnosis as plain values; docs/output.md describes every field."""
    return {
        "organization": organization,
        "domain": found.domain,
        "incident": found.incident,
        "verdict": found.verdict.value,
        "decided_by": found.decided.rule,
        "findings": [_finding_facts(finding) for finding in found.findings],
        "command": command_of(organization, found),
        "by_hand": list(found.by_hand),
        "instead": list(found.instead),
        "refused": list(found.refused),
        "refused_more": found.more,
        "addresses": [_origin_facts(origin) for origin in senders.refused] if senders else [],
        "protocol_logs": list(senders.sources) if senders else [],
        "gaps": list(senders.gaps) if senders else [],
    }


def _finding_facts(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "text": finding.text,
        "mark": finding.mark.value.strip("[]"),
        "decides": finding.decides.value if finding.decides else None,
        "signs": [
            {"subject": s.subject, "property": s.property, "value": s.value, "holds": s.holds}
            for s in finding.signs
        ],
        "sources": list(finding.sources),
    }


def _origin_facts(origin: Origin) -> dict[str, object]:
    return {
        "address": origin.address,
        "refused": origin.refused,
        "accepted": origin.accepted,
        "first": origin.first,
        "last": origin.last,
        "answer": origin.answer,
        "connectors": list(origin.connectors),
        "others": list(origin.others),
    }
