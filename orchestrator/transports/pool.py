"""pypsrp's runspace pool with our reader of messages, our host and our deadline put in.

Only this module derives from pypsrp's classes. It replaces what turns fragments into messages,
what answers host calls, what writes the message that starts a pipeline, and how long one waits;
requests, authentication, encryption and all else that is sent stay pypsrp's. Importing it costs
0.3 s: do so where a session is opened, not before.
"""

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pypsrp.complex_objects import PSInvocationState, RunspacePoolState
from pypsrp.exceptions import InvalidPSRPOperation, WSManFaultError
from pypsrp.host import PSHost, PSHostUserInterface
from pypsrp.messages import MessageType
from pypsrp.powershell import Fragmenter, PowerShell, RunspacePool
from pypsrp.serializer import Serializer
from pypsrp.shell import CommandState
from pypsrp.wsman import SelectorSet, WSMan

from orchestrator.core.command import Statement
from orchestrator.transports import messages
from orchestrator.transports.clixml import decode, escape
from orchestrator.transports.creation import Creation, creation
from orchestrator.transports.recollection import Recollection


class Overdue(Exception):
    """A deadline has passed."""


class Flooded(Exception):
    """The server sends more than any answer has."""


class Truncated(Exception):
    """The server has nothing more to send and left out how the pipeline ended."""


@dataclass(frozen=True, slots=True)
class Output:
    """One object that a pipeline put out, in the shape in which pypsrp looks for it."""

    data: object


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the server, decoded."""

    message_type: int
    data: object


_READERS: Final[dict[int, Callable[[bytes], object]]] = {
    MessageType.SESSION_CAPABILITY: messages.capability,
    MessageType.RUNSPACEPOOL_STATE: messages.pool_state,
    MessageType.RUNSPACEPOOL_HOST_CALL: messages.host_call,
    MessageType.PIPELINE_HOST_CALL: messages.host_call,
    MessageType.PIPELINE_STATE: messages.pipeline_state,
    MessageType.ERROR_RECORD: messages.error,
    MessageType.WARNING_RECORD: messages.warning,
}
"""What is read, besides output. Progress, verbose, debug and information records, the private data
of the pool and its events are dropped undecoded: nobody asks for them."""

OBJECT: Final = 4 * 1024 * 1024
"""Bytes of one message at most. PowerShell's own limit for a session is 10 MB [doc], a plain
connector has 20 kB, and some 100 bytes of memory become of each byte of the worst message."""

COMMAND: Final = 50 * 1024 * 1024
"""Bytes of all messages of one pipeline, or of the opening, at most: as in PowerShell [doc]."""

_BEGUN: Final = 100
"""How many messages may have begun and not ended; a server sends one after the other."""

TIMED_OUT: Final = 2150858793
"""ERROR_WSMAN_OPERATION_TIMEDOUT: there was nothing to say within the operation's time; ask again.
pypsrp does so for pipelines only; a cold Exchange may take longer than that to open a session."""

_PATIENCE: Final = 100
"""How many answers without content may follow one another. A healthy server sends none before the
operation's time is up, and then one in 15 s at most."""

_ENDED: Final = (
    RunspacePoolState.BROKEN,
    RunspacePoolState.CLOSED,
    RunspacePoolState.CLOSING,
    RunspacePoolState.DISCONNECTED,
)
_FRAGMENT: Final = struct.Struct(">QQBI")  # MS-PSRP 2.2.4: object, fragment, flags, length
_HEADER: Final = struct.Struct("<II16s16s")  # MS-PSRP 2.2.1: destination, type, pool, pipeline
_LAST: Final = 2


class Reader(Fragmenter):
    """pypsrp's fragmenter for what goes out; what comes in is decoded by us, in linear time.

    *read* decodes the objects that pipelines put out.
    """

    def __init__(
        self, max_size: int, serializer: Serializer, read: Callable[[bytes], object] = decode
    ) -> None:
        super().__init__(max_size, serializer)
        self._read = read
        self._partial: dict[int, list[bytes]] = {}
        self._held = 0

    def defragment(self, data: bytes) -> list[Message]:  # type: ignore[override] # ours is smaller
        """Return the messages that *data* completes, in order."""
        complete: list[bytes] = []
        at = 0
        while at < len(data):
            which, number, flags, length = _FRAGMENT.unpack_from(data, at)
            at += _FRAGMENT.size
            parts = self._partial.setdefault(which, [])
            if number != len(parts) or at + length > len(data):
                raise Truncated(f"fragment {number} of object {which} is out of order or cut off")
            parts.append(data[at : at + length])
            at += length
            self._held += length
            if self._held > OBJECT or len(self._partial) > _BEGUN:
                raise Flooded(f"messages of more than {OBJECT // 1024} KiB have begun")
            if flags & _LAST:
                complete.append(b"".join(self._partial.pop(which)))
                self._held -= len(complete[-1])
        return [message for blob in complete if (message := self._message(blob)) is not None]

    def _message(self, blob: bytes) -> Message | None:
        _, message_type, _, _ = _HEADER.unpack_from(blob)
        xml = blob[_HEADER.size :]
        if message_type == MessageType.PIPELINE_OUTPUT:
            return Message(message_type, Output(self._read(xml)))
        reader = _READERS.get(message_type)
        return None if reader is None else Message(message_type, reader(xml))


class Writer(Serializer):
    """pypsrp's serializer with strings escaped so that XML can hold every one of them."""

    def serialize(self, value: Any, *args: Any, **options: Any) -> Any:
        """Return *value* as an element; what is written already is left as it is, see pypsrp."""
        written = isinstance(value, Creation)
        return value.xml if written else super().serialize(value, *args, **options)

    def _serialize_string(self, value: str | None) -> str | None:
        return None if value is None else escape(value)


class Console:
    """What stands in for a screen: lines are kept, questions are refused.

    *question* is what the server asked, once it has asked. Nobody is there to answer, and an
    unanswered question would hold the pipeline for ever.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.question: str | None = None
        self._begun = ""

    def call(self, call: messages.HostCall) -> None:
        """Do what the server asks for: MS-PSRP 2.2.3.17 has the list of methods."""
        words = " ".join(each for each in call.arguments if isinstance(each, str))
        if call.method.startswith(("Write1", "Write2")):
            self._begun += words
        elif call.method.startswith("Write") and call.method != "WriteProgress":
            self.lines.append(self._begun + words)
            self._begun = ""
        elif call.method.startswith(("Prompt", "Read", "Get")):
            self.question = words.strip() or call.method


class Pool(RunspacePool):
    """A runspace pool of one runspace. *deadline* is a reading of *clock*, in seconds."""

    def __init__(
        self, wsman: WSMan, configuration: str, operation: int, clock: Callable[[], float]
    ) -> None:
        host = PSHost(None, None, False, "orchestrator", None, PSHostUserInterface(), "1.0")
        super().__init__(wsman, host=host, configuration_name=configuration)
        self.console = Console()
        self.deadline = math.inf
        self.warnings: list[str] = []
        self._silence = 0
        self._received = 0
        self._operation = operation
        self._clock = clock
        self._serializer = Writer()
        read = Recollection(decode)
        self._fragmenter = Reader(wsman.max_payload_size, self._serializer, read)

    def start(self, deadline: float) -> None:
        """Open the pool and wait until the server says that it is open.

        Truncated where the answer was lost in which it says what protocol it speaks.
        """
        self.deadline = deadline
        self._received = 0
        self.open()
        while self.state != RunspacePoolState.OPENED:
            self._receive()
        if self.protocol_version is None:
            raise Truncated("the session is open, but what protocol it speaks was lost")

    def begin(self, statements: Sequence[Statement]) -> PowerShell:
        """Start *statements* as one pipeline and return it, running."""
        pipeline = PowerShell(self)
        self._received = 0
        message: Any = creation(statements, str(self.protocol_version))
        pipeline._invoke(message)  # noqa: SLF001 - begin_invoke without its way of writing
        return pipeline

    def release(self, wsman: WSMan) -> None:
        """Delete the shell by way of *wsman*, whatever became of the pool's own connection."""
        selectors = SelectorSet()
        selectors.add_option("ShellId", self.shell.id or self.id)
        wsman.delete(self.shell.resource_uri, selector_set=selectors)

    def _receive(self, id: str | None = None, timeout: int | None = None) -> list[tuple[int, Any]]:  # noqa: A002 - pypsrp calls it by this name
        remaining = self.deadline - self._clock()
        if remaining <= 0:
            raise Overdue("the deadline has passed")
        if remaining < self._operation:
            timeout = math.ceil(remaining)
        pipeline = self.pipelines.get(id) if id else None
        command_id = pipeline._command_id if pipeline else None  # noqa: SLF001 - as pypsrp does
        state, streams = self._answer(command_id, timeout)
        self._received += len(streams["stdout"])
        if self._received > COMMAND:
            raise Flooded(f"more than {COMMAND // 1024**2} MiB came in answer to one command")
        answers = self._parse_responses(streams["stdout"], pipeline)
        self._silence = 0 if streams["stdout"] else self._silence + 1
        running = pipeline is not None and pipeline.state == PSInvocationState.RUNNING
        # Asking again would be answered at once, for ever, some 500 times a second [measured].
        if (running and state == CommandState.DONE) or self._silence > _PATIENCE:
            raise Truncated("the server has no more to say and did not tell how the command ended")
        return answers

    def _answer(
        self, command_id: str | None, timeout: int | None
    ) -> tuple[str | None, dict[str, bytes]]:
        """Return the state and the streams of one answer, empty where nothing came in time."""
        try:
            state, _, streams = self.shell.receive("stdout", command_id, timeout)
        except WSManFaultError as fault:
            if fault.code != TIMED_OUT:
                raise
            return None, {"stdout": b""}
        return state, streams

    def _process_host_call(self, message: Any, *_: object) -> Any:
        self.console.call(message.data)
        return message.data

    def _process_runspacepool_warning(self, message: Any) -> None:
        self.warnings.append(message.data)

    def _process_runspacepool_state(self, message: Any) -> Any:
        self.state = message.data.state
        if self.state in _ENDED:
            error = message.data.error_record
            raise InvalidPSRPOperation(error.message if error else f"pool state {self.state}")
        return message.data
