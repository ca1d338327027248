"""What holds back a change that every rule allows: the kill switch, freezes, maintenance windows.

Whatever cannot be known counts as a reason to hold back: a kill switch that cannot be looked at
is set.
"""

import stat
from datetime import datetime
from pathlib import Path

from orchestrator.app.workplace import Workplace
from orchestrator.core.calendar import Brake, Closure, closed
from orchestrator.core.errors import RefusedError, StoreError
from orchestrator.core.inventory import Organization
from orchestrator.loader.calendar import zones
from orchestrator.runner.gate import Look

KILL_SWITCH = "kill-switch"
"""Name of the file in the store, where the inventory names no other."""

_SHOWN = 200
_ADVICE = {
    Brake.KILL_SWITCH: "'orchestrator start' lifts it, once it may be; nothing passes it.",
    Brake.FREEZE: "Wait, or pass it with --break-glass REASON, which is recorded and shown.",
    Brake.WINDOW: "Wait, or pass it with --break-glass REASON, which is recorded and shown.",
}


def switch(workplace: Workplace) -> Path:
    """Return where the kill switch is. The file need not exist."""
    named = workplace.inventory.kill_switch
    return Path(named) if named else Path(workplace.store_location) / KILL_SWITCH


def pressed(path: Path) -> Closure | None:
    """Return why nothing may be sent while *path* exists; None where it certainly does not."""
    try:
        mode = path.lstat().st_mode
        said = _first_line(path) if stat.S_ISREG(mode) else ""
    except FileNotFoundError:
        return None if path.parent.is_dir() else _set(path, f"there is no directory {path.parent}")
    except OSError as error:
        return _set(path, f"it cannot be looked at: {error.strerror}")
    return _set(path, said)


def _first_line(path: Path) -> str:
    with path.open("rb") as stream:
        lines = stream.read(_SHOWN).decode("utf-8", "replace").splitlines()
    return lines[0].strip() if lines else ""


def _set(path: Path, why: str) -> Closure:
    return Closure(
        Brake.KILL_SWITCH, f"the kill switch {path} is set" + (f": {why}" if why else "")
    )


def press(path: Path, reason: str, actor: str, now: datetime) -> None:
    """Set the kill switch; where it is set already, one more line says who else wanted it.

    Raises StoreError where the file cannot be made.
    """
    line = f"{' '.join(reason.split())} ({actor}, {now:%Y-%m-%d %H:%M} UTC)\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(line)
    except OSError as error:
        raise StoreError(
            f"the kill switch {path} cannot be set: {error.strerror}",
            "Press Ctrl-C where a run is under way: it stops at the next safe place.",
        ) from error


def release(path: Path) -> Closure | None:
    """Lift the kill switch and return what it said; None where it was not set.

    Raises StoreError where the file cannot be removed.
    """
    before = pressed(path)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"the kill switch {path} cannot be lifted: {error.strerror}",
            "Remove it by the means of the operating system.",
        ) from error
    return before


def look(workplace: Workplace, organization: Organization) -> Look:
    """Return the question whether anything may be sent to *organization* now.

    The store is opened first: its directory is where the kill switch usually is.
    """
    _ = workplace.store
    path, known = switch(workplace), zones(organization)

    def ask() -> Closure | None:
        now = workplace.clock()
        return pressed(path) or closed(organization.windows, organization.freezes, now, known)

    return ask


def check(workplace: Workplace, organization: Organization, break_glass: str) -> Closure | None:
    """Return the window or freeze that *break_glass* passes, if any. Raises RefusedError."""
    closure = look(workplace, organization)()
    if closure is None or (break_glass and closure.brake is not Brake.KILL_SWITCH):
        return closure
    raise RefusedError(f"{organization.name}: {closure}", _ADVICE[closure.brake])


def calendar_notes(organization: Organization, now: datetime) -> tuple[str, ...]:
    """Return what a plan made *now* has to say of windows and freezes."""
    closure = closed(organization.windows, organization.freezes, now, zones(organization))
    return () if closure is None else (f"When this was planned it was {closure}.",)
