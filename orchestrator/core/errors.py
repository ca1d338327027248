"""Every exception this package raises on purpose, sorted by who must act.

* OrchestratorError
  x UsageError                 the call's words are wrong; the person at the keyboard
  x ConfigurationError         a file the operator wrote; its author
  x CredentialError            a secret is not where the inventory says; who keeps the secrets
  x TransportError             the wire to a server; who runs the network or the server
    - Unreachable              no server answered
    - NotLetIn                 a server answered and refused who we are, or what we may use
    - Throttled                a server answered: not now
    - NotExchange              something answered that is not the Exchange endpoint
    - ConnectionLost           it broke after sending began: the effect of a write is unknown
    - ProtocolViolation        what came back cannot be understood
    - ProgramFailed            a program on a server ended with a complaint
  x RefusedError               a rule forbids it; a person has to decide otherwise
  x DriftError                 the organization is not what the plan rests on; plan again
  x HeldError                  another run holds the organization; wait, or resume that run
  x StoreError                 the journal's disk or database; who runs the jump host
    - JournalDamaged           what is recorded contradicts itself; nothing may build on it
"""

from datetime import datetime


class OrchestratorError(Exception):
    """Base of every exception raised on purpose by this package.

    The text says what happened; *advice* says what to do next, in one sentence.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class UsageError(OrchestratorError):
    """The command line asks for something that does not exist or contradicts itself."""


class ConfigurationError(OrchestratorError):
    """A playbook, inventory, scenario or plan file cannot be used as written.

    *file*, *line* and *column* (counted from 1) tell where; *path* is the place inside the
    document, as in ``organizations.contoso.servers[0]``. Unknown parts are None or empty.
    """

    def __init__(  # noqa: PLR0913 - a place in a file has that many coordinates
        self,
        message: str,
        advice: str = "",
        *,
        file: str = "",
        line: int | None = None,
        column: int | None = None,
        path: str = "",
    ) -> None:
        place = ":".join(str(part) for part in (file, line, column) if part)
        inside = f" at {path}" if path else ""
        super().__init__(f"{place}: {message}{inside}" if place else f"{message}{inside}", advice)
        self.reason = message
        self.file = file
        self.line = line
        self.column = column
        self.path = path


class CredentialError(OrchestratorError):
    """A credential cannot be had from where its reference points."""


class TransportError(OrchestratorError):
    """A command could not be exchanged with a server. *server* names it as the inventory does."""

    def __init__(self, message: str, advice: str = "", *, server: str = "") -> None:
        super().__init__(f"{server}: {message}" if server else message, advice)
        self.server = server


class Unreachable(TransportError):
    """No connection came about; nothing was sent."""


class NotLetIn(TransportError):
    """The server refused the credential or the session; nothing was carried out."""


class Throttled(TransportError):
    """The server asks to come back later; nothing was carried out. *wait* is in seconds."""

    def __init__(
        self, message: str, advice: str = "", *, server: str = "", wait: float | None = None
    ) -> None:
        super().__init__(message, advice, server=server)
        self.wait = wait


class NotExchange(TransportError):
    """What answered is not an Exchange remote PowerShell endpoint."""


class ConnectionLost(TransportError):
    """The connection broke, or a deadline passed, after sending began.

    Whether a write took effect is unknown until somebody looks.
    """


class ProtocolViolation(TransportError):
    """The answer cannot be understood; whether a write took effect is unknown."""


class ProgramFailed(TransportError):
    """A program ended with a *code* other than 0; *complaint* is what it wrote to stderr.

    *code* is None where the way to the server does not tell it, as that of JEA does not.
    """

    def __init__(
        self, program: str, code: int | None, complaint: str, *, server: str, advice: str = ""
    ) -> None:
        ended = "failed" if code is None else f"ended with {code}"
        super().__init__(f"{program} {ended}: {complaint or 'no reason'}", advice, server=server)
        self.program = program
        self.code = code
        self.complaint = complaint


class RefusedError(OrchestratorError):
    """A rule refuses what was asked."""


class DriftError(OrchestratorError):
    """The organization changed since the plan was made."""


class HeldError(OrchestratorError):
    """Another run holds the organization. *owner* tells who, *since* when."""

    def __init__(self, message: str, advice: str = "", *, owner: str, since: datetime) -> None:
        super().__init__(message, advice)
        self.owner = owner
        self.since = since


class StoreError(OrchestratorError):
    """The store cannot be read or written."""


class JournalDamaged(StoreError):
    """A stream contradicts its own hash chain, or an event makes no sense where it stands."""
