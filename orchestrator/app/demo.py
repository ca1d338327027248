"""The main job from beginning to end on a simulated organization: what the demo plays.

Each scene is a command as a user would type it, really run in a process of its own, and a look
at the simulated organization afterwards: did the command do what it says?
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import orchestrator
from orchestrator.app.moves import Moved, Snapshot, moves
from orchestrator.lab import Lab, load_scenario

SCENARIO = "incident"
INCIDENT = "contoso-fabrikam.com-1"
DOMAIN = "fabrikam.com"
COMPUTER = "EX01"
CONNECTOR = "Default Frontend EX01"

_PATIENCE = 120.0
_REVIEW = timedelta(days=30)
_REMEDY = (Moved("TransportConfig", "TLSReceiveDomainSecureList", DOMAIN, ""),)


@dataclass(frozen=True, slots=True)
class Scene:
    """One command. *arguments* follow ``orchestrator``; *proof* is what must be so afterwards.

    *moved* is how the organization then differs from how it was in the beginning, *code* how the
    command ends.
    """

    title: str
    arguments: tuple[str, ...]
    proof: str
    moved: tuple[Moved, ...]
    writes: int
    code: int = 0


@dataclass(frozen=True, slots=True)
class Played:
    """How a scene went. *fault* is empty where its proof holds; *output* only if captured."""

    scene: Scene
    exit_code: int
    output: str
    fault: str


def scenes(today: date) -> tuple[Scene, ...]:
    """Return the scenes after the incident, in order."""
    remedy = ("run", "remove-domain-security", "--incident", INCIDENT)
    reason = f"{DOMAIN} mends its TLS"
    agreed = ("--yes", "--reason", reason, "--review-by", (today + _REVIEW).isoformat())
    return (
        Scene(
            "What did the servers log?",
            ("events",),
            "What three servers logged is one incident; nothing was written to Exchange.",
            (),
            0,
        ),
        Scene(
            "What is wrong, who was refused, and what helps?",
            ("diagnose", DOMAIN, "--protocol-log", "auto"),
            "It was only looked at.",
            (),
            0,
        ),
        Scene(
            "Look first: a dry run",
            (*remedy, "--dry-run"),
            "Nothing was written: the organization's own audit log is empty.",
            (),
            0,
        ),
        Scene(
            "Do it",
            (*remedy, *agreed),
            "The list lost that one entry; everything else is as it was.",
            _REMEDY,
            1,
        ),
        Scene(
            "Did it help?",
            ("verify", "last"),
            "Each domain controller has it. The rest is pending: silence proves nothing.",
            _REMEDY,
            1,
            code=3,
        ),
        Scene(
            "Undo it",
            ("rollback", "last", "--yes"),
            "The organization is as it was in the beginning.",
            (),
            2,
        ),
    )


class Stage:
    """A simulated organization, and a user's terminal beside it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.environment = _environment(lab, folder)
        self._before: Snapshot = lab.snapshot()

    def play(self, scene: Scene, *, capture: bool) -> Played:
        """Run the command and look at what became of it. Without *capture* it prints itself."""
        ended = subprocess.run(  # noqa: S603 - this program, with arguments from the table above
            [sys.executable, "-P", "-m", "orchestrator", *scene.arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.STDOUT if capture else None,
            timeout=_PATIENCE,
            check=False,
        )
        output = (ended.stdout or b"").decode("utf-8", "replace")
        return Played(scene, ended.returncode, output, self._fault(scene, ended.returncode))

    def _fault(self, scene: Scene, exit_code: int) -> str:
        if exit_code != scene.code:
            return f"the command ended with {exit_code}"
        found = moves(self._before, self.lab.snapshot())
        if sorted(found) != sorted(scene.moved):
            return "the organization differs by: " + "; ".join(map(str, found))
        writes = sum(entry.effective for entry in self.lab.audit())
        return "" if writes == scene.writes else f"{writes} writes, not {scene.writes}"


@contextmanager
def stage() -> Iterator[Stage]:
    """Set the stage; in the end nothing of it stays."""
    with (
        tempfile.TemporaryDirectory(prefix="orchestrator-demo-") as folder,
        Lab(load_scenario(SCENARIO)) as lab,
    ):
        yield Stage(lab, Path(folder))


def _environment(lab: Lab, folder: Path) -> dict[str, str]:
    """Return the environment in which the commands meet the lab, and nothing of the user's."""
    inventory = folder / "inventory.yaml"
    inventory.write_text(lab.inventory_text(), encoding="utf-8")
    home = str(Path(orchestrator.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    return {
        **os.environ,
        "ORCHESTRATOR_LAB_PASSWORD": lab.scenario.users[0].password,
        "ORCHESTRATOR_INVENTORY": str(inventory),
        "ORCHESTRATOR_STORE": str(folder / "store"),
        "PYTHONPATH": path,
        "PYTHONUTF8": "1",
    }
