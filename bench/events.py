"""What reading a large event log costs: ours against the standard library's parser alone.

``python -m bench.events [--count N] [--json]`` reads the same file of event XML with
``xml.etree.ElementTree.iterparse``, which does nothing but parse, and with ours, which reads,
understands and counts every event. Both run in turn; the medians of several rounds are compared.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import iterparse

from bench.table import Row, Spread, show
from orchestrator.eventlog import Damage, open_source, read_events
from orchestrator.exchange.event import interpret
from orchestrator.exchange.tally import Tally

LIMIT = 3.0

_EVENT = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    "<Provider Name='MSExchangeFrontEndTransport'/><EventID Qualifiers='49156'>11012</EventID>"
    "<Level>2</Level><Task>11</Task><Keywords>0x80000000000000</Keywords>"
    "<TimeCreated SystemTime='2026-11-12T14:14:15.123456700Z'/>"
    "<EventRecordID>{number}</EventRecordID><Channel>Application</Channel>"
    "<Computer>EX01.contoso.com</Computer><Security/></System><EventData>"
    "<Data>d{domain}.example</Data><Data>Default Frontend EX01</Data></EventData></Event>\n"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.events", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="events in the file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print figures, not a table")
    given = parser.parse_args()
    row = measure(given.count, given.rounds)
    print(json.dumps(row.figures(), indent=2) if given.json else show([row]))


def measure(count: int, rounds: int) -> Row:
    """Return the CPU of both on a file of *count* events."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.xml"
        with path.open("w", encoding="utf-8") as file:
            file.write("<Events>\n")
            file.writelines(_EVENT.format(number=n, domain=n % 50) for n in range(count))
            file.write("</Events>\n")
        theirs, ours = [], []
        for _ in range(rounds):
            theirs.append(_timed(_parse, path))
            ours.append(_timed(_read, path))
    what = f"{count} events from one XML file: CPU"
    return Row(what, "ms", Spread.of(ours), Spread.of(theirs), LIMIT)


def _timed(job: Callable[[Path], int], path: Path) -> float:
    """Return the milliseconds of CPU of *job*, which says how much it found."""
    begun = time.process_time()
    if not job(path):
        raise RuntimeError("nothing was read")
    return (time.process_time() - begun) * 1000


def _parse(path: Path) -> int:
    return sum(1 for _ in iterparse(path))  # noqa: S314 - a file of our own


def _read(path: Path) -> int:
    tally = Tally()
    with open_source(str(path)) as source:
        for entry in read_events(source).entries:
            if isinstance(entry, Damage):
                raise TypeError(entry.reason)
            event = interpret(entry)
            if event is not None:
                tally.add(event)
    return sum(group.count for group in tally.groups())


if __name__ == "__main__":
    main()
