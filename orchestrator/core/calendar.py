"""When an organization may be changed: weekly maintenance windows, and a calendar of freezes.

Time zones are handed in by name, because reading their rules is I/O. Windows and freezes are
written in local time and compared as moments: an hour that a clock repeats or leaves out opens
nothing twice and nothing never.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import TypeAlias

from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError

Zones: TypeAlias = Mapping[str, tzinfo]

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_WINDOW = re.compile(r"(\S+) ([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2}) (\S+)")
_FORM = "Write it as 'Mon-Fri 20:00-23:00 Europe/Berlin' or 'Sat,Sun 00:00-24:00 UTC'."
_DAY = 24 * 60
_DATE = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")
_AHEAD = 15


class Brake(StrEnum):
    """What can hold back a change that every rule allows."""

    KILL_SWITCH = "kill-switch"
    FREEZE = "freeze"
    WINDOW = "window"


class Closure(Plain, frozen=True):
    """Why nothing may be sent now. *opens* is when that ends by itself, and *at* says so."""

    brake: Brake
    reason: str
    opens: datetime | None = None
    at: str = ""

    def __str__(self) -> str:
        return f"{self.reason}; opens {self.at}" if self.at else self.reason


class Window(Plain, frozen=True):
    """A time of the week in which changes are allowed.

    *days* (0 is Monday) are those on which it opens; *opens* and *closes* are minutes of the
    local day. One that closes at or before the minute it opens closes on the next day.
    """

    text: str
    days: tuple[int, ...]
    opens: int
    closes: int
    zone: str


class Freeze(Plain, frozen=True):
    """Days in which nothing may be changed, the first and the last of them included."""

    first: date
    last: date
    zone: str
    reason: str = ""


def parse_window(text: str) -> Window:
    """Return the window that *text* describes. Raises ConfigurationError; the zone is not tried."""
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise ConfigurationError(f"{text!r} is no maintenance window", _FORM)
    opens, closes = _minute(found[2], found[3]), _minute(found[4], found[5])
    if opens in {closes, _DAY}:
        raise ConfigurationError(
            f"a window from {found[2]}:{found[3]} to {found[4]}:{found[5]} is none",
            "A whole day is 00:00-24:00.",
        )
    return Window(text, tuple(sorted(set(_days(found[1])))), opens, closes, found[6])


def _minute(hours: str, minutes: str) -> int:
    minute = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or minute > _DAY:
        raise ConfigurationError(f"{hours}:{minutes} is no time of day", "00:00 to 24:00.")
    return minute


def _days(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin = _weekday(first)
        yield from ((begin + n) % 7 for n in range((_weekday(last) - begin) % 7 + 1 if dash else 1))


def _weekday(name: str) -> int:
    if name not in DAYS:
        raise ConfigurationError(f"{name!r} is no day of the week", f"Days are {', '.join(DAYS)}.")
    return DAYS.index(name)


def parse_day(text: str) -> date:
    """Return the day ``YYYY-MM-DD``. Raises ConfigurationError."""
    try:
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise ConfigurationError(f"{text!r} is no day", "Write it as 2026-12-20.") from None


def closed(
    windows: Sequence[Window], freezes: Sequence[Freeze], now: datetime, zones: Zones
) -> Closure | None:
    """Return why nothing may be changed at *now*, or None. Without windows it is always open."""
    opens = _opening(windows, freezes, now, zones)
    for freeze in freezes:
        if _frozen(freeze, now, zones):
            why = f": {freeze.reason}" if freeze.reason else ""
            reason = f"frozen from {freeze.first} to {freeze.last} ({freeze.zone}){why}"
            return Closure(Brake.FREEZE, reason, opens, _local(opens, freeze.zone, zones))
    if windows and not _inside(windows, now, zones):
        known = "; ".join(window.text for window in windows)
        reason = f"outside of the maintenance window ({known})"
        return Closure(Brake.WINDOW, reason, opens, _local(opens, windows[0].zone, zones))
    return None


def _local(moment: datetime, zone: str, zones: Zones) -> str:
    local = moment.astimezone(zones[zone])
    return f"{DAYS[local.weekday()]} {local:%Y-%m-%d %H:%M} {zone}"


def _opening(
    windows: Sequence[Window], freezes: Sequence[Freeze], now: datetime, zones: Zones
) -> datetime:
    """Return the first moment from *now* on at which changes are allowed.

    Each round steps past a freeze or on to a window, so it ends: there are only so many freezes.
    """
    moment = now
    while True:
        frozen = [_end(each, zones) for each in freezes if _frozen(each, moment, zones)]
        if frozen:
            moment = max(frozen)
        elif windows and not _inside(windows, moment, zones):
            moment = min(begin for begin, _ in _spans(windows, moment, zones) if begin > moment)
        else:
            return moment


def _frozen(freeze: Freeze, now: datetime, zones: Zones) -> bool:
    return _moment(freeze.first, 0, zones[freeze.zone]) <= now < _end(freeze, zones)


def _end(freeze: Freeze, zones: Zones) -> datetime:
    return _moment(freeze.last, _DAY, zones[freeze.zone])


def _inside(windows: Sequence[Window], now: datetime, zones: Zones) -> bool:
    return any(begin <= now < end for begin, end in _spans(windows, now, zones))


def _spans(
    windows: Sequence[Window], around: datetime, zones: Zones
) -> Iterator[tuple[datetime, datetime]]:
    """Yield when each window opens and closes, from two days before *around* for two weeks."""
    for window in windows:
        zone = zones[window.zone]
        today = around.astimezone(zone).date()
        for day in (today + timedelta(days=n) for n in range(-2, _AHEAD)):
            if day.weekday() in window.days:
                begin = _moment(day, window.opens, zone)
                overnight = 0 if window.closes > window.opens else _DAY
                end = _moment(day, window.closes + overnight, zone)
                if begin < end:
                    yield begin, end


def _moment(day: date, minute: int, zone: tzinfo) -> datetime:
    """Return when clocks in *zone* first show *minute* of *day*, or, if never, are past it."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    # The hour is left out: from the moment before the leap on, until the clock has leapt.
    moment = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while moment.astimezone(zone).replace(tzinfo=None) < wall:
        moment += timedelta(minutes=1)
    return moment
