"""Programs of the server that a constrained endpoint lets its users run, as JEA does [doc].

What they write arrives line by line; what they complain about as error records. The exit code
stays on the server.
"""

from orchestrator.lab import vocabulary as v
from orchestrator.lab.cmdlet import Call, Cmdlet, Parameter
from orchestrator.lab.host.programs import Machine, run
from orchestrator.lab.output import Cell
from orchestrator.lab.records import Problem

_MOST = 16


async def _wevtutil(call: Call) -> None:
    machine = Machine(call.session.organization, call.session.server)
    arguments = [
        str(call.arguments[name]) for name in map(str, range(_MOST)) if name in call.arguments
    ]
    ran = run(machine, ["wevtutil.exe", *arguments])
    for line in ran.out.splitlines():
        call.streams.write(Cell(v.TEXT, line))
    for line in ran.err.splitlines():
        remote = "System.Management.Automation.RemoteException"
        call.streams.error(Problem(line, "NativeCommandError", remote, "NotSpecified"))


NATIVE = (
    Cmdlet(
        "wevtutil.exe",
        "",
        _wevtutil,
        {str(at): Parameter(v.TEXT, position=at) for at in range(_MOST)},
    ),
)
