"""Every reader of what comes from outside, with valid samples and the errors it may answer by.

To add a reader: one row in TARGETS.
"""

import io
import json
import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from orchestrator.app.files import read_plans
from orchestrator.core.errors import ConfigurationError, JournalDamaged
from orchestrator.core.events import decode as decode_event
from orchestrator.core.run import rebuild
from orchestrator.document import parse
from orchestrator.eventlog import FORMS, Damage, Entry, Form, Source, evtx, read_events
from orchestrator.eventlog.source import Broken
from orchestrator.exchange.event import RawEvent, interpret
from orchestrator.exchange.family import PROVIDERS, SECURITY_EVENTS, TLS_NOT_STARTED
from orchestrator.exchange.senders import Roll
from orchestrator.exchange.smtplog import ProtocolLog
from orchestrator.exchange.tally import Tally
from orchestrator.loader.inventory import parse_inventory
from orchestrator.loader.playbook import parse_playbook
from orchestrator.transports import messages
from orchestrator.transports.clixml import ClixmlError, decode

ROOT: Final = Path(__file__).resolve().parent.parent
_OBJECT: Final = """<Obj RefId="0"><TN RefId="0"><T>A.B</T></TN><ToString>x</ToString><Props>
<S N="Name">a_x000A_b</S><I32 N="n">5</I32><Obj N="l" RefId="1"><TNRef RefId="0"/><LST><S>a</S>
<Ref RefId="1"/></LST></Obj><DT N="t">2026-01-31T10:00:00.1234567Z</DT><TS N="s">P1DT2H</TS>
<D N="d">1.5</D><BA N="b">AAEC</BA><G N="g">D5</G><C N="c">97</C><Db N="f">1e3</Db></Props><MS>
<Obj N="d" RefId="2"><DCT><En><S N="Key">k</S><Nil N="Value"/></En></DCT></Obj></MS></Obj>"""
_FAILURE: Final = """<Obj RefId="0"><MS><I32 N="PipelineState">5</I32>
<Obj N="ExceptionAsErrorRecord" RefId="1"><ToString>no</ToString><MS><Obj N="Exception" RefId="2">
<TN RefId="0"><T>X.Y</T></TN><MS><S N="Message">m</S></MS></Obj>
<I32 N="ErrorCategory_Category">13</I32><S N="FullyQualifiedErrorId">A,B</S></MS></Obj></MS>
</Obj>"""
_CALL: Final = """<Obj RefId="0"><MS><I64 N="ci">1</I64><Obj N="mi" RefId="1">
<ToString>WriteLine2</ToString><I32>16</I32></Obj><Obj N="mp" RefId="2"><LST><S>a</S></LST></Obj>
</MS></Obj>"""
_CAPABLE: Final = '<Obj RefId="0"><MS><Version N="protocolversion">2.2</Version></MS></Obj>'
_SEVERAL: Final = """<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04"><SS>AA</SS>
<B>true</B><QUE><S>a</S></QUE></Objs>"""

SAMPLES: Final = {"clixml": (_OBJECT, _SEVERAL), "message": (_FAILURE, _CALL, _CAPABLE)}
"""Valid texts of each kind that are not files of the project."""


@dataclass(frozen=True, slots=True)
class Target:
    """A reader, valid samples for it, and the errors by which it may answer.

    It costs as much as *cost* others: that many times less often it is fed.
    """

    read: Callable[[bytes], object]
    samples: Callable[[], Sequence[bytes]]
    errors: tuple[type[Exception], ...]
    cost: int = 1


def _written(kind: str) -> Callable[[], Sequence[bytes]]:
    return lambda: [text.encode() for text in SAMPLES[kind]]


def _files(pattern: str) -> Callable[[], Sequence[bytes]]:
    return lambda: [path.read_bytes() for path in sorted(ROOT.glob(pattern))]


def _inventory(content: bytes) -> object:
    return parse_inventory(content.decode("utf-8", "replace"), "fuzz.yaml", ROOT)


def _document(content: bytes) -> object:
    return parse(content.decode("utf-8", "replace"))


def _message(content: bytes) -> object:
    readers = (messages.capability, messages.pool_state, messages.pipeline_state)
    others = (messages.host_call, messages.warning, messages.error)
    return [_either(reader, content) for reader in (*readers, *others)]


def _either(reader: Callable[[bytes], object], content: bytes) -> object:
    try:
        return reader(content)
    except ClixmlError as error:
        return error


def _fragments(content: bytes) -> object:
    from pypsrp.exceptions import WinRMError  # noqa: PLC0415 - 0.3 s of imports

    from orchestrator.transports.pool import Flooded, Reader, Truncated, Writer  # noqa: PLC0415 - likewise

    try:
        return Reader(32_768, Writer(), decode).defragment(content)
    except (Flooded, Truncated, WinRMError, struct.error) as error:
        return error


def _fragment(number: int, text: str) -> bytes:
    kinds = (0x00041004, 0x00041005, 0x00041009, 0x00041006, 0x00041100, 0x00021005, 0x00010002)
    body = struct.pack("<II32s", 1, kinds[number % len(kinds)], b"") + text.encode()
    return struct.pack(">QQBI", number, 0, 3, len(body)) + body


def _packed() -> Sequence[bytes]:
    texts = (*SAMPLES["message"], *SAMPLES["clixml"])
    return [_fragment(number, text) for number, text in enumerate(texts)]


def _journal(content: bytes) -> object:
    return rebuild([decode_event(line) for line in content.splitlines()])


def _events() -> Sequence[bytes]:
    whole = (ROOT / "tests/core/golden/events-1.jsonl").read_bytes()
    lines = whole.splitlines()
    return [b"\n".join(lines[:count]) for count in range(1, len(lines) + 1)]


def _plan(content: bytes) -> object:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "fuzz.plan"
        file.write_bytes(content)
        return read_plans(file)


def _plans() -> Sequence[bytes]:
    started = json.loads(_events()[0])["event"]
    return [json.dumps({"plans": [started["sealed"]], "schema": 1}).encode()]


def _playbook(content: bytes) -> object:
    name = re.search(rb"^name: ([a-z-]+)", content, re.MULTILINE)
    return parse_playbook(content, f"{name[1].decode() if name else 'fuzz'}.yaml")


DATA: Final = ROOT / "tests" / "eventlog" / "data"


def _log(form: Form) -> Callable[[bytes], object]:
    """Return what reads a file by its look, then as *form* whatever it looks like."""

    def read(content: bytes) -> object:
        found = _understood(content, read_events(_source(content)).entries)
        return (found, _understood(content, form.read(_source(content))))

    return read


def _source(content: bytes) -> Source:
    return Source(io.BytesIO(content), "fuzz", None)


def _understood(content: bytes, entries: Iterable[Entry]) -> Tally:
    """Interpret and count every entry, of which there cannot be more than there is text."""
    tally = Tally()
    for number, entry in enumerate(entries):
        if number > len(content) + 1:
            raise AssertionError("more entries than characters")
        if isinstance(entry, Damage):
            continue
        texts = (entry.provider, entry.computer, entry.written, entry.message, *entry.data)
        "".join((*texts, *entry.named, *entry.named.values())).encode()
        if event := interpret(entry):
            tally.add(event)
    return tally


def _logs(form: Form) -> Callable[[], Sequence[bytes]]:
    """Return every file of the tests that has the look of *form*."""

    def samples() -> Sequence[bytes]:
        contents = [path.read_bytes() for path in sorted(DATA.iterdir())]
        return [c for c in contents if c and form.sniff(_source(c).opening)]

    return samples


def _archive() -> Sequence[bytes]:
    """Return event log files, as a writer of the tests makes them."""
    from tests.eventlog.evtx import Node  # noqa: PLC0415 - only for this target
    from tests.eventlog.evtx import evtx as written  # noqa: PLC0415 - likewise

    system: Node = (
        "System",
        {},
        [
            ("Provider", {"Name": PROVIDERS[0]}, ""),
            ("EventID", {"Qualifiers": "49156"}, str(TLS_NOT_STARTED)),
            ("Computer", {}, "EX01.contoso.com"),
        ],
    )
    return [written([(system, ("fabrikam.com", "From Fabrikam"))] * count) for count in (1, 3)]


def _extracted(content: bytes) -> object:
    return _understood(content, evtx.read(_source(content), patience=1.0))


def _said(content: bytes) -> object:
    """Interpret an event whose parts are the lines of *content*."""
    lines = content.decode("utf-8", "replace").split("\n")
    number = re.search(r"-?[0-9]{1,12}", lines[0])
    strings = tuple(lines[1:4])
    given = RawEvent(
        PROVIDERS[len(lines) % 2],
        int(number[0]) if number else 11012,
        lines[-1],
        data=strings if len(content) % 3 else (),
        named={f"param{n}": text for n, text in enumerate(strings)} if len(content) % 5 else {},
        joined=len(content) % 7 == 0,
        message=content.decode("utf-8", "replace"),
    )
    found = interpret(given)
    return found and (found.connector, found.remediable, found.domain)


def _sayings() -> Sequence[bytes]:
    """Return events of the family: the first line has the id, the last one the computer."""
    sentence = SECURITY_EVENTS[TLS_NOT_STARTED].sentence
    said = sentence.replace("%1", "fabrikam.com").replace("%2", "From Fabrikam")
    rows = [f"{n}\nfabrikam.com\nFrom Fabrikam\nm\u00fcller.example\nEX01" for n in SECURITY_EVENTS]
    return [text.encode() for text in (*rows, said, sentence, "-1073468668\n%1\n%2\n10.0.0.1")]


def _attempts(content: bytes) -> object:
    """Read a protocol log, and count who was refused."""
    roll = Roll("fabrikam.com")
    for attempt in ProtocolLog().read(content.decode("utf-8", "replace").splitlines()):
        roll.add(attempt)
    return roll.senders((), (), None, None).refused


def _protocol_logs() -> Sequence[bytes]:
    """Return a log with a refused session, one over TLS, and one in quotes."""
    start = "2026-11-25T08:00:00.000Z,EX01\\From Fabrikam,08DD"
    ends = "192.0.2.1:25,[2001:db8::7]:40000"
    talk = ("+,,", "<,EHLO a,", ">,250  a,", "<,MAIL FROM:<a@fabrikam.com>,", ">,530 5.7.1 no,")
    secure = ("<,STARTTLS,", ">,220 ready,", '<,"MAIL FROM:<b@fabrikam.com> X=1,2",', ">,250 OK,")
    rows = [f"{start},{at},{ends},{said}" for at, said in enumerate((*talk, *secure))]
    fields = "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint"
    return ["\r\n".join([f"#Fields: {fields},event,data,context", *rows]).encode()]


TARGETS: Final = {
    "clixml": Target(decode, _written("clixml"), (ClixmlError,)),
    "message": Target(_message, _written("message"), ()),
    "fragments": Target(_fragments, _packed, (ClixmlError,)),
    "document": Target(_document, _files("playbooks/*.yaml"), (ConfigurationError,)),
    "inventory": Target(_inventory, _files("inventory.example.yaml"), (ConfigurationError,)),
    "playbook": Target(
        _playbook,
        _files("playbooks/*.yaml"),
        (ConfigurationError,),
    ),
    "journal": Target(_journal, _events, (JournalDamaged,)),
    "plan": Target(_plan, _plans, (ConfigurationError,)),
    **{
        f"events {form.name.split()[-1].lower()}": Target(
            _log(form), _logs(form), (ConfigurationError, Broken)
        )
        for form in FORMS
        if form.read is not evtx.read
    },
    "events evtx": Target(_extracted, _archive, (ConfigurationError, Broken), cost=500),
    "interpret": Target(_said, _sayings, ()),
    "protocol log": Target(_attempts, _protocol_logs, ()),
}
