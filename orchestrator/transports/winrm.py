"""Programs run on a server over ordinary WinRM (pywinrm), which is not the Exchange endpoint.

It takes an administrator, or a changed RootSDDL: Event Log Readers may read the log, but not open
this kind of shell (pywinrm #336, #362).
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from subprocess import list2cmdline
from typing import TYPE_CHECKING, Final, Literal

from orchestrator.core.errors import (
    ConnectionLost,
    ProgramFailed,
    ProtocolViolation,
    TransportError,
    UsageError,
)
from orchestrator.transports.faults import Translation
from orchestrator.transports.target import Target
from orchestrator.transports.verdicts import Stage

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session
    from winrm.protocol import Protocol

_UTF8: Final = 65001

_PASSING: Final = (ConnectionLost, ProtocolViolation)

LARGEST: Final = 256 * 1024**2
"""Bytes that a program may write before it is given up: no server may fill our memory."""


@dataclass(frozen=True, slots=True)
class WinRMHost:
    """A server's command shell: implements core.command.Host. Each program gets a shell anew."""

    target: Target

    def run(self, program: str, arguments: Sequence[str]) -> bytes:
        """Run a program that only reads; see ``run``. Where the wire breaks, once more."""
        try:
            return run(self.target, program, arguments)
        except _PASSING:
            return run(self.target, program, arguments)


def run(
    target: Target,
    program: str,
    arguments: Sequence[str],
    clock: Callable[[], float] = time.monotonic,
) -> bytes:
    """Run *program* on *target*'s server and return what it wrote to stdout, as bytes.

    The port is 5985, with ssl 5986, unless the target says otherwise; its path does not matter.
    Raises ProgramFailed for an exit code other than 0, UsageError for an argument that no command
    line can carry, TransportError for the rest. No shell is left behind, whatever happens.
    """
    line = [quote(argument) for argument in arguments]
    password = target.secret() if target.secret is not None else None
    with (
        Translation(target.name, Stage.OPENING, password) as translation,
        _shell(lambda: _protocol(target, password)) as (protocol, shell),
    ):
        translation.stage = Stage.RUNNING
        deadline = clock() + target.deadlines.pipeline
        command = protocol.run_command(shell, quote(program), line)
        try:
            output, complaint, code = _output(protocol, shell, command, deadline, clock)
        finally:
            with suppress(TransportError), Translation(target.name, Stage.RUNNING):
                protocol.cleanup_command(shell, command)
    if code:
        text = complaint.decode("utf-8", "replace").strip()
        raise ProgramFailed(program, code, text, server=target.name)
    return output


def quote(argument: str) -> str:
    """Return *argument* so that a program behind ``cmd /c`` gets exactly it.

    Quotes as CommandLineToArgvW wants them; then a caret before everything that means something to
    cmd, the quotes too, so that cmd never believes to be inside of quotes. Raises UsageError for
    control characters, which would end the line.
    """
    if re.search(r"[\x00-\x1f]", argument):
        raise UsageError(f"a program's argument cannot hold control characters: {argument!r}")
    return re.sub(r'([()%!^"<>&|])', r"^\1", list2cmdline([argument]))


@contextmanager
def _shell(connect: "Callable[[], Protocol]") -> "Iterator[tuple[Protocol, str]]":
    protocol = connect()
    try:
        shell = protocol.open_shell(codepage=_UTF8)
        try:
            yield protocol, shell
        finally:
            if not _closed(protocol, shell):
                _farewell(connect, shell)
    finally:
        protocol.transport.close_session()


def _farewell(connect: "Callable[[], Protocol]", shell: str) -> None:
    """Close a shell over a new connection: a sealed one that broke cannot be taken up again."""
    protocol = connect()
    try:
        _closed(protocol, shell)
    finally:
        protocol.transport.close_session()


def _closed(protocol: "Protocol", shell: str) -> bool:
    """Close a shell, and say whether the server said so."""
    try:
        with Translation("", Stage.RUNNING):
            protocol.close_shell(shell, close_session=False)
    except TransportError:
        return False
    return True


def _output(
    protocol: "Protocol", shell: str, command: str, deadline: float, clock: Callable[[], float]
) -> tuple[bytes, bytes, int]:
    from winrm.exceptions import WinRMOperationTimeoutError  # noqa: PLC0415 - 0.3 s of imports

    outputs, complaints = [], []
    size = 0
    while clock() < deadline:
        with suppress(WinRMOperationTimeoutError):
            output, complaint, code, done = protocol.get_command_output_raw(shell, command)
            outputs.append(output)
            complaints.append(complaint)
            size += len(output) + len(complaint)
            if size > LARGEST:
                raise ProtocolViolation(f"{LARGEST // 1024**2} MiB came, and there is no end")
            if done:
                return b"".join(outputs), b"".join(complaints), code
    raise ConnectionLost("the program did not end before its deadline")


def _protocol(target: Target, password: str | None) -> "Protocol":
    from winrm.protocol import Protocol  # noqa: PLC0415 - 0.3 s of imports

    scheme, port = ("https", 5986) if target.ssl else ("http", 5985)
    protocol = Protocol(
        f"{scheme}://{target.host}:{target.port or port}/wsman",
        transport=_way(target, password),
        username=target.user,
        password=password,
        service=target.service,
        ca_trust_path=target.ca_file,  # type: ignore[arg-type] # None is documented: the system's
        read_timeout_sec=round(target.deadlines.read),
        operation_timeout_sec=target.deadlines.operation,
        kerberos_hostname_override=target.principal_host or target.name,
        message_encryption="auto" if target.auth == "basic" else target.encryption,
        proxy=None,
    )
    _hold(protocol, 2 * target.deadlines.read)
    return protocol


def _hold(protocol: "Protocol", seconds: float) -> None:
    """Hold every answer to the bounds, that to the first request too.

    pywinrm makes its session and authenticates in one go, so that no earlier place is ours.
    """
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - 0.1 s of imports

    from orchestrator.transports.bounds import Bounded  # noqa: PLC0415 - likewise

    transport = protocol.transport
    send = transport._send_message_request  # noqa: SLF001 - see above

    def held(session: "Session", prepared_request: "PreparedRequest") -> "Response":
        for prefix, adapter in tuple(session.adapters.items()):
            if isinstance(adapter, HTTPAdapter):
                session.mount(prefix, Bounded(adapter, seconds))
        prepared_request.headers["Accept-Encoding"] = "identity"
        return send(session, prepared_request)

    transport._send_message_request = held  # type: ignore[method-assign] # noqa: SLF001


def _way(target: Target, password: str | None) -> Literal["basic", "ntlm", "kerberos"]:
    """What pywinrm calls it; it does not negotiate: without a password it can only be Kerberos."""
    match target.auth:
        case "negotiate":
            return "kerberos" if password is None else "ntlm"
        case auth:
            return auth
