"""Events as they stand in a store: canonical JSON with the number of their layout."""

from typing import Generic, TypeVar

import msgspec

from orchestrator.core.command import Plain
from orchestrator.core.errors import JournalDamaged
from orchestrator.core.plan import SCHEMA, canonical

E = TypeVar("E")


class _Envelope(Plain, Generic[E], frozen=True):
    schema: int
    event: E


class _Layout(msgspec.Struct, frozen=True):
    schema: int = 0


class Codec(Generic[E]):
    """Writes and reads the events of one kind of stream.

    *kinds* is the union of their types, *subject* what people call one of them.
    """

    def __init__(self, kinds: object, subject: str) -> None:
        self._decoder = msgspec.json.Decoder(_Envelope[kinds])  # type: ignore[valid-type] # made of a union at run time
        self._subject = subject

    def encode(self, event: E) -> bytes:
        """Return the canonical JSON of *event*."""
        return canonical(_Envelope(SCHEMA, event))

    def decode(self, payload: bytes) -> E:
        """Return the event. Raises JournalDamaged for a newer layout or one that makes no sense."""
        try:
            if msgspec.json.decode(payload, type=_Layout).schema > SCHEMA:
                raise JournalDamaged(
                    f"{self._subject} was written by a newer version of this program",
                    "Use that version, or a newer one; nothing was changed.",
                )
            found: E = self._decoder.decode(payload).event
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise JournalDamaged(
                f"{self._subject} cannot be read: {error}",
                "Check the store with 'orchestrator journal check'.",
            ) from error
        return found
