"""Readers fed with broken input: whatever comes, each answers with a value or an error of its own.

Valid samples are mutated at random, or made from the grammar's own words. Anything but the error
that a reader documents, and any input that takes longer than SLOWEST, is a finding: its bytes are
printed, with the seed that leads there again. The
readers are in ``readers``.

    python -m bench.fuzz --executions 100000 --seed 7
"""

import argparse
import random
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench.readers import TARGETS, Target

SLOWEST: Final = 2.0
"""Seconds of CPU that one input may take."""

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
    options.add_argument("--processes", type=int, default=1, help="how many targets at a time")
    options.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    given = options.parse_args()
    names = given.targets or list(TARGETS)
    print(f"seed {given.seed}")
    total = 0
    with ProcessPoolExecutor(given.processes) as pool:
        job = partial(_timed, given.executions // len(names), given.seed)
        for text, found in pool.map(job, names):
            print(text, *found, sep="\n", flush=True)
            total += len(found)
    return 1 if total else 0


def _timed(executions: int, seed: int, name: str) -> tuple[str, list[Finding]]:
    count, begin = max(1, executions // TARGETS[name].cost), time.monotonic()
    found = fuzz(name, count, seed)
    spent = time.monotonic() - begin
    return f"{name:<15} {count:>8} inputs {spent:7.1f} s  {len(found)} found", found


if __name__ == "__main__":
    sys.exit(main())
