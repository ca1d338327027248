"""What PSRP messages of a server mean, read from their CLIXML.

One function per kind of message that the product listens to; where it stands in MS-PSRP is in its
docstring. Every one is total over what CLIXML can express: a message that lacks a part gives an
empty part. ClixmlError is raised for what is not CLIXML at all.
"""

import re
from dataclasses import dataclass
from typing import Final

from orchestrator.core.command import ErrorRecord, Record
from orchestrator.transports.clixml import ClixmlError, decode

# System.Management.Automation.ErrorCategory by number [doc]. Exchange adds numbers of its own,
# from 1000 up, which stay numbers.
_CATEGORIES: Final = (
    "NotSpecified",
    "OpenError",
    "CloseError",
    "DeviceError",
    "DeadlockDetected",
    "InvalidArgument",
    "InvalidData",
    "InvalidOperation",
    "InvalidResult",
    "InvalidType",
    "MetadataError",
    "NotImplemented",
    "NotInstalled",
    "ObjectNotFound",
    "OperationStopped",
    "OperationTimeout",
    "SyntaxError",
    "ParserError",
    "PermissionDenied",
    "ResourceBusy",
    "ResourceExists",
    "ResourceUnavailable",
    "ReadError",
    "WriteError",
    "FromStdErr",
    "SecurityError",
    "ProtocolError",
    "ConnectionError",
    "AuthenticationError",
    "LimitsExceeded",
    "QuotaExceeded",
    "NotEnabled",
)


_VERSION: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){1,3}")


@dataclass(frozen=True, slots=True)
class State:
    """The state a pool or pipeline has come to, and the error that ended it, if one did."""

    state: int
    error_record: ErrorRecord | None = None


@dataclass(frozen=True, slots=True)
class HostCall:
    """The server wants the host to do something: *method* by name, such as ``WriteLine2``."""

    method: str
    arguments: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Capability:
    """The versions that the server speaks, as text (MS-PSRP 2.2.2.1)."""

    protocol_version: str
    ps_version: str
    serialization_version: str


def capability(xml: bytes) -> Capability:
    """Read SESSION_CAPABILITY (MS-PSRP 2.2.2.1). What we send depends on the first version."""
    record = _record(decode(xml))
    version = _text(record, "protocolversion")
    if not _VERSION.fullmatch(version):
        raise ClixmlError("the version of the protocol is none")
    return Capability(
        version,
        _text(record, "PSVersion"),
        _text(record, "SerializationVersion"),
    )


def pool_state(xml: bytes) -> State:
    """Read RUNSPACEPOOL_STATE (MS-PSRP 2.2.2.9)."""
    return _state(xml, "RunspaceState")


def pipeline_state(xml: bytes) -> State:
    """Read PIPELINE_STATE (MS-PSRP 2.2.2.21)."""
    return _state(xml, "PipelineState")


def host_call(xml: bytes) -> HostCall:
    """Read a host call of a pool or a pipeline (MS-PSRP 2.2.2.15, 2.2.2.27)."""
    record = _record(decode(xml))
    arguments = record.properties.get("mp")
    method = _record(record.properties.get("mi")).text or ""
    return HostCall(method, arguments if isinstance(arguments, tuple) else ())


def warning(xml: bytes) -> str:
    """Read the text of WARNING_RECORD and its siblings (MS-PSRP 2.2.3.16)."""
    value = decode(xml)
    record = _record(value)
    return _text(record, "InformationalRecord_Message") or record.text or _plain(value)


def error(xml: bytes) -> ErrorRecord:
    """Read ERROR_RECORD (MS-PSRP 2.2.2.20)."""
    return error_record(decode(xml))


def error_record(value: object, *, terminating: bool = False) -> ErrorRecord:
    """Return the error that a decoded ErrorRecord tells of (MS-PSRP 2.2.3.15).

    The type of the exception is the most derived one, without the prefix that PowerShell gives to
    types it has taken off the wire.
    """
    record = _record(value)
    exception = _record(record.properties.get("Exception"))
    details = _text(record, "ErrorDetails_Message")
    return ErrorRecord(
        message=details or record.text or _text(exception, "Message") or _plain(value),
        error_id=_text(record, "FullyQualifiedErrorId"),
        exception=(exception.types or ("",))[0].removeprefix("Deserialized."),
        category=_category(record.properties.get("ErrorCategory_Category")),
        target=_text(record, "ErrorCategory_TargetName") or _text(record, "TargetObject"),
        terminating=terminating,
    )


def _state(xml: bytes, name: str) -> State:
    record = _record(decode(xml))
    number = record.properties.get(name)
    reason = record.properties.get("ExceptionAsErrorRecord")
    return State(
        number if isinstance(number, int) else -1,
        None if reason is None else error_record(reason, terminating=True),
    )


def _category(value: object) -> str:
    number = value.value if isinstance(value, Record) else value
    if isinstance(number, int) and 0 <= number < len(_CATEGORIES):
        return _CATEGORIES[number]
    return _plain(number)


def _record(value: object) -> Record:
    return value if isinstance(value, Record) else Record()


def _text(record: Record, name: str) -> str:
    return _plain(record.properties.get(name))


def _plain(value: object) -> str:
    if isinstance(value, Record):
        return value.text if value.text is not None else _plain(value.value)
    return "" if value is None else str(value)
