"""What every use case works with: the inventory, the store, the clock, and the way to a server."""

import getpass
import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.core.command import Host, Transport
from orchestrator.core.inventory import Inventory, Organization, Server, Timeouts
from orchestrator.journal import Owner, Store, open_store
from orchestrator.session import Session

if TYPE_CHECKING:
    from orchestrator.transports.target import Deadlines

Connect = Callable[[Organization, Server], Transport]
Reach = Callable[[Organization, Server], Host]


def utc_now() -> datetime:
    """Return the time of the wall clock, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Workplace:
    """A jump host, as the use cases see it. Clocks and connections are parameters.

    *stop* is set when the operator wants to leave: runs stop at the next boundary between actions.
    """

    inventory: Inventory
    store_location: str
    connect: Connect
    command: str = "orchestrator"
    clock: Callable[[], datetime] = utc_now
    steady: Callable[[], float] = time.monotonic
    stop: threading.Event = field(default_factory=threading.Event)
    reach: Reach | None = None
    _store: Store | None = field(default=None, init=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def store(self) -> Store:
        """The store, opened when it is first needed."""
        with self._opening:
            if self._store is None:
                self._store = open_store(self.store_location, now=self.clock)
            return self._store

    @property
    def has_store(self) -> bool:
        """Say whether anything was ever recorded: looking makes no store."""
        if self._store is not None:
            return True
        place = Path(self.store_location)
        return place.is_dir() and any(place.iterdir())

    @property
    def actor(self) -> str:
        """Who is at work, as the operating system knows it."""
        return f"{user_name()}@{platform.node()}"

    def owner(self) -> Owner:
        """Return who holds an organization on behalf of this process."""
        return Owner(platform.node(), os.getpid(), user_name(), self.command, self.clock())

    def session(self, organization: Organization) -> Session:
        """Return a session that opens when it is first used."""
        return Session(organization, self.connect, self.pause)

    def host(self, server: Server, organization: Organization) -> Host:
        """Return the way to a server's Windows; nothing is sent yet."""
        return (self.reach or reach_host)(organization, server)

    def pause(self, seconds: float) -> None:
        """Wait, or until the operator wants to leave."""
        self.stop.wait(seconds)

    def close(self) -> None:
        """Release the store."""
        if self._store is not None:
            self._store.close()


def user_name() -> str:
    """Return the operating system's name of the user, or ``uid N`` where it has none.

    Bytes in it that are no characters are written out: anybody can put some into LOGNAME.
    """
    try:
        return getpass.getuser().encode("utf-8", "backslashreplace").decode()
    except (OSError, KeyError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def reach_host(organization: Organization, server: Server) -> Host:
    """Return the way to a server's Windows, as the inventory describes it; nothing is sent yet."""
    from orchestrator.credentials import secret  # noqa: PLC0415 - keyring is heavy
    from orchestrator.transports.jea import JeaHost  # noqa: PLC0415 - pypsrp is heavy
    from orchestrator.transports.target import Target  # noqa: PLC0415 - likewise
    from orchestrator.transports.winrm import WinRMHost  # noqa: PLC0415 - pywinrm is heavy

    winrm = organization.winrm
    target = Target(
        name=server.name,
        address=server.address,
        port=server.port,
        path="wsman",
        ssl=winrm.ssl,
        ca_file=winrm.ca_file or None,
        auth=winrm.auth.value,
        encryption=winrm.encryption.value,
        allow_cleartext=winrm.allow_cleartext,
        user=winrm.user or None,
        secret=secret(winrm.credential, winrm.user),
        configuration=winrm.configuration,
        deadlines=_deadlines(organization.timeouts),
    )
    return JeaHost(target) if winrm.configuration else WinRMHost(target)


def _deadlines(timeouts: Timeouts) -> "Deadlines":
    from orchestrator.transports.target import Deadlines  # noqa: PLC0415 - not for --help

    return Deadlines(
        connect=timeouts.connect,
        operation=timeouts.operation,
        read=timeouts.operation + min(timeouts.operation, 10),
        pipeline=timeouts.pipeline,
    )


def connect_psrp(organization: Organization, server: Server) -> Transport:
    """Open a session over PowerShell remoting, as the inventory describes."""
    from orchestrator.credentials import secret  # noqa: PLC0415 - keyring is heavy
    from orchestrator.transports.psrp import open_session  # noqa: PLC0415 - pypsrp is heavy
    from orchestrator.transports.target import Target  # noqa: PLC0415 - likewise

    return open_session(
        Target(
            name=server.name,
            address=server.address,
            port=server.port,
            path=organization.path,
            ssl=organization.ssl,
            ca_file=organization.ca_file or None,
            auth=organization.auth.value,
            encryption=organization.encryption.value,
            allow_cleartext=organization.allow_cleartext,
            user=organization.user or None,
            secret=secret(organization.credential, organization.user),
            service=organization.spn_service,
            principal_host=organization.spn_hostname or None,
            deadlines=_deadlines(organization.timeouts),
        )
    )


def default_store() -> str:
    """Return where the store is unless ORCHESTRATOR_STORE says otherwise."""
    import platformdirs  # noqa: PLC0415 - only where no location was given

    return str(Path(platformdirs.user_state_dir("orchestrator", appauthor=False)))
