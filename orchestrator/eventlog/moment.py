"""Points in time as exports write them, as far as they say which instant is meant."""

import re
from datetime import UTC, datetime, timedelta

_NET = re.compile(r"\\?/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\\?/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(value: object, *, utc: bool = False) -> datetime | None:
    """Return *value* in UTC, or None where it is no time or does not say its time zone.

    *utc* says that a time without a zone is in UTC, as ``SystemTime`` is [doc]. Dates in the
    order of some culture are None: nobody can tell 11/12 from 12/11.
    """
    if isinstance(value, str):
        value = _parse(value.strip())
    if not isinstance(value, datetime):
        return None
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC) if utc else None
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return None


def _parse(text: str) -> datetime | None:
    if net := _NET.fullmatch(text):
        try:
            return _EPOCH + timedelta(milliseconds=int(net[1]))
        except OverflowError:
            return None
    plain = text[:64]
    plain = plain.removesuffix(" UTC") + "Z" if plain.endswith(" UTC") else plain
    try:
        return datetime.fromisoformat(plain) if plain[:4].isdigit() else None
    except ValueError:
        return None
