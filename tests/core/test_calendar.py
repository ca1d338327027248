"""When changes are allowed: windows and freezes in local time, and clocks that leap and repeat."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.calendar import Brake, Freeze, Window, closed, parse_day, parse_window
from orchestrator.core.errors import ConfigurationError

BERLIN = "Europe/Berlin"
ZONES = {"UTC": UTC, BERLIN: ZoneInfo(BERLIN), "Pacific/Apia": ZoneInfo("Pacific/Apia")}
CHRISTMAS = Freeze(date(2026, 12, 20), date(2027, 1, 7), BERLIN, "Christmas")


def at(text: str) -> datetime:
    """Return the moment *text*, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def is_open(windows: str, now: datetime) -> bool:
    """Say whether one of *windows*, separated by semicolons, is open."""
    return closed(tuple(map(parse_window, windows.split("; "))), (), now, ZONES) is None


@pytest.mark.parametrize(
    ("text", "days", "opens", "closes"),
    [
        ("Mon-Fri 20:00-23:00 UTC", (0, 1, 2, 3, 4), 1200, 1380),
        ("Sat,Sun 00:00-24:00 UTC", (5, 6), 0, 1440),
        ("Fri-Mon 22:30-04:00 UTC", (0, 4, 5, 6), 1350, 240),
        ("Wed 00:00-00:01 UTC", (2,), 0, 1),
        ("Mon-Mon,Mon 01:00-02:00 UTC", (0,), 60, 120),
    ],
)
def test_a_window_is_read(text: str, days: tuple[int, ...], opens: int, closes: int) -> None:
    assert parse_window(text) == Window(text, days, opens, closes, "UTC")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Mon 20:00-23:00",
        "Mon 20:00 - 23:00 UTC",
        "Mon 8:00-9:00 UTC",
        "mon 20:00-23:00 UTC",
        "Mon, Tue 20:00-23:00 UTC",
        "Mon- 20:00-23:00 UTC",
        "Mon-Tue-Wed 20:00-23:00 UTC",
        "Mon 20:00-20:00 UTC",
        "Mon 24:00-01:00 UTC",
        "Mon 20:60-23:00 UTC",
        "Mon 20:00-24:01 UTC",
        "Mon 20:00-23:00 UTC\n",
        "Mon \u0662\u0660:00-23:00 UTC",
    ],
)
def test_what_is_no_window_is_not_guessed(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_window(text)


@pytest.mark.parametrize("text", ["2026-2-1", "2026-02-30", "20260201", "1999-01-01", "2026-W01-1"])
def test_what_is_no_day_is_not_guessed(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_day(text)


@pytest.mark.parametrize(
    ("windows", "moment", "expected"),
    [
        # 2026-11-23 is a Monday; Berlin is an hour ahead of UTC.
        (f"Mon-Fri 20:00-23:00 {BERLIN}", "2026-11-23T18:59:59", False),
        (f"Mon-Fri 20:00-23:00 {BERLIN}", "2026-11-23T19:00", True),
        (f"Mon-Fri 20:00-23:00 {BERLIN}", "2026-11-23T21:59:59", True),
        (f"Mon-Fri 20:00-23:00 {BERLIN}", "2026-11-23T22:00", False),
        (f"Mon-Fri 20:00-23:00 {BERLIN}", "2026-11-22T19:00", False),
        # In summer two hours.
        (f"Mon-Fri 20:00-23:00 {BERLIN}", "2026-07-06T18:00", True),
        (f"Mon-Fri 20:00-23:00 {BERLIN}", "2026-07-06T21:00", False),
        # Overnight: it belongs to the day on which it opens.
        ("Fri 22:00-04:00 UTC", "2026-11-27T22:00", True),
        ("Fri 22:00-04:00 UTC", "2026-11-28T03:59", True),
        ("Fri 22:00-04:00 UTC", "2026-11-28T04:00", False),
        ("Fri 22:00-04:00 UTC", "2026-11-27T03:00", False),
        # Midnight to midnight leaves no gap to the next day.
        ("Sat,Sun 00:00-24:00 UTC", "2026-11-28T23:59:59.999999", True),
        ("Sat,Sun 00:00-24:00 UTC", "2026-11-29T00:00", True),
        ("Sat,Sun 00:00-24:00 UTC", "2026-11-30T00:00", False),
        # Any of several will do.
        ("Mon 01:00-02:00 UTC; Mon 03:00-04:00 UTC", "2026-11-23T03:30", True),
        ("Mon 01:00-02:00 UTC; Mon 03:00-04:00 UTC", "2026-11-23T02:30", False),
        # 2026-10-25, 03:00 becomes 02:00 in Berlin: the first 02:30 is 00:30 UTC, the second 01:30.
        (f"Sat 22:00-02:30 {BERLIN}", "2026-10-25T00:29", True),
        (f"Sat 22:00-02:30 {BERLIN}", "2026-10-25T00:30", False),
        (f"Sat 22:00-02:30 {BERLIN}", "2026-10-25T01:15", False),
        (f"Sun 02:15-02:30 {BERLIN}", "2026-10-25T00:20", True),
        (f"Sun 02:15-02:30 {BERLIN}", "2026-10-25T01:20", False),
        (f"Sun 02:30-03:30 {BERLIN}", "2026-10-25T02:29", True),
        (f"Sun 02:30-03:30 {BERLIN}", "2026-10-25T02:30", False),
        # 2026-03-29, 02:00 becomes 03:00 in Berlin, at 01:00 UTC.
        (f"Sat 22:00-02:30 {BERLIN}", "2026-03-29T00:59", True),
        (f"Sat 22:00-02:30 {BERLIN}", "2026-03-29T01:00", False),
        (f"Sun 02:30-04:00 {BERLIN}", "2026-03-29T00:59", False),
        (f"Sun 02:30-04:00 {BERLIN}", "2026-03-29T01:00", True),
        (f"Sun 02:30-04:00 {BERLIN}", "2026-03-29T02:00", False),
        # Wholly inside of the hour that is left out: not on that day.
        (f"Sun 02:15-02:45 {BERLIN}", "2026-03-29T01:00", False),
        # 2011-12-30, a Friday, was left out in Samoa.
        ("Fri 10:00-11:00 Pacific/Apia", "2011-12-30T10:00", False),
        ("Fri 22:00-04:00 Pacific/Apia", "2011-12-30T11:00", True),
    ],
)
def test_a_window_is_open_between_its_local_times(
    windows: str, moment: str, *, expected: bool
) -> None:
    assert is_open(windows, at(moment)) is expected


def test_without_windows_it_is_always_open() -> None:
    assert closed((), (), at("2026-11-23T12:00"), {}) is None


def test_outside_it_is_said_which_windows_there_are_and_when_the_next_one_opens() -> None:
    window = parse_window(f"Mon-Fri 20:00-23:00 {BERLIN}")
    found = closed((window,), (), at("2026-11-27T22:00"), ZONES)
    assert found is not None
    assert found.brake is Brake.WINDOW
    assert found.opens == at("2026-11-30T19:00")
    assert str(found) == (
        "outside of the maintenance window (Mon-Fri 20:00-23:00 Europe/Berlin); "
        "opens Mon 2026-11-30 20:00 Europe/Berlin"
    )


@pytest.mark.parametrize(
    ("moment", "frozen"),
    [
        ("2026-12-19T22:59:59", False),
        ("2026-12-19T23:00", True),
        ("2027-01-07T22:59:59", True),
        ("2027-01-07T23:00", False),
    ],
)
def test_a_freeze_goes_from_the_first_local_midnight_to_the_end_of_its_last_day(
    moment: str, *, frozen: bool
) -> None:
    found = closed((), (CHRISTMAS,), at(moment), ZONES)
    assert (found is not None and found.brake is Brake.FREEZE) is frozen


def test_no_window_opens_in_a_freeze_and_the_next_one_after_it_is_named() -> None:
    sunday = parse_window("Sun 10:00-12:00 UTC")
    next_freeze = Freeze(date(2027, 1, 8), date(2027, 1, 11), "UTC")
    found = closed((sunday,), (CHRISTMAS, next_freeze), at("2026-12-27T11:00"), ZONES)
    assert found is not None
    assert found.brake is Brake.FREEZE
    assert found.opens == at("2027-01-17T10:00")
    assert "frozen from 2026-12-20 to 2027-01-07 (Europe/Berlin): Christmas" in found.reason


_MINUTES = st.integers(0, 1439)
_WINDOWS = st.builds(
    lambda days, opens, length, zone: Window(
        "generated", tuple(sorted(days)), opens, (opens + length) % 1440, zone
    ),
    st.sets(st.integers(0, 6), min_size=1),
    _MINUTES,
    st.integers(1, 1439),
    st.sampled_from(["UTC", BERLIN]),
)
_FREEZES = st.builds(
    lambda first, length: Freeze(first, first + timedelta(days=length), BERLIN),
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.integers(0, 30),
)
_MOMENTS = st.integers(0, 2 * 365 * 1440).map(
    lambda minutes: at("2026-01-01T00:00") + timedelta(minutes=minutes)
)


@given(st.lists(_WINDOWS, max_size=3), st.lists(_FREEZES, max_size=3), _MOMENTS)
def test_it_is_open_when_it_was_said_to_open_and_not_a_minute_before(
    windows: list[Window], freezes: list[Freeze], now: datetime
) -> None:
    found = closed(windows, freezes, now, ZONES)
    if found is None:
        return
    assert found.opens is not None
    assert found.opens > now
    assert closed(windows, freezes, found.opens, ZONES) is None
    before = found.opens - timedelta(microseconds=1)
    assert closed(windows, freezes, before, ZONES) is not None
