"""What reading answers costs: our reader of messages against pypsrp's, on the same fragments.

``python -m bench.decode [--json]`` prints the CPU that each takes per object, and their ratio. The
objects are those of the lab, in the shape and size in which Exchange sends them. Both sides read
the same bytes, one after the other in turn; the medians of many rounds are compared.
"""

import argparse
import gc
import json
import struct
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from pypsrp.powershell import Fragmenter
from pypsrp.serializer import Serializer

from orchestrator.lab import Lab
from orchestrator.transports.pool import Reader, Writer

TARGET = 1 / 8
KINDS = ("TransportConfig", "ReceiveConnector", "SendConnector", "ExchangeServer")
OUTPUT = 0x00041004
SIZE = 512000


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured for one kind of object; times are CPU milliseconds per object."""

    kind: str
    objects: int
    size: int
    ours: tuple[float, float, float]
    theirs: tuple[float, float, float]

    @property
    def ratio(self) -> float:
        """The part of pypsrp's time that ours takes, by medians."""
        return self.ours[1] / self.theirs[1]


def documents(kind: str, scenario: str = "default") -> list[str]:
    """Return every object of *kind* as its server writes it."""
    organization = Lab(scenario).organization
    controller = organization.home(next(iter(organization.servers)))
    entries = organization.directory.entries(controller, kind)
    return [organization.clixml(organization.present(entry, controller)) for entry in entries]


def fragments(texts: Sequence[str]) -> bytes:
    """Return *texts* as output messages, each in one fragment (MS-PSRP 2.2.1, 2.2.4)."""
    parts = []
    for number, text in enumerate(texts, 1):
        data = struct.pack("<II", 1, OUTPUT) + bytes(32) + text.encode()
        parts.append(struct.pack(">QQBI", number, 0, 3, len(data)) + data)
    return b"".join(parts)


def _ours(data: bytes) -> int:
    return len(Reader(SIZE, Writer()).defragment(data))


def _theirs(data: bytes) -> int:
    return len(Fragmenter(SIZE, Serializer()).defragment(data))


def measure(kind: str, rounds: int) -> Row:
    """Read the objects of *kind* *rounds* times with either reader, in turn."""
    texts = (documents(kind) * 10)[:10]
    data = fragments(texts)
    for reader in (_ours, _theirs):
        if reader(data) != len(texts):
            raise AssertionError(f"{reader.__name__} lost a message of {kind}")
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_timed(_ours, data) / len(texts))
        theirs.append(_timed(_theirs, data) / len(texts))
    return Row(kind, len(texts), len(data) // len(texts), _spread(ours), _spread(theirs))


def _timed(reader: Callable[[bytes], int], data: bytes) -> float:
    """CPU milliseconds of one reading, with the collector out of the way of both sides."""
    gc.collect()
    gc.disable()
    began = time.process_time()
    reader(data)
    spent = time.process_time() - began
    gc.enable()
    return spent * 1000


def _spread(times: list[float]) -> tuple[float, float, float]:
    return min(times), median(times), max(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print figures, not a table")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    # pypsrp warns of types that it does not know, once for each object.
    warnings.simplefilter("ignore")
    rows = [measure(kind, options.rounds) for kind in KINDS]
    if options.json:
        print(json.dumps([_figures(row) for row in rows], indent=2))
        return
    print(f"{'kind':18}{'objects':>8}{'bytes':>8}{'ours ms':>20}{'pypsrp ms':>20}{'ratio':>8}")
    for row in rows:
        ours, theirs = (" … ".join(f"{each:.2f}" for each in t) for t in (row.ours, row.theirs))
        counts = f"{row.kind:18}{row.objects:8}{row.size:8}"
        print(f"{counts}{ours:>20}{theirs:>20}{row.ratio:8.3f}")
    worst = max(row.ratio for row in rows)
    print(f"at most {TARGET:.3f} wanted: {'met' if worst <= TARGET else 'missed'}, {worst:.3f}")


def _figures(row: Row) -> dict[str, object]:
    return {
        "kind": row.kind,
        "objects": row.objects,
        "bytes": row.size,
        "ours_ms": row.ours,
        "pypsrp_ms": row.theirs,
        "ratio": row.ratio,
    }


if __name__ == "__main__":
    main()
