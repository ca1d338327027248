"""The store: everything that lasts, as events that are on the disk before the work goes on."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.core.errors import ConfigurationError
from orchestrator.journal.store import (
    Damage,
    Head,
    Hold,
    HoldLost,
    Owner,
    Recorded,
    Report,
    Store,
    StreamMoved,
)

__all__ = [
    "Damage",
    "Head",
    "Hold",
    "HoldLost",
    "Owner",
    "Recorded",
    "Report",
    "Store",
    "StreamMoved",
    "open_store",
]

# Two characters at least: a single one is a Windows drive.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")


def open_store(
    location: str | Path,
    *,
    now: Callable[[], datetime],
    create: bool = True,
    patience: timedelta = timedelta(seconds=5),
) -> Store:
    """Open the store in the directory *location*.

    *now* returns the time with its zone. What is missing is made, unless *create* is False:
    then a missing store is a StoreError. *patience* is how long a write waits for another
    process. ConfigurationError for a location that no release, or not this one, can use.
    """
    scheme = _SCHEME.match(str(location))
    if scheme:
        raise ConfigurationError(
            f"a store behind {scheme[1]}:// is not available in this release",
            "Name a directory on a local disk.",
        )
    # It brings sqlite3 along, which a command that never opens the store need not pay for.
    from orchestrator.journal.sqlite import open_directory  # noqa: PLC0415 - as said

    return open_directory(Path(location), now=now, create=create, patience=patience)
