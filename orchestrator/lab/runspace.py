"""The server half of a runspace pool: psrpcore reads what comes in, what goes out is framed here.

Outgoing pipeline messages are framed here from finished documents, because objects are written
once and sent often, and because psrpcore has no public way to fail a pipeline.
"""

import struct
import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeAlias
from uuid import UUID

from psrpcore import (
    PSRemotingCrypto,
    PSRPEvent,
    PSRPPayload,
    ServerHostRequestor,
    ServerPipeline,
    ServerRunspacePool,
    StreamType,
)
from psrpcore.types import (
    ChoiceDescription,
    PSInvocationState,
    PSRPMessageType,
    deserialize,
)

FRAGMENT = 32_768
"""The most bytes of a message that one fragment carries, as Windows cuts them."""

Event: TypeAlias = PSRPEvent[Any, Any]

_HEADER = struct.Struct(">QQBI")
_MESSAGE = struct.Struct("<II16s16s")
_MARK = b"\xef\xbb\xbf"
_CLIENT = 1

PRIVATE_DATA = {
    "PSVersionTable": {
        "PSVersion": "5.1.14393.2248",
        "PSEdition": "Desktop",
        "CLRVersion": "4.0.30319.42000",
        "WSManStackVersion": "3.0",
    },
    "ImplicitRemoting": {"Hash": "lab"},
}


@lru_cache(maxsize=256)
def _creation(document: bytes) -> Any:
    """Return what starts a pipeline: a hundred organizations are all sent the same words.

    Reading them took more than half of a lab's time [measured].
    """
    root = ET.fromstring(document)  # noqa: S314 - loopback only, and expat stops entity floods
    return deserialize(root, cipher=PSRemotingCrypto())


class Runspace(ServerRunspacePool):
    """A pool as the server keeps it. It performs no I/O."""

    def __init__(self) -> None:
        super().__init__(application_private_data=PRIVATE_DATA)

    def receive(self, data: bytes, pipeline: UUID | None = None) -> list[Event]:
        """Take fragments from the client and return what they say.

        Raises ValueError, or psrpcore's errors, for what cannot be understood.
        """
        self.receive_data(PSRPPayload(data, StreamType.default, pipeline))
        events: list[Event] = []
        while (event := self.next_event()) is not None:
            events.append(event)
        return events

    def _process_message(self, message: Any) -> Event:
        """Read a message; one that starts a pipeline only if no other said the same before it."""
        kind, document = message.message_type, bytes(message.data)
        # A secret is sealed for one pool.
        if kind is not PSRPMessageType.CreatePipeline or b"<SS" in document:
            return super()._process_message(message)
        said = _creation(document)
        event: Event = PSRPEvent.create(kind, said, message.runspace_pool_id, message.pipeline_id)
        process: Any = self._process_CreatePipeline
        process(event)
        return event

    def begin(self, pipeline: UUID) -> None:
        """Make a pipeline known; its CreatePipeline message may be received afterwards."""
        ServerPipeline(self, pipeline).state = PSInvocationState.Running

    def forget(self, pipeline: UUID) -> None:
        """Drop a pipeline."""
        self.pipeline_table.pop(pipeline, None)

    def frame(self, kind: PSRPMessageType, document: str, pipeline: UUID) -> Iterator[bytes]:
        """Yield the fragments of one message."""
        head = _MESSAGE.pack(_CLIENT, kind, self.runspace_pool_id.bytes_le, pipeline.bytes_le)
        message = head + _MARK + document.encode()
        number = self._fragment_counter
        pieces = range(0, len(message), FRAGMENT)
        for at, begin in enumerate(pieces):
            piece = message[begin : begin + FRAGMENT]
            flags = (at == 0) | (at == len(pieces) - 1) << 1
            yield _HEADER.pack(number, at, flags, len(piece)) + piece

    def tell(self, pipeline: UUID, line: str) -> None:
        """Queue a line for the client's host."""
        ServerHostRequestor(self.pipeline_table[pipeline]).write_line(line)

    def ask(self, pipeline: UUID, caption: str, message: str, choices: list[str]) -> int:
        """Queue a question for the client's host; the answer carries the number returned."""
        described = [ChoiceDescription(label) for label in choices]
        host = ServerHostRequestor(self.pipeline_table[pipeline])
        return host.prompt_for_choice(caption, message, described, 0)

    def replies(self) -> Iterator[bytes]:
        """Yield the fragments that the protocol library queued, one by one."""
        while (payload := self.data_to_send()) is not None:
            data = payload.data
            while data:
                end = _HEADER.size + _HEADER.unpack_from(data)[3]
                yield data[:end]
                data = data[end:]


class Mailbox:
    """Fragments that wait for a client's Receive, in the batches in which they became ready."""

    def __init__(self) -> None:
        self.batches: deque[list[bytes]] = deque()
        self.done = False

    def put(self, fragments: list[bytes]) -> None:
        """Add a batch."""
        if fragments:
            self.batches.append(fragments)

    def take(self, limit: int) -> list[bytes]:
        """Remove and return fragments of the oldest batch, at least one, up to *limit* bytes."""
        if not self.batches:
            return []
        batch = self.batches[0]
        taken = [batch.pop(0)]
        size = len(taken[0])
        while batch and size + len(batch[0]) <= limit:
            taken.append(batch.pop(0))
            size += len(taken[-1])
        if not batch:
            self.batches.popleft()
        return taken
