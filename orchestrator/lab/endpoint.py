"""The WS-Management service of one server: the actions of the shell protocol.

To add an action: one method and its row in ``_ACTIONS``.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import uuid4

from orchestrator.lab.cmdlet import Session
from orchestrator.lab.faults import Seen
from orchestrator.lab.faults.wire import TIMED_OUT
from orchestrator.lab.host import console
from orchestrator.lab.host.console import Console
from orchestrator.lab.organization import Organization
from orchestrator.lab.rights import granted
from orchestrator.lab.scenario import User
from orchestrator.lab.shell import INVALID_SELECTORS, Shell
from orchestrator.lab.soap import (
    PSH,
    RSP,
    Fault,
    Request,
    answer,
    created,
    fault,
    parse,
    received,
    written,
)

EXCHANGE = "http://schemas.microsoft.com/powershell/Microsoft.Exchange"
WINDOWS = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"
_POWERSHELL = "http://schemas.microsoft.com/powershell/"

ACCESS_DENIED = Fault(5, "w:AccessDenied", "Access is denied. ")

Hook = Callable[[Seen], Awaitable[None]]
"""Called before and after a request takes effect; may raise to end it there."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, to which path, from where."""

    user: User
    path: str
    address: str


class Endpoint:
    """The shells of one server, and what may be done to them."""

    def __init__(
        self, organization: Organization, server: str, quota: int, before: Hook, after: Hook
    ) -> None:
        self.organization = organization
        self.server = server
        self.shells: dict[str, Shell | Console] = {}
        self._quota = quota
        self._before = before
        self._after = after
        self._numbers: Counter[str] = Counter()

    async def handle(self, data: bytes, caller: Caller) -> tuple[int, bytes, str]:
        """Return HTTP status, body and action for one envelope."""
        machine = self.organization.full_name(self.server)
        relates, action = "", "Invalid"
        try:
            request = parse(data)
            relates, action = request.message_id, request.action
            act = _ACTIONS.get(action)
            if act is None:
                raise _unsupported(request)
            return 200, await act(self, request, caller), action
        except Fault as problem:
            return 500, fault(relates, problem, machine), action

    async def _seen(self, action: str, cmdlets: tuple[str, ...] = ()) -> Seen:
        self._numbers[action] += 1
        seen = Seen(action, self._numbers[action], self.server, cmdlets)
        await self._before(seen)
        return seen

    async def create(self, request: Request, caller: Caller) -> bytes:
        """Open a shell."""
        seen = await self._seen("Create")
        self._check_resource(request, caller)
        self._check_quota(caller.user)
        shell = self._opened(request, caller)
        self.shells[shell.identifier] = shell
        await self._after(seen)
        return answer(request, created(caller.path, self._facts(shell, caller)))

    def _opened(self, request: Request, caller: Caller) -> Shell | Console:
        if request.resource == console.RESOURCE:
            session = Session(self.organization, self.server, caller.user, {})
            codepage = request.options.get("WINRS_CODEPAGE", "")
            return Console(session, console.known(codepage), self._forget)
        rights = granted(caller.user.roles) if request.resource == EXCHANGE else {}
        if self._is_constrained(request.resource):
            rights = {"wevtutil.exe": None}
        session = Session(self.organization, self.server, caller.user, rights)
        body = request.body
        wanted = body.get("ShellId", "") if body is not None else ""
        shell = Shell(session, request.resource, self._forget, wanted)
        content = body.findtext(f"{PSH}creationXml", "") if body is not None else ""
        shell.open(content)
        return shell

    def _is_constrained(self, resource: str) -> bool:
        """Say whether *resource* is the JEA endpoint of the scenario."""
        return resource.casefold() == f"{_POWERSHELL}{self.organization.scenario.jea}".casefold()

    def _forget(self, shell: Shell | Console) -> None:
        self.shells.pop(shell.identifier, None)

    def lose(self) -> None:
        """Lose every shell, with whatever runs in it."""
        for shell in list(self.shells.values()):
            shell.delete()

    def _facts(self, shell: Shell | Console, caller: Caller) -> dict[str, str]:
        return {
            "ShellId": shell.identifier,
            "ResourceUri": shell.resource,
            "Owner": f"{self.organization.scenario.netbios}\\{caller.user.name}",
            "ClientIP": caller.address,
            "ProcessId": "4711",
            "IdleTimeOut": "PT900.000S",
            "InputStreams": "stdin pr",
            "OutputStreams": "stdout",
            "MaxIdleTimeOut": "PT43200.000S",
            "Locale": "en-US",
            "DataLocale": "en-US",
            "CompressionMode": "NoCompression",
            "ProfileLoaded": "Yes",
            "Encoding": "UTF8",
            "BufferMode": "Block",
            "State": "Connected",
            "ShellRunTime": "P0DT0H0M0S",
            "ShellInactivity": "P0DT0H0M0S",
        }

    def _check_resource(self, request: Request, caller: Caller) -> None:
        """Exchange is behind its own path, Windows behind ``/wsman``; anything else is a fault."""
        exchange = caller.path.casefold().startswith("/powershell")
        offered = {EXCHANGE} if exchange else {WINDOWS, console.RESOURCE}
        if request.resource not in offered and (
            exchange or not self._is_constrained(request.resource)
        ):
            raise Fault(
                2150858811,
                "a:DestinationUnreachable",
                "The WS-Management service cannot process the request. The resource URI "
                f"({request.resource}) was not found in the WS-Management catalog. The catalog "
                "contains the metadata that describes resources, or logical endpoints. ",
            )
        if not exchange and not self._may_open(request.resource, caller.user):
            raise ACCESS_DENIED

    def _may_open(self, resource: str, user: User) -> bool:
        """Windows opens a shell to administrators only; a JEA endpoint says otherwise [obs]."""
        if user.local == "event-log-reader":
            return self._is_constrained(resource)
        return user.local == "administrator"

    def _check_quota(self, user: User) -> None:
        mine = [one for one in self.shells.values() if one.session.user.name == user.name]
        if len(mine) < self._quota:
            return
        if self.organization.scenario.generation == 2010:
            text = (
                "The WS-Management service cannot process the request. This user is allowed a "
                f"maximum number of {self._quota} concurrent shells, which has been exceeded. "
                "Close existing shells or raise the quota for this user. "
            )
        else:
            text = (
                f"[Server={self.server},RequestId={uuid4()}] [FailureCategory=WSMan-Others] Fail "
                "to create a runspace because you have exceeded the maximum number of connections "
                f"allowed : {self._quota} for the policy party : MaxConcurrency. Please wait for "
                "60 seconds. "
            )
        raise Fault(2150859173, "w:QuotaLimit", text)

    def _shell(self, request: Request, caller: Caller) -> Shell | Console:
        shell = self.shells.get(request.shell.upper())
        if shell is None or shell.session.user != caller.user:
            raise INVALID_SELECTORS
        return shell

    async def command(self, request: Request, caller: Caller) -> bytes:
        """Begin a pipeline."""
        shell = self._shell(request, caller)
        line = request.body
        if line is None:
            raise INVALID_SELECTORS
        if isinstance(shell, Console):
            return await self._run(shell, request)
        content = line.findtext(f"{RSP}Arguments", "")
        pipeline, command = shell.prepare(content, line.get("CommandId", ""))
        names = tuple(one.command_text for one in command.commands) if command else ()
        seen = await self._seen("Command", names)
        if command is not None:
            shell.start(pipeline, command)
            await asyncio.sleep(0)
        await self._after(seen)
        number = str(pipeline.number).upper()
        body = f"<rsp:CommandResponse><rsp:CommandId>{number}</rsp:CommandId></rsp:CommandResponse>"
        return answer(request, body)

    async def _run(self, shell: Console, request: Request) -> bytes:
        line = request.body
        program = (line.findtext(f"{RSP}Command", "") if line is not None else "").strip()
        arguments = " ".join(
            one.text or "" for one in (line.findall(f"{RSP}Arguments") if line is not None else ())
        )
        seen = await self._seen("Command", (program.strip('^"'),))
        number = shell.start(program, arguments)
        await self._after(seen)
        body = f"<rsp:CommandResponse><rsp:CommandId>{number}</rsp:CommandId></rsp:CommandResponse>"
        return answer(request, body)

    async def send(self, request: Request, caller: Caller) -> bytes:
        """Take more of a command, or the answer of the client's host."""
        shell = self._shell(request, caller)
        seen = await self._seen("Send")
        if isinstance(shell, Console):
            return answer(request, "<rsp:SendResponse/>")
        for stream in request.body if request.body is not None else ():
            shell.send(stream.text or "", stream.get("CommandId", ""))
        await self._after(seen)
        return answer(request, "<rsp:SendResponse/>")

    async def receive(self, request: Request, caller: Caller) -> bytes:
        """Hand out what is ready, or wait for it as long as the client wants to."""
        shell = self._shell(request, caller)
        stream = request.body.find(f"{RSP}DesiredStream") if request.body is not None else None
        number = stream.get("CommandId", "") if stream is not None else ""
        seen = await self._seen("Receive", shell.cmdlets(number))
        limit = max(1, request.envelope * 3 // 4 - 2048)
        if isinstance(shell, Console):
            body = written(number, *shell.take(number, limit))
            await self._after(seen)
            return answer(request, body)
        try:
            async with asyncio.timeout(request.timeout):
                fragments, done = await shell.take(number, limit)
        except TimeoutError:
            raise TIMED_OUT from None
        await self._after(seen)
        return answer(request, received(fragments, number.upper(), done=done))

    async def signal(self, request: Request, caller: Caller) -> bytes:
        """Stop or release a pipeline."""
        shell = self._shell(request, caller)
        body = request.body
        if body is None:
            raise INVALID_SELECTORS
        seen = await self._seen("Signal", shell.cmdlets(body.get("CommandId", "")))
        shell.signal(body.get("CommandId", ""), body.findtext(f"{RSP}Code", ""))
        await self._after(seen)
        return answer(request, "<rsp:SignalResponse/>")

    async def delete(self, request: Request, caller: Caller) -> bytes:
        """Close a shell."""
        shell = self._shell(request, caller)
        seen = await self._seen("Delete")
        shell.delete()
        await self._after(seen)
        return answer(request, "")


def _unsupported(request: Request) -> Fault:
    return Fault(
        2150858817,
        "a:ActionNotSupported",
        f"The WS-Management service does not support the action {request.uri} for this resource. ",
    )


_ACTIONS: Mapping[str, Callable[[Endpoint, Request, Caller], Awaitable[bytes]]] = {
    "Create": Endpoint.create,
    "Command": Endpoint.command,
    "Send": Endpoint.send,
    "Receive": Endpoint.receive,
    "Signal": Endpoint.signal,
    "Delete": Endpoint.delete,
}
