"""The WinRM endpoint as inventories write it: what it leaves out is as the organization has it."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from orchestrator.core.command import Plain
from orchestrator.core.inventory import Auth, Encryption, HostName, Line

Port = Annotated[int, Meta(ge=1, le=65535, description="A TCP port: 80, or 443 with ssl.")]
WinRMPort = Annotated[int, Meta(ge=1, le=65535, description="5985, or 5986 with ssl.")]
Secret = Annotated[
    str,
    Meta(
        pattern=r"^(keyring:[^\n]+|env:[A-Za-z_][A-Za-z0-9_]*|file:[^\n]+|kerberos:)$(?!\n)",
        description="Where the password is, never the password: keyring:NAME, env:VARIABLE, "
        "file:PATH, or kerberos: for a ticket cache.",
        extra={"secret": True},
    ),
]


class ListedServer(Plain, frozen=True, kw_only=True):
    """A server that is not simply reached by its name at the usual port."""

    name: HostName
    address: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)"
            r"$(?!\n)",
            description="An IP address or name to connect to, without a port.",
        ),
    ] = ""
    port: Port | UnsetType = UNSET


class WrittenWinRM(Plain, frozen=True, kw_only=True):
    """How event logs and protocol logs are read."""

    servers: Annotated[
        tuple[HostName | ListedServer, ...],
        Meta(description="The transport servers; else they are found through Exchange."),
    ] = ()
    port: WinRMPort | UnsetType = UNSET
    ssl: Annotated[bool | UnsetType, Meta(description="Whether to use https.")] = UNSET
    ca_file: Annotated[Line | UnsetType, Meta(description="Certificates of a private CA.")] = UNSET
    auth: Annotated[Auth | UnsetType, Meta(description="How to prove who we are.")] = UNSET
    encryption: Annotated[
        Encryption | UnsetType, Meta(description="Encryption of messages beneath http.")
    ] = UNSET
    allow_cleartext: Annotated[
        bool | UnsetType, Meta(description="Allows what could be read on the network.")
    ] = UNSET
    user: Annotated[Line | UnsetType, Meta(description="The account, where it is another one.")] = (
        UNSET
    )
    credential: Secret | UnsetType = UNSET
    configuration: Annotated[
        Line,
        Meta(
            description="The name of a JEA endpoint that offers wevtutil; without it an "
            "administrator's shell is opened."
        ),
    ] = ""
