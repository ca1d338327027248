"""Programs run through a JEA endpoint, the least-privilege way: a session that offers just them.

The program is a visible external command of the endpoint's role capability [doc], so that an
account which may read the event log, and nothing else, gets in. It is PowerShell remoting, not a
command shell: standard output comes line by line, and the exit code stays on the server.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from orchestrator.core.command import Command
from orchestrator.core.errors import NotExchange, NotLetIn, ProgramFailed
from orchestrator.transports.psrp import open_session
from orchestrator.transports.target import Target

_NO_ENDPOINT = (
    "Register the endpoint on the server (docs/events.md has it), or correct 'winrm: "
    "configuration' in the inventory; without it an administrator's shell is used."
)


@dataclass(frozen=True, slots=True)
class JeaHost:
    """A server's JEA endpoint: implements core.command.Host. Each program gets a session anew."""

    target: Target

    def run(self, program: str, arguments: Sequence[str]) -> bytes:
        """Run *program*; its lines come as UTF-8. Raises ProgramFailed where it complained."""
        call = Command(f"{program}.exe", tuple(("", argument) for argument in arguments))
        try:
            session = open_session(self.target)
        except NotExchange as error:
            name = self.target.configuration
            raise NotLetIn(
                f"there is no endpoint {name}", _NO_ENDPOINT, server=self.target.name
            ) from error
        with closing(session):
            result = session.invoke((call,))
        if result.errors:
            complaint = " ".join(error.message for error in result.errors).strip()
            raise ProgramFailed(program, None, complaint, server=self.target.name)
        return "\n".join(str(line) for line in result.output).encode("utf-8", "replace")
