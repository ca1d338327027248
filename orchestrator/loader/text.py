"""Text files, or a sentence that says why one cannot be read and what to do about it."""

import codecs
import difflib
import os
from pathlib import Path

from orchestrator.core.errors import ConfigurationError

MAX_BYTES = 1024 * 1024


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file of at most 1 MiB; a byte order mark is dropped.

    Raises ConfigurationError: not there (with the name most like it), not a file, not allowed,
    too large, or not UTF-8 (with the line).
    """
    return decode(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """Return what the file holds, at most 1 MiB. Raises ConfigurationError as ``read_text``."""
    file = str(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError("there is no such file", _similar(path), file=file) from None
    except (IsADirectoryError, PermissionError):  # Windows says the latter of directories too
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where the directory is closed too
            raise ConfigurationError("this is a directory", _INSIDE, file=file) from None
        raise ConfigurationError("you may not read this file", _OWNER, file=file) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero character
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"the file cannot be read: {reason}", file=file) from None
    if len(content) > MAX_BYTES:
        raise ConfigurationError(f"the file is larger than {MAX_BYTES // 1024} KiB", file=file)
    return content


def decode(content: bytes, file: str) -> str:
    """Return *content* as text. Raises ConfigurationError where it is not UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigurationError("the file is UTF-16, not UTF-8", _SAVE, file=file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8: the byte 0x{content[error.start]:02x} is none of it"
        raise ConfigurationError(message, _SAVE, file=file, line=line) from None


_INSIDE = "Name a file in it."
_OWNER = "Ask its owner for the right to read it."
_SAVE = "Save it as UTF-8; in Windows PowerShell: Set-Content -Encoding utf8."


def _similar(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return f"There is no directory {path.parent} either." if not path.parent.exists() else ""
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"Did you mean {path.with_name(close[0])}?" if close else ""
