"""What many events of the family add up to: one line for each domain and connector."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from orchestrator.exchange.event import SecurityEvent


@dataclass(slots=True)
class Group:
    """Events of one id for one domain on one connector. *first* and *last* are in UTC.

    The count is one of events, not of messages: logging is throttled [obs].
    """

    event: SecurityEvent
    count: int = 0
    undated: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, at: datetime | None) -> None:
        """Count one more."""
        self.count += 1
        if at is None:
            self.undated += 1
            return
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)


class Tally:
    """Counts events as they come by, in bounded memory.

    An event that is seen again (same computer, record and time, as in two exports of one log) is
    counted once; *repeated* says how often that happened, as far as *remembered* events reach.

    A stranger chooses the domain in ``MAIL FROM``, so there can be many: *largest* lines are kept
    apart, and what comes after these is only counted, in *beyond*.
    """

    def __init__(self, largest: int = 10_000, remembered: int = 100_000) -> None:
        self._largest = largest
        self._remembered = remembered
        self._groups: dict[tuple[int, str, str], Group] = {}
        self._seen: set[tuple[object, ...]] = set()
        self.repeated = 0
        self.beyond = 0

    def add(self, event: SecurityEvent) -> bool:
        """Count *event* and return True, or return False for one that was counted before."""
        if self._known(event):
            self.repeated += 1
            return False
        key = (event.id, event.domain.casefold(), _where(event).casefold())
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= self._largest:
                self.beyond += 1
                return True
            group = self._groups[key] = Group(event)
        group.add(event.at)
        return True

    def _known(self, event: SecurityEvent) -> bool:
        if event.record is None or event.at is None:
            return False
        # What an export lost makes it another one: the whole event may come later.
        said = tuple(event.details.items())
        name = (event.computer.casefold(), event.provider, event.id, event.record, event.at, said)
        if name in self._seen:
            return True
        if len(self._seen) < self._remembered:
            self._seen.add(name)
        return False

    def groups(self) -> Iterator[Group]:
        """Yield the lines, those of 11012 first, then by id, domain and connector."""
        for key in sorted(self._groups, key=lambda key: (key[0] != 11012, *key)):
            yield self._groups[key]


def _where(event: SecurityEvent) -> str:
    return event.connector or event.details.get("connector", "") or event.computer
