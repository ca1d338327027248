"""The Application log of one simulated server: records, and the XML that Windows makes of them."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import RLock
from xml.sax.saxutils import escape

_MESSAGES = {
    11012: "A message from domain-secured domain '{0}' on connector '{1}' could not be "
    "authenticated because the server did not use Transport Layer Security (TLS). Contact the "
    "administrator for {0} to resolve the problem, or remove the domain from the domain-secured "
    "list.",
}


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One record. *at* is in UTC; *strings* are the insertion strings in order."""

    number: int
    provider: str
    id: int
    strings: tuple[str, ...]
    at: datetime
    level: int = 2
    task: int = 11
    qualifiers: int = 49156

    @property
    def message(self) -> str:
        """The sentence, in English; empty where the lab does not know it."""
        return _MESSAGES.get(self.id, "").format(*self.strings)


class EventLog:
    """The records of one log, oldest first, at most *largest*: the oldest is overwritten.

    Numbers grow by one, and begin anew when the log is cleared. Safe for several threads.
    """

    def __init__(
        self, computer: str, clock: Callable[[], datetime], largest: int = 200_000
    ) -> None:
        self.computer = computer
        self._clock = clock
        self._records: deque[EventRecord] = deque(maxlen=largest)
        self._next = 1
        self._lock = RLock()

    def write(  # noqa: PLR0913 - an event has that many fields
        self,
        provider: str,
        id: int,  # noqa: A002 - what Windows calls it
        strings: tuple[str, ...],
        *,
        at: datetime | None = None,
        level: int = 2,
        task: int = 11,
        qualifiers: int = 49156,
    ) -> EventRecord:
        """Append an event of now, or of *at*."""
        with self._lock:
            moment = (at or self._clock()).astimezone(UTC)
            record = EventRecord(self._next, provider, id, strings, moment, level, task, qualifiers)
            self._records.append(record)
            self._next += 1
            return record

    def clear(self) -> None:
        """Empty the log; the next record is number 1."""
        with self._lock:
            self._records.clear()
            self._next = 1

    def limit(self, largest: int) -> None:
        """Keep at most so many records from now on."""
        with self._lock:
            self._records = deque(self._records, maxlen=largest)

    def records(self) -> Iterator[EventRecord]:
        """Return the records of this moment, oldest first."""
        with self._lock:
            return iter(tuple(self._records))

    def xml(self, record: EventRecord, *, rendered: bool = False) -> str:
        """Return a record as Windows writes it: in single quotes, on one line [seen]."""
        data = "".join(f"<Data>{escape(text)}</Data>" for text in record.strings)
        rendering = ""
        if rendered:
            rendering = (
                f"<RenderingInfo Culture='en-US'><Message>{escape(record.message)}</Message>"
                "<Level>Error</Level><Task>MessageSecurity</Task><Opcode>Info</Opcode>"
                "<Channel></Channel><Provider></Provider><Keywords><Keyword>Classic</Keyword>"
                "</Keywords></RenderingInfo>"
            )
        return (
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
            f"<Provider Name='{escape(record.provider)}'/>"
            f"<EventID Qualifiers='{record.qualifiers}'>{record.id}</EventID>"
            f"<Version>0</Version><Level>{record.level}</Level><Task>{record.task}</Task>"
            "<Opcode>0</Opcode><Keywords>0x80000000000000</Keywords>"
            f"<TimeCreated SystemTime='{record.at:%Y-%m-%dT%H:%M:%S.%f}000Z'/>"
            f"<EventRecordID>{record.number}</EventRecordID><Correlation/>"
            "<Execution ProcessID='0' ThreadID='0'/><Channel>Application</Channel>"
            f"<Computer>{escape(self.computer)}</Computer><Security/></System>"
            f"<EventData>{data}</EventData>{rendering}</Event>"
        )
