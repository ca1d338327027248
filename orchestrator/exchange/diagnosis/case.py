"""What a diagnosis is made of: what is known about one domain, what it shows, what to do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.core.command import Plain
from orchestrator.core.facts import Facts
from orchestrator.core.inventory import Protection
from orchestrator.core.playbook import Sign
from orchestrator.exchange.family import SECURITY_EVENTS, Side
from orchestrator.exchange.incident import Sighting
from orchestrator.exchange.senders import Senders


class Remedy(StrEnum):
    """The verdicts."""

    REMOVE_FROM_LIST = "remove-from-list"
    RETIRE_DEDICATED = "retire-dedicated"
    FIX_OUR_SIDE = "fix-our-side"
    RELAY_IN_FRONT = "relay-in-front"
    CONTACT_PARTNER = "contact-partner"
    NOTHING_TO_DO = "nothing-to-do"
    NEEDS_A_PERSON = "needs-a-person"


class Mark(StrEnum):
    """How sure we are of what a finding says about Exchange."""

    DOC = "[doc]"
    OBS = "[obs]"
    INF = "[inf]"


class Suggestion(Plain, frozen=True):
    """A playbook with its inputs: what one command would say."""

    playbook: str
    inputs: tuple[tuple[str, str], ...] = ()


class Finding(Plain, frozen=True):
    """What one rule found. *text* says what is so and why it matters.

    *signs* are the facts, *sources* say where they come from. *decides* is what the finding
    alone would lead to, None where it only informs; *suggestion* is what would be run then,
    *by_hand* what only a person can type.
    """

    rule: str
    text: str
    mark: Mark
    signs: tuple[Sign, ...] = ()
    sources: tuple[str, ...] = ()
    decides: Remedy | None = None
    suggestion: Suggestion | None = None
    by_hand: tuple[str, ...] = ()


class Hint(Plain, frozen=True):
    """An address or a range that DNS ties to the partner: where it may send from, no more.

    *source* is ``SPF`` or ``MX``. SPF ranges are often shared, an MX is where it receives.
    """

    address: str
    source: str


@dataclass(frozen=True, slots=True)
class Case:
    """What is known about one *domain* (ASCII, lower case) of one organization.

    *sightings* are its events, none where there is no evidence; *incident* is the record that
    holds them, if any, and *recorded* the connectors that it names. *others* are the sightings of
    other incidents, and certificate events. *senders* is None without a protocol log, and *no_log*
    says why. *known* are the partner's addresses by the inventory.
    """

    domain: str
    facts: Facts
    sightings: tuple[Sighting, ...] = ()
    incident: str = ""
    recorded: tuple[str, ...] = ()
    others: tuple[Sighting, ...] = ()
    senders: Senders | None = None
    no_log: str = "no protocol log was read"
    known: tuple[str, ...] = ()
    hints: tuple[Hint, ...] = ()
    protection: Protection = field(default_factory=Protection)

    def of(self, *ids: int) -> tuple[Sighting, ...]:
        """Return the domain's sightings of these event ids."""
        return tuple(seen for seen in self.sightings if seen.id in ids)

    def of_side(self, *sides: Side) -> tuple[Sighting, ...]:
        """Return the domain's sightings about mail that went one of these ways."""
        return tuple(s for s in self.sightings if SECURITY_EVENTS[s.id].side in sides)


class Diagnosis(Plain, frozen=True):
    """What is wrong with one domain, and the smallest remedy.

    *decided* is the finding that the verdict rests on: the first in the order of the rules.
    *refused* are addresses whose mail was refused, as far as logs show them, *more* counts the
    others. *instead* is what it would not do, and why.
    """

    domain: str
    verdict: Remedy
    decided: Finding
    findings: tuple[Finding, ...]
    incident: str = ""
    recorded: tuple[str, ...] = ()
    suggestion: Suggestion | None = None
    by_hand: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    more: int = 0


def events(sightings: Iterable[Sighting]) -> tuple[str, ...]:
    """Return where these events come from, as an operator looks them up."""
    found = []
    for seen in sightings:
        at = f" at {seen.last:%Y-%m-%d %H:%M:%S} UTC" if seen.last else ""
        found.append(f"event {seen.id} on {seen.server or 'an unnamed computer'}{at}")
    return tuple(dict.fromkeys(found))


def read_by(case: Case, *cmdlets: str) -> tuple[str, ...]:
    """Return where these facts come from: the cmdlet, and the domain controller that answered."""
    on = f" on {case.facts.controller}" if case.facts.controller else ""
    return tuple(f"{cmdlet}{on}" for cmdlet in cmdlets)
