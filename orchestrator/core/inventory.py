"""The organizations that may be touched: how each is reached, what is protected, who is meant.

The values are complete: a loader has filled in every default.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from orchestrator.core.calendar import Freeze, Window
from orchestrator.core.command import Plain
from orchestrator.core.errors import UsageError
from orchestrator.core.limits import Ceiling, Limits
from orchestrator.core.selection import EVERYTHING, TAG, choose

Variable: TypeAlias = bool | int | str

# One line. A backslash in double quotes can hide a line feed, as in "CONTOSO\nadmin".
Line = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)",
        description="Text of one line; with a backslash in it, in single quotes or none.",
    ),
]
Words = Annotated[Line, Meta(min_length=1)]
Seconds = Annotated[int, Meta(ge=1, le=3600, description="Whole seconds, from 1 to 3600.")]
# The lookahead is for a final line feed, which Python's $ would let pass.
Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$(?!\n)",
        max_length=64,
        description="A name begins with a letter or digit; letters, digits, '.', '_', '-' follow.",
    ),
]
HostName = Annotated[
    str,
    Meta(
        pattern=r"^(?=.{1,253}$(?!\n))[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*"
        r"\.[A-Za-z][A-Za-z0-9-]{0,62}$",
        description="A full name such as ex01.contoso.example, for Kerberos knows names only; "
        "an IP address goes into 'address'.",
    ),
]
DomainName = Annotated[
    str,
    Meta(
        pattern=r"^(?=.{1,253}$(?!\n))[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$",
        description="A domain such as fabrikam.com: no wildcard, no space, and an international "
        "one in the form that begins with xn--.",
    ),
]

Address = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$(?!\n)",
        description="An IP address, or a range of them as in 192.0.2.0/28.",
    ),
]


class Auth(StrEnum):
    """How we prove who we are. Exchange takes Kerberos; Basic and NTLM are normally off [doc]."""

    KERBEROS = "kerberos"
    NEGOTIATE = "negotiate"
    NTLM = "ntlm"
    BASIC = "basic"


class Encryption(StrEnum):
    """Whether messages are encrypted by the means of the authentication, beneath http."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Source(StrEnum):
    """Where a secret is kept. ``kerberos`` is a ticket cache: there is no secret to fetch."""

    KEYRING = "keyring"
    ENV = "env"
    FILE = "file"
    KERBEROS = "kerberos"


class Credential(Plain, frozen=True):
    """A reference to a secret, never the secret: *name* is that of an entry, variable or file."""

    source: Source
    name: str = ""

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"


class Timeouts(Plain, frozen=True, kw_only=True):
    """How long to wait, in seconds."""

    connect: Annotated[Seconds, Meta(description="For a TCP connection.")] = 10
    operation: Annotated[Seconds, Meta(description="For one answer; the server polls.")] = 20
    pipeline: Annotated[Seconds, Meta(description="For a whole command.")] = 120
    settle: Annotated[Seconds, Meta(description="For a slow command in doubt, to end.")] = 30


class Server(Plain, frozen=True):
    """One Exchange server. *name* is its FQDN, for people and Kerberos; we connect to *address*."""

    name: str
    address: str
    port: int


class Protection(Plain, frozen=True, kw_only=True):
    """What no playbook may touch in one organization."""

    connectors: Annotated[
        tuple[Words, ...],
        Meta(description=r"Connectors, each by Guid, by name, or as SERVER\Name."),
    ] = ()
    domains: Annotated[
        tuple[DomainName, ...],
        Meta(description="Domains whose entries in the domain security lists stay."),
    ] = ()
    reason: Annotated[str, Meta(description="Why; shown to whoever is refused.")] = ""

    def protects_connector(self, name: str, identity: str, guid: str) -> bool:
        r"""Whether a connector is listed by its name, its identity (``SERVER\Name``) or its Guid.

        Upper and lower case are the same, as in Exchange; nothing but the whole text matches.
        """
        called = {_fold(name), _fold(identity), _fold(guid)} - {""}
        return any(_fold(entry) in called for entry in self.connectors)

    def protects_domain(self, domain: str) -> bool:
        """Whether *domain*, in its ASCII form, is listed; its subdomains are other domains."""
        return domain.lower() in {entry.lower() for entry in self.domains}


def _fold(text: str) -> str:
    # Exchange shows a Guid bare, Active Directory tools show it in braces.
    return text.strip("{}").casefold()


class Connection(Plain, frozen=True, kw_only=True):
    """How servers are reached. Empty text means: not given."""

    path: Annotated[Words, Meta(description="The path of the remote PowerShell endpoint.")] = (
        "PowerShell"
    )
    ssl: Annotated[bool, Meta(description="Whether to use https.")] = False
    ca_file: Annotated[
        Line, Meta(description="Certificates of a private CA (PEM); beside the inventory file.")
    ] = ""
    auth: Annotated[Auth, Meta(description="How to prove who we are.")] = Auth.KERBEROS
    encryption: Annotated[Encryption, Meta(description="Encryption of messages beneath http.")] = (
        Encryption.AUTO
    )
    allow_cleartext: Annotated[
        bool, Meta(description="Allows what could be read on the network: Basic, or no encryption.")
    ] = False
    spn_service: Annotated[Words, Meta(description="Service class of the Kerberos name.")] = "HTTP"
    spn_hostname: Annotated[
        Line, Meta(description="Host of the Kerberos name, where it is not the server's name.")
    ] = ""
    user: Annotated[
        Line,
        Meta(description=r"The account, as CONTOSO\ops (not in double quotes), or ops@CONTOSO."),
    ] = ""
    timeouts: Annotated[Timeouts, Meta(description="How long to wait, in seconds.")] = Timeouts()


class WinRM(Plain, frozen=True, kw_only=True):
    """The servers' own WinRM endpoint, for event logs and protocol logs; not the Exchange endpoint.

    *servers* are the transport servers that the inventory names; without any, they are found
    through the Exchange endpoint and reached at *port*. *configuration* names a JEA endpoint; empty
    is the shell of an administrator.
    """

    servers: tuple[Server, ...] = ()
    port: int = 5985
    ssl: bool = False
    ca_file: str = ""
    auth: Auth = Auth.KERBEROS
    encryption: Encryption = Encryption.AUTO
    allow_cleartext: bool = False
    user: str = ""
    credential: Credential = Credential(Source.KERBEROS)
    configuration: str = ""


class Partner(Plain, frozen=True, kw_only=True):
    """What we know of a partner from other sources than its mail."""

    addresses: Annotated[
        tuple[Address, ...],
        Meta(description="Where it sends from: addresses, ranges as in 192.0.2.0/28."),
    ] = ()
    mail: Annotated[
        Line, Meta(description="Whom a letter goes to: an address outside of the refused domain.")
    ] = ""
    telephone: Annotated[Line, Meta(description="A number under which the partner answers.")] = ""


class Smtp(Plain, frozen=True, kw_only=True):
    """The SMTP server that letters are handed to."""

    host: Annotated[Line, Meta(min_length=1, description="Its name or address.")]
    port: Annotated[int, Meta(ge=1, le=65535, description="25, unless it says otherwise.")] = 25
    tls: Annotated[
        Literal["starttls", "implicit", "none"],
        Meta(description="starttls (demanded, not merely tried), implicit, or none."),
    ] = "starttls"
    ca_file: Annotated[Line, Meta(description="Certificates of a private CA (PEM).")] = ""
    sender: Annotated[Words, Meta(description="The address that letters come from.")]


class Organization(Connection, frozen=True, kw_only=True):
    """One Exchange organization: the unit of a plan, a lock and a session.

    *servers* are tried in order; there is at least one. *domain_controller* is empty where it is
    to be found once per plan. *variables* are defaults for inputs of the same name. *partners* are
    by their domains in ASCII and lower case. *protocol_logs* are directories of SmtpReceive logs on
    the servers, where they are not to be asked for.
    """

    name: str
    servers: tuple[Server, ...]
    credential: Credential
    title: str = ""
    domain_controller: str = ""
    tags: tuple[str, ...] = ()
    variables: Mapping[str, Variable] = {}
    protect: Protection = Protection()
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    limits: Ceiling = Ceiling()
    winrm: WinRM = WinRM()
    partners: Mapping[str, Partner] = {}
    smtp: Smtp | None = None
    protocol_logs: tuple[str, ...] = ()


class Inventory(Plain, frozen=True):
    """All organizations in the order of the file, and *groups*: the organizations of each.

    *limits* are for a whole batch. *kill_switch* is the path of a file, or empty for the usual one.
    """

    organizations: tuple[Organization, ...]
    groups: Mapping[str, tuple[str, ...]] = {}
    limits: Limits = Limits()
    kill_switch: str = ""

    def select(self, patterns: Sequence[str]) -> tuple[Organization, ...]:
        """Return the organizations that *patterns* mean, in the order of the inventory.

        The patterns are those of ``selection.choose``. Without any, the only organization is
        meant. Raises UsageError where there are several: what is changed has to be said.
        """
        if patterns:
            called = {each.name: self._called(each) for each in self.organizations}
            chosen = choose(patterns, called)
            return tuple(each for each in self.organizations if each.name in chosen)
        if len(self.organizations) == 1:
            return self.organizations
        names = ", ".join(each.name for each in self.organizations)
        raise UsageError(
            f"the inventory has {len(self.organizations)} organizations: {names}",
            f"Choose with --limit NAME, or say --limit {EVERYTHING}.",
        )

    def _called(self, organization: Organization) -> tuple[str, ...]:
        groups = (name for name, members in self.groups.items() if organization.name in members)
        return (organization.name, *groups, *(f"{TAG}{tag}" for tag in organization.tags))
