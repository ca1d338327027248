"""What an examination has learnt of one server so far, for the checks that come later."""

from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.core.command import Command, Result, Transport, command
from orchestrator.core.errors import TransportError, Unreachable
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

        That a cmdlet asked for does not exist is an answer, no reason to ask again. Raises
        TransportError.
        """
        if self.transport is None:
            raise Unreachable("there is no session", server=self.server.name)
        narrowed = self.transport.invoke((call, command("Select-Object", Property=properties)))
        about = {call.name.casefold(), *(name.casefold() for name in _names(call))}
        answers = (e.failure == MISSING and e.target.casefold() in about for e in narrowed.errors)
        if all(answers):
            return narrowed
        return self.transport.invoke((call,))

    def close(self) -> None:
        """Release the session, if there is one. Never raises."""
        if self.transport is not None:
            self.transport.close()
            self.transport = None


def said(error: TransportError) -> str:
    """Return what happened, without the server's name: every finding is about one server."""
    return error.message.removeprefix(f"{error.server}: ")


def _names(call: Command) -> tuple[str, ...]:
    names = dict(call.parameters).get("Name")
    return names if isinstance(names, tuple) else ()
