"""What the product costs, as ratios: ``python -m bench [--json] [--quick] [SECTION ...]``.

Everything is measured in this run, the product and its yardstick in turn, and shown as the median
with the least and the most. docs/speed.md says what each number means. Nothing here is a test:
the exit code is 0 whatever comes out.
"""

import argparse
import json
import os
import warnings

from bench import decode, duel, fleet, startup
from bench.table import Row, Spread, calm, show

SECTIONS = ("duel", "fleet", "decode", "startup")
AUTHS = ("basic", "ntlm")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--json", action="store_true", help="print figures, not a table")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, rougher numbers")
    given = parser.parse_args()
    if unknown := set(given.sections) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    # pypsrp warns of types that it does not know, once for each object.
    warnings.simplefilter("ignore")
    quiet = [calm()]
    rows, remarks = _measured(given.sections or SECTIONS, 3 if given.quick else 9)
    quiet.append(calm())
    if given.json:
        facts = {"rows": [row.figures() for row in rows], "remarks": remarks, "calm": quiet}
        print(json.dumps(facts, indent=2))
        return
    print(show(rows))
    print(*remarks, _machine(quiet), sep="\n")


def _measured(sections: list[str] | tuple[str, ...], rounds: int) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    remarks: list[str] = []
    if "duel" in sections:
        with duel.place() as host:
            for job in duel.WRITES:
                for auth in AUTHS:
                    for delay in (0.0, 0.05):
                        rows += duel.rows(host, duel.Terms(job, auth, delay), rounds)
    if "fleet" in sections:
        with duel.place() as host:
            for auth in AUTHS:
                seen = fleet.rounds(host, auth, max(rounds // 3, 2))
                rows.append(fleet.row(auth, seen))
                remarks.append(fleet.remark(auth, seen))
    if "decode" in sections:
        rows += [_decoding(decode.measure(kind, rounds * 3)) for kind in decode.KINDS]
    if "startup" in sections:
        rows += startup.rows(rounds * 4)
    return rows, remarks


def _decoding(seen: decode.Row) -> Row:
    what = f"decoding {seen.kind}, {seen.size} bytes: CPU"
    return Row(what, "ms", Spread(*seen.ours), Spread(*seen.theirs), decode.TARGET)


def _machine(quiet: list[float]) -> str:
    shares = ", ".join(f"{share:.0%}" for share in quiet)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} processors{load}; a busy program got {shares} of one before and after"


if __name__ == "__main__":
    main()
