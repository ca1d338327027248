"""How a transport service takes a message, by the rules of Domain Security [obs], and nothing else.

The first row of RULES that speaks decides. What a rule sees is the server's configuration as it was
loaded, which need not be what the directory holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from orchestrator.lab.ranges import endpoint, span

Tls = Literal["none", "started", "no-certificate", "wrong-certificate", "invalid-certificate"]
Certificate = Literal["valid", "expired", "missing"]


@dataclass(frozen=True, slots=True)
class Port:
    """A receive connector as a service has loaded it."""

    name: str
    values: Mapping[str, object]

    def flags(self, name: str) -> frozenset[str]:
        """Return the set flags of an enumeration."""
        return frozenset(part.strip() for part in str(self.values.get(name, "")).split(","))

    def on(self, name: str) -> bool:
        """Say whether a switch is on."""
        return self.values.get(name) is True

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the members of a list."""
        found = self.values.get(name, ())
        return tuple(map(str, found)) if isinstance(found, tuple | list) else ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a server's transport service works by until it loads its configuration again."""

    ports: tuple[Port, ...] = ()
    listed: frozenset[str] = frozenset()
    certificate: Certificate = "valid"


@dataclass(frozen=True, slots=True)
class Message:
    """What a sender does: whose domain it says in MAIL FROM, from where, and how it starts TLS."""

    domain: str
    address: str
    tls: Tls = "none"


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be logged: id and insertion strings. *about* is what the throttle counts by."""

    id: int
    strings: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class Taken:
    """How the service answered MAIL FROM, by which connector; None: nobody listened."""

    port: Port | None
    reply: str
    events: tuple[Event, ...] = ()
    tls: bool = False

    @property
    def accepted(self) -> bool:
        """Say whether the message may come in."""
        return self.reply.startswith("250")


def chosen(ports: Sequence[Port], address: str) -> Port | None:
    """Return the connector for a session to port 25: of those that are on, the narrowest [doc]."""
    caller = ip_address(address)
    found: list[tuple[int, Port]] = []
    for port in ports:
        if not port.on("Enabled"):
            continue
        if not any(endpoint(text)[1] == 25 for text in port.texts("Bindings")):
            continue
        for text in port.texts("RemoteIPRanges"):
            version, first, last = span(text)
            if version == caller.version and first <= int(caller) <= last:
                found.append((last - first, port))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def take(loaded: Loaded, message: Message) -> Taken:
    """Return what becomes of *message*."""
    port = chosen(loaded.ports, message.address)
    if port is None:
        return Taken(None, "421 4.3.2 Service not available")
    offered = "Tls" in port.flags("AuthMechanism") and loaded.certificate == "valid"
    started = offered and message.tls != "none"
    seen = _Seen(loaded, message, port, offered, started)
    own = _own_certificate(seen)
    for rule in RULES:
        answer = rule(seen)
        if answer is not None:
            reply, event = answer
            events = (*own, event) if event else own
            return Taken(port, reply, events, started)
    return Taken(port, "250 2.1.0 Sender OK", own, started)


@dataclass(frozen=True, slots=True)
class _Seen:
    loaded: Loaded
    message: Message
    port: Port
    offered: bool
    started: bool

    @property
    def secured(self) -> bool:
        """Whether the domain stands in the list: exactly, in any case, no subdomains [obs]."""
        return self.message.domain.casefold() in self.loaded.listed

    def event(self, number: int, *more: str) -> Event:
        strings = (self.message.domain, self.port.name, *more)
        return Event(number, strings, self.message.domain.casefold())


_Answer = tuple[str, Event | None] | None


def _own_certificate(seen: _Seen) -> tuple[Event, ...]:
    """Return what a service logs that wants to offer TLS and has no certificate for it [doc]."""
    fqdn = str(seen.port.values.get("Fqdn", ""))
    if "Tls" not in seen.port.flags("AuthMechanism"):
        return ()
    if seen.loaded.certificate == "missing":
        return (Event(12014, (fqdn, seen.port.name), fqdn),)
    if seen.loaded.certificate == "expired":
        return (Event(12016, (fqdn,), fqdn),)
    return ()


def _switched_off(seen: _Seen) -> _Answer:
    if seen.secured and not seen.port.on("DomainSecureEnabled"):
        return "451 4.7.3 Domain security is disabled", seen.event(11021)
    return None


def _not_offered(seen: _Seen) -> _Answer:
    if seen.secured and not seen.offered:
        return "454 4.7.5 Certificate validation failure", seen.event(11018)
    return None


def _not_started(seen: _Seen) -> _Answer:
    if seen.secured and not seen.started:
        return "530 5.7.1 Not authenticated", seen.event(11012)
    return None


def _badly_started(seen: _Seen) -> _Answer:
    if not seen.secured:
        return None
    match seen.message.tls:
        case "no-certificate":
            return "530 5.7.1 Not authenticated", seen.event(11017)
        case "wrong-certificate":
            return "530 5.7.1 Not authenticated", seen.event(11015, "CN=mail.elsewhere.example")
        case "invalid-certificate":
            return "454 4.7.5 Certificate validation failure", seen.event(11011, "UntrustedRoot")
        case _:
            return None


def _tls_demanded(seen: _Seen) -> _Answer:
    if seen.port.on("RequireTLS") and not seen.started:
        return "530 5.7.0 Must issue a STARTTLS command first", None
    return None


def _strangers(seen: _Seen) -> _Answer:
    if not seen.secured and "AnonymousUsers" not in seen.port.flags("PermissionGroups"):
        return "530 5.7.1 Client was not authenticated", None
    return None


RULES: tuple[Callable[[_Seen], _Answer], ...] = (
    _switched_off,
    _not_offered,
    _not_started,
    _badly_started,
    _tls_demanded,
    _strangers,
)
