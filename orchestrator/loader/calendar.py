"""Maintenance windows and freezes as inventories write them, and time zones by their names."""

import difflib
from datetime import UTC, tzinfo
from typing import Annotated, NamedTuple, Protocol

from msgspec import UNSET, Meta, UnsetType

from orchestrator.core.calendar import Freeze, Window, Zones, parse_day, parse_window
from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError
from orchestrator.core.inventory import Line, Organization, Words
from orchestrator.document import Document, Path

_NAMES = "Write a name of the IANA database, such as Europe/Berlin, or UTC."

Windows = Annotated[
    tuple[Words, ...] | UnsetType,
    Meta(description="When changes are allowed, as 'Mon-Fri 20:00-23:00 Europe/Berlin'."),
]


class WrittenFreeze(Plain, frozen=True, kw_only=True, rename={"first": "from", "last": "until"}):
    """Days in which nothing may be changed, the first and the last of them included."""

    first: Annotated[Words, Meta(description="The first day, as 2026-12-20.")]
    last: Annotated[Words, Meta(description="The last day, as 2027-01-07.")]
    zone: Annotated[Words, Meta(description="Whose days: Europe/Berlin, or UTC.")]
    reason: Annotated[Line, Meta(description="Why; shown to whoever is held back.")] = ""


class Said(Protocol):
    """What a part of an inventory may say of when changes are allowed."""

    @property
    def windows(self) -> tuple[str, ...] | UnsetType:
        """Windows as they are written; unset where nothing is said."""

    @property
    def freezes(self) -> tuple[WrittenFreeze, ...]:
        """Freezes as they are written."""


class Calendar(NamedTuple):
    """When changes are allowed: in any of *windows* (or always), and in none of *freezes*."""

    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()


NEVER_CLOSED = Calendar()


def zone(name: str) -> tzinfo:
    """Return the time zone *name*. Raises ConfigurationError where this machine knows none."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, available_timezones  # noqa: PLC0415 - only where a zone is named

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # OSError: the name of a directory
        known = available_timezones()
    if not known:
        advice = "Install it with 'pip install tzdata', or write UTC."
        raise ConfigurationError("this machine has no database of time zones", advice)
    close = difflib.get_close_matches(name, known, n=1)
    advice = f"Did you mean '{close[0]}'?" if close else _NAMES
    raise ConfigurationError(f"{name!r} is no time zone", advice)


def zones(organization: Organization) -> Zones:
    """Return every time zone that the windows and freezes of *organization* name."""
    named = {each.zone for each in organization.windows}
    named |= {each.zone for each in organization.freezes}
    return {name: zone(name) for name in named}


def calendar(
    document: Document, path: Path, said: Said, usual: Calendar = NEVER_CLOSED
) -> Calendar:
    """Return what is *said* at *path*; without windows of its own, those of *usual*.

    Freezes come on top of the usual ones. Raises ConfigurationError.
    """
    written = () if said.windows is UNSET else said.windows
    own = (_window(document, (*path, "windows", n), text) for n, text in enumerate(written))
    frozen = (_freeze(document, (*path, "freezes", n), e) for n, e in enumerate(said.freezes))
    return Calendar(
        usual.windows if said.windows is UNSET else tuple(own), (*usual.freezes, *frozen)
    )


def _window(document: Document, path: Path, text: str) -> Window:
    try:
        found = parse_window(text)
        zone(found.zone)
    except ConfigurationError as error:
        raise document.error(path, error.reason, error.advice) from None
    return found


def _freeze(document: Document, path: Path, written: WrittenFreeze) -> Freeze:
    key = "from"
    try:
        first = parse_day(written.first)
        key = "until"
        last = parse_day(written.last)
        key = "zone"
        zone(written.zone)
    except ConfigurationError as error:
        raise document.error((*path, key), error.reason, error.advice) from None
    if last < first:
        advice = "Both days belong to it; for one day, write it twice."
        raise document.error((*path, "until"), "the freeze ends before it begins", advice)
    return Freeze(first, last, written.zone, written.reason)
