"""Proof after a change: what each look established, and what all of it adds up to.

That every change was read back is where proof begins: it says what one domain controller has, not
what servers do. Silence proves nothing; only a message that was accepted does.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from orchestrator.core.command import Plain


class Verdict(StrEnum):
    """What one proof came to. All but PENDING may stand; any may be looked at again."""

    PROVED = "proved"
    CLEAR = "no-contrary-evidence"
    SILENT = "no-traffic"
    PENDING = "pending"
    CONTRARY = "contrary-evidence"
    UNKNOWN = "unknown"


class Weight(StrEnum):
    """What a proof counts for: POSITIVE alone shows that mail comes in; SUPPORTING nothing."""

    POSITIVE = "positive"
    NECESSARY = "necessary"
    SUPPORTING = "supporting"


WEIGHTS: Mapping[str, Weight] = {
    "every_controller": Weight.NECESSARY,
    "audit_log": Weight.NECESSARY,
    "accepted_message": Weight.POSITIVE,
    "no_events": Weight.NECESSARY,
    "config_reloaded": Weight.SUPPORTING,
}
"""Every proof that ``verify`` may ask for beside the read-back, in the order of looking."""


class Evidence(Plain, frozen=True):
    """One thing that was seen: for (*holds* true), against, or neither, as what is not known."""

    text: str
    holds: bool | None = None


class Finding(Plain, frozen=True):
    """What a look established.

    *until* is when a pending one can be complete. *since* is since when it has been so, where what
    was seen tells; else nobody knows that it was so before it was looked at.
    """

    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    until: datetime | None = None
    since: datetime | None = None


class Standing(StrEnum):
    """How far the proof of a run has come.

    CONFIRMED: it is in force, and that is all that was asked for. PROVED: it does what it is for.
    """

    UNASKED = "not-asked-for"
    PENDING = "pending"
    PROVED = "proved"
    CONFIRMED = "confirmed"
    CLEAR = "no-contrary-evidence"
    SILENT = "no-contrary-evidence-no-traffic"
    CONTRARY = "contrary-evidence"
    UNKNOWN = "unknown"


class Proof(Plain, frozen=True):
    """What all findings add up to. *since* is when the last change was made."""

    standing: Standing
    since: datetime | None = None
    until: datetime | None = None


def prove(asked: Iterable[str], found: Mapping[str, Finding], since: datetime | None) -> Proof:
    """Return what *found* says of a run that asked for these proofs. Not looked at is pending."""
    weighing = [name for name in asked if WEIGHTS.get(name) is not Weight.SUPPORTING]
    if not weighing:
        return Proof(Standing.UNASKED, since)
    findings = {name: found.get(name, Finding(Verdict.PENDING)) for name in weighing}
    verdicts = {finding.verdict for finding in findings.values()}
    if Verdict.CONTRARY in verdicts:
        return Proof(Standing.CONTRARY, since)
    if Verdict.PENDING in verdicts:
        return Proof(Standing.PENDING, since, _until(findings.values()))
    return Proof(_settled(findings), since)


def _until(findings: Iterable[Finding]) -> datetime | None:
    return max((finding.until for finding in findings if finding.until), default=None)


def _settled(findings: Mapping[str, Finding]) -> Standing:
    """Return what findings none of which is pending or contrary amount to."""
    verdicts = {finding.verdict for finding in findings.values()}
    positive = {
        finding.verdict
        for name, finding in findings.items()
        if WEIGHTS.get(name) is Weight.POSITIVE
    }
    if Verdict.PROVED in positive:
        return Standing.PROVED
    if verdicts == {Verdict.PROVED}:
        return Standing.CONFIRMED
    if verdicts == {Verdict.UNKNOWN}:
        return Standing.UNKNOWN
    return Standing.SILENT if Verdict.SILENT in positive else Standing.CLEAR


MOST, LONGEST = 200, 400
"""Pieces of evidence, and characters of one, that are recorded: servers write what they like."""


def bounded(finding: Finding) -> Finding:
    """Return *finding* with no more evidence than is recorded, what is against it first of all."""
    first = sorted(finding.evidence, key=lambda each: each.holds is not False)
    kept = first if len(first) > MOST else finding.evidence
    cut = tuple(Evidence(_cut(each.text), each.holds) for each in kept[:MOST])
    beyond = len(finding.evidence) - MOST
    more = (Evidence(f"and {beyond} more"),) if beyond > 0 else ()
    return Finding(finding.verdict, (*cut, *more), finding.until, finding.since)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def keep(name: str, old: Finding | None, new: Finding) -> Finding:
    """Return which of two findings of a proof stands: what was seen is not lost by not seeing it.

    Logs are cut off after some days, and servers do not always answer. A positive proof is lost to
    evidence against it alone.
    """
    if old is None or old.verdict is not Verdict.PROVED:
        return new
    positive = WEIGHTS.get(name) is Weight.POSITIVE
    lost = new.verdict is Verdict.UNKNOWN or (positive and new.verdict is not Verdict.CONTRARY)
    return old if lost else new
