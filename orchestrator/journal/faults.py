"""What can go wrong beneath the store, in the words of who runs the jump host.

To add a fault: one row in ``FAULTS``, by SQLite's primary result code, or in ``FILE_ADVICE``, by
the operating system's error number.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.core.errors import JournalDamaged, StoreError

_RESTORE = (
    "Keep the file as it is for inspection and continue with a copy from before, or elsewhere."
)
_RIGHTS = "Run as the user who owns the directory, or name another directory."

FAULTS: dict[int, tuple[type[StoreError], str, str]] = {
    sqlite3.SQLITE_BUSY: (
        StoreError,
        "another process keeps the journal locked",
        "Wait for it to end, then resume; `fuser` or Process Explorer tell which one it is.",
    ),
    sqlite3.SQLITE_FULL: (
        StoreError,
        "the disk is full; nothing of this was recorded",
        "Make room, then resume the run.",
    ),
    sqlite3.SQLITE_IOERR: (
        StoreError,
        "the disk failed, or a limit on file sizes was reached; nothing of this was recorded",
        "Look at the system's log, then resume the run.",
    ),
    sqlite3.SQLITE_READONLY: (StoreError, "the journal is read-only", _RIGHTS),
    sqlite3.SQLITE_PERM: (StoreError, "access to the journal is denied", _RIGHTS),
    sqlite3.SQLITE_CANTOPEN: (StoreError, "the journal cannot be opened", _RIGHTS),
    sqlite3.SQLITE_CORRUPT: (JournalDamaged, "the journal's file is damaged", _RESTORE),
    sqlite3.SQLITE_NOTADB: (JournalDamaged, "this is not a journal, or it is damaged", _RESTORE),
}

FILE_ADVICE: dict[int | None, str] = {
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
    errno.ENOSPC: "Make room, then resume the run.",
    errno.EEXIST: "Name another directory for the store.",
    errno.ENOTDIR: "Name another directory for the store.",
    errno.ENOSYS: "Keep the store on a local disk: this file system knows no locks.",
    errno.ENOTSUP: "Keep the store on a local disk: this file system knows no links.",
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise the errors of SQLite and of the file system as StoreError about *path*."""
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(path, error) from error
    except UnicodeDecodeError as error:
        # SQLite quotes what it cannot understand, and the module cannot decode the quotation.
        raise JournalDamaged(
            f"{path}: the journal's file is damaged ({error})", _RESTORE
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        advice = FILE_ADVICE.get(error.errno, "Look at the system's log, then resume the run.")
        raise StoreError(f"{error.filename or path}: {reason}", advice) from error


def _fault(path: Path, error: sqlite3.Error) -> StoreError:
    # Extended codes carry the primary one in their lowest byte. The module's own errors
    # (a closed connection, say) have none.
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    kind, sentence, advice = FAULTS.get(code, (StoreError, "the journal cannot be used", _RESTORE))
    return kind(f"{path}: {sentence} ({error})", advice)
