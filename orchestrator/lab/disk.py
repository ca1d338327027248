"""The files of one simulated server, by their Windows paths."""

from threading import RLock


class Disk:
    """Text files. Paths are compared as Windows does it: case does not count. Thread-safe."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[str, str]] = {}
        self._lock = RLock()

    def write(self, path: str, text: str) -> None:
        """Make a file, or replace one."""
        with self._lock:
            self._files[_key(path)] = (path, text)

    def append(self, path: str, text: str) -> None:
        """Add to a file, which is made where it is not there."""
        with self._lock:
            known = self._files.get(_key(path), (path, ""))
            self._files[_key(path)] = (known[0], known[1] + text)

    def read(self, path: str) -> str | None:
        """Return what is in a file, or None where there is none."""
        found = self._files.get(_key(path))
        return None if found is None else found[1]

    def names(self, folder: str) -> tuple[str, ...] | None:
        """Return the names of the files in a folder in order, or None where there is no such."""
        start = _key(folder).rstrip("\\") + "\\"
        with self._lock:
            inside = [
                path[len(start) :]
                for key, (path, _) in self._files.items()
                if key.startswith(start)
            ]
        found = sorted({name for name in inside if "\\" not in name}, key=str.casefold)
        return tuple(found) if inside else None


def _key(path: str) -> str:
    return path.replace("/", "\\").casefold()
