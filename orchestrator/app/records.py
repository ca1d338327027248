"""What the store knows of runs: their names, their events, and what is in effect because of them.

Streams: ``run/<batch>/<organization>`` for each run, ``organization/<guid>`` for which runs an
organization had, ``plan/<seal>`` for that a plan was used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from orchestrator.core.command import Plain
from orchestrator.core.errors import UsageError
from orchestrator.core.events import Event, decode
from orchestrator.core.plan import canonical
from orchestrator.core.playbook import Concern
from orchestrator.core.run import Run, Status, rebuild
from orchestrator.core.setting import Member, Setting
from orchestrator.journal import Store

RUNS = "run/"
LATEST = "last"
_IN_EFFECT = frozenset({Status.APPLIED, Status.VERIFIED, Status.FOUND_DONE})


class RunLinked(Plain, frozen=True):
    """An entry of an organization's or a plan's stream: the run that it had."""

    run: str
    at: datetime


def link(run: str, at: datetime) -> bytes:
    """Return the entry that names *run*."""
    return canonical(RunLinked(run, at))


def linked(payload: bytes) -> str:
    """Return the run that an entry names."""
    return msgspec.json.decode(payload, type=RunLinked).run


def stream_of(run: str) -> str:
    """Return the stream that holds the events of a run."""
    return RUNS + run


def events_of(store: Store, run: str) -> tuple[Event, ...]:
    """Return the events of a run. Raises JournalDamaged."""
    return tuple(decode(entry.payload) for entry in store.read(stream_of(run)))


def load(store: Store, run: str) -> Run:
    """Return a run as its journal describes it. Raises JournalDamaged."""
    return rebuild(events_of(store, run))


def run_names(store: Store) -> tuple[str, ...]:
    """Return every run's name, oldest first: ``<batch>/<organization>``."""
    return tuple(stream.removeprefix(RUNS) for stream in store.streams(RUNS))


def find(store: Store, name: str) -> tuple[str, ...]:
    """Return the runs that *name* means: a run, a batch, a beginning of either, or ``last``.

    Raises UsageError where there is none, or where a beginning fits several batches.
    """
    names = run_names(store)
    if not names:
        raise UsageError("no run is recorded in this store", "Start one with 'orchestrator run'.")
    wanted = names[-1].partition("/")[0] if name == LATEST else name
    exact = tuple(run for run in names if wanted in {run, run.partition("/")[0]})
    found = exact or tuple(run for run in names if run.startswith(wanted))
    batches = {run.partition("/")[0] for run in found}
    if len(batches) == 1:
        return found
    reason = f"no run is called '{name}'" if not found else f"'{name}' fits several runs"
    raise UsageError(reason, f"'orchestrator runs list' names them; '{LATEST}' is the latest.")


def all_runs(store: Store) -> Iterator[Run]:
    """Yield every run, oldest first."""
    for name in run_names(store):
        yield load(store, name)


@dataclass(frozen=True, slots=True)
class Exemption:
    """A protection that a run took away and nobody has put back since through this product.

    *break_glass* is why it was done outside of a window or in a freeze, where it was.
    """

    run: str
    organization: str
    setting: Setting
    since: datetime
    reason: str
    ticket: str
    approved_by: str
    review_by: str
    break_glass: str = ""


def exemptions(runs: Sequence[Run]) -> tuple[Exemption, ...]:
    """Return what is still taken away, given every run from the oldest on."""
    away: dict[tuple[str, str, str, str], Exemption] = {}
    for run in runs:
        for position, change in enumerate(run.plan.changes):
            key = _key(run.plan.organization.guid, change.setting)
            if run.statuses[position] not in _IN_EFFECT:
                continue
            lowers = any(one.concern is Concern.SECURITY for one in change.consequences)
            if lowers:
                away[key] = _exemption(run, change.setting)
            else:
                away.pop(key, None)
    return tuple(away.values())


def _key(guid: str, setting: Setting) -> tuple[str, str, str, str]:
    member = setting.member.casefold() if isinstance(setting, Member) else ""
    return guid, setting.ref.guid, setting.property, member


def _exemption(run: Run, setting: Setting) -> Exemption:
    mandate = run.mandate
    return Exemption(
        run.id,
        run.plan.organization.name,
        setting,
        run.started,
        mandate.reason,
        mandate.ticket,
        mandate.approved_by,
        mandate.review_by,
        "; ".join(dict.fromkeys(each.reason for each in run.broken)),
    )
