"""Many organizations in one batch: the ramp, and how many may fail before nothing new is begun."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator.app.execution import Done
from orchestrator.app.fleet import UNPACED, NotBegun, Pace, paced
from orchestrator.app.workplace import Workplace, connect_psrp
from orchestrator.core.errors import Unreachable
from orchestrator.core.events import Mandate, Outcome, RunStarted
from orchestrator.core.inventory import Inventory
from orchestrator.core.plan import seal
from orchestrator.core.run import Run, begin
from orchestrator.steps.domains import DomainSecureList
from tests.exchange.sample import NOW, config, frontend, plan, seen

_PLAN = plan(
    DomainSecureList("receive", "fabrikam.com", "absent"), facts=seen(config(), frontend("EX01"))
)
_BEGUN = begin(RunStarted(datetime(2026, 11, 23, tzinfo=UTC), "r", seal(_PLAN), Mandate("t"), 1.0))


def ended(name: str, outcome: Outcome | None) -> Done:
    """Return how it went in one organization; without an outcome its run was interrupted."""
    run: Run = replace(_BEGUN, outcome=outcome, ended=NOW)
    return Done(name, run)


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """A workplace at which nothing is sent."""
    return Workplace(Inventory(()), str(tmp_path), connect_psrp)


def begun(
    workplace: Workplace,
    outcomes: str,
    pace: Pace,
    *,
    forks: int = 1,
    work: Callable[[str], Done] | None = None,
) -> str:
    """Return what became of organizations that would end as *outcomes* says, one letter each.

    ``+`` succeeds, ``-`` fails, ``!`` has no run but an error, ``~`` is interrupted; in the
    answer ``.`` stands for one that was not begun.
    """

    def carry(item: tuple[int, str]) -> Done:
        number, letter = item
        if letter == "!":
            return Done(str(number), error=Unreachable("gone"))
        ends = {"+": Outcome.SUCCEEDED, "-": Outcome.FAILED, "~": None}
        return ended(str(number), ends[letter])

    done = paced(
        workplace,
        list(enumerate(outcomes)),
        (lambda item: work(str(item[0]))) if work else carry,
        lambda item: str(item[0]),
        pace=pace,
        forks=forks,
    )
    assert [each.organization for each in done] == [str(n) for n in range(len(outcomes))]
    return "".join(
        "." if isinstance(each.error, NotBegun) else letter
        for each, letter in zip(done, outcomes, strict=True)
    )


@pytest.mark.parametrize("ramp", [True, False])
@pytest.mark.parametrize(
    ("outcomes", "failures", "expected"),
    [
        ("++++++++", 0, "++++++++"),
        ("-+++", 0, "-..."),
        ("+-++", 0, "+-.."),
        ("!+++", 0, "!..."),
        ("~+++", 0, "~..."),
        # Exactly as many as may fail: everything is begun. One more: nothing new.
        ("-+-+++++", 2, "-+-+++++"),
        ("-+--++++", 2, "-+--...."),
        ("-!~+++++", 2, "-!~....."),
        # The count is over the whole selection, not one for each wave.
        ("-+++++-+++++++-+", 2, "-+++++-+++++++-."),
        ("+++-", 0, "+++-"),
    ],
)
def test_one_more_than_may_fail_and_nothing_new_is_begun(
    workplace: Workplace, outcomes: str, failures: int, expected: str, *, ramp: bool
) -> None:
    assert begun(workplace, outcomes, Pace(failures, ramp)) == expected


def test_a_rollback_goes_everywhere_whatever_fails(workplace: Workplace) -> None:
    assert begun(workplace, "-!~-+", UNPACED) == "-!~-+"


class Crowd:
    """Work that says how many were at it together."""

    def __init__(self, *waves: int) -> None:
        gates = ((threading.Barrier(size), size) for size in waves)
        self._gates = [gate for gate, size in gates for _ in range(size)]
        self._begun = 0
        self._lock = threading.Lock()

    def __call__(self, name: str) -> Done:
        """Go on only when as many as the wave has are here: more, or fewer, would stay for ever."""
        with self._lock:
            gate = self._gates[self._begun]
            self._begun += 1
        gate.wait(10)
        return ended(name, Outcome.SUCCEEDED)


@pytest.mark.parametrize(
    ("pace", "waves"), [(Pace(), (1, 2, 4, 3)), (Pace(ramp=False), (10,))], ids=["ramp", "no ramp"]
)
def test_each_wave_is_twice_the_one_before_and_begins_together(
    workplace: Workplace, pace: Pace, waves: tuple[int, ...]
) -> None:
    crowd = Crowd(*waves)
    assert begun(workplace, "+" * 10, pace, forks=10, work=crowd) == "+" * 10


def test_a_wave_waits_for_all_of_the_one_before(workplace: Workplace) -> None:
    order: list[str] = []

    def work(name: str) -> Done:
        order.append(f"begin {name}")
        order.append(f"end {name}")
        return ended(name, Outcome.SUCCEEDED)

    begun(workplace, "++++", Pace(), forks=4, work=work)
    places = {each: number for number, each in enumerate(order)}
    assert places["end 0"] < min(places["begin 1"], places["begin 2"])
    assert max(places["end 1"], places["end 2"]) < places["begin 3"]
