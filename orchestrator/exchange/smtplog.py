r"""SmtpReceive protocol logs: who tried to send in a domain's name, and what we answered.

Comma-separated, with a ``#Fields`` header that gives the order; ``connector-id`` is
``SERVER\Name``, ``event`` is ``+`` (connected), ``-`` (gone), ``<`` (heard), ``>`` (said) or
``*`` (a note) [doc]. Anybody who connects writes into these logs: nothing in them is believed to be
short, complete or in order.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address

from orchestrator.exchange.domains import to_ascii

LONGEST = 16_384
"""Characters of one line that are looked at; what is longer is damaged."""

_FIELDS = (
    "date-time",
    "connector-id",
    "session-id",
    "sequence-number",
    "local-endpoint",
    "remote-endpoint",
    "event",
    "data",
    "context",
)
_NEEDED = ("date-time", "connector-id", "session-id", "remote-endpoint", "event", "data")
_WAITING = frozenset(
    {"EHLO", "HELO", "STARTTLS", "AUTH", "DATA", "QUIT", "NOOP", "VRFY", "EXPN", "TURN"}
)
"""After these a client waits for the reply [RFC 2920]; one that goes on got a reply not logged."""

_SESSIONS = 10_000
_PENDING = 64
_MAIL = re.compile(r"\s*MAIL\s+FROM:\s*<([^<>]{0,320})>", re.IGNORECASE)
_REPLY = re.compile(r"([2-5][0-9]{2})(?: (.*)|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Attempt:
    r"""One ``MAIL FROM``, and the reply to it.

    *sender* is the address, *domain* its domain in ASCII, both empty for the null sender. *code* is
    0 where the log ends before the reply. *tls* says that TLS was started before. *remote* is the
    address alone, without its port, as the server saw it; empty where it cannot be read.
    """

    at: datetime | None
    connector: str
    remote: str
    sender: str
    domain: str
    tls: bool
    code: int = 0
    text: str = ""

    @property
    def refused(self) -> bool:
        """Whether the server said no, for now or for good."""
        return self.code >= 400


@dataclass(slots=True)
class _Session:
    tls: bool = False
    pending: deque[Attempt | str] = field(default_factory=deque)


@dataclass(slots=True)
class ProtocolLog:
    """Reads logs line by line, in bounded memory; files of several servers may follow each other.

    *rows* counts what could be read, *damaged* what could not. *first* and *last* are the times
    that the rows reach from and to.
    """

    rows: int = 0
    damaged: int = 0
    first: datetime | None = None
    last: datetime | None = None
    _order: Sequence[str] = _FIELDS
    _sessions: dict[tuple[str, str], _Session] = field(default_factory=dict)

    def read(self, lines: Iterable[str]) -> Iterator[Attempt]:
        """Yield every attempt once its reply is there, and at the end those without one."""
        self._order = _FIELDS
        for line in lines:
            yield from self._line(line.lstrip("\ufeff").rstrip("\r\n"))
        for session in self._sessions.values():
            yield from _unanswered(session)
        self._sessions.clear()

    def _line(self, line: str) -> Iterator[Attempt]:
        if line.startswith("#"):
            name, _, fields = line.partition(":")
            if name == "#Fields" and len(line) <= LONGEST:
                self._order = tuple(part.strip().casefold() for part in fields.split(","))
        elif line.strip():
            row = self._row(line)
            if row is None:
                self.damaged += 1
            else:
                self.rows += 1
                yield from self._heard(row)

    def _row(self, line: str) -> dict[str, str] | None:
        """Return the cells by name, or None for a line that is torn, or no line of such a log."""
        if len(line) > LONGEST:
            return None
        cells = _cells(line)
        if cells is None or len(cells) < len(self._order) - 1:  # nothing after the last comma
            return None
        row = dict(zip(self._order, cells, strict=False))
        return row if all(name in row for name in _NEEDED) else None

    def _heard(self, row: dict[str, str]) -> Iterator[Attempt]:
        at = _time(row["date-time"])
        if at is not None:
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)
        key = (row["connector-id"].partition("\\")[0].casefold(), row["session-id"])
        match row["event"]:
            case "+" | "-":
                yield from _unanswered(self._sessions.pop(key, _Session()))
            case "<":
                yield from self._open(key, row, at)
            case ">":
                yield from _answered(self._sessions.get(key), row["data"])
            case _:
                return

    def _open(
        self, key: tuple[str, str], row: dict[str, str], at: datetime | None
    ) -> Iterator[Attempt]:
        session = self._sessions.get(key)
        if session is None:
            if len(self._sessions) >= _SESSIONS:
                yield from _unanswered(self._sessions.pop(next(iter(self._sessions))))
            session = self._sessions[key] = _Session()
        if session.pending and session.pending[-1] in _WAITING:
            session.pending.pop()
        if len(session.pending) >= _PENDING:
            session.pending.popleft()
        session.pending.append(_said(row, at, tls=session.tls))


def _cells(line: str) -> list[str] | None:
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True), None)
    except csv.Error:
        return None


def _said(row: dict[str, str], at: datetime | None, *, tls: bool) -> Attempt | str:
    """Return what a client said: an attempt, or the verb of anything else."""
    found = _MAIL.match(row["data"])
    if found is None:
        return row["data"].strip().partition(" ")[0].upper()[:20]
    sender = found[1].strip()
    domain = to_ascii(sender.rpartition("@")[2].removesuffix(".")) if "@" in sender else ""
    remote = address_of(row["remote-endpoint"])
    return Attempt(at, row["connector-id"], remote, sender, domain, tls)


def _answered(session: _Session | None, data: str) -> Iterator[Attempt]:
    reply = _REPLY.match(data.strip())
    if session is None or reply is None or not session.pending:
        return
    heard = session.pending.popleft()
    if isinstance(heard, Attempt):
        text = (reply[2] or "")[:200]
        yield Attempt(
            heard.at,
            heard.connector,
            heard.remote,
            heard.sender,
            heard.domain,
            heard.tls,
            int(reply[1]),
            text,
        )
    elif heard == "STARTTLS" and reply[1] == "220":
        session.tls = True


def _unanswered(session: _Session) -> Iterator[Attempt]:
    yield from (heard for heard in session.pending if isinstance(heard, Attempt))


def _time(text: str) -> datetime | None:
    """Return a time of the log: always UTC, written with a Z [doc]."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def address_of(endpoint: str) -> str:
    """Return the address of ``192.0.2.7:4711`` or ``[2001:db8::7]:4711``, or nothing.

    An IPv4 address that came in through a socket of IPv6 is the IPv4 address.
    """
    host = endpoint.strip().rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
