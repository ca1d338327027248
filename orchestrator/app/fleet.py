"""Many organizations in one batch: how much it may do, how fast it begins, and when it stops."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from orchestrator.app.batch import in_waves
from orchestrator.app.execution import Done
from orchestrator.app.planning import Planned
from orchestrator.app.workplace import Workplace
from orchestrator.core.caps import Caps, Excess, excesses, waves
from orchestrator.core.errors import RefusedError
from orchestrator.core.events import Outcome
from orchestrator.core.limits import Limits
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, SEND_CONNECTOR

_T = TypeVar("_T")

_CONNECTORS = frozenset({RECEIVE_CONNECTOR, SEND_CONNECTOR})


class Pace(NamedTuple):
    """How a batch goes from organization to organization.

    *failures* is how many may fail before nothing new is begun. With *ramp* it begins with one
    organization, then two, then four, each time once all before are through.
    """

    failures: int = 0
    ramp: bool = True


UNPACED = Pace(failures=10**9, ramp=False)
"""All at once, whatever happens: rollbacks are not held back."""


class NotBegun(RefusedError):
    """An organization's turn never came, because too many before it did not succeed."""


def beyond(workplace: Workplace, planned: Iterable[Planned], given: Limits) -> tuple[Excess, ...]:
    """Return every cap that carrying out *planned* would exceed; *given* is the command line's."""
    inventory = workplace.inventory
    own = {each.name: each.limits for each in inventory.organizations}
    plans = [each.plan for each in planned if each.plan is not None]
    return excesses(plans, _CONNECTORS, Caps(given, inventory.limits, own))


def paced(  # noqa: PLR0913 - as side_by_side, and a pace
    workplace: Workplace,
    items: Sequence[_T],
    work: Callable[[_T], Done],
    name: Callable[[_T], str],
    *,
    pace: Pace,
    forks: int,
    on_interrupt: Callable[[], None] = lambda: None,
) -> list[Done]:
    """Return what *work* made of each item, in order; NotBegun is the error of the others."""
    tally = _Tally(pace.failures)

    def begin(item: _T) -> Done:
        if error := tally.refusal(name(item)):
            return Done(name(item), error=error)
        done = work(item)
        tally.count(done)
        return done

    parts = _parts(items, waves(len(items), ramp=pace.ramp))
    return in_waves(workplace, parts, begin, forks=forks, on_interrupt=on_interrupt)


def _parts(items: Sequence[_T], sizes: Iterable[int]) -> Iterator[Sequence[_T]]:
    begin = 0
    for size in sizes:
        yield items[begin : begin + size]
        begin += size


class _Tally:
    """Counts over the whole selection, from all of its threads, what did not succeed."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._failed: list[str] = []
        self._lock = threading.Lock()

    def count(self, done: Done) -> None:
        succeeded = done.run is not None and done.run.outcome is Outcome.SUCCEEDED
        if done.error is not None or not succeeded:
            with self._lock:
                self._failed.append(done.organization)

    def refusal(self, name: str) -> NotBegun | None:
        with self._lock:
            failed = tuple(self._failed)
        if len(failed) <= self._allowed:
            return None
        return NotBegun(
            f"{name}: not begun, because it did not succeed in {', '.join(failed)}",
            "Look there first, then do this again: what is done is not done twice. "
            "--max-failures lets more of them fail.",
        )
