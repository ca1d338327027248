"""The admin audit log: who changed what, as Exchange itself keeps it for 90 days [doc].

An entry may take up to 15 minutes to appear [doc]. It is a record that this program did not write.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.core.command import Command, Record, Result
from orchestrator.core.plan import Change
from orchestrator.core.proof import Evidence, Finding, Verdict
from orchestrator.exchange.objects import OBJECT_KINDS, TRANSPORT_CONFIG
from orchestrator.exchange.stamp import stamp

LAG = timedelta(minutes=15)
"""How long an entry may take to appear [doc]."""

SKEW = timedelta(minutes=5)
"""How far the clocks of servers and jump host may lie apart: Kerberos works no further [doc]."""

SLACK = 2 * SKEW
"""How far an entry may lie from when we sent the command: that much, and how long it took."""

MOST = 1000
"""Entries that are asked for: also how many a server returns unless it is told otherwise [doc]."""

ROLE = "View-Only Audit Logs"

_MISSING = "CommandNotFoundException"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. *parameters* are their names, None where the server did not say."""

    cmdlet: str
    object: str
    caller: str
    at: datetime
    parameters: tuple[str, ...] | None
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A command of ours: the change of which run it made, and when it was about to be sent."""

    run: str
    change: Change
    at: datetime


def search(sent: Sequence[Sent]) -> Command:
    """Return the question for everything that happened to these kinds of object since."""
    nouns = (each.change.difference.apply.name.partition("-")[2] for each in sent)
    cmdlets = [f"{verb}-{noun}" for noun in dict.fromkeys(nouns) for verb in _VERBS]
    since = min(each.at for each in sent) - SKEW
    return Command(
        "Search-AdminAuditLog",
        (
            ("Cmdlets", tuple(cmdlets)),
            ("StartDate", f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"),
            ("ResultSize", MOST),
        ),
    )


_VERBS = ("Set", "Remove", "New")


def entries(result: Result) -> tuple[Entry, ...] | str:
    """Return the entries, oldest first, or why nothing is known of them."""
    for error in result.errors:
        if error.failure == _MISSING:
            return f"this account may not search the admin audit log (role '{ROLE}')"
        return f"{error.message} ({error.failure})"
    records = [each for each in result.output if isinstance(each, Record)]
    if len(records) >= MOST:
        return f"there are more than {MOST} entries since the change"
    read = [_entry(record.properties) for record in records]
    found = [entry for entry in read if entry is not None]
    if len(found) != len(read):
        return "the server sent entries that cannot be read"
    return tuple(sorted(found, key=lambda entry: entry.at))


def _entry(properties: Mapping[str, object]) -> Entry | None:
    at = stamp(_text(properties.get("RunDate")))
    cmdlet = _text(properties.get("CmdletName"))
    if at is None or not cmdlet:
        return None
    return Entry(
        cmdlet,
        _text(properties.get("ObjectModified")),
        _text(properties.get("Caller")),
        at,
        _names(properties.get("CmdletParameters")),
        _text(properties.get("Succeeded")).casefold() != "false",
    )


def _text(value: object) -> str:
    if isinstance(value, Record):
        return _text(value.value) if value.text is None else value.text
    return "" if value is None else str(value)


def _names(value: object) -> tuple[str, ...] | None:
    """Return the names of parameters: from ``Name: value``, or from objects that have a Name."""
    held = value.value if isinstance(value, Record) else value
    if not isinstance(held, tuple | list):
        return None
    return tuple(_name(each) for each in held)


def _name(parameter: object) -> str:
    if isinstance(parameter, Record) and "Name" in parameter.properties:
        return _text(parameter.properties["Name"])
    return _text(parameter).partition(":")[0].strip()


def in_the_audit_log(
    sent: Sequence[Sent],
    elsewhere: Sequence[Sent],
    found: tuple[Entry, ...] | str,
    account: str,
    now: datetime,
) -> Finding:
    """Judge whether the log has our commands, and nothing else that was done to their objects.

    *elsewhere* are commands of other runs. *account* is the one we use, empty where only a Kerberos
    ticket knows. What another run did, and a change of another property of the same object, is told
    and weighs nothing.
    """
    if isinstance(found, str):
        return Finding(Verdict.UNKNOWN, (Evidence(f"the admin audit log is not known: {found}"),))
    if not sent:
        return Finding(Verdict.UNKNOWN, (Evidence("no command of ours was carried out"),))
    left = [entry for entry in found if entry.succeeded]
    claimed = [_claimed(each, left, account) for each in sent]
    evidence = [_shown(each, entry) for each, entry in zip(sent, claimed, strict=True)]
    for each in elsewhere:
        entry = _claimed(each, left, account)
        if entry is not None and _concerned(entry, sent):
            evidence.append(Evidence(f"{_said(entry)}: run {each.run}"))
    others = [_other(entry, sent) for entry in left if _concerned(entry, sent)]
    seen = (*evidence, *others)
    if any(other.holds is False for other in others):
        return Finding(Verdict.CONTRARY, seen)
    until = max(each.at for each in sent) + LAG
    if now < until:
        return Finding(Verdict.PENDING, seen, until)
    return Finding(Verdict.UNKNOWN if None in claimed else Verdict.PROVED, seen)


def _claimed(sent: Sent, left: list[Entry], account: str) -> Entry | None:
    """Return the entry of a command, the nearest in time, and take it from those that are left."""
    fitting = [entry for entry in left if _is_ours(sent, entry, account)]
    nearest = min(fitting, key=lambda entry: abs(entry.at - sent.at), default=None)
    if nearest is not None:
        left.remove(nearest)
    return nearest


def _is_ours(sent: Sent, entry: Entry, account: str) -> bool:
    apply = sent.change.difference.apply
    return (
        entry.cmdlet.casefold() == apply.name.casefold()
        and _is_about(entry, sent.change)
        and _touches(entry, sent.change) is not False
        and abs(entry.at - sent.at) <= SLACK
        and may_be(account, entry.caller)
    )


def may_be(account: str, caller: str) -> bool:
    r"""Say whether *caller* can be *account*: the log writes ``DOMAIN\name``, or a place.

    The last part of ``contoso.com/Users/Operator`` is a display name [obs], of which nobody can say
    whose it is.
    """
    if not account or "/" in caller:
        return True
    return _bare(account) == _bare(caller)


def _bare(account: str) -> str:
    return account.rpartition("\\")[2].partition("@")[0].casefold()


def _is_about(entry: Entry, change: Change) -> bool:
    """Say whether an entry is about the object of a change: there is one TransportConfig only."""
    ref = change.setting.ref
    if _noun(entry.cmdlet) != _noun(OBJECT_KINDS[ref.kind].set):
        return False
    if ref.kind == TRANSPORT_CONFIG:
        return True
    shown = entry.object.casefold()
    place = f"\\{ref.label.partition(chr(92))[2]}" if "\\" in ref.label else ref.label
    return shown in {ref.label.casefold(), ref.guid.casefold(), place.casefold()}


def _noun(cmdlet: str) -> str:
    return cmdlet.partition("-")[2].casefold()


def _touches(entry: Entry, change: Change) -> bool | None:
    """Say whether an entry changed the property of a change; None where that is not known."""
    if entry.parameters is None:
        return None
    return change.setting.property.casefold() in map(str.casefold, entry.parameters)


def _concerned(entry: Entry, sent: Iterable[Sent]) -> bool:
    """Say whether an entry is later than the first of our commands to its object."""
    return any(_is_about(entry, each.change) and entry.at >= each.at - SKEW for each in sent)


def _shown(sent: Sent, entry: Entry | None) -> Evidence:
    name, about = sent.change.difference.apply.name, sent.change.setting.ref.label
    if entry is None:
        return Evidence(f"no entry of our {name} on {about} in the admin audit log")
    return Evidence(_said(entry), holds=True)


def _said(entry: Entry) -> str:
    when = f"{entry.at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{entry.cmdlet} on {entry.object} by {entry.caller}, {when}"


def _other(entry: Entry, sent: Iterable[Sent]) -> Evidence:
    ours = [each.change for each in sent if _is_about(entry, each.change)]
    grave = not entry.cmdlet.casefold().startswith("set-") or any(
        _touches(entry, change) is not False for change in ours
    )
    text = f"another change: {_said(entry)}"
    if entry.parameters:
        text += f" ({', '.join(entry.parameters)})"
    return Evidence(text, holds=False if grave else None)
