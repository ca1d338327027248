"""A pipeline: statements of cmdlets run one after the other, as a no-language runspace does.

Rules: every command of a statement is looked up and bound before the first one runs; an error that
ends a statement ends the pipeline when it is the only one, and becomes an ordinary error record
when there are several; script text is refused before anything else is looked at.
"""

from asyncio import Future, get_running_loop, shield, sleep
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from psrpcore import Command, PipelineHostResponseEvent, PowerShell
from psrpcore.types import PSRPMessageType

from orchestrator.lab.binding import bind, plain, remaining
from orchestrator.lab.cmdlet import Call, Cmdlet, Session
from orchestrator.lab.cmdlets import CMDLETS
from orchestrator.lab.cmdlets.failure import TRANSIENT, failure
from orchestrator.lab.faults.calls import Slow, Transient
from orchestrator.lab.organization import CommandEntry
from orchestrator.lab.output import Cell, Output
from orchestrator.lab.records import (
    COMPLETED,
    FAILED,
    STOPPED,
    Problem,
    Stopped,
    error_record,
    pipeline_state,
    warning_record,
)
from orchestrator.lab.runspace import Mailbox, Runspace
from orchestrator.lab.texts import say

_CHOICES = ("&Yes", "Yes to &All", "&No", "No to A&ll")
_YES, _ALL, _NONE = 0, 1, 3


class Pipeline:
    """One running pipeline of one session; *wake* is called when the mailbox changed."""

    def __init__(
        self, runspace: Runspace, number: UUID, session: Session, wake: Callable[[], None]
    ) -> None:
        self.mailbox = Mailbox()
        self.number = number
        self._runspace = runspace
        self._session = session
        self._wake = wake
        self._ready: list[bytes] = []
        self._answers: dict[int, Future[object]] = {}
        self._agreed: bool | None = None
        self.interactive = False
        self.cmdlets: tuple[str, ...] = ()
        self._count = next(session.organization.pipelines)

    @property
    def _language(self) -> str:
        return self._session.organization.language

    async def run(self, shell: PowerShell) -> None:
        """Run every statement, then say how it ended."""
        host = self._runspace.host if shell.host.UseRunspaceHost else shell.host
        self.interactive = host is not None and not host.IsHostUINull
        statements = list(_statements(shell.commands))
        ended = None
        try:
            for at, statement in enumerate(statements):
                try:
                    await self._run_statement(at, statement)
                except Stopped as stopped:
                    if len(statements) == 1:
                        raise
                    self.error(stopped.problem)
        except Stopped as stopped:
            ended = stopped.problem
        self.finish(FAILED if ended else COMPLETED, ended)

    def stop(self) -> None:
        """End the pipeline on the client's order."""
        stopped = "System.Management.Automation.PipelineStoppedException"
        problem = Problem(
            "The pipeline has been stopped.", "PipelineStopped", stopped, "OperationStopped"
        )
        self.finish(STOPPED, problem)

    def finish(self, state: int, problem: Problem | None) -> None:
        """Send the last message; what comes later is dropped."""
        if not self.mailbox.done:
            self._send(PSRPMessageType.PipelineState, pipeline_state(state, problem))
            self.mailbox.done = True
            self.flush()

    async def _run_statement(self, at: int, statement: Sequence[Command]) -> None:
        calls = [self._bound(command, piped=place > 0) for place, command in enumerate(statement)]
        self._log(at, calls)
        inputs: list[Output | Cell] | None = None
        for place, (cmdlet, arguments) in enumerate(calls):
            last = place == len(calls) - 1
            streams = Streams(self, arguments, collect=not last)
            await self._run(Call(cmdlet, arguments, self._session, streams, inputs))
            inputs = streams.collected

    async def _run(self, call: Call) -> None:
        organization = self._session.organization
        if organization.troubled(Transient, call.cmdlet.name):
            where = organization.home(self._session.server)
            call.streams.error(failure(call, TRANSIENT, "transient", where))
            return
        slow = organization.troubled(Slow, call.cmdlet.name)
        if slow is None:
            await call.cmdlet.run(call)
            return
        work = get_running_loop().create_task(_late(call, slow.seconds))
        organization.late.add(work)
        work.add_done_callback(organization.late.discard)
        await shield(work)

    def _bound(self, command: Command, *, piped: bool) -> tuple[Cmdlet, dict[str, object]]:
        if command.is_script:
            raise Stopped(
                Problem(
                    say(self._language, "no-language"),
                    "ScriptsNotAllowed",
                    "System.Management.Automation.ParseException",
                    "ParserError",
                )
            )
        cmdlet = CMDLETS.get(command.command_text.casefold())
        if cmdlet is None or not (cmdlet.stock or cmdlet.name in self._session.rights):
            raise Stopped(self._unknown(command.command_text))
        self._session.organization.called(cmdlet.name, self._session.server)
        visible = remaining(self._session, cmdlet)
        given = command.parameters
        return cmdlet, bind(cmdlet, visible, given, self._language, piped=piped)

    def _unknown(self, name: str) -> Problem:
        return Problem(
            say(self._language, "unknown-command", name),
            "CommandNotFoundException",
            "System.Management.Automation.CommandNotFoundException",
            "ObjectNotFound",
            target=name,
        )

    def _log(self, at: int, calls: Sequence[tuple[Cmdlet, dict[str, object]]]) -> None:
        session = self._session
        for cmdlet, arguments in calls:
            session.organization.commands.append(
                CommandEntry(
                    self._count, at, session.user.name, session.server, cmdlet.name, arguments
                )
            )

    def error(self, problem: Problem) -> None:
        """Write an error record."""
        self._send(PSRPMessageType.ErrorRecord, error_record(problem))

    def warn(self, text: str) -> None:
        """Write a warning record."""
        self._send(PSRPMessageType.WarningRecord, warning_record(text))

    def write(self, output: Output | Cell) -> None:
        """Write an output."""
        document = self._session.organization.clixml(output)
        self._send(PSRPMessageType.PipelineOutput, document)

    def tell(self, line: str) -> None:
        """Write a line to the client's host; a client without one never hears of it."""
        if self.interactive:
            self._runspace.tell(self.number, line)
            self._ready += self._runspace.replies()

    async def confirm(self, message: str) -> bool:
        """Ask through the client's host and wait for as long as it takes."""
        if self._agreed is not None:
            return self._agreed
        if not self.interactive:
            raise Stopped(self._unasked())
        caption = say(self._language, "confirm")
        question = f"{say(self._language, 'sure')}\r\n{message}"
        call = self._runspace.ask(self.number, caption, question, list(_CHOICES))
        self._ready += self._runspace.replies()
        self.flush()
        self._answers[call] = get_running_loop().create_future()
        answer = await self._answers[call]
        if answer in (_ALL, _NONE):
            self._agreed = answer == _ALL
        return answer in (_YES, _ALL)

    def _unasked(self) -> Problem:
        return Problem(
            say(self._language, "no-prompt"),
            "HostFunctionNotImplemented",
            "System.Management.Automation.Host.HostException",
            "NotSpecified",
        )

    def answered(self, event: PipelineHostResponseEvent) -> None:
        """Take the host's answer to a prompt; a host that refuses ends the statement."""
        waiting = self._answers.get(int(event.ci))
        if waiting is None or waiting.done():
            return
        if event.error is not None:
            waiting.set_exception(Stopped(self._unasked()))
        else:
            waiting.set_result(plain(event.result))

    def _send(self, kind: PSRPMessageType, document: str) -> None:
        if not self.mailbox.done:
            self._ready += self._runspace.frame(kind, document, self.number)

    def flush(self) -> None:
        """Make what was written available to the client's Receive."""
        self.mailbox.put(self._ready)
        self._ready = []
        self._wake()


class Streams:
    """What one command of a statement writes to: the next command, or the client."""

    def __init__(self, pipeline: Pipeline, arguments: dict[str, object], *, collect: bool) -> None:
        self.collected: list[Output | Cell] | None = [] if collect else None
        self._pipeline = pipeline
        self._on_error = str(arguments.get("ErrorAction", "Continue")).casefold()
        self._on_warning = str(arguments.get("WarningAction", "Continue")).casefold()

    def write(self, output: Output | Cell) -> None:
        """Pass an output on."""
        if self.collected is not None:
            self.collected.append(output)
        else:
            self._pipeline.write(output)

    def error(self, problem: Problem) -> None:
        """Write an error, or do what ErrorAction says."""
        if self._on_error == "stop":
            raise Stopped(problem)
        if self._on_error not in ("silentlycontinue", "ignore"):
            self._pipeline.error(problem)

    def warn(self, text: str) -> None:
        """Write a warning, unless WarningAction says otherwise."""
        if self._on_warning not in ("silentlycontinue", "ignore"):
            self._pipeline.warn(text)

    def tell(self, line: str) -> None:
        """Write a line to the host."""
        self._pipeline.tell(line)

    async def confirm(self, message: str) -> bool:
        """Ask the client's user."""
        return await self._pipeline.confirm(message)


async def _late(call: Call, seconds: float) -> None:
    """Do it later, whether anybody still waits for it or not."""
    await sleep(seconds)
    await call.cmdlet.run(call)


def _statements(commands: Sequence[Command]) -> Iterator[list[Command]]:
    statement: list[Command] = []
    for command in commands:
        statement.append(command)
        if command.end_of_statement:
            yield statement
            statement = []
    if statement:
        yield statement
