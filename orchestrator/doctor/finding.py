"""What the doctor is asked and what it answers, as values."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

from orchestrator.core.command import Plain, Transport
from orchestrator.core.inventory import Organization, Server


class Check(StrEnum):
    """What is looked at. A server's checks stand in the order in which each needs the former."""

    PYTHON = "python"
    SQLITE = "sqlite"
    KERBEROS = "kerberos"
    KEYRING = "keyring"
    STORE = "store"

    NAME = "name"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    CREDENTIAL = "credential"
    AUTHENTICATION = "authentication"
    SHELL = "shell"
    SESSION = "session"
    CONTROLLER = "domain controller"
    RIGHTS = "rights"
    READS = "reads"


class State(StrEnum):
    """How a check ended. ``unknown``: it was made and tells neither; ``skipped``: not made."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Finding(Plain, frozen=True):
    """What one check saw, and in *advice* how to mend it; no advice where nothing is to be done.

    A check may have several findings, as ``rights`` has one for each cmdlet.
    """

    check: Check
    state: State
    seen: str
    advice: str = ""


class Needed(Plain, frozen=True):
    """A cmdlet that is to be called, and the parameters, without their dash, it is called with."""

    cmdlet: str
    parameters: tuple[str, ...] = ()


Connect: TypeAlias = Callable[[Organization, Server], Transport]
"""Opens a session on a server, or raises TransportError or CredentialError."""
