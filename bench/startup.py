"""What starting the program costs, beside a click program that only says hello."""

import subprocess
import sys
import time

from bench.table import Row, Spread

HELLO = (sys.executable, "-m", "bench.hello", "--help")
PRODUCT = (sys.executable, "-m", "orchestrator")
PLAYBOOK = "remove-domain-security"
COMMANDS = {
    "--help": (*PRODUCT, "--help"),
    "--version": (*PRODUCT, "--version"),
    "playbook validate": (*PRODUCT, "playbook", "validate", PLAYBOOK),
}


LIMITS = {"--help": 1.8, "--version": 1.8, "playbook validate": 4.0}


def rows(rounds: int) -> list[Row]:
    """Return what whole processes take, from beginning to end, in turn with the yardstick."""
    took: dict[str, list[float]] = {name: [] for name in ("hello", *COMMANDS)}
    for _ in range(rounds):
        for name, command in {"hello": HELLO, **COMMANDS}.items():
            took[name].append(_timed(command))
    hello = Spread.of(took["hello"])
    return [
        Row(f"orchestrator {name}: wall", "ms", Spread.of(took[name]), hello, limit)
        for name, limit in LIMITS.items()
    ]


def _timed(command: tuple[str, ...]) -> float:
    """Return the milliseconds of one process."""
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begun) * 1000
