"""What an examination has learnt of one server so far, for the checks that come later."""

from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.core.command import Command, Result, Transport, command
from orchestrator.core.errors import Unreachable
from orchestrator.core.inventory import Organization, Server
from orchestrator.doctor.finding import Connect, Needed

MISSING = "CommandNotFoundException"


@dataclass(slots=True)
class Patient:
    """One server of one organization under examination.

    *offered* are the ways to authenticate that the server offered, in small letters. *transport*
    is its session once one is open; *controller* the domain controller to ask.
    """

    organization: Organization
    server: Server
    connect: Connect = field(repr=False)
    secret: Callable[[], str | None] = field(repr=False)
    rights: tuple[Needed, ...] = ()
    offered: tuple[str, ...] = ()
    controller: str = ""
    transport: Transport | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The endpoint as people would write it."""
        scheme = "https" if self.organization.ssl else "http"
        path = self.organization.path.lstrip("/")
        return f"{scheme}://{self.server.name}:{self.server.port}/{path}"

    def ask(self, call: Command, properties: tuple[str, ...]) -> Result:
        """Run a read, narrowed to *properties*; plainly where that brings errors.

        That a cmdlet does not exist is an answer, not a reason to ask again. Raises TransportError.
        """
        if self.transport is None:
            raise Unreachable("there is no session", server=self.server.name)
        narrowed = self.transport.invoke((call, command("Select-Object", Property=properties)))
        if all(
            error.failure == MISSING and not _is_select(error.target) for error in narrowed.errors
        ):
            return narrowed
        return self.transport.invoke((call,))

    def close(self) -> None:
        """Release the session, if there is one. Never raises."""
        if self.transport is not None:
            self.transport.close()
            self.transport = None


def _is_select(target: str) -> bool:
    return target.casefold() == "select-object"
