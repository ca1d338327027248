"""A process that carries out a plan and kills itself at a chosen moment, for the crash tests."""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.app.execution import Options, carry_out, resume, roll_back
from orchestrator.app.planning import plan_organization
from orchestrator.app.workplace import Workplace, connect_psrp
from orchestrator.core.command import Result, Statement, Transport
from orchestrator.core.events import Mandate
from orchestrator.core.inventory import Organization, Server
from orchestrator.journal import Store
from orchestrator.loader import find_playbook, load_inventory
from orchestrator.loader.playbook import load_playbook


@dataclass
class Fuse:
    """Kills the process at the *nth* event of a *kind*, before or after it took effect."""

    kind: str
    nth: int
    after: bool
    count: int = 0

    def pass_by(self, kind: str, *, after: bool) -> None:
        """Count, and kill this process if it was its turn."""
        if kind != self.kind or after != self.after:
            return
        self.count += 1
        if self.count == self.nth and sys.platform != "win32":
            os.kill(os.getpid(), signal.SIGKILL)


class FusedTransport:
    """A real session that burns a fuse at each write."""

    def __init__(self, transport: Transport, fuse: Fuse) -> None:
        self._transport = transport
        self._fuse = fuse

    def invoke(self, *statements: Statement) -> Result:
        kind = "send" if statements[0][0].name.startswith("Set-") else "read"
        self._fuse.pass_by(kind, after=False)
        result = self._transport.invoke(*statements)
        self._fuse.pass_by(kind, after=True)
        return result

    def close(self) -> None:
        self._transport.close()


class FusedStore:
    """A real store that burns a fuse at each append."""

    def __init__(self, store: Store, fuse: Fuse) -> None:
        self._store = store
        self._fuse = fuse

    def append(self, *arguments: Any, **options: Any) -> int:
        self._fuse.pass_by("append", after=False)
        version = self._store.append(*arguments, **options)
        self._fuse.pass_by("append", after=True)
        return version

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class FusedWorkplace(Workplace):
    """A workplace whose store and sessions burn a fuse."""

    fuse: Fuse

    @property
    def store(self) -> Store:
        found: Any = FusedStore(Workplace.store.fget(self), self.fuse)  # type: ignore[attr-defined]
        return found  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Job:
    """What the process does: carry out a playbook under *batch*, then roll back if asked."""

    inventory: str
    store: str
    playbook: str
    inputs: Sequence[tuple[str, str]]
    batch: str
    undo: bool = False


def work(job: Job, fuse: Fuse) -> None:
    """Do *job* until the fuse burns. Exit code 0 means that it never did."""

    def connect(organization: Organization, server: Server) -> Transport:
        return FusedTransport(connect_psrp(organization, server), fuse)

    workplace = FusedWorkplace(load_inventory(Path(job.inventory)), job.store, connect)
    workplace.fuse = fuse
    playbook = load_playbook(find_playbook(job.playbook))
    organization = workplace.inventory.organizations[0]
    planned = plan_organization(workplace, organization, playbook, dict(job.inputs))
    options = Options(Mandate("tester", reason="a test"))
    done = carry_out(workplace, planned, job.batch, options, lambda *_: None)
    assert done.error is None, done.error
    if job.undo and done.run is not None:
        roll_back(workplace, done.run.id, lambda *_: None, reason="", in_doubt=True)


__all__ = ["Fuse", "Job", "resume", "work"]
