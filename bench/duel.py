"""Organizations worked on for real: the product beside the script, on labs of their own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from bench.table import Row, Spread
from orchestrator.lab import PASSWORD

SCENARIO = "dedicated-pair"
CLIENTS = ("product", "script", "plain script")
WRITES = {"remove": 1, "retire": 3}


@dataclass(frozen=True)
class Terms:
    """What is done and under which conditions. *delay* is in seconds per HTTP request."""

    job: str
    auth: str
    delay: float
    organizations: int = 1


@dataclass(frozen=True)
class Cost:
    """What one client took: HTTP requests, seconds of wall clock, CPU seconds of both sides.

    *each* has the seconds of every organization.
    """

    requests: int
    wall: float
    cpu: float
    lab_cpu: float
    each: tuple[float, ...] = ()


class Place:
    """The process that hosts the labs."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def open(self, terms: Terms) -> dict[str, Any]:
        """Replace the lab by a new one and return how to reach it."""
        return self._ask(
            {
                "scenario": SCENARIO,
                "delay": terms.delay,
                "organizations": terms.organizations,
                "auth": terms.auth,
            }
        )

    def count(self) -> dict[str, Any]:
        """Return what the lab has seen."""
        return self._ask({})

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        sent, heard = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        sent.write(json.dumps(question) + "\n")
        sent.flush()
        return cast("dict[str, Any]", json.loads(heard.readline()))


@contextmanager
def place() -> Iterator[Place]:
    """Yield the process that hosts the labs, ended with the block."""
    command = [sys.executable, "-m", "bench.place"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Place(process)
        finally:
            process.terminate()


def measure(host: Place, client: str, terms: Terms) -> Cost:
    """Let *client* do the job once, on a lab nobody has touched, in a process of its own."""
    lab = host.open(terms)
    with tempfile.TemporaryDirectory() as folder:
        took = _run(_command(client, terms, lab, Path(folder)))
    seen = host.count()
    if seen["writes"] != WRITES[terms.job] * terms.organizations or seen["open"]:
        raise SystemExit(f"{client} left the job undone: {seen}")
    each = tuple(took.get("each", {}).values())
    return Cost(seen["requests"], took["wall"], took["cpu"], seen["cpu"] - lab["cpu"], each)


def rows(host: Place, terms: Terms, rounds: int) -> list[Row]:
    """Let every client do the job *rounds* times in turn; the better script is the yardstick."""
    took: dict[str, list[Cost]] = {client: [] for client in CLIENTS}
    for _ in range(rounds):
        for client in CLIENTS:
            took[client].append(measure(host, client, terms))
    name = f"{terms.job}, {terms.auth}, {terms.delay * 1000:.0f} ms"
    figures: dict[tuple[str, str], Callable[[Cost], float]] = {
        ("requests", ""): lambda cost: cost.requests,
        ("wall", "ms"): lambda cost: cost.wall * 1000,
        ("client CPU", "ms"): lambda cost: cost.cpu * 1000,
    }
    return [_row(f"{name}: {what}", unit, took, of) for (what, unit), of in figures.items()]


def _row(
    what: str, unit: str, took: Mapping[str, Sequence[Cost]], of: Callable[[Cost], float]
) -> Row:
    ours, *theirs = (Spread.of(map(of, took[client])) for client in CLIENTS)
    return Row(what, unit, ours, min(theirs, key=lambda spread: spread.median), 1.0)


def _command(client: str, terms: Terms, lab: dict[str, Any], folder: Path) -> Sequence[str]:
    if client == "product":
        inventory = folder / "inventory.yaml"
        inventory.write_text(lab["inventory"], encoding="utf-8")
        store = str(folder / "store")
        forks = str(terms.organizations)
        return [sys.executable, "-m", "bench.product", terms.job, str(inventory), store, forks]
    plain = ["--plain"] if client == "plain script" else []
    reached = [str(lab["ports"][0]), terms.auth, lab["user"], lab["controller"]]
    return [sys.executable, "-m", "bench.script", terms.job, *reached, *plain]


def _run(command: Sequence[str]) -> dict[str, Any]:
    environment = {**os.environ, "ORCHESTRATOR_LAB_PASSWORD": PASSWORD}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return cast("dict[str, Any]", json.loads(done.stdout))
