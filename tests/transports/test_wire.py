"""Single messages of the remoting protocol: what is sent, and what no lab would answer."""

import re
import struct
import uuid
from base64 import b64decode, b64encode
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import psrpcore
import pytest

from orchestrator.core.command import Argument, Delta, Result, command
from orchestrator.core.errors import (
    ConnectionLost,
    NotLetIn,
    ProtocolViolation,
    Throttled,
    Unreachable,
)
from orchestrator.transports.clixml import parse
from orchestrator.transports.psrp import PsrpSession, open_session
from orchestrator.transports.target import Deadlines

if TYPE_CHECKING:
    from tests.transports.conftest import Answer, Puppet

# MS-PSRP 2.2.1
CAPABILITY, POOL_STATE, OUTPUT, ERROR = 0x00010002, 0x00021005, 0x00041004, 0x00041005
STATE, WARNING, PROGRESS, HOST_CALL = 0x00041006, 0x00041009, 0x00041010, 0x00041100
OPENING, OPENED, COMPLETED, FAILED, BROKEN = 1, 2, 4, 5, 5
DONE: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"
HELLO = (
    '<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0'
    '</Version><Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
)
TIMED_OUT: Final = 2150858793
GET = (command("Get-TransportConfig"),)


def fragment(number: int, part: int, flags: int, data: bytes) -> bytes:
    """One fragment (MS-PSRP 2.2.4). Flag 1 starts an object, 2 ends it."""
    return struct.pack(">QQBI", number, part, flags, len(data)) + data


def message(kind: int, xml: str) -> bytes:
    """One message (MS-PSRP 2.2.1)."""
    return struct.pack("<II", 1, kind) + bytes(32) + xml.encode()


def whole(number: int, kind: int, xml: str) -> bytes:
    """A message in one fragment."""
    return fragment(number, 0, 3, message(kind, xml))


def state(name: str, number: int, error: str = "") -> str:
    """The state of a pool or pipeline, with the text of the error that led to it."""
    record = f'<Obj N="ExceptionAsErrorRecord"><ToString>{error}</ToString></Obj>' if error else ""
    return f'<Obj RefId="0"><MS><I32 N="{name}">{number}</I32>{record}</MS></Obj>'


OPEN = whole(2, POOL_STATE, state("RunspaceState", OPENED))


class Exchange:
    """An endpoint whose pool opens with *opening* and whose pipelines answer with *answers*."""

    def __init__(self, *answers: bytes, opening: bytes | None = None, done: bool = False) -> None:
        self._opening = [whole(1, CAPABILITY, HELLO) + (OPEN if opening is None else opening)]
        self._answers = list(answers)
        self.timeouts: list[str] = []
        self._done = f'<rsp:CommandState CommandId="x" State="{DONE}"/>' if done else ""
        self._begun = False
        self.sent = b""

    def __call__(self, action: str, body: str) -> "Answer":
        """Answer one request."""
        if action == "Create":
            return 200, "<rsp:Shell/>"
        if action == "Command":
            self._begun = True
            (content,) = re.findall(r"<rsp:Arguments>([^<]*)<", body)
            self.sent = b64decode(content)[21 + 40 :]
            return (
                200,
                "<rsp:CommandResponse><rsp:CommandId>C1</rsp:CommandId></rsp:CommandResponse>",
            )
        if action != "Receive":
            return 200, "<rsp:Nothing/>"
        self.timeouts += re.findall(r"OperationTimeout>(PT[^<]*)<", body)
        if not self._begun:
            return 200, received(self._opening.pop(0) if self._opening else OPEN)
        return 200, received(self._answers.pop(0) if self._answers else b"", self._done)


def received(data: bytes, more: str = "") -> str:
    """The answer to a Receive."""
    stream = f'<rsp:Stream Name="stdout">{b64encode(data).decode()}</rsp:Stream>' if data else ""
    return f"<rsp:ReceiveResponse>{stream}{more}</rsp:ReceiveResponse>"


ENDED = whole(9, STATE, state("PipelineState", COMPLETED))


def session(puppet: "Puppet", exchange: Exchange) -> PsrpSession:
    """A session on the puppet."""
    puppet.script = exchange
    return open_session(puppet.target())


def ask(puppet: "Puppet", exchange: Exchange) -> Result:
    """One pipeline on the puppet."""
    opened = session(puppet, exchange)
    result = opened.invoke(GET)
    opened.close()
    return result


ARGUMENTS: list[tuple[Argument, str, object]] = [
    (None, "Nil", None),
    (True, "B", True),
    (False, "B", False),
    (0, "I32", 0),
    (-(2**31), "I32", -(2**31)),
    (2**31, "I64", 2**31),
    (-(2**63), "I64", -(2**63)),
    (2**63, "D", Decimal(2**63)),
    ("EX1\\Default", "S", "EX1\\Default"),
    ("a\r\n\x00\x85_x0041_ <&\"'\U0001f3b5", "S", "a\r\n\x00\x85_x0041_ <&\"'\U0001f3b5"),
    ("no XML: \ufffe\uffff", "S", "no XML: \ufffe\uffff"),
    ((), "Obj", []),
    (("a", "b"), "Obj", ["a", "b"]),
    (Delta(add=("a",), remove=("b", "c")), "Obj", {"Add": ["a"], "Remove": ["b", "c"]}),
    (Delta(remove=("b",)), "Obj", {"Remove": ["b"]}),
]


class NoKeys:
    """Nothing here is encrypted."""

    def register_key(self, _key: bytes) -> None:
        """Take no key."""

    def decrypt(self, value: bytes) -> bytes:
        """Change nothing."""
        return value

    encrypt = decrypt


@pytest.mark.parametrize(
    ("value", "tag", "meant"), ARGUMENTS, ids=[repr(value) for value, _, _ in ARGUMENTS]
)
def test_every_argument_is_sent_as_powershell_reads_it(
    puppet: "Puppet", value: Argument, tag: str, meant: object
) -> None:
    exchange = Exchange(ENDED)
    opened = session(puppet, exchange)
    opened.invoke((command("Set-TransportConfig", Some=value),))
    opened.close()
    sent = parse(exchange.sent)
    assert [name.text for name in sent.iterfind(".//*[@N='Args']/LST/Obj/MS/*[@N='N']")] == ["Some"]
    (element,) = sent.iterfind(".//*[@N='V']")
    assert element.tag == tag
    assert psrpcore.types.deserialize(element, NoKeys()) == meant  # type: ignore[arg-type] # quacks


def test_statements_and_pipes_are_told_apart(puppet: "Puppet") -> None:
    exchange = Exchange(ENDED)
    opened = session(puppet, exchange)
    opened.invoke((*GET, command("Select-Object")), (command("Get-SendConnector"),))
    opened.close()
    statements = parse(exchange.sent).iterfind(".//*[@N='ExtraCmds']/LST/Obj")
    names = [[each.text for each in one.iterfind(".//*[@N='Cmd']")] for one in statements]
    assert names == [["Get-TransportConfig", "Select-Object"], ["Get-SendConnector"]]
    scripts = {each.text for each in parse(exchange.sent).iterfind(".//*[@N='IsScript']")}
    assert scripts == {"false"}


def test_a_message_in_pieces_is_put_together(puppet: "Puppet") -> None:
    data = message(OUTPUT, "<S>fabrikam.com</S>")
    pieces = [
        fragment(3, 0, 1, data[:7]),
        fragment(3, 1, 0, data[7:50]),
        fragment(3, 2, 2, data[50:]),
    ]
    result = ask(puppet, Exchange(pieces[0], pieces[1] + pieces[2] + ENDED))
    assert result.output == ("fabrikam.com",)


@pytest.mark.parametrize(
    "pieces",
    [
        fragment(3, 1, 2, b"x"),
        fragment(3, 0, 1, b"x") + fragment(3, 2, 2, b"x"),
        fragment(3, 0, 3, message(OUTPUT, "<S>x</S>"))[:-2],
        b"short",
        whole(3, OUTPUT, "<S>unclosed"),
        whole(3, OUTPUT, "<!DOCTYPE S []><S/>"),
        fragment(3, 0, 3, b"no header"),
    ],
    ids=["no start", "gap", "cut", "no fragment", "no XML", "declaration", "no message"],
)
def test_damaged_messages_are_a_violation_and_end_the_session(
    puppet: "Puppet", pieces: bytes
) -> None:
    opened = session(puppet, Exchange(pieces, ENDED))
    with pytest.raises(ProtocolViolation):
        opened.invoke(GET)
    assert puppet.actions[-1] == "Delete"
    with pytest.raises(Unreachable):
        opened.invoke(GET)


def test_a_command_that_is_done_without_saying_how_is_not_waited_for(puppet: "Puppet") -> None:
    with pytest.raises(ProtocolViolation, match="how the command ended"):
        session(puppet, Exchange(whole(3, OUTPUT, "<S>x</S>"), done=True)).invoke(GET)
    assert puppet.actions.count("Receive") == 2


def test_a_server_that_answers_without_saying_anything_is_not_asked_for_ever(
    puppet: "Puppet",
) -> None:
    with pytest.raises(ProtocolViolation, match="no more to say"):
        session(puppet, Exchange()).invoke(GET)
    assert puppet.actions.count("Receive") < 200


def test_messages_that_nobody_asked_for_are_passed_over(puppet: "Puppet") -> None:
    noise = whole(3, PROGRESS, "not even XML") + whole(4, 0x7FFFFFFF, "<S/>")
    assert ask(puppet, Exchange(noise + whole(5, OUTPUT, "<I32>7</I32>") + ENDED)).output == (7,)


def test_errors_carry_what_the_server_told(puppet: "Puppet") -> None:
    record = (
        '<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.ErrorRecord</T></TN>'
        "<ToString>localised</ToString><MS>"
        '<Obj N="Exception" RefId="1"><TN RefId="1"><T>Deserialized.Microsoft.Exchange.'
        "Configuration.Tasks.ManagementObjectNotFoundException</T></TN>"
        '<Props><S N="Message">inner</S></Props></Obj>'
        '<Obj N="TargetObject"><ToString>EX9</ToString><Props /></Obj>'
        '<S N="FullyQualifiedErrorId">[Server=EX1][FailureCategory=Cmdlet-'
        "ManagementObjectNotFoundException] 1A2B,GetX</S>"
        '<I32 N="ErrorCategory_Category">1003</I32></MS></Obj>'
    )
    (error,) = ask(puppet, Exchange(whole(3, ERROR, record) + ENDED)).errors
    assert error.message == "localised"
    assert error.exception.endswith(".ManagementObjectNotFoundException")
    assert error.exception.startswith("Microsoft.")
    assert error.failure == "ManagementObjectNotFoundException"
    assert (error.category, error.target, error.terminating) == ("1003", "EX9", False)


@pytest.mark.parametrize(
    ("category", "name"), [("<I32 N='C'>13</I32>", "ObjectNotFound"), ("<I32 N='C'>-1</I32>", "-1")]
)
def test_a_category_is_a_name_where_powershell_has_one(
    puppet: "Puppet", category: str, name: str
) -> None:
    number = category.replace("'C'", "'ErrorCategory_Category'")
    record = f"<Obj><MS>{number}<S N='ErrorDetails_Message'>details</S></MS></Obj>"
    (error,) = ask(puppet, Exchange(whole(3, ERROR, record) + ENDED)).errors
    assert (error.category, error.message) == (name, "details")


def test_a_pipeline_that_fails_without_a_reason_has_failed(puppet: "Puppet") -> None:
    failed = whole(3, STATE, state("PipelineState", FAILED))
    (error,) = ask(puppet, Exchange(failed)).errors
    assert error.terminating


def test_the_error_that_ended_a_pipeline_is_the_last_and_is_marked(puppet: "Puppet") -> None:
    first = whole(3, ERROR, "<Obj><ToString>first</ToString></Obj>")
    failed = whole(4, STATE, state("PipelineState", FAILED, "last"))
    errors = ask(puppet, Exchange(first + failed)).errors
    assert [(error.message, error.terminating) for error in errors] == [
        ("first", False),
        ("last", True),
    ]


def test_warnings_are_text_also_those_of_the_pool(puppet: "Puppet") -> None:
    record = "<Obj><MS><S N='InformationalRecord_Message'>{}</S></MS></Obj>"
    early = whole(8, WARNING, record.format("early")) + OPEN
    late = whole(3, WARNING, record.format("late"))
    bare = whole(4, WARNING, "<Obj><ToString>bare</ToString></Obj>")
    result = ask(puppet, Exchange(late + bare + ENDED, opening=early))
    assert result.warnings == ("early", "late", "bare")


def host(method: str, *arguments: str) -> str:
    """A host call (MS-PSRP 2.2.2.27)."""
    values = "".join(arguments)
    return (
        f"<Obj><MS><I64 N='ci'>1</I64><Obj N='mi'><ToString>{method}</ToString><I32>0</I32></Obj>"
        f"<Obj N='mp'><LST>{values}</LST></Obj></MS></Obj>"
    )


def test_lines_of_the_host_are_put_together_from_pieces(puppet: "Puppet") -> None:
    calls = [
        host("Write1", "<S>What </S>"),
        host("Write2", "<I32>1</I32>", "<I32>2</I32>", "<S>if:</S>"),
        host("WriteLine1"),
        host("WriteLine2", "<S>two</S>"),
        host("WriteLine3", "<I32>1</I32>", "<I32>2</I32>", "<S>three</S>"),
        host("WriteProgress", "<I64>1</I64>", "<S>50 %</S>"),
        host("SetShouldExit", "<I32>1</I32>"),
    ]
    data = b"".join(whole(at, HOST_CALL, call) for at, call in enumerate(calls, 10))
    assert ask(puppet, Exchange(data + ENDED)).host == ("What if:", "two", "three")


@pytest.mark.parametrize("method", ["PromptForChoice", "Prompt", "ReadLine", "ReadKey", "GetName"])
def test_whatever_wants_an_answer_ends_the_pipeline(puppet: "Puppet", method: str) -> None:
    call = host(method, "<S>Confirm</S>", "<S>Sure?</S>")
    opened = session(puppet, Exchange(whole(3, HOST_CALL, call)))
    (error,) = opened.invoke(GET).errors
    assert error.terminating
    assert error.message.endswith("Confirm Sure?")
    assert puppet.actions[-2:] == ["Signal", "Signal"]
    opened.close()


def test_a_pool_that_breaks_while_opening_tells_why(puppet: "Puppet") -> None:
    why = "exceeded the maximum number of connections allowed : 18. Please wait for 30 seconds."
    broken = whole(2, POOL_STATE, state("RunspaceState", BROKEN, why))
    with pytest.raises(Throttled) as caught:
        session(puppet, Exchange(opening=broken))
    assert caught.value.wait == 30
    refused = whole(2, POOL_STATE, state("RunspaceState", BROKEN, "no rights"))
    with pytest.raises(NotLetIn, match="no rights"):
        session(puppet, Exchange(opening=refused))
    assert puppet.actions[-1] == "Delete"


def test_a_pool_that_closes_while_a_command_runs_leaves_its_end_unknown(puppet: "Puppet") -> None:
    closed = whole(3, POOL_STATE, state("RunspaceState", 3))
    with pytest.raises(ConnectionLost):
        session(puppet, Exchange(closed)).invoke(GET)


def test_what_a_lost_create_may_have_opened_is_deleted_by_the_name_we_gave_it(
    puppet: "Puppet",
) -> None:
    named: list[str] = []

    def script(action: str, body: str) -> "Answer | None":
        pattern = r'ShellId="([^"]*)"' if action == "Create" else r'Name="ShellId">([^<]*)<'
        named.extend(re.findall(pattern, body))
        return None if action == "Create" else (200, "<rsp:Nothing/>")

    puppet.script = script
    with pytest.raises(Unreachable):
        open_session(puppet.target())
    assert puppet.actions == ["Create", "Delete"]
    given, deleted = named
    assert uuid.UUID(given) == uuid.UUID(deleted)


def test_a_pool_may_take_several_steps_to_open(puppet: "Puppet") -> None:
    opening = whole(8, POOL_STATE, state("RunspaceState", OPENING))
    assert ask(puppet, Exchange(ENDED, opening=opening)) == Result()


def test_a_pool_that_takes_longer_to_open_than_one_answer_may_is_waited_for(
    puppet: "Puppet",
) -> None:
    exchange = Exchange(ENDED)
    silent = iter(range(3))

    def script(action: str, body: str) -> "Answer":
        nothing = action == "Receive" and next(silent, None) is not None
        return puppet.fault(TIMED_OUT, "within the time") if nothing else exchange(action, body)

    puppet.script = script
    opened = open_session(puppet.target())
    opened.invoke(GET)
    opened.close()
    assert puppet.actions == ["Create", *["Receive"] * 4, "Command", "Receive", "Delete"]


@pytest.mark.parametrize("first", ["Create", "Command"])
def test_a_server_that_never_has_anything_to_say_is_not_asked_for_ever(
    puppet: "Puppet", first: str
) -> None:
    exchange = Exchange()

    def script(action: str, body: str) -> "Answer":
        silent = action == "Receive" and first in puppet.actions
        return puppet.fault(TIMED_OUT, "within the time") if silent else exchange(action, body)

    puppet.script = script
    with pytest.raises(ProtocolViolation, match="no more to say"):
        open_session(puppet.target()).invoke(GET)


def test_no_request_waits_beyond_the_deadline_of_its_pipeline(puppet: "Puppet") -> None:
    puppet.script = exchange = Exchange(ENDED)
    target = replace(puppet.target(), deadlines=Deadlines(pipeline=7))
    opened = open_session(target, clock=lambda: 1000.0)
    opened.invoke(GET)
    opened.close()
    assert set(exchange.timeouts) == {"PT7S"}
