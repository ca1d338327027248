"""The record of all runs, opened to be read: a command that only looks back makes no store."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.app.workplace import default_store, utc_now
from orchestrator.journal import Store, open_store


@contextmanager
def opened(location: str | None) -> Iterator[Store]:
    """Open the store at *location*, or at its usual place. StoreError where there is none."""
    store = open_store(location or default_store(), now=utc_now, create=False)
    try:
        yield store
    finally:
        store.close()
