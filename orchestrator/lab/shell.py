"""One remote shell: a runspace pool and its pipelines, and what waits to be received."""

import asyncio
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from uuid import UUID, uuid4

from psrpcore import (
    CreatePipelineEvent,
    GetCommandMetadataEvent,
    PipelineHostResponseEvent,
    PowerShell,
    PSRPCoreError,
)

from orchestrator.lab.cmdlet import Session
from orchestrator.lab.pipeline import Pipeline
from orchestrator.lab.records import FAILED, Problem
from orchestrator.lab.runspace import Event, Mailbox, Runspace
from orchestrator.lab.soap import Fault

INVALID_SELECTORS = Fault(
    2150858843,
    "w:InvalidSelectors",
    "The WS-Management service cannot process the request because the request contained invalid "
    "selectors for the resource. ",
)
NOT_UNDERSTOOD = Fault(
    2150858792, "w:SchemaValidationError", "The data sent to the shell cannot be understood."
)


class Shell:
    """A shell as the server keeps it, from Create to Delete.

    A client may say what it *wanted* to call it [seen]: so it can delete one of whose creation it
    never heard.
    """

    def __init__(
        self,
        session: Session,
        resource: str,
        closed: Callable[["Shell"], None],
        wanted: str = "",
    ) -> None:
        self.identifier = _named(wanted)
        self.session = session
        self.resource = resource
        self.runspace = Runspace()
        self.pipelines: dict[UUID, Pipeline] = {}
        self.mailbox = Mailbox()
        self._closed = closed
        self._changed = asyncio.Event()
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    def open(self, content: str) -> None:
        """Take the client's first messages and prepare the answers. Raises Fault.

        The state message comes in a batch of its own, as from a Windows server [seen].
        """
        self._receive(content)
        replies = list(self.runspace.replies())
        self.mailbox.put(replies[:-1])
        self.mailbox.put(replies[-1:])
        self.wake()

    def prepare(self, content: str, identifier: str) -> tuple[Pipeline, PowerShell | None]:
        """Make a pipeline of the first fragment; the command is None until the last one is there.

        Raises Fault.
        """
        number = UUID(identifier) if identifier else uuid4()
        self.runspace.begin(number)
        pipeline = Pipeline(self.runspace, number, self.session, self.wake)
        self.pipelines[number] = pipeline
        return pipeline, self._command(self._receive(content))

    def start(self, pipeline: Pipeline, command: PowerShell) -> None:
        """Run a pipeline beside everything else."""
        pipeline.cmdlets = tuple(one.command_text for one in command.commands)
        task = asyncio.get_running_loop().create_task(pipeline.run(command))
        self._tasks[pipeline.number] = task
        task.add_done_callback(lambda done: self._ended(pipeline, done))

    def _ended(self, pipeline: Pipeline, task: asyncio.Task[None]) -> None:
        """Let a mistake of the lab itself end the pipeline, not hang it."""
        self._tasks.pop(pipeline.number, None)
        mistake = None if task.cancelled() else task.exception()
        if mistake is not None:
            text = f"The lab failed: {mistake!r}"
            pipeline.finish(FAILED, Problem(text, "LabFailed", "System.InvalidOperationException"))

    def send(self, content: str, identifier: str) -> None:
        """Take more fragments, or a host's answer. Raises Fault."""
        events = self._receive(content)
        pipeline = self.pipelines.get(UUID(identifier)) if identifier else None
        command = self._command(events)
        if pipeline is not None and command is not None:
            self.start(pipeline, command)
        for event in events:
            if isinstance(event, PipelineHostResponseEvent) and event.pipeline_id in self.pipelines:
                self.pipelines[event.pipeline_id].answered(event)
        self.mailbox.put(list(self.runspace.replies()))
        self.wake()

    def _command(self, events: list[Event]) -> PowerShell | None:
        for event in events:
            if isinstance(event, CreatePipelineEvent):
                return event.pipeline
            if isinstance(event, GetCommandMetadataEvent):
                self._refuse(event.pipeline_id)
        return None

    def _refuse(self, number: UUID) -> None:
        problem = Problem(
            "Command metadata cannot be asked for here; use Get-Command.",
            "NotSupported",
            "System.Management.Automation.PSNotSupportedException",
        )
        self.pipelines[number].finish(FAILED, problem)

    def _receive(self, content: str) -> list[Event]:
        try:
            return list(self.runspace.receive(b64decode(content)))
        except (NotBase64, ValueError, PSRPCoreError, AttributeError, KeyError) as error:
            raise NOT_UNDERSTOOD from error

    def signal(self, identifier: str, code: str) -> None:
        """Stop a pipeline, or release it. Raises Fault for one that is not there."""
        number = UUID(identifier)
        pipeline = self.pipelines.get(number)
        if pipeline is None:
            raise INVALID_SELECTORS
        task = self._tasks.pop(number, None)
        if task is not None:
            task.cancel()
        if code.endswith("ctrl_c"):
            pipeline.stop()
        else:
            self.forget(number)
        self.wake()

    def cmdlets(self, identifier: str) -> tuple[str, ...]:
        """Return what a pipeline runs; nothing for one that is not there."""
        pipeline = self.pipelines.get(UUID(identifier)) if identifier else None
        return pipeline.cmdlets if pipeline else ()

    def forget(self, number: UUID) -> None:
        """Release a pipeline."""
        self.pipelines.pop(number, None)
        self.runspace.forget(number)

    def delete(self) -> None:
        """End the shell and everything in it."""
        for task in list(self._tasks.values()):
            task.cancel()
        self.pipelines.clear()
        self._closed(self)
        self.wake()

    def wake(self) -> None:
        """Let waiting Receives look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def take(self, identifier: str, limit: int) -> tuple[list[bytes], bool]:
        """Wait for fragments and remove them; tell whether the pipeline is through.

        Nothing is removed when the waiting is cancelled. Raises Fault for a pipeline that is not
        there, or is no more.
        """
        while True:
            changed = self._changed
            mailbox = self._mailbox(identifier)
            fragments = mailbox.take(limit)
            if fragments or (mailbox.done and not mailbox.batches):
                done = mailbox.done and not mailbox.batches
                return fragments, done
            await changed.wait()

    def _mailbox(self, identifier: str) -> Mailbox:
        if not identifier:
            return self.mailbox
        pipeline = self.pipelines.get(UUID(identifier))
        if pipeline is None or (pipeline.mailbox.done and not pipeline.mailbox.batches):
            raise INVALID_SELECTORS
        return pipeline.mailbox


def _named(wanted: str) -> str:
    try:
        return str(UUID(wanted)).upper()
    except ValueError:
        return str(uuid4()).upper()
