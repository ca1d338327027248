"""Senders that go on sending, and what servers log of it: by the configuration they have loaded.

Nothing happens by itself. Whoever reads a log, or changes the directory, brings everything up to
the clock first; so the same clock gives the same logs, and an hour passes in no time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import count, cycle, product

from orchestrator.core.errors import ConfigurationError
from orchestrator.lab import smtpreceive
from orchestrator.lab.mail import Event, Loaded, Message, Port, Taken, take
from orchestrator.lab.organization import Organization
from orchestrator.lab.scenario import Sender, did_you_mean

THROTTLE = timedelta(minutes=15)
"""A process logs one event for one domain in this time [obs]."""

NOBODY = Taken(None, "")
"""What becomes of a message to a server that is down: nothing."""


@dataclass(slots=True)
class _Service:
    """One server's transport service: what it loaded, and what it logged when."""

    loaded: Loaded = field(default_factory=Loaded)
    logged: dict[tuple[str, int, str], datetime] = field(default_factory=dict)


@dataclass(slots=True)
class _Stream:
    sender: Sender
    due: datetime
    turns: Iterator[tuple[str, str]]


class Traffic:
    """The mail of one organization. Calls come under the organization's lock.

    Raises ConfigurationError for a sender whose servers or addresses there cannot be.
    """

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        start = organization.clock().astimezone(UTC)
        senders = organization.scenario.traffic
        self._services = {host: _Service() for host in organization.servers}
        self._streams = [
            _Stream(sender, start + timedelta(seconds=sender.after), _turns(sender, organization))
            for sender in senders
        ]
        self._begun = min([start, *(stream.due for stream in self._streams)])
        self._reloaded: datetime | None = None
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
                self._reload(now)
            finally:
                self._busy = False

    def _due(self, now: datetime) -> Iterator[_Stream]:
        while due := [stream for stream in self._streams if stream.due <= now]:
            yield min(due, key=lambda stream: stream.due)

    def _send(self, stream: _Stream) -> None:
        sender = stream.sender
        address, host = next(stream.turns)
        self._deliver(host, Message(sender.domain, address, sender.tls), stream.due)
        stream.due += timedelta(seconds=sender.every)

    def send(self, host: str, message: Message) -> Taken:
        """Have a server take one message now, after all that was due; log what it logs."""
        with self._organization.lock:
            self.catch_up()
            return self._deliver(host, message, self._organization.clock().astimezone(UTC))

    def _deliver(self, host: str, message: Message, at: datetime) -> Taken:
        self._reload(at)
        if host.casefold() in self._organization.down:
            return NOBODY
        service = self._services[host]
        taken = take(service.loaded, message)
        for event in taken.events:
            self._log(host, service, taken, event, at)
        self._write(host, message, taken, at)
        return taken

    def _reload(self, at: datetime) -> None:
        """Have every service load its configuration as often as it was time to by *at*.

        The times are fixed, so that nothing depends on who looks when.
        """
        pause = timedelta(seconds=self._organization.scenario.reload)
        if self._reloaded is None:
            self._reload_all(self._begun)
        if not pause:
            self._reload_all(at)
        while pause and self._reloaded is not None and self._reloaded + pause <= at:
            self._reload_all(self._reloaded + pause)

    def _reload_all(self, at: datetime) -> None:
        """Load each server's configuration from its own domain controller."""
        for host, service in self._services.items():
            loaded = self._load(host, at)
            if self._reloaded is not None and loaded != service.loaded:
                log = self._organization.logs[host]
                log.write(
                    "MSExchangeTransport", 16028, (), at=at, level=4, task=16, qualifiers=16388
                )
            service.loaded = loaded
        self._reloaded = at

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
        if self._organization.scenario.generation == 2010:
            role = ""
        path, text = smtpreceive.lines(host, role, message, taken, at, next(self._sessions))
        disk = self._organization.disks[host]
        if disk.read(path) is None:
            disk.write(path, smtpreceive.head(at))
        disk.append(path, text)


def _turns(sender: Sender, organization: Organization) -> Iterator[tuple[str, str]]:
    """Return the addresses and servers of a sender's messages, in turn. ConfigurationError."""
    path = f"traffic: {sender.domain}"
    hosts = [host.upper() for host in sender.servers] or [
        host for host, server in organization.servers.items() if not server.edge
    ]
    for host in hosts:
        if host not in organization.servers:
            near = did_you_mean(host, tuple(organization.servers))
            raise ConfigurationError(f"there is no server {host!r}{near}", path=path)
    addresses = [sender.via] if sender.via else list(sender.addresses)
    for address in addresses:
        try:
            ip_address(address)
        except ValueError as error:
            raise ConfigurationError(f"{address!r} is no IP address", path=path) from error
    return cycle(product(addresses, hosts))


_FRONT = frozenset({"FrontendTransport"})


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple | list) else ()
