"""One organization's Exchange endpoint: reads batched, writes one at a time, one session reused.

All questions of a plan go out as statements of one pipeline, narrowed with ``Select-Object``.
Where that does not work (an error that cannot be attributed, an object nobody asked for, no
``Select-Object``) each kind is asked on its own, then plainly. What still cannot be read is
Unknown, never empty.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

from orchestrator.core.command import (
    Argument,
    Command,
    ErrorRecord,
    Record,
    Result,
    Statement,
    Transport,
)
from orchestrator.core.errors import (
    ConnectionLost,
    NotExchange,
    ProtocolViolation,
    RefusedError,
    Throttled,
    TransportError,
    Unreachable,
)
from orchestrator.core.facts import Facts, Observation, Query, Unknown, UnknownFact, unite
from orchestrator.core.inventory import Organization, Server
from orchestrator.exchange.objects import (
    CMDLET,
    CONFIG_CONTROLLER,
    IDENTIFYING,
    OBJECT_KINDS,
    TRANSPORT_CONFIG,
    kind_of,
    observe,
)

ATTEMPTS = 4
"""How often a read is tried."""

LONGEST_PAUSE = 10.0
"""Seconds between two attempts at most, unless the server asks for more."""

LONGEST_WISH = 120.0
"""Seconds that a server may ask us to wait; a longer wish is cut."""

TRANSIENT = "1002"
"""The category of Exchange's errors that the directory is to blame for, and that may pass [obs]."""

_DIRECTORY = frozenset(
    {
        "ADTransientException",
        "ADServerNotSuitableException",
        "SuitabilityDirectoryException",
        "DomainControllerNotFoundException",
    }
)
"""Exceptions by which Exchange says that a domain controller cannot be used [inf]."""

_HOLD_ON = (
    "A run keeps to the domain controller that its plan rests on: when it is back, go on; if it "
    "stays away, name another one in the inventory (domain_controller) and plan again."
)

_ASK_AGAIN = "Nothing is changed by looking: see to the server and the network, then try again."

_NEXT_SERVER = (Unreachable, NotExchange, Throttled)
_PASSING = (Unreachable, ConnectionLost, ProtocolViolation, Throttled)
_NOT_FOUND = "CommandNotFoundException"

_R = TypeVar("_R")
Answer: TypeAlias = tuple[Observation, ...] | Unknown


class Session:
    """A Reader and a Writer over one organization. It belongs to one thread.

    *connect* opens a session on a server. The servers are tried in the inventory's order; a
    refused credential ends the attempt at once, because trying it elsewhere locks accounts out.
    Reads are tried ATTEMPTS times, each time beginning with the next server; *pause* waits for
    that many seconds in between. Writes are sent once.
    """

    def __init__(
        self,
        organization: Organization,
        connect: Callable[[Organization, Server], Transport],
        pause: Callable[[float], None],
    ) -> None:
        self.organization = organization
        self.controller = organization.domain_controller
        self._connect = connect
        self._pause = pause
        self._servers = deque(organization.servers)
        self._transport: Transport | None = None
        self._server = ""
        self._narrowing = True
        self._abroad = False
        self._rights: dict[Query, Answer] = {}

    def close(self) -> None:
        """Release the session on the server. Never raises."""
        if self._transport is not None:
            self._transport.close()
        self._transport = None
        self._rights.clear()

    def pin(self, controller: str = "") -> None:
        """Use *controller* for everything from now on, or find one if none is pinned yet.

        A plan and a run begin with it, and with them the question what the session may do.
        Found is the one that answers for the organization's TransportConfig. Raises RefusedError
        where the server does not say which one that was.
        """
        self._rights.clear()
        self.controller = controller or self.controller
        if self.controller:
            return
        seen = self._single(Query(TRANSPORT_CONFIG, ("OriginatingServer",)))
        if isinstance(seen, tuple) and len(seen) == 1:
            self.controller = seen[0].text("OriginatingServer")
        if not self.controller:
            reason = seen.reason if isinstance(seen, Unknown) else "OriginatingServer is empty"
            raise RefusedError(
                f"{self.organization.name}: no domain controller could be found ({reason})",
                "Name one in the inventory: 'domain_controller: dc01.contoso.example'.",
            )

    def ask(self, queries: Sequence[Query]) -> Facts:
        """Return what is known, asked of the pinned domain controller.

        Which cmdlets there are is asked once in a session: Exchange settles that when the session
        is opened, and shows a change of roles to the next one only [doc].
        """
        asked = tuple(map(_identified, unite(queries)))
        known = self._asked(tuple(query for query in asked if query not in self._rights))
        for query in asked:
            if query.kind == CMDLET:
                known[CMDLET] = self._remembered(query, known.get(CMDLET))
        checked = {kind: self._from_pinned(kind, seen) for kind, seen in known.items()}
        return Facts(checked, self.controller, self._server)

    def look(self, *statements: Statement) -> Result:
        """Return what a read brings that is no question about objects. Raises TransportError."""
        return self._read(*statements)

    @contextmanager
    def elsewhere(self, controller: str) -> Iterator[None]:
        """Ask *controller* meanwhile, once if it is down; afterwards the pinned one again."""
        pinned, self.controller = self.controller, controller
        self._abroad = True
        try:
            yield
        finally:
            self.controller, self._abroad = pinned, False

    def send(self, command: Command) -> Result:
        """Send one write, once. After anything but Unreachable its effect is unknown.

        A session that has to be opened first is opened as patiently as for a read, and where that
        fails it is Unreachable: whatever the reason was, nothing was sent.
        """
        if self._transport is None:
            try:
                self._patiently(self._open)
            except TransportError as error:
                raise Unreachable(error.message, error.advice) from error
        return self._guarded((command,))

    def _asked(self, queries: Sequence[Query]) -> dict[str, Answer]:
        known = self._batch(queries) if len(queries) > 1 and self._narrowing else None
        return {query.kind: self._single(query) for query in queries} if known is None else known

    def _remembered(self, query: Query, answer: Answer | None) -> Answer:
        """Return what was answered now or before; ask if the session was replaced meanwhile."""
        if answer is None:
            kept = self._rights.get(query)
            answer = self._single(query) if kept is None else kept
        if not isinstance(answer, Unknown):
            self._rights[query] = answer
        return answer

    def _batch(self, queries: Sequence[Query]) -> dict[str, Answer] | None:
        """Return the answers to all *queries*, or None where they cannot be told apart."""
        result = self._read(*(self._statement(query, narrow=True) for query in queries))
        missing = [error for error in result.errors if _is_missing(error, queries)]
        by_kind: dict[str, list[Record]] = {query.kind: [] for query in queries}
        for output in result.output:
            kind = kind_of(output) if isinstance(output, Record) else None
            if kind not in by_kind or not isinstance(output, Record):
                return None
            by_kind[kind].append(output)
        if len(missing) != len(result.errors):
            return None
        if CMDLET in by_kind and not by_kind[CMDLET] and not missing:
            return None
        seen = {query.kind: _observed(query, by_kind[query.kind]) for query in queries}
        return None if any(map(_is_hollow, seen.values())) else seen

    def _single(self, query: Query) -> Answer:
        if self._narrowing:
            narrowed = self._attempt(_identified(query), narrow=True)
            if not isinstance(narrowed, Unknown) and not _is_hollow(narrowed):
                return narrowed
        plain = self._attempt(_identified(query), narrow=False)
        if self._narrowing and not isinstance(plain, Unknown) and query.kind != CMDLET:
            self._narrowing = False
        return plain

    def _attempt(self, query: Query, *, narrow: bool) -> Answer:
        result = self._read(self._statement(query, narrow=narrow))
        errors = [error for error in result.errors if not _is_missing(error, (query,))]
        if errors:
            return Unknown(f"{errors[0].message} ({errors[0].failure})")
        records = [output for output in result.output if isinstance(output, Record)]
        if query.kind == CMDLET and not records and not result.errors:
            return Unknown(
                "Get-Command said neither which cmdlets there are nor which there are not"
            )
        return _observed(query, records)

    def _statement(self, query: Query, *, narrow: bool) -> Statement:
        get = Command(OBJECT_KINDS[query.kind].get, self._arguments(query))
        if not narrow:
            return (get,)
        return get, Command("Select-Object", (("Property", query.properties),))

    def _arguments(self, query: Query) -> tuple[tuple[str, Argument], ...]:
        if query.kind == CMDLET:
            return (("Name", query.names),)
        pinned = (("DomainController", self.controller),) if self.controller else ()
        status = (("Status", True),) if CONFIG_CONTROLLER in query.properties else ()
        return (*pinned, *status)

    def _read(self, *statements: Statement) -> Result:
        """Run a read, patiently. Raises Unreachable where the domain controller fails."""
        try:
            return self._patiently(lambda: self._looked(*statements))
        except (ConnectionLost, ProtocolViolation) as error:
            error.advice = _ASK_AGAIN
            raise

    def _looked(self, *statements: Statement) -> Result:
        result = self._guarded(*statements)
        for error in result.errors:
            if error.category == TRANSIENT or error.failure in _DIRECTORY:
                self.close()
                raise Unreachable(
                    f"{self.organization.name}: the domain controller {self.controller} does not "
                    f"answer: {error.message} ({error.failure}). {_HOLD_ON}"
                )
        return result

    def _patiently(self, work: Callable[[], _R]) -> _R:
        """Do what can be done twice; if the wire breaks or the server is busy, on the next server.

        Where no server could be reached in the first place, trying once is enough.
        """
        try:
            return work()
        except _PASSING as error:
            if isinstance(error, Unreachable) and (self._abroad or not self._server):
                raise
            return self._again(error, work)

    def _again(self, error: TransportError, work: Callable[[], _R]) -> _R:
        import tenacity  # noqa: PLC0415 - it brings asyncio, and is rarely needed

        backing_off = tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_PAUSE)

        def next_server(state: tenacity.RetryCallState) -> float:
            self._servers.rotate(-1)
            failure = state.outcome.exception() if state.outcome else None
            return _asked(failure, backing_off(state))

        self._servers.rotate(-1)
        self._pause(_asked(error, 0.0))
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS - 1),
            retry=tenacity.retry_if_exception_type(_PASSING),
            wait=next_server,
            sleep=self._pause,
            reraise=True,
        )
        return retrying(work)

    def _guarded(self, *statements: Statement) -> Result:
        transport = self._transport or self._open()
        try:
            return transport.invoke(*statements)
        except TransportError:
            self.close()
            raise

    def _open(self) -> Transport:
        failures: list[TransportError] = []
        for server in tuple(self._servers):
            try:
                self._transport = self._connect(self.organization, server)
            except _NEXT_SERVER as error:
                failures.append(error)
                continue
            self._server = server.name
            return self._transport
        busy = [failure for failure in failures if isinstance(failure, Throttled)]
        if busy or len(failures) == 1:
            raise (busy or failures)[0]
        reasons = "; ".join(str(failure) for failure in failures)
        raise Unreachable(
            f"{self.organization.name}: no server answered: {reasons}", failures[0].advice
        )

    def _from_pinned(self, kind: str, seen: Answer) -> Answer:
        """Return what was seen, or Unknown where another domain controller answered for it."""
        if isinstance(seen, Unknown) or kind == CMDLET:
            return seen
        for observation in seen:
            answered = observation.text("OriginatingServer")
            if answered and not _same_host(answered, self.controller):
                return Unknown(f"{answered} answered, although {self.controller} was asked")
        return seen


def _asked(error: BaseException | None, otherwise: float) -> float:
    """Return the seconds that a throttling server asked for, or *otherwise*."""
    if isinstance(error, Throttled) and error.wait is not None:
        return min(error.wait, LONGEST_WISH)
    return otherwise


def _identified(query: Query) -> Query:
    if query.kind == CMDLET:
        return query
    properties = tuple(dict.fromkeys((*query.properties, *IDENTIFYING)))
    return Query(query.kind, properties, query.names)


def _observed(query: Query, records: Sequence[Record]) -> Answer:
    try:
        seen = [observe(query.kind, record, query.properties) for record in records]
    except UnknownFact as error:
        return Unknown(str(error))
    return tuple({observation.ref.guid: observation for observation in seen}.values())


def _is_hollow(seen: Answer) -> bool:
    """Say whether an answer says nothing: unreadable, or objects without any value."""
    return isinstance(seen, Unknown) or any(
        all(value in {None, ()} for value in observation.properties.values())
        for observation in seen
    )


def _is_missing(error: ErrorRecord, queries: Sequence[Query]) -> bool:
    """Say whether *error* is the answer that a cmdlet asked for does not exist for us."""
    names = {name.casefold() for query in queries for name in query.names}
    about = error.target.casefold()
    return error.failure == _NOT_FOUND and not error.terminating and about in names


def _same_host(one: str, other: str) -> bool:
    """Compare fully qualified names whole, and by their first label where one is not."""
    left, right = one.casefold(), other.casefold()
    if "." in left and "." in right:
        return left == right
    return left.partition(".")[0] == right.partition(".")[0]
