"""What comes in after a change, and what does not: events, accepted and refused messages.

Silence is no proof. Without events there may be no mail, and one event hides others for 15 minutes.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.proof import Evidence, Finding, Verdict
from orchestrator.exchange.proofs import RELOAD_TROUBLE, RELOADED, SIBLINGS, Times

_NOWHERE = Finding(Verdict.UNKNOWN, (Evidence("no server is known whose logs could be read"),))


@dataclass(frozen=True, slots=True)
class Logged:
    """An event of the Application log. *domain* is empty where it is about none."""

    id: int
    at: datetime | None
    domain: str = ""
    connector: str = ""


@dataclass(frozen=True, slots=True)
class EventsOf:
    """What one server logged; *unread* is why nothing is known of it, or of a part."""

    server: str
    events: tuple[Logged, ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """One attempt to hand over a message: what was said to its ``MAIL FROM``.

    *known* says whether it came from an address that is known to be the partner's; None where none
    are known: anybody can write any name there.
    """

    at: datetime
    connector: str
    remote: str
    domain: str
    answer: str
    known: bool | None = None

    @property
    def accepted(self) -> bool:
        """Whether the sender was accepted, with 250."""
        return self.answer.startswith("250")

    @property
    def refused(self) -> bool:
        """Whether the sender was turned away as Domain Security does: 530, or 451 for 11021."""
        return self.answer.startswith(("530", "451"))


@dataclass(frozen=True, slots=True)
class PassagesOf:
    """What one server's protocol logs have of the partner; *unread* is why nothing is known."""

    server: str
    passages: tuple[Passage, ...] = ()
    unread: str = ""


def _blind(domains: Collection[str], logs: Collection[object]) -> Finding | None:
    """Return why nothing can be known, where there is nothing to look for or nowhere to look."""
    if not domains:
        return Finding(Verdict.UNKNOWN, (Evidence("the run is about no domain"),))
    return None if logs else _NOWHERE


def no_events(
    domains: Collection[str], logs: Sequence[EventsOf], times: Times, now: datetime
) -> Finding:
    """Judge whether mail of *domains* is turned away still, since every server knows better.

    An event that does not say about which domain it is may be about one of them: it is named.
    """
    if blind := _blind(domains, logs):
        return blind
    evidence = [_unread(log.server, log.unread) for log in logs if log.unread]
    about = {domain.casefold() for domain in domains}
    evidence += [
        _event(log.server, event, times)
        for log in logs
        for event in log.events
        if event.id in SIBLINGS and event.domain.casefold() in {*about, ""}
    ]
    if any(each.holds is False for each in evidence):
        return Finding(Verdict.CONTRARY, tuple(evidence))
    if all(log.unread for log in logs):
        return Finding(Verdict.UNKNOWN, tuple(evidence))
    # Not "from": an event that is hidden for 15 minutes shows after them.
    if times.arrived is None or now <= times.complete:
        return Finding(Verdict.PENDING, tuple(evidence), times.complete)
    return Finding(Verdict.CLEAR, tuple(evidence))


def _event(server: str, event: Logged, times: Times) -> Evidence:
    name = f"{server} logged {event.id} for {event.domain or 'a domain that it does not name'}"
    if event.connector:
        name += f" on {event.connector}"
    if event.at is None:
        return Evidence(f"{name}, at a time that is not known")
    name += f", {event.at:%Y-%m-%d %H:%M:%S} UTC"
    if times.effective is None or event.at <= times.effective:
        return Evidence(f"{name}: before every server can have known of the change")
    return Evidence(name, holds=False if event.domain else None)


def accepted_message(
    domains: Collection[str], logs: Sequence[PassagesOf], times: Times, now: datetime
) -> Finding:
    """Judge whether a message of *domains* came in: an accepted one is the only positive proof.

    The latest answer of each server counts: one that accepted and then refuses is against it. What
    comes from elsewhere than the partner's known addresses proves nothing of the partner.
    """
    if blind := _blind(domains, logs):
        return blind
    evidence = [_unread(log.server, log.unread) for log in logs if log.unread]
    about = {domain.casefold() for domain in domains}
    accepted = refused = False
    for log in logs:
        latest = _latest(each for each in log.passages if _counts(each, about, times))
        if latest is not None:
            evidence.append(_passage(log.server, latest))
            accepted = accepted or (latest.accepted and latest.known is not False)
            refused = refused or latest.refused
    if refused:
        return Finding(Verdict.CONTRARY, tuple(evidence))
    if accepted:
        return Finding(Verdict.PROVED, tuple(evidence))
    if all(log.unread for log in logs):
        return Finding(Verdict.UNKNOWN, tuple(evidence))
    if times.arrived is None or now <= times.complete:
        return Finding(Verdict.PENDING, tuple(evidence), times.complete)
    return Finding(Verdict.SILENT, tuple(evidence))


def _counts(passage: Passage, about: Collection[str], times: Times) -> bool:
    """Say whether *passage* tells of the time after: a refusal only once every server knows."""
    if passage.domain.casefold() not in about:
        return False
    if passage.accepted:
        return passage.at > times.applied
    return passage.refused and times.effective is not None and passage.at > times.effective


def _latest(passages: Iterable[Passage]) -> Passage | None:
    return max(passages, key=lambda passage: passage.at, default=None)


def _passage(server: str, passage: Passage) -> Evidence:
    verb = "accepted" if passage.accepted else "refused"
    text = (
        f"{server} {verb} {passage.domain} from {passage.remote} on {passage.connector}, "
        f"{passage.at:%Y-%m-%d %H:%M:%S} UTC: {passage.answer}"
    )
    if passage.accepted and passage.known is False:
        return Evidence(f"{text}; that is no address known to be the partner's")
    return Evidence(text, holds=passage.accepted)


def config_reloaded(logs: Sequence[EventsOf], times: Times, now: datetime) -> Finding:
    """Judge whether the transport services say that they took their new configuration.

    They say so at some logging levels only [obs]: it supports the other proofs and is none.
    """
    evidence = [_reloading(log, times) for log in logs]
    if not logs:
        return _NOWHERE
    if any(each.holds is False for each in evidence):
        return Finding(Verdict.CONTRARY, tuple(evidence))
    if any(each.holds for each in evidence):
        return Finding(Verdict.CLEAR, tuple(evidence))
    if times.effective is None or now <= times.effective:
        return Finding(Verdict.PENDING, tuple(evidence), times.complete)
    return Finding(Verdict.UNKNOWN, tuple(evidence))


def _reloading(log: EventsOf, times: Times) -> Evidence:
    since = [each for each in log.events if each.at is not None and each.at > times.applied]
    for event in since:
        if event.id == RELOAD_TROUBLE:
            text = f"{log.server} had trouble with its new configuration ({event.id})"
            return Evidence(text, holds=False)
    for event in since:
        if event.id in RELOADED:
            text = f"{log.server} took its new configuration ({event.id})"
            return Evidence(text, holds=True)
    if log.unread:
        return _unread(log.server, log.unread)
    return Evidence(f"{log.server} does not say that it took a new configuration")


def _unread(server: str, reason: str) -> Evidence:
    return Evidence(f"{server}: not read: {reason}")
