"""The gate in front of every write: what may hold it back in the very moment before it is sent."""

from collections.abc import Callable, Generator
from datetime import datetime
from typing import TypeAlias

from orchestrator.core.calendar import Brake, Closure
from orchestrator.core.events import GlassBroken
from orchestrator.core.run import Run

Look: TypeAlias = Callable[[], Closure | None]


class HeldBack(Exception):
    """Nothing may be sent now. Nothing was, and nothing is in doubt because of it."""

    def __init__(self, closure: Closure) -> None:
        super().__init__(str(closure))
        self.closure = closure


def is_open() -> Closure | None:
    """Hold nothing back."""
    return None


def passing(
    run: Run, look: Look, clock: Callable[[], datetime]
) -> Generator[GlassBroken, None, None]:
    """Yield what has to be recorded before *run* sends a change. Raises HeldBack.

    A window or freeze is passed where *run* may; that is recorded once for each. Nothing passes
    the kill switch.
    """
    closure = look()
    if closure is None:
        return
    if closure.brake is Brake.KILL_SWITCH or not run.break_glass:
        raise HeldBack(closure)
    told = {(each.passed, each.reason) for each in run.broken}
    if (closure.reason, run.break_glass) not in told:
        yield GlassBroken(at=clock(), passed=closure.reason, reason=run.break_glass)


def undoing(look: Look) -> None:
    """Raise HeldBack where not even what was changed may be undone: only by the kill switch."""
    closure = look()
    if closure is not None and closure.brake is Brake.KILL_SWITCH:
        raise HeldBack(closure)
