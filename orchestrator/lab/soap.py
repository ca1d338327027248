"""WS-Management envelopes: what a request says, and the answers and faults of a Windows server.

Answers and faults have the shape of recorded ones [seen]; fault codes are those of wsmerror.h.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

S = "{http://www.w3.org/2003/05/soap-envelope}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
RSP = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
PSH = "{http://schemas.microsoft.com/powershell}"

_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/"
_FAULT = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
_NAMESPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell" '
    'xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"'
)
_DURATION = re.compile(r"PT(?:(\d+)M)?(?:([\d.]+)S)?")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. *action* is the last word of its URI; *timeout* is in seconds."""

    action: str
    uri: str
    message_id: str
    resource: str
    shell: str
    timeout: float
    envelope: int
    body: ET.Element | None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault(Exception):
    """A WSMan fault. *code* is Microsoft's number, *subcode* the protocol's word."""

    code: int
    subcode: str
    text: str
    sender: bool = True


def parse(data: bytes) -> Request:
    """Return what an envelope asks for. Raises Fault for what is not one."""
    try:
        root = ET.fromstring(data)  # noqa: S314 - loopback only, and expat stops entity floods
    except ET.ParseError:
        raise Fault(2150858792, "w:SchemaValidationError", "The XML is not well formed.") from None
    header, body = root.find(f"{S}Header"), root.find(f"{S}Body")
    if header is None or body is None:
        raise Fault(2150858792, "w:SchemaValidationError", "The SOAP envelope is incomplete.")
    uri = header.findtext(f"{A}Action", "").strip()
    selectors = header.findall(f"{W}SelectorSet/{W}Selector")
    shell = next((one.text or "" for one in selectors if one.get("Name") == "ShellId"), "")
    return Request(
        uri.rpartition("/")[2],
        uri,
        header.findtext(f"{A}MessageID", ""),
        header.findtext(f"{W}ResourceURI", "").strip(),
        shell,
        _seconds(header.findtext(f"{W}OperationTimeout", "PT60S")),
        int(header.findtext(f"{W}MaxEnvelopeSize", "153600")),
        body[0] if len(body) else None,
        {
            one.get("Name", ""): (one.text or "").strip()
            for one in header.findall(f"{W}OptionSet/{W}Option")
        },
    )


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    return 60 * int(match[1] or 0) + float(match[2] or 0) if match else 60.0


def envelope(action: str, relates: str, body: str) -> bytes:
    """Return an answer."""
    return (
        f'<s:Envelope xml:lang="en-US" {_NAMESPACES}><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid4()).upper()}</a:MessageID>"
        "<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>"
        f"<a:RelatesTo>{escape(relates)}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def answer(request: Request, body: str) -> bytes:
    """Return the answer to *request*, named as the protocol names it."""
    return envelope(f"{request.uri}Response", request.message_id, body)


def fault(relates: str, problem: Fault, machine: str) -> bytes:
    """Return a fault."""
    text = escape(problem.text)
    side = "Sender" if problem.sender else "Receiver"
    return envelope(
        _FAULT,
        relates,
        f"<s:Fault><s:Code><s:Value>s:{side}</s:Value><s:Subcode><s:Value>{problem.subcode}"
        '</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">'
        f"{text}</s:Text></s:Reason><s:Detail>"
        '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" '
        f'Code="{problem.code}" Machine={quoteattr(machine)}><f:Message>{text}</f:Message>'
        "</f:WSManFault></s:Detail></s:Fault>",
    )


def created(address: str, facts: Mapping[str, str]) -> str:
    """Return the body that answers Create; *facts* are the shell's elements by name."""
    shell = "".join(f"<rsp:{name}>{escape(text)}</rsp:{name}>" for name, text in facts.items())
    return (
        f"<x:ResourceCreated><a:Address>{escape(address)}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{escape(facts['ResourceUri'])}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{facts["ShellId"]}</w:Selector></w:SelectorSet>'
        f"</a:ReferenceParameters></x:ResourceCreated><rsp:Shell>{shell}</rsp:Shell>"
    )


def received(fragments: Iterable[bytes], command: str, *, done: bool) -> str:
    """Return the body that answers Receive: one stream element for each fragment."""
    owner = f' CommandId="{command}"' if command else ""
    streams = "".join(
        f'<rsp:Stream Name="stdout"{owner}>{b64encode(one).decode()}</rsp:Stream>'
        for one in fragments
    )
    state = ""
    if command:
        word = "Done" if done else "Running"
        code = "<rsp:ExitCode>0</rsp:ExitCode>" if done else ""
        attributes = f'{owner} State="{_SHELL}CommandState/{word}"'
        state = f"<rsp:CommandState{attributes}>{code}</rsp:CommandState>"
    return f"<rsp:ReceiveResponse>{streams}{state}</rsp:ReceiveResponse>"


def written(command: str, out: bytes, err: bytes, code: int | None) -> str:
    """Return the body that answers Receive of a command shell; *code* comes with the end."""
    owner = f' CommandId="{command}"'
    streams = "".join(
        f'<rsp:Stream Name="{name}"{owner}>{b64encode(data).decode()}</rsp:Stream>'
        for name, data in (("stdout", out), ("stderr", err))
        if data
    )
    word = "Running" if code is None else "Done"
    exit_code = "" if code is None else f"<rsp:ExitCode>{code}</rsp:ExitCode>"
    return (
        f"<rsp:ReceiveResponse>{streams}"
        f'<rsp:CommandState{owner} State="{_SHELL}CommandState/{word}">{exit_code}'
        "</rsp:CommandState></rsp:ReceiveResponse>"
    )
