"""PowerShell remoting to an Exchange server, by way of pypsrp: one session, commands as data.

What a session costs, in HTTP requests [measured, counted by the lab]: 3 to open (1 Create, 2
Receives; NTLM with message encryption 2 before them, where pypsrp by itself needs 3), per pipeline
1 Command and 1 Receive or more, 1 to close. pypsrp used as its documentation has it sends one
Signal more per pipeline. The signal frees what the server keeps of a finished pipeline; so does
the end of the shell. Windows allows a shell 1000 unfreed pipelines by default (pypsrp #148), we
leave FINISHED of them.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from orchestrator.core.command import ErrorRecord, Result, Statement
from orchestrator.core.errors import NotExchange, NotLetIn, Throttled, TransportError, Unreachable
from orchestrator.transports.faults import Translation
from orchestrator.transports.target import Deadlines, Target
from orchestrator.transports.verdicts import Stage, connected

if TYPE_CHECKING:
    from pypsrp.powershell import PowerShell

    from orchestrator.transports.pool import Pool

Clock: TypeAlias = Callable[[], float]

FINISHED: Final = 8
"""How many finished pipelines may wait on the server for the shell to end."""

IDLE: Final = 100.0
"""After how many seconds without a request a session is replaced before it is used. IIS drops idle
connections after 120 s and takes the shell with them (pypsrp #21, #203)."""

SAID: Final = 100
"""How many errors, warnings and lines of one pipeline are kept, and of errors the last: what is
said about a change goes into the journal."""

WORDS: Final = 8000
"""How many characters of each are kept."""

# The attempt to release a broken session may not hold anybody up.
_FAREWELL: Final = Deadlines(connect=5, read=5, operation=4, pipeline=5)


def open_session(target: Target, clock: Clock = time.monotonic) -> "PsrpSession":
    """Return a session that is open on *target*'s server, or raise a TransportError.

    *clock* tells monotonic seconds; all deadlines are readings of it. If opening fails half way,
    what the server may have made of it is released.
    """
    session = PsrpSession(target, clock)
    session.open()
    return session


class PsrpSession:
    """One runspace on one server: implements core.command.Transport. It belongs to one thread.

    After an Unreachable, ConnectionLost or ProtocolViolation the session is over: the server's
    part of it has been released as far as that can be done, and every further call is Unreachable.
    """

    def __init__(self, target: Target, clock: Clock = time.monotonic) -> None:
        self._target = target
        self._clock = clock
        self._pool: Pool | None = None
        self._finished: list[PowerShell] = []
        self._used = 0.0

    def __repr__(self) -> str:
        return f"PsrpSession({self._target.url})"

    def open(self) -> None:
        """Connect, authenticate and make a runspace. See open_session."""
        from orchestrator.transports.connection import connect  # noqa: PLC0415 - heavy
        from orchestrator.transports.pool import Pool  # noqa: PLC0415 - 0.3 s of imports

        target = self._target
        password = target.secret() if target.secret is not None else None
        with Translation(target.name, Stage.OPENING, password):
            wsman = connect(target, password)
            pool = Pool(wsman, target.configuration, target.deadlines.operation, self._clock)
        self._pool = pool
        try:
            with self._translation(Stage.OPENING):
                pool.start(self._clock() + target.deadlines.pipeline)
        except (NotLetIn, NotExchange, Throttled):
            self._abandon(pool, quietly=not pool.shell.opened)
            raise
        except BaseException as error:
            self._abandon(pool, quietly=not connected(error.__cause__))
            raise
        self._used = self._clock()

    def invoke(self, *statements: Statement) -> Result:
        """Run *statements* as one pipeline: see core.command.Transport.

        An error that ends the pipeline is the last of the result's errors, marked terminating. A
        question that the server asks ends it in the same way: nobody is there to answer. An
        arbitrary exception, such as KeyboardInterrupt, stops the pipeline on its way out.
        """
        pool = self._ready()
        try:
            with self._translation(Stage.SENDING) as translation:
                pipeline = self._run(pool, statements, translation)
        except BaseException:
            self._abandon(pool)
            raise
        result = _result(pool, pipeline)
        self._finish(pool, pipeline)
        self._used = self._clock()
        return result

    def close(self) -> None:
        """Release the session on the server and every connection. Never raises."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            with Translation(self._target.name, Stage.RUNNING, pool.connection.transport.password):
                pool.close()
        except TransportError:
            # A shell that stays counts against the 18 that a user may have: ask once more.
            self._abandon(pool)
        else:
            pool.connection.close()

    def _translation(self, stage: Stage) -> Translation:
        hidden = self._pool.connection.transport.password if self._pool else None
        return Translation(self._target.name, stage, hidden)

    def _ready(self) -> "Pool":
        if self._pool is None:
            raise Unreachable(
                "the session has ended", "Open a new session.", server=self._target.name
            )
        if self._clock() - self._used > IDLE:
            self._abandon(self._pool)
            self.open()
        return self._pool

    def _run(
        self, pool: "Pool", statements: Sequence[Statement], translation: Translation
    ) -> "PowerShell":
        from pypsrp.complex_objects import PSInvocationState  # noqa: PLC0415 - heavy

        pool.deadline = self._clock() + self._target.deadlines.pipeline
        pipeline = pool.begin(statements)
        translation.stage = Stage.RUNNING
        while pipeline.state == PSInvocationState.RUNNING and pool.console.question is None:
            pipeline.poll_invoke()
        return pipeline

    def _finish(self, pool: "Pool", pipeline: "PowerShell") -> None:
        """Free what the server keeps of pipelines. The result is known: failing cannot undo it."""
        asked, pool.console.question = pool.console.question, None
        try:
            with self._translation(Stage.RUNNING):
                if asked is not None:
                    pipeline.stop()
                    pipeline.close()
                    return
                self._finished.append(pipeline)
                if len(self._finished) > FINISHED:
                    self._finished.pop(0).close()
        except TransportError:
            self._abandon(pool)

    def _abandon(self, pool: "Pool", *, quietly: bool = False) -> None:
        """Give the session up and, unless *quietly*, tell the server over a new connection.

        With message encryption a broken connection cannot be taken up again: whatever is sent on
        another one is answered with HTTP 400, and the shell would stay, counting against the 18
        that a user may have. So the farewell authenticates anew.
        """
        from orchestrator.transports.connection import connect  # noqa: PLC0415 - heavy

        self._pool = None
        self._finished.clear()
        password = pool.connection.transport.password
        pool.connection.close()
        if quietly:
            return
        hasty = replace(self._target, deadlines=_FAREWELL)
        with (
            suppress(TransportError),
            Translation(hasty.name, Stage.RUNNING, password),
            connect(hasty, password) as wsman,
        ):
            pool.release(wsman)


def _result(pool: "Pool", pipeline: "PowerShell") -> Result:
    from pypsrp.complex_objects import PSInvocationState  # noqa: PLC0415 - heavy

    errors = cast("list[ErrorRecord]", list(pipeline.streams.error))
    if pool.console.question is not None:
        errors.append(_refused(pool.console.question))
    elif pipeline.state != PSInvocationState.COMPLETED and not any(e.terminating for e in errors):
        errors.append(ErrorRecord("the pipeline ended without saying why", terminating=True))
    kept = (*errors[: SAID - 1], *errors[SAID - 1 :][-1:])
    warnings = (*pool.warnings, *cast("list[str]", pipeline.streams.warning))
    host = tuple(map(_cut, pool.console.lines[:SAID]))
    pool.console.lines.clear()
    pool.warnings.clear()
    return Result(
        tuple(pipeline.output),
        tuple(replace(error, message=_cut(error.message)) for error in kept),
        tuple(map(_cut, warnings[:SAID])),
        host,
    )


def _cut(text: str) -> str:
    return (
        text if len(text) <= WORDS else f"{text[:WORDS]}... ({len(text) - WORDS} more characters)"
    )


def _refused(question: str) -> ErrorRecord:
    return ErrorRecord(
        f"the server asked a question, and the pipeline was stopped: {question}",
        error_id="PromptRefused",
        category="OperationStopped",
        terminating=True,
    )
