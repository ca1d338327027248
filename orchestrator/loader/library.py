"""Where playbooks are found: by path, or by name among the operator's and the shipped ones."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.core.errors import UsageError

_SUFFIXES = (".yaml", ".yml")


def shipped() -> Path:
    """Return the directory of the playbooks that come with the product.

    A wheel has them inside the package, a checkout at its top.
    """
    package = Path(__file__).resolve().parent.parent
    inside = package / "playbooks"
    return inside if inside.is_dir() else package.parent / "playbooks"


def find_playbook(name_or_path: str, directories: Sequence[Path] = ()) -> Path:
    """Return the file of a playbook.

    What has a separator or ends in ``.yaml`` or ``.yml`` is a path and returned as it is, whether
    it exists or not. Anything else is a name, looked for in *directories*, in order, and then
    among the shipped playbooks. Raises UsageError, with the nearest name, where there is none.
    """
    path = Path(name_or_path)
    if path.suffix in _SUFFIXES or path.name != name_or_path:
        return path
    known = dict(_playbooks(directories))
    if name_or_path in known:
        return known[name_or_path]
    raise UsageError(f"there is no playbook '{name_or_path}'", _offer(name_or_path, known))


def playbook_names(directories: Sequence[Path] = ()) -> tuple[str, ...]:
    """Return the names that ``find_playbook`` knows, sorted."""
    return tuple(sorted(dict(_playbooks(directories))))


def _playbooks(directories: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    # Backwards, so that in a mapping made of this the first directory wins.
    for directory in reversed((*directories, shipped())):
        if directory.is_dir():
            for path in sorted(directory.iterdir(), reverse=True):
                if path.suffix in _SUFFIXES and path.is_file():
                    yield path.stem, path


def _offer(name: str, known: dict[str, Path]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"There are: {', '.join(sorted(known))}. A path ends in .yaml." if known else ""
