"""The directory: objects as each domain controller has them, and replication between these.

A write changes one controller's replica. It reaches the others attribute by attribute, the latest
write of an attribute winning, after the delay of their site; ``replicate`` makes it due at once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import RLock


@dataclass(frozen=True, slots=True)
class Controller:
    """A domain controller and its site."""

    name: str
    site: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One directory object as one controller has it.

    *server* is the short name of the server it belongs to, empty for objects of the organization.
    *versions* tells for each attribute which write it comes from.
    """

    kind: str
    guid: str
    name: str
    server: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    created: datetime = datetime(2021, 8, 6, 13, 57, 31, tzinfo=UTC)
    changed: datetime = datetime(2021, 8, 21, 8, 43, 54, tzinfo=UTC)
    exchange_version: str = "0.1 (8.0.535.0)"

    @property
    def label(self) -> str:
        """What Exchange shows as the object's identity."""
        return f"{self.server}\\{self.name}" if self.kind == "ReceiveConnector" else self.name

    @property
    def version(self) -> tuple[tuple[str, int], ...]:
        """Which writes this copy has seen; equal versions have equal values."""
        return tuple(self.versions.items())


@dataclass(frozen=True, slots=True)
class _Update:
    due: datetime
    controller: str
    guid: str
    values: Mapping[str, object] | None
    number: int


class Directory:
    """All replicas of one organization's configuration. Every method may be called from any thread.

    *delays* are seconds within a site and between sites; a negative one means never, until
    ``replicate`` is called. What *lag* returns, unless it is None, counts in their place. *before*
    is called before anything changes: whoever goes by the present state acts on it until then.
    """

    def __init__(
        self,
        controllers: Iterable[Controller],
        clock: Callable[[], datetime],
        delays: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self.controllers = {one.name.casefold(): one for one in controllers}
        self._clock = clock
        self.delays = delays
        self.lag: Callable[[], tuple[float, float] | None] = lambda: None
        self.before: Callable[[], None] = lambda: None
        self._replicas: dict[str, dict[str, Entry]] = {name: {} for name in self.controllers}
        self._pending: list[_Update] = []
        self._numbers = count(1)
        self._lock = RLock()

    def controller(self, name: str) -> Controller | None:
        """Return the controller called *name*, by host name or full name in any case."""
        folded = name.casefold()
        for key, controller in self.controllers.items():
            if folded in (key, key.partition(".")[0]):
                return controller
        return None

    def entries(self, controller: str, kind: str, *, at: datetime | None = None) -> list[Entry]:
        """Return the objects of one kind as *controller* has them, in the order of creation.

        Updates are delivered up to now, or up to *at*.
        """
        if at is None:
            self.before()
        with self._lock:
            self._deliver(at)
            found = self._replicas[controller.casefold()].values()
            return [entry for entry in found if entry.kind == kind]

    def find(self, controller: str, guid: str) -> Entry | None:
        """Return one object as *controller* has it."""
        self.before()
        with self._lock:
            self._deliver()
            return self._replicas[controller.casefold()].get(guid)

    def add(self, entry: Entry) -> None:
        """Create an object on every controller at once."""
        with self._lock:
            for replica in self._replicas.values():
                replica[entry.guid] = entry

    def supplant(self, guid: str, other: str) -> None:
        """Put an object of Guid *other* in the place of one, with its name and values."""
        self.before()
        with self._lock:
            for replica in self._replicas.values():
                entry = replica.pop(guid, None)
                if entry is not None:
                    replica[other] = replace(entry, guid=other, versions={}, changed=self._clock())

    def write(self, controller: str, guid: str, values: Mapping[str, object] | None) -> None:
        """Change attributes of an object on *controller*, or remove it when *values* is None."""
        self.before()
        with self._lock:
            self._deliver()
            now = self._clock()
            number = next(self._numbers)
            source = self.controllers[controller.casefold()]
            for name, target in self.controllers.items():
                due = now if target is source else self._due(now, source, target)
                self._pending.append(_Update(due, name, guid, values, number))
            self._deliver()

    def _due(self, now: datetime, source: Controller, target: Controller) -> datetime:
        delay = (self.lag() or self.delays)[0 if source.site == target.site else 1]
        if delay < 0:
            return datetime.max.replace(tzinfo=UTC)
        return now + timedelta(seconds=delay)

    def replicate(self) -> None:
        """Bring every controller up to date."""
        self.before()
        with self._lock:
            self._deliver(everything=True)

    def _deliver(self, at: datetime | None = None, *, everything: bool = False) -> None:
        if not self._pending:
            return
        now = at or self._clock()
        late = [one for one in self._pending if not everything and one.due > now]
        for update in self._pending:
            if everything or update.due <= now:
                self._apply(update)
        self._pending = late

    def _apply(self, update: _Update) -> None:
        replica = self._replicas[update.controller]
        entry = replica.get(update.guid)
        if entry is None:
            return
        if update.values is None:
            del replica[update.guid]
            return
        newer = {
            name: value
            for name, value in update.values.items()
            if entry.versions.get(name, 0) < update.number
        }
        replica[update.guid] = replace(
            entry,
            values={**entry.values, **newer},
            versions={**entry.versions, **dict.fromkeys(newer, update.number)},
            # As in Active Directory, each copy knows when it changed itself.
            changed=min(update.due, self._clock()),
        )
