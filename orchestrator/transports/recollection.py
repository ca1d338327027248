"""Objects that were read before: what a server sends twice in a session is decoded once.

Between two looks most objects stay as they are, and are sent in the same bytes again.
"""

from collections.abc import Callable
from typing import Final

MOST: Final = 4 * 1024 * 1024
"""Bytes of messages that are remembered at most; beyond that everything is forgotten."""


class Recollection:
    """Decodes by *decode* what it has not decoded before. What it returns must not be altered."""

    def __init__(self, decode: Callable[[bytes], object]) -> None:
        self._decode = decode
        self._known: dict[bytes, object] = {}
        self._held = 0

    def __call__(self, xml: bytes) -> object:
        """Return what *xml* says. Raises what *decode* raises, and then remembers nothing."""
        if xml in self._known:
            return self._known[xml]
        value = self._decode(xml)
        self._held += len(xml)
        if self._held > MOST:
            self._known.clear()
            self._held = len(xml)
        if len(xml) <= MOST:
            self._known[xml] = value
        return value
