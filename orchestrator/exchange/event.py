"""An event as a log has it, and what it says if it is one of the family: nothing is guessed."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from orchestrator.core.errors import UsageError
from orchestrator.exchange.domains import parse_domain
from orchestrator.exchange.family import (
    PROVIDERS,
    SECURITY_EVENTS,
    TLS_NOT_STARTED,
    EventKind,
    Side,
)


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event as a log or a file has it, before anybody says what it means.

    *id* may be the 32-bit instance id. *data* are the unnamed insertion strings in order. *joined*
    says that a collector made one text of them, with ", " between. *message* is the sentence, in
    whatever language. *at* is in UTC, or None where *written* does not say which instant is meant.
    *place* is where in the file it stands; *faults* are what the reader knows to be missing.
    """

    provider: str
    id: int
    computer: str = ""
    at: datetime | None = None
    written: str = ""
    data: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    joined: bool = False
    message: str = ""
    record: int | None = None
    place: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """An event of the family, understood as far as it can be.

    *details* holds every insertion string that is there, by its name. *incomplete* says what is
    missing, in words; nothing is ever filled in by guessing. *from_sentence* says that the strings
    were taken from the whole English sentence, because no data fields came along.
    """

    kind: EventKind
    provider: str
    computer: str
    at: datetime | None
    written: str
    details: Mapping[str, str]
    record: int | None
    place: str
    incomplete: tuple[str, ...]
    from_sentence: bool = False

    @property
    def id(self) -> int:
        """The event id of 16 bits."""
        return self.kind.id

    @property
    def domain(self) -> str:
        """The domain as it was logged, or empty."""
        return self.details.get("domain", "")

    @property
    def connector(self) -> str:
        r"""``SERVER\Name``, or empty where either is missing.

        The event carries the bare name, and its computer is the server of the connector. Only
        what was received belongs to one server: a send connector is the organization's.
        """
        name = self.details.get("connector", "")
        if not name or self.kind.side is Side.SEND:
            return name
        server = host(self.computer)
        return f"{server}\\{name}" if server else ""

    @property
    def remediable(self) -> bool:
        """Whether a playbook can be told what this event names: an 11012, and nothing missing."""
        names = (self.details.get(name, "") for name in self.kind.strings)
        faults = map(_fault, self.kind.strings, names, itertools.count(1))
        return self.id == TLS_NOT_STARTED and bool(self.connector) and not any(faults)


def host(computer: str) -> str:
    """Return the host part of *computer*, or nothing where it is empty or an address."""
    return "" if _ADDRESS.fullmatch(computer) else computer.partition(".")[0]


_ADDRESS = re.compile(r"[0-9.]+|.*:.*", re.DOTALL)


def event_id(number: int) -> int:
    """Return the id of 16 bits for an id or an instance id, signed or not; else *number*.

    An instance id has severity and facility in its upper half: 3221498628 is 11012 as an error
    of an ordinary event source, whose facility is 4 [seen].
    """
    unsigned = number & 0xFFFFFFFF if -(2**31) <= number < 0 else number
    return unsigned & 0xFFFF if unsigned >> 16 in _UPPER else number


_UPPER = frozenset({0x0004, 0x4004, 0x8004, 0xC004})


def interpret(raw: RawEvent) -> SecurityEvent | None:
    """Return what *raw* says if it is an event of the family: by exact provider and id alone."""
    kind = SECURITY_EVENTS.get(event_id(raw.id))
    if kind is None or raw.provider not in PROVIDERS:
        return None
    strings, spoken = _strings(raw, kind)
    details, missing = _details(kind, strings)
    if not any(strings) and not raw.faults:
        missing = [_nothing(raw)]
    return SecurityEvent(
        kind,
        raw.provider,
        raw.computer,
        raw.at,
        raw.written,
        details,
        raw.record,
        raw.place,
        (*raw.faults, *missing, *_circumstances(raw)),
        spoken,
    )


def _nothing(raw: RawEvent) -> str:
    if raw.joined or raw.data:
        return "the data fields: a collector joined them, and nobody can say where one ends"
    if raw.message:
        return (
            "the data fields: only a sentence came along, which differs by language and version; "
            "export the event as XML"
        )
    return "the data fields: they are not there"


def _strings(raw: RawEvent, kind: EventKind) -> tuple[Sequence[str], bool]:
    """Return the insertion strings, and whether they had to be taken from the sentence."""
    if raw.joined or _one_of_several(raw, kind):
        return _parted(raw.data[0] if raw.data else "", len(kind.strings)), False
    if raw.data:
        return raw.data, False
    if raw.named:
        numbered = [raw.named.get(f"param{number + 1}") for number in range(len(kind.strings))]
        if any(text is not None for text in numbered):
            return [text or "" for text in numbered], False
        return [raw.named.get(name, "") for name in kind.strings], False
    spoken = _from_sentence(kind.sentence, raw.message)
    return spoken, bool(spoken)


def _one_of_several(raw: RawEvent, kind: EventKind) -> bool:
    """Say whether a converter joined the strings into one: no domain has a comma in it."""
    return len(raw.data) == 1 < len(kind.strings) and ", " in raw.data[0]


def _parted(text: str, number: int) -> Sequence[str]:
    """Return the strings that were joined, or none where it cannot be said where one ends.

    A domain has no comma in it, so two strings of which the first is one part at the first ", ".
    """
    parts = text.split(", ", 1) if number == 2 else text.split(", ")
    return parts if len(parts) == number else ()


def _from_sentence(sentence: str, message: str) -> tuple[str, ...]:
    """Return the strings of a *message* that is the whole documented *sentence*, else nothing."""
    if not sentence:
        return ()
    words = r"\s+".join(map(re.escape, sentence.split()))
    pattern = words.replace("%1", r"(?P<one>[^'\s]+)", 1).replace("%1", "(?P=one)")
    found = re.fullmatch(pattern.replace("%2", r"(?P<two>[^\r\n]+)"), message.strip())
    return (found["one"], found["two"]) if found else ()


def _details(kind: EventKind, strings: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    missing: list[str] = []
    for number, name in enumerate(kind.strings, start=1):
        text = strings[number - 1] if number <= len(strings) else ""
        fault = _fault(name, text, number)
        if fault is not None:
            missing.append(f"{name}: {fault}")
        if text and text != f"%{number}":
            found[name] = text
    return found, missing


def _fault(name: str, text: str, number: int) -> str | None:
    if not text.strip():
        return "it is not there"
    if text == f"%{number}":
        return f"the placeholder %{number} was never filled in"
    if "\ufffd" in text:
        return "characters of it were lost"
    if name != "domain":
        return None
    return _domain_fault(text) if len(text) < _LONG else _domain_fault.__wrapped__(text)


_LONG = 256


@lru_cache(maxsize=1024)  # the same few domains come again and again; a long one is none
def _domain_fault(text: str) -> str | None:
    try:
        parse_domain(text)
    except UsageError as error:
        return error.message
    return None


def _circumstances(raw: RawEvent) -> Sequence[str]:
    found = []
    if not raw.computer:
        found.append("computer: it is not there, so whose connector it is cannot be said")
    elif not host(raw.computer):
        found.append(f"computer: {raw.computer} is an address and not a name")
    if raw.at is None:
        found.append("time: it is not there, or without its time zone")
    return found
