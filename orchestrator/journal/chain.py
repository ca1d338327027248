"""The chain that ties each event of a stream to all that came before it.

The digest of an event is SHA-256 over the digest before it, its version as eight bytes (most
significant first) and its payload. The first event continues from SHA-256 of the stream's name,
so a stream under another name does not verify either. There is no secret in it: it shows
edits by whoever does not compute the rest of the chain anew, and nothing more than that.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from orchestrator.journal.store import Damage, Recorded


def origin(stream: str) -> bytes:
    """Return what the first event of *stream* continues from."""
    return sha256(stream.encode("utf-8", "surrogatepass")).digest()


def link(previous: bytes, version: int, payload: bytes) -> bytes:
    """Return the digest of the event with *payload* at *version*."""
    return sha256(previous + version.to_bytes(8, "big", signed=True) + payload).digest()


def extend(previous: bytes, version: int, payloads: Iterable[bytes]) -> Iterator[Recorded]:
    """Yield *payloads* as the events that follow *version*, whose digest is *previous*."""
    for number, payload in enumerate(payloads, version + 1):
        previous = link(previous, number, payload)
        yield Recorded(number, payload, previous)


def damages(stream: str, events: Iterable[Recorded]) -> Iterator[Damage]:
    """Yield what contradicts the chain, event by event.

    After a damage the walk goes on from what is recorded, so that an edit is not blamed on
    every event after it.
    """
    previous, version = origin(stream), 0
    for event in events:
        version += 1
        if event.version != version:
            yield Damage(stream, version, f"is missing: event {event.version} follows instead")
        elif link(previous, version, event.payload) != event.digest:
            yield Damage(stream, version, "was changed after it was recorded")
        version, previous = max(version, event.version), event.digest
