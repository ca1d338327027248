"""Where an Exchange endpoint is and how to be let in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from orchestrator.core.errors import ConfigurationError

Authentication: TypeAlias = Literal["kerberos", "negotiate", "ntlm", "basic"]
Encryption: TypeAlias = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long to wait, in seconds.

    *connect* is for a connection to come about, *read* for the answer to one request, *operation*
    for what the server is asked to hold a request open while there is nothing to say, *pipeline*
    for a whole pipeline, and for the opening of a session. *operation* must be less than *read*:
    otherwise the server's "nothing yet" comes too late and looks like a broken connection.
    """

    connect: float = 15
    read: float = 30
    operation: int = 20
    pipeline: float = 300

    def __post_init__(self) -> None:
        if min(self.connect, self.read, self.operation, self.pipeline) <= 0:
            raise ConfigurationError("a deadline must be more than 0 seconds")
        if self.operation >= self.read:
            raise ConfigurationError(
                f"the operation deadline ({self.operation} s) must be shorter than the read "
                f"deadline ({self.read} s)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One server's remote PowerShell endpoint.

    *name* is the server's FQDN: for people, for the certificate and for the service principal.
    *address* is what to connect to, if that is another. *secret* is asked for the password each
    time one is needed and is never shown; without it (or if it returns None) the ticket cache, on
    Windows the logon, speaks for *user*. *ca_file* names the roots to trust in place of the
    system's. *service* and *principal_host* make the principal: ``HTTP/<name>`` by default, which
    is what an Exchange server has [doc].

    Raises ConfigurationError where the password or the commands would cross the network in clear
    and *allow_cleartext* does not say that this is meant.
    """

    name: str
    address: str = ""
    port: int | None = None
    path: str = "PowerShell"
    ssl: bool = False
    ca_file: str | None = None
    auth: Authentication = "kerberos"
    encryption: Encryption = "auto"
    allow_cleartext: bool = False
    user: str | None = None
    secret: Callable[[], str | None] | None = field(default=None, repr=False, compare=False)
    configuration: str = "Microsoft.Exchange"
    service: str = "HTTP"
    principal_host: str | None = None
    deadlines: Deadlines = field(default_factory=Deadlines)

    def __post_init__(self) -> None:
        if self.auth == "basic" and self.encryption == "always":
            raise ConfigurationError(
                f"{self.name}: Basic has no message encryption",
                "Use kerberos, or encryption: auto.",
            )
        if self.ssl or self.allow_cleartext:
            return
        if self.auth == "basic":
            raise ConfigurationError(
                f"{self.name}: Basic over http sends the password in clear",
                "Set ssl: true, or use kerberos; allow_cleartext: true if this is really meant.",
            )
        if self.encryption == "never":
            raise ConfigurationError(
                f"{self.name}: http without message encryption sends every command in clear",
                "Set encryption: auto or ssl: true; allow_cleartext: true if this is really meant.",
            )

    @property
    def host(self) -> str:
        """What to connect to."""
        return self.address or self.name

    @property
    def tcp_port(self) -> int:
        """The port: Exchange's endpoint lives in IIS, on 80 and 443, not on WinRM's 5985 [doc]."""
        return self.port or (443 if self.ssl else 80)

    @property
    def url(self) -> str:
        """The endpoint as people would write it."""
        scheme = "https" if self.ssl else "http"
        return f"{scheme}://{self.name}:{self.tcp_port}/{self.path.lstrip('/')}"
