"""How each proof after a change is judged: what was seen, and the time, go in; a finding comes out.

After a change the directory replicates, then each transport service reloads within about 5 minutes
[obs]. Only from then on does an event count against it, and only when the throttle of event logging
is over as well does silence mean anything at all [obs].
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.core.facts import Facts, UnknownFact
from orchestrator.core.plan import Change, Plan, label, words
from orchestrator.core.proof import Evidence, Finding, Verdict
from orchestrator.core.setting import same, touched
from orchestrator.exchange.family import THROTTLE
from orchestrator.exchange.objects import RECEIVE_CONNECTOR
from orchestrator.exchange.stamp import stamp

RELOAD = timedelta(minutes=5)
"""After which a transport service has read its configuration again [obs]."""

WHEN_CHANGED = "WhenChangedUTC"

REPLICATION = timedelta(minutes=180)
"""How often sites replicate to each other unless an administrator set it otherwise [doc]."""

QUIET = timedelta(minutes=THROTTLE)
"""How long one event may hide the next one about the same domain [obs]."""

SIBLINGS = frozenset({11011, 11012, 11015, 11017, 11018, 11021})
"""Events that say that mail of a listed domain was turned away when it came in."""

RELOADED = frozenset({16022, 16028})
RELOAD_TROUBLE = 16027
"""The transport service took its new configuration, or had trouble with it."""


@dataclass(frozen=True, slots=True)
class Replica:
    """What the domain controller has that *server* reads its configuration from.

    *facts* are None where nobody could look, which *reason* explains.
    """

    server: str
    controller: str = ""
    facts: Facts | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Times:
    """When a run's changes were made, and when every server can have known of them.

    *arrived* is None until each domain controller was seen to have them.
    """

    applied: datetime
    arrived: datetime | None

    @property
    def effective(self) -> datetime | None:
        """When every transport service has read the change."""
        return None if self.arrived is None else self.arrived + RELOAD

    @property
    def complete(self) -> datetime:
        """When silence has lasted long enough; at the latest, while replication goes on."""
        arrived = self.applied + REPLICATION if self.arrived is None else self.arrived
        return arrived + RELOAD + QUIET


def on_every_controller(
    plan: Plan, replicas: Sequence[Replica], applied: datetime, now: datetime
) -> Finding:
    """Judge what each server's own domain controller has: that one counts for it [doc].

    A server that is down, or whose domain controller does not answer, is named and not awaited.
    What is otherwise where it was made and read back does not lag: somebody changed it again.
    """
    changes = plan.changes
    evidence: list[Evidence] = []
    late = undone = False
    for replica in replicas:
        seen = tuple(_on_replica(changes, replica))
        otherwise = any(each.holds is False for each in seen)
        late = late or otherwise
        undone = undone or (otherwise and host(replica.controller) == host(plan.controller))
        evidence += seen
    until = applied + REPLICATION
    if late and not undone and now < until:
        return Finding(Verdict.PENDING, tuple(evidence), until)
    if late:
        return Finding(Verdict.CONTRARY, tuple(evidence))
    if not any(each.holds for each in evidence):
        return Finding(Verdict.UNKNOWN, tuple(evidence))
    arrived = [_arrived(changes, replica, applied) for replica in replicas if replica.facts]
    since = max((at for at in arrived if at), default=applied) if all(arrived) else None
    return Finding(Verdict.PROVED, tuple(evidence), since=since)


def _arrived(changes: Sequence[Change], replica: Replica, applied: datetime) -> datetime | None:
    """Return by when a controller had the changes, as far as it tells.

    ``whenChanged`` is not replicated: each controller writes down when its own copy changed [doc].
    A later change of the object makes it later than need be, never earlier.
    """
    refs = {each.setting.ref for each in changes if concerns(each, replica.server)}
    stamps = [
        stamp(seen.text(WHEN_CHANGED))
        for kind in {ref.kind for ref in refs}
        for seen in (replica.facts.maybe(kind) if replica.facts else ())
        if seen.ref in refs
    ]
    if not all(stamps):
        return None
    return max((at for at in stamps if at), default=applied)


def _on_replica(changes: Sequence[Change], replica: Replica) -> Iterable[Evidence]:
    mine = [change for change in changes if concerns(change, replica.server)]
    if not mine:
        return
    if replica.facts is None:
        yield Evidence(f"{replica.server}: not looked at: {replica.reason}")
        return
    for change in mine:
        yield _on_controller(change, replica, replica.facts)


def concerns(change: Change, server: str) -> bool:
    """Say whether *server* lives by a change: by a receive connector only where it is its own."""
    ref = change.setting.ref
    if ref.kind != RECEIVE_CONNECTOR:
        return True
    return host(ref.label.partition("\\")[0]) == host(server)


def host(name: str) -> str:
    """Return the host part of a server's name, in the form in which it is compared."""
    return name.partition(".")[0].casefold()


def _on_controller(change: Change, replica: Replica, facts: Facts) -> Evidence:
    about = f"{replica.server} reads from {replica.controller}: {label(change.setting)}"
    try:
        now = touched(change.setting, facts.one(change.setting.ref))
    except UnknownFact as error:
        return Evidence(f"{about} is not known: {error.reason}")
    if same(now, change.difference.after):
        return Evidence(f"{about} is as wanted", holds=True)
    return Evidence(f"{about} is still or again {words(now)}", holds=False)
