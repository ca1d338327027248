"""Senders that go on sending, and what servers log of it: by the configuration they have loaded.

Nothing happens by itself. Whoever reads a log, or changes the directory, brings everything up to
the clock first; so the same clock gives the same logs, and an hour passes in no time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from orchestrator.lab import smtpreceive
from orchestrator.lab.mail import Event, Loaded, Message, Port, Taken, take
from orchestrator.lab.organization import Organization
from orchestrator.lab.scenario import Sender

THROTTLE = timedelta(minutes=15)
"""A process logs one event for one domain in this time [obs]."""

MOST = 50_000
"""Messages that one catching up sends at most."""


@dataclass(slots=True)
class _Service:
    """One server's transport service: what it loaded, when, and what it logged last."""

    loaded: Loaded = field(default_factory=Loaded)
    at: datetime | None = None
    logged: dict[tuple[str, int, str], datetime] = field(default_factory=dict)


@dataclass(slots=True)
class _Stream:
    sender: Sender
    due: datetime
    sent: int = 0


class Traffic:
    """The mail of one organization. Calls come under the organization's lock."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        start = organization.clock().astimezone(UTC)
        self._services = {host: _Service() for host in organization.servers}
        self._streams = [
            _Stream(sender, start + timedelta(seconds=sender.after))
            for sender in organization.scenario.traffic
        ]
        self._sessions = count(0x08DD0D1A2B3C4D5E)
        self._busy = False

    def catch_up(self) -> None:
        """Send everything that is due by now."""
        with self._organization.lock:
            if self._busy:
                return
            self._busy = True
            try:
                now = self._organization.clock().astimezone(UTC)
                for stream in self._due(now):
                    self._send(stream)
                for host, service in self._services.items():
                    self._reload(host, service, now)
            finally:
                self._busy = False

    def _due(self, now: datetime) -> Iterator[_Stream]:
        for _ in range(MOST):
            due = [stream for stream in self._streams if stream.due <= now]
            if not due:
                return
            yield min(due, key=lambda stream: stream.due)

    def _send(self, stream: _Stream) -> None:
        sender, number = stream.sender, stream.sent
        hosts = [host.upper() for host in sender.servers] or list(self._organization.servers)
        address = sender.via or sender.addresses[number % len(sender.addresses)]
        message = Message(sender.domain, address, sender.tls)
        self.deliver(hosts[number % len(hosts)], message, stream.due)
        stream.sent += 1
        stream.due += timedelta(seconds=sender.every)

    def deliver(self, host: str, message: Message, at: datetime) -> Taken:
        """Have a server take one message at a moment; log what it logs."""
        service = self._services[host]
        self._reload(host, service, at)
        taken = take(service.loaded, message)
        for event in taken.events:
            self._log(host, service, taken, event, at)
        self._write(host, message, taken, at)
        return taken

    def _reload(self, host: str, service: _Service, at: datetime) -> None:
        """Load the configuration from the server's own domain controller, if it is time."""
        pause = timedelta(seconds=self._organization.scenario.reload)
        if service.at is not None and at < service.at + pause:
            return
        loaded = self._load(host, at)
        if service.at is not None and loaded != service.loaded:
            log = self._organization.logs[host]
            log.write("MSExchangeTransport", 16028, (), at=at, level=4, task=16, qualifiers=16388)
        service.loaded, service.at = loaded, at

    def _load(self, host: str, at: datetime) -> Loaded:
        organization = self._organization
        controller = organization.home(host)
        ports = tuple(
            Port(entry.name, entry.values)
            for entry in organization.directory.entries(controller, "ReceiveConnector", at=at)
            if entry.server.upper() == host
        )
        listed = frozenset(
            str(domain).casefold()
            for entry in organization.directory.entries(controller, "TransportConfig", at=at)
            for domain in _texts(entry.values.get("TLSReceiveDomainSecureList"))
        )
        return Loaded(ports, listed, organization.servers[host].certificate)

    def _log(self, host: str, service: _Service, taken: Taken, event: Event, at: datetime) -> None:
        front = taken.port is not None and taken.port.values.get("TransportRole") in _FRONT
        modern = self._organization.scenario.generation > 2010
        name = "MSExchangeFrontEndTransport" if front and modern else "MSExchangeTransport"
        key = (name, event.id, event.about)
        last = service.logged.get(key)
        if last is not None and at < last + THROTTLE:
            return
        service.logged[key] = at
        self._organization.logs[host].write(name, event.id, event.strings, at=at)

    def _write(self, host: str, message: Message, taken: Taken, at: datetime) -> None:
        if taken.port is None or taken.port.values.get("ProtocolLoggingLevel") != "Verbose":
            return
        role = "FrontEnd" if taken.port.values.get("TransportRole") in _FRONT else "Hub"
        path, text = smtpreceive.lines(host, role, message, taken, at, next(self._sessions))
        disk = self._organization.disks[host]
        if disk.read(path) is None:
            disk.write(path, smtpreceive.head(at))
        disk.append(path, text)


_FRONT = frozenset({"FrontendTransport"})


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple | list) else ()
