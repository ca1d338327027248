"""The directory in which a store lives, and who may look into it.

Directories are made with mode 0700 and files with 0600; SQLite gives its ``-wal`` and ``-shm``
files the mode of the database. On Windows there are no mode bits: what protects the store
there is the access list inherited from the user's profile. That was never tried on Windows.
"""

import os
import sys
from pathlib import Path

from orchestrator.core.errors import StoreError

DATABASE = "journal.sqlite3"
HOLDS = "holds"


def prepare(directory: Path, *, create: bool) -> None:
    """Make sure that *directory* exists and that nobody else can write to it.

    StoreError if it is missing and not to be created, or if others could change what it holds.
    """
    if create:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (directory if create else directory / DATABASE).exists():
        raise StoreError(
            f"there is no journal in {directory}",
            "The first run makes one; name another directory if yours lies elsewhere.",
        )
    if sys.platform != "win32":
        _refuse_strangers(directory)


if sys.platform != "win32":

    def _refuse_strangers(directory: Path) -> None:
        status = directory.stat()
        if status.st_uid not in {os.geteuid(), 0}:
            raise StoreError(
                f"{directory} belongs to another user (uid {status.st_uid})",
                "Run as that user, or name a directory of your own.",
            )
        if status.st_mode & 0o022:
            raise StoreError(
                f"{directory} can be written to by others (mode {status.st_mode & 0o7777:o})",
                f"Run `chmod 700 {directory}`, or name a directory of your own.",
            )


def tighten(directory: Path) -> None:
    """Take away what others may do with a database that was copied in with a wider mode."""
    if sys.platform != "win32" and is_writable(directory):
        for suffix in ("", "-wal", "-shm"):
            path = directory / (DATABASE + suffix)
            if path.exists() and path.stat().st_mode & 0o077:
                path.chmod(0o600)


def is_writable(directory: Path) -> bool:
    """Whether files can be made in *directory*; on Windows that only shows when trying."""
    return os.access(directory, os.W_OK)


def settle(directory: Path) -> None:
    """Make the names in *directory* survive a power cut; Windows has no such call."""
    if sys.platform != "win32":
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
