"""Error records, warnings and pipeline states as PowerShell writes them [seen in recordings]."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.lab.clixml import Style, Writer

_PLAIN = Style(noise=False)

CATEGORIES: Mapping[str, int] = {
    "NotSpecified": 0,
    "InvalidArgument": 5,
    "InvalidData": 6,
    "InvalidOperation": 7,
    "ObjectNotFound": 13,
    "OperationStopped": 14,
    "ParserError": 17,
    # Exchange's own, beyond PowerShell's enumeration: their text is the bare number.
    "1000": 1000,
    "1002": 1002,
    "1003": 1003,
}

RUNTIME = ("System.Management.Automation.RuntimeException", "System.SystemException")
_EXCEPTION_BASES = ("System.Exception", "System.Object")


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error record says. *exception* is the exception's full type name."""

    message: str
    error_id: str
    exception: str
    category: str = "NotSpecified"
    activity: str = ""
    target: str = ""


class Stopped(Exception):
    """A terminating error: the statement ends here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def error_record(problem: Problem) -> str:
    """Return the message for the error stream."""
    out = Writer(_PLAIN)
    _write_error(out, problem)
    return out.text()


def _write_error(out: Writer, problem: Problem, name: str | None = None) -> None:
    reason = problem.exception.rpartition(".")[2]
    out.begin(("System.Management.Automation.ErrorRecord", "System.Object"), problem.message, name)
    out.open("MS")
    _write_exception(out, problem)
    if problem.target:
        out.leaf("S", problem.target, "TargetObject")
    else:
        out.nil("TargetObject")
    out.leaf("S", problem.error_id, "FullyQualifiedErrorId")
    out.nil("InvocationInfo")
    out.leaf("I32", str(CATEGORIES[problem.category]), "ErrorCategory_Category")
    out.leaf("S", problem.activity, "ErrorCategory_Activity")
    out.leaf("S", reason, "ErrorCategory_Reason")
    out.leaf("S", problem.target, "ErrorCategory_TargetName")
    out.leaf("S", "String" if problem.target else "", "ErrorCategory_TargetType")
    target = f"{problem.target}:String" if problem.target else ":"
    message = f"{problem.category}: ({target}) [{problem.activity}], {reason}"
    out.leaf("S", message, "ErrorCategory_Message")
    out.leaf("B", "false", "SerializeExtendedInfo")
    out.close("MS")
    out.end()


def _write_exception(out: Writer, problem: Problem) -> None:
    middle = RUNTIME if problem.exception.startswith("System.Management.") else ()
    text = f"{problem.exception}: {problem.message}"
    out.begin((problem.exception, *middle, *_EXCEPTION_BASES), text, "Exception")
    out.open("Props")
    out.leaf("S", problem.message, "Message")
    for name in ("InnerException", "TargetSite", "StackTrace", "HelpLink", "Source"):
        out.nil(name)
    out.leaf("I32", "-2146233087", "HResult")
    out.close("Props")
    out.end()


def warning_record(text: str) -> str:
    """Return the message for the warning stream."""
    out = Writer(_PLAIN)
    types = ("WarningRecord", "InformationalRecord")
    out.begin((*(f"System.Management.Automation.{one}" for one in types), "System.Object"), text)
    out.open("MS")
    out.leaf("S", text, "InformationalRecord_Message")
    out.leaf("B", "false", "InformationalRecord_SerializeInvocationInfo")
    out.nil("InformationalRecord_PipelineIterationInfo")
    out.close("MS")
    out.end()
    return out.text()


STOPPED, COMPLETED, FAILED = 3, 4, 5


def pipeline_state(state: int, problem: Problem | None = None) -> str:
    """Return the message that ends a pipeline, with the error that ended it."""
    out = Writer(_PLAIN)
    out.begin(())
    out.open("MS")
    out.leaf("I32", str(state), "PipelineState")
    if problem is not None:
        _write_error(out, problem, "ExceptionAsErrorRecord")
    out.close("MS")
    out.end()
    return out.text()
