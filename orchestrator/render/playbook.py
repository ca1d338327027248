"""A playbook in words, for somebody who has never seen one.

A new kind of step, predicate or proof gets a row in SENTENCES; a test asks for it.
"""

from collections.abc import Callable, Mapping

from orchestrator.core.playbook import Input, Invocation, Literal, Playbook, placeholder
from orchestrator.render.text import BLANK, Line, Lines, Tone, safe, table, wrapped

_LISTS = {"receive": "TLSReceiveDomainSecureList", "send": "TLSSendDomainSecureList"}
Arguments = Mapping[str, str]


def _list(said: Arguments) -> str:
    verb = "does not hold" if said.get("state") == "absent" else "holds"
    return f"{_LISTS.get(said['list'], said['list'])} {verb} {said['domain']}"


def _property(said: Arguments) -> str:
    subject = " ".join(filter(None, (said["object"], said.get("identity"), said["property"])))
    states = {"equals": "is", "includes": "holds", "excludes": "does not hold", "flags": "is"}
    state = "".join(f" {verb} {said[key]}" for key, verb in states.items() if key in said)
    return subject + state


def _secured(said: Arguments) -> str:
    sides = {"receive": said.get("receive_connector"), "send": said.get("send_connector")}
    named = " and ".join(f"the {side} connector {name}" for side, name in sides.items() if name)
    return f"DomainSecureEnabled is true for {named}, where {said['domain']} is listed"


SENTENCES: Mapping[str, Callable[[Arguments], str]] = {
    "domain_secure_list": _list,
    "dedicated_receive_connectors": lambda said: (
        f"the receive connector {said['connector']} is {said['state']}, "
        "on every server that has the same flow"
    ),
    "dedicated_send_connector": lambda said: (
        f"the send connector dedicated to {said['domain']} is {said['state']}"
    ),
    "auth_mechanism": lambda said: (
        f"the AuthMechanism of the receive connector {said['connector']} includes "
        f"{said['includes']}, on every server that has the same flow"
    ),
    "domain_secure_enabled": _secured,
    "property": _property,
    "accepts_anonymous": lambda said: (
        f"the receive connector {said['connector']}, if one is named, takes anonymous mail"
    ),
    "listed": _list,
    "read_back": lambda _: "every change is read back from the domain controller it was made on",
    "every_controller": lambda _: "the domain controller that each server reads from has it",
    "audit_log": lambda _: "the admin audit log has our commands, and no other change since",
    "accepted_message": lambda _: "a protocol log shows an accepted message of the partner",
    "no_events": lambda _: "no event says any more that the partner's mail is turned away",
    "config_reloaded": lambda _: "the transport services say that they took it (support, no proof)",
}
"""What each kind says is true, given its arguments as text; an input is ``<name>``."""


ATTENDED = (
    "It is carried out when a person agrees to it at a terminal. With --yes nobody is asked: then "
    "--approved-by has to name who decided."
)
"""What ``attended: true`` means, for the operator."""


def sentence(invocation: Invocation) -> str:
    """Return what an entry of a playbook says is true, and under which condition."""
    said = {key: _spoken(value) for key, value in invocation.arguments.items()}
    words = SENTENCES[invocation.kind](said)
    match invocation.when:
        case None:
            return words
        case str(name):
            return f"{words}, if <{name}>"
        case guard:
            return f"{words}, if {sentence(guard)}"


def _spoken(value: Literal) -> str:
    if name := placeholder(value):
        return f"<{name}>"
    if isinstance(value, tuple):
        return ", ".join(value)
    return "nothing" if value is None else str(value)


def summary(playbooks: tuple[Playbook, ...]) -> Lines:
    """Yield a table of playbooks: name, title, events."""
    rows = [(each.name, each.title, _events(each)) for each in playbooks]
    yield from table(("NAME", "TITLE", "EVENTS"), rows)


def _events(playbook: Playbook) -> str:
    return ", ".join(dict.fromkeys(str(answer.event) for answer in playbook.answers)) or "-"


def description(playbook: Playbook, width: int) -> Lines:
    """Yield everything a playbook says, in words."""
    yield Line(safe(f"{playbook.name}: {playbook.title}"), Tone.HEADING)
    for paragraph in playbook.description.split("\n\n"):
        yield from wrapped(paragraph, indent=2, width=width)
    yield from _section("Answers", [f"{a.source} {a.event}" for a in playbook.answers], width)
    yield from _inputs(playbook.inputs, width)
    for heading, entries in (
        ("Has to hold beforehand", playbook.require),
        ("Makes true, in this order", playbook.steps),
        ("Proof", playbook.verify),
    ):
        yield from _section(heading, [sentence(each) for each in entries], width)
    if playbook.attended:
        yield from _section("For a person only", [ATTENDED], width)
    yield BLANK
    yield Line("Look at what it would do; nothing is changed", Tone.HEADING)
    yield Line(f"  {_command(playbook)}", Tone.COMMAND)


def _section(heading: str, entries: list[str], width: int) -> Lines:
    if not entries:
        return
    yield BLANK
    yield Line(heading, Tone.HEADING)
    for number, entry in enumerate(entries, start=1):
        bullet = f"{number}. " if len(entries) > 1 else ""
        yield from wrapped(entry, indent=2, bullet=bullet, width=width)


def _inputs(inputs: tuple[Input, ...], width: int) -> Lines:
    if not inputs:
        return
    yield BLANK
    yield Line("Inputs", Tone.HEADING)
    for each in inputs:
        need = "required" if each.required else f"default {_default(each)}"
        yield Line(f"  --set {each.name}=...  ({each.type}, {need})", Tone.COMMAND)
        yield from wrapped(each.description, indent=6, width=width)


def _default(given: Input) -> str:
    if given.default is None:
        return "nothing"
    return str(given.default).lower() if isinstance(given.default, bool) else str(given.default)


def _command(playbook: Playbook) -> str:
    needed = "".join(f" --set {each.name}=..." for each in playbook.inputs if each.required)
    return f"orchestrator run {playbook.name}{needed} --dry-run"


def playbook_facts(playbook: Playbook) -> dict[str, object]:
    """Return what a playbook says as plain values; docs/output.md describes every field."""
    inputs = ("name", "type", "description", "required", "default")
    return {
        "name": playbook.name,
        "title": playbook.title,
        "description": playbook.description,
        "digest": playbook.digest,
        "answers": [{"source": a.source, "event": a.event} for a in playbook.answers],
        "inputs": [{key: getattr(each, key) for key in inputs} for each in playbook.inputs],
        "require": [_entry(each) for each in playbook.require],
        "steps": [_entry(each) for each in playbook.steps],
        "verify": [_entry(each) for each in playbook.verify],
        "attended": playbook.attended,
    }


def _entry(invocation: Invocation) -> dict[str, object]:
    return {
        "kind": invocation.kind,
        "arguments": dict(invocation.arguments),
        "words": sentence(invocation),
    }
