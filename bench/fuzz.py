"""Readers fed with broken input: whatever comes, each answers with a value or an error of its own.

Valid samples are mutated at random, or made from the grammar's own words. Anything but the error
that a reader documents, and any input that takes longer than SLOWEST, is a finding: its bytes are
printed, with the seed that leads there again. To add a reader: one row in TARGETS.

    python -m bench.fuzz --executions 100000 --seed 7
"""

import argparse
import json
import random
import re
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from orchestrator.app.files import read_plans
from orchestrator.core.errors import ConfigurationError, JournalDamaged
from orchestrator.core.events import decode as decode_event
from orchestrator.core.run import rebuild
from orchestrator.document import parse
from orchestrator.loader.inventory import parse_inventory
from orchestrator.loader.playbook import parse_playbook
from orchestrator.transports import messages
from orchestrator.transports.clixml import ClixmlError, decode

SLOWEST: Final = 2.0
"""Seconds of CPU that one input may take."""

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
    """A reader, valid samples for it, and the errors by which it may answer."""

    read: Callable[[bytes], object]
    samples: Callable[[], Sequence[bytes]]
    errors: tuple[type[Exception], ...]


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
}

_HOT: Final = (
    *(
        b"\0",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc2\x85",
        b"\xe2\x80\xae",
        b"\x1b[2J",
        b"\r",
        b"\n",
        b"\t",
    ),
    *(b"[" * 3000, b"{" * 3000, b'{"a":' * 3000, b"<Obj>" * 3000, b"- " * 500, b"? " * 500),
    *(b"1" * 5000, b"-1", b"1e999", b"NaN", b"0x1f", b"99999999999999999999", b"_x", b"_xD800_"),
    *(b"&a;", b"<!DOCTYPE a>", b"]]>", b"&#0;", b"&#xFFFF;", b"<D>sNaN</D>", b"<Ref RefId='0'/>"),
    *(b"&a *a", b"!!python/object:os.system", b"%YAML 9.9\n---\n", b"{{ x }}", b"\xef\xbb\xbf"),
    *(b'"', b"'", b"\\u0000", b"\\ud800", b"null", b"true", b"{}", b"[]", b'"schema":99'),
)
"""What parsers are known to stumble over."""


def mutated(sample: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return *sample* with up to eight small wounds."""
    content = bytearray(sample)
    for _ in range(chance.randint(1, 8)):
        at = chance.randint(0, len(content))
        end = min(len(content), at + chance.choice((1, 1, 2, 8, 64, 512)))
        match chance.randrange(8):
            case 0:
                content[at:end] = b""
            case 1:
                content[at:at] = chance.choice(_HOT)
            case 2:
                content[at:end] = chance.choice(_HOT)
            case 3:
                content[at:end] = chance.randbytes(end - at)
            case 4:
                content[at:at] = content[at:end] * chance.choice((2, 3, 200))
            case 5 | 6:
                _exchange_words(content, chance.choice(others), chance)
            case _:
                other = chance.choice(others)
                begin = chance.randint(0, len(other))
                content[at:end] = other[begin : begin + chance.randint(0, 200)]
    return bytes(content)


def _exchange_words(content: bytearray, other: bytes, chance: random.Random) -> None:
    """Put a word of *other* in the place of one of *content*: what that makes may be parsed."""
    mine, theirs = list(_WORD.finditer(content)), _WORD.findall(other)
    if mine and theirs:
        begin, end = chance.choice(mine).span()
        content[begin:end] = chance.choice(theirs)


_WORD: Final = re.compile(rb"[A-Za-z0-9_.-]+|\"[^\"]*\"")


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that a reader did not answer as it should."""

    target: str
    what: str
    content: bytes

    def __str__(self) -> str:
        shown = self.content if len(self.content) < 2000 else self.content[:2000] + b"..."
        return f"{self.target}: {self.what}\n    {shown!r}"


def fuzz(name: str, executions: int, seed: int) -> list[Finding]:
    """Feed the reader called *name* that often; return what was found, each kind of it once."""
    target, chance = TARGETS[name], random.Random(f"{seed}/{name}")  # noqa: S311 - to be repeated
    samples = target.samples()
    target.read(samples[0])
    found: dict[str, Finding] = {}
    for _ in range(executions):
        content = mutated(chance.choice(samples), samples, chance)
        what = _wrong(target, content)
        if what:
            found.setdefault(what.partition(":")[0], Finding(name, what, content))
    return list(found.values())


def _wrong(target: Target, content: bytes) -> str:
    begin = time.process_time()
    try:
        target.read(content)
    except target.errors:
        pass
    except Exception as error:  # noqa: BLE001 - finding what nobody thought of is the point
        return f"{type(error).__name__}: {error}"
    spent = time.process_time() - begin
    return "" if spent < SLOWEST else f"slow: {spent:.1f} s"


def main() -> int:
    """Run every target, or those named, and print what was found."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--executions", type=int, default=20_000, help="for all targets together")
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    given = options.parse_args()
    names = given.targets or list(TARGETS)
    print(f"seed {given.seed}")
    total = 0
    for name in names:
        begin = time.monotonic()
        found = fuzz(name, given.executions // len(names), given.seed)
        spent = time.monotonic() - begin
        count = given.executions // len(names)
        print(f"{name:<10} {count:>8} inputs {spent:7.1f} s  {len(found)} found")
        for finding in found:
            print(finding)
        total += len(found)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
