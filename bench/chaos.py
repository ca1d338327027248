"""Thousands of randomly disturbed runs against the lab, over the real wire.

    python -m bench.chaos --runs 5000 --seed 7        all of them, in two processes
    python -m bench.chaos --seed 7 --only 4711        one of them again, told event by event

Each run plans a playbook, carries it out, resumes and rolls it back while connections break,
servers answer nonsense, the process dies, the clock jumps and other administrators work. It exits
with 1 if anything that has to be zero is not.
"""

import argparse
import multiprocessing
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from bench.ledger import Tally
from bench.trial import Report, Trial

ZEROS = {
    "wrong": "wrong final states",
    "doubled": "doubled changes",
    "overwritten": "other people's work overwritten",
    "untold": "reported but not done, or done but not reported",
}


@dataclass
class Sum:
    """All runs together."""

    runs: int = 0
    phases: int = 0
    unknown: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)

    def add(self, report: Report) -> None:
        """Take over one run."""
        self.runs += 1
        self.phases += report.phases
        self.unknown += report.unknown
        self.struck += report.struck
        self.ends += report.ends
        for name, found in vars(report.tally).items():
            getattr(self.tally, name).extend(f"run {report.index}: {each}" for each in found)


def play(seed: int, index: int) -> Report:
    """Return how run *index* of *seed* went. What nobody foresaw ends it all, and says where."""
    try:
        return Trial(seed, index).perform()
    except BaseException as error:
        error.add_note(f"python -m bench.chaos --seed {seed} --only {index}")
        raise


def play_all(seed: int, runs: int, processes: int) -> Iterator[Report]:
    """Yield how each run went, as they end."""
    if processes < 2:
        yield from map(partial(play, seed), range(runs))
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes) as pool:
        yield from pool.imap_unordered(partial(play, seed), range(runs), chunksize=10)


def show(total: Sum, seconds: float) -> None:
    """Print the report."""
    injected = sum(total.struck.values())
    print(f"{total.runs} runs in {seconds:.0f} s, {total.phases} processes")
    survived = "" if total.tally else " and survived"
    print(f"{injected} mishaps injected{survived}:")
    for name, number in total.struck.most_common():
        print(f"  {number:6} {name}")
    print("ends:")
    for name, number in total.ends.most_common():
        print(f"  {number:6} {name}")
    print(f"{total.unknown:8} unknown outcomes, reported as such")
    print(f"{len(total.tally.alike):8} turned back by others to what looks like ours")
    for name, words in ZEROS.items():
        found = getattr(total.tally, name)
        print(f"{len(found):8} {words}")
        for each in found[:10]:
            print(f"           {each}")


def main() -> int:
    """Play what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", type=int, help="the index of the one run to play again")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    total, began = Sum(), time.monotonic()
    if options.only is None:
        for report in play_all(seed, options.runs, options.processes):
            total.add(report)
            if total.runs % 500 == 0:
                print(f"{total.runs} runs", file=sys.stderr, flush=True)
    else:
        report = play(seed, options.only)
        print("\n".join(report.story))
        total.add(report)
    show(total, time.monotonic() - began)
    return 1 if total.tally else 0


if __name__ == "__main__":
    sys.exit(main())
