"""Times as Exchange writes them on the wire."""

import re
from datetime import UTC, datetime

_FINER = re.compile(r"(\.\d{6})\d+")


def stamp(text: str) -> datetime | None:
    """Return a time in UTC, or None where *text* is none. Without an offset it is UTC [inf].

    .NET writes seven digits of a second, Python reads six.
    """
    try:
        found = datetime.fromisoformat(_FINER.sub(r"\1", text))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
