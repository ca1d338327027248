"""One chaos run: a plan carried out, resumed and rolled back while things go wrong."""

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from msgspec.structs import replace

from bench.ledger import Ledger, Tally
from bench.mishaps import DEEDS, schedule
from orchestrator.app import records
from orchestrator.app.execution import Done, Options, carry_out, new_batch, resume, roll_back
from orchestrator.app.planning import Planned, plan_organization
from orchestrator.app.workplace import Workplace, utc_now
from orchestrator.cli.codes import ExitCode, of_done
from orchestrator.core.command import Result, Statement, Transport
from orchestrator.core.events import Event, Mandate, OnFailure, Outcome
from orchestrator.core.inventory import Inventory, Organization, Server, Timeouts
from orchestrator.core.playbook import Playbook
from orchestrator.core.run import Run
from orchestrator.journal import Store
from orchestrator.lab import PASSWORD, Lab, Scenario, parse_scenario
from orchestrator.loader import find_playbook, load_inventory
from orchestrator.loader.playbook import load_playbook
from orchestrator.transports.psrp import open_session
from orchestrator.transports.target import Deadlines, Target

SCENE = """
title: A partner with connectors of its own
description: fabrikam.com comes in through its own connector on both servers.
receive_list: [adatum.com, Fabrikam.com, litware.com]
send_list: [fabrikam.com, adatum.com]
receive_connectors:
  - name: From Fabrikam
    properties:
      Bindings: ["0.0.0.0:25"]
      RemoteIPRanges: [203.0.113.0/24]
      PermissionGroups: Partners
      AuthMechanism: Tls
      DomainSecureEnabled: true
send_connectors:
  - name: To Internet
    properties: {AddressSpaces: ["SMTP:*;1"], DNSRoutingEnabled: true}
  - name: To Fabrikam
    properties:
      AddressSpaces: ["SMTP:fabrikam.com;1"]
      DomainSecureEnabled: true
      DNSRoutingEnabled: true
"""

_TIED = {"domain": "fabrikam.com", "connector": "EX01\\From Fabrikam"}
JOBS = (
    ("remove-domain-security", {"domain": "fabrikam.com"}),
    ("remove-domain-security", {"domain": "litware.com"}),
    ("restore-domain-security", {"domain": "tailspin.example"}),
    ("retire-dedicated-connectors", _TIED),
    ("retire-dedicated-connectors", {**_TIED, "include_send": "true"}),
)
ATTEMPTS = 6
"""How often a run is taken up again at most; the last time nothing goes wrong any more."""

LONG = timedelta(hours=1).total_seconds()


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class Endless(BaseException):
    """The product wants to wait for longer than anybody would."""


@dataclass
class Host:
    """What a process runs on: its clock, which may jump, and the moment at which it is killed.

    *kill* and *jump* count calls of the store and the wire, before and after each.
    """

    kill: int = 0
    jump: int = 0
    by: timedelta = timedelta()
    ahead: timedelta = timedelta()
    struck: Counter[str] = field(default_factory=Counter)
    _count: int = 0

    def now(self) -> datetime:
        """Return the time on this host's wall clock."""
        return utc_now() + self.ahead

    def pass_by(self) -> None:
        """Count one moment; raise Killed if it is the last one."""
        self._count += 1
        if self._count == self.jump:
            self.struck["clock jumped"] += 1
            self.ahead += self.by
        if self._count == self.kill:
            self.struck["process killed"] += 1
            raise Killed


class _Wire:
    """A real session that passes by the host's moments."""

    def __init__(self, transport: Transport, host: Host) -> None:
        self._transport, self._host = transport, host

    def invoke(self, *statements: Statement) -> Result:
        self._host.pass_by()
        result = self._transport.invoke(*statements)
        self._host.pass_by()
        return result

    def close(self) -> None:
        self._transport.close()


class _Books:
    """A real store that passes by the host's moments."""

    def __init__(self, store: Store, host: Host) -> None:
        self._store, self._host = store, host

    def append(self, *arguments: Any, **options: Any) -> int:
        self._host.pass_by()
        version = self._store.append(*arguments, **options)
        self._host.pass_by()
        return version

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Process(Workplace):
    """A workplace that waits in no time, and is killed as its host says."""

    machine: Host
    waited = 0.0

    @property
    def store(self) -> Store:
        """The store, with the host's moments around each append."""
        return _Books(super().store, self.machine)

    def pause(self, seconds: float) -> None:
        """Wait a thousandth of it."""
        self.waited += seconds
        if self.waited > LONG:
            raise Endless
        super().pause(seconds / 1000)


@dataclass
class Report:
    """How one run went."""

    index: int
    tally: Tally = field(default_factory=Tally)
    struck: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    phases: int = 0
    story: list[str] = field(default_factory=list)


def _impatient(organization: Organization, server: Server) -> Transport:
    """Open a session as the product does, with no patience for a server that is silent."""
    target = Target(
        name=server.name,
        address=server.address,
        port=server.port,
        auth="basic",
        user=organization.user,
        secret=lambda: PASSWORD,
        allow_cleartext=True,
        deadlines=Deadlines(connect=1, read=1.5, operation=1, pipeline=4),
    )
    return open_session(target)


@cache
def _playbook(name: str) -> Playbook:
    return load_playbook(find_playbook(name))


class Trial:
    """Run number *index* of *seed*, always the same one."""

    def __init__(self, seed: int, index: int) -> None:
        self.rng = Random(f"{seed}/{index}")  # noqa: S311 - a replay needs exactly this
        self.report = Report(index)
        self.ledger: Ledger | None = None
        self.ahead = timedelta()

    def perform(self) -> Report:
        """Play it against a lab of its own."""
        with (
            tempfile.TemporaryDirectory(prefix="chaos-") as folder,
            Lab(self._scenario()) as lab,
        ):
            self.lab, self.folder = lab, Path(folder)
            self.inventory = self._inventory()
            try:
                self._play()
            except Endless:
                self.report.tally.wrong.append("it wanted to wait for an hour or longer")
        return self.report

    def _scenario(self) -> Scenario:
        scenario = parse_scenario(SCENE)
        deaf = ("Set-TransportConfig",) if self._chance(0.1) else ()
        return replace(scenario, ignores_whatif=deaf)

    def _inventory(self) -> Inventory:
        file = self.folder / "inventory.yaml"
        file.write_text(self.lab.inventory_text(auth="basic"), encoding="utf-8")
        inventory = load_inventory(file)
        quick = Timeouts(settle=0)
        organizations = tuple(replace(each, timeouts=quick) for each in inventory.organizations)
        return replace(inventory, organizations=organizations)

    def _play(self) -> None:
        planned, work = self._planned()
        if planned is None or planned.plan is None:
            return
        name = f"{work}/{planned.organization.name}"
        options = Options(Mandate("chaos", reason="chaos"), self._on_failure(), self._chance(0.15))
        self._phase(lambda at: carry_out(at, planned, work, options, self._heard), 1.0)
        run = self._taken_up(name)
        if run is None or not self._chance(0.6 if run.outcome is Outcome.SUCCEEDED else 0.8):
            return
        sure = self._chance(0.3)
        self._phase(lambda at: roll_back(at, name, self._heard, reason="chaos", in_doubt=sure), 0.7)
        self._taken_up(name)

    def _planned(self) -> tuple[Planned | None, str]:
        playbook, given = self.rng.choice(JOBS)
        self.report.story.append(f"{playbook} {given}")
        self._arm(0.2)
        at = self._process(calm=True)
        try:
            planned = plan_organization(
                at, self.inventory.organizations[0], _playbook(playbook), given
            )
            if planned.plan is None:
                self.report.ends["no plan"] += 1
                return None, ""
            self.ledger = Ledger(self.lab, planned.plan, len(self.lab.audit()))
            return planned, new_batch(at)
        finally:
            self._calm()
            at.close()

    def _phase(self, work: Callable[[Workplace], Done], heat: float) -> None:
        """Do something under mishaps, then compare what is said with what is so."""
        self.report.phases += 1
        self._arm(heat)
        at = self._process(calm=heat == 0)
        try:
            done = work(at)
        except Killed:
            done = None
        finally:
            self._calm()
            self.ahead = at.machine.ahead
            self.report.struck += at.machine.struck
            at.close()
        self.report.story.append("killed" if done is None else _told(done))
        self._judge(done)

    def _judge(self, done: Done | None) -> None:
        if done is None or self.ledger is None:
            return
        code = of_done(done)
        if done.run is None:
            return
        if done.run.doubtful:
            self.report.unknown += 1
            if code is not ExitCode.UNKNOWN:
                self.report.tally.untold.append(f"in doubt, yet the exit code is {code!r}")
        self.report.tally.add(self.ledger.judge(done.run))

    def _taken_up(self, name: str) -> Run | None:
        """Resume the run until it has ended; the last time in peace."""
        for attempt in range(ATTEMPTS):
            run = self._run(name)
            if run is None or (run.outcome is not None and not self._again(run)):
                return self._ended(run)
            heat = 0.0 if attempt == ATTEMPTS - 1 else 0.5
            self._phase(lambda at: resume(at, name, self._heard), heat)
        run = self._run(name)
        if run is not None and run.outcome is None:
            self.report.tally.wrong.append(f"it does not come to an end: {run.interrupted}")
        return self._ended(run)

    def _again(self, run: Run) -> bool:
        return run.outcome in {Outcome.FAILED, Outcome.DRIFTED} and self._chance(0.3)

    def _ended(self, run: Run | None) -> Run | None:
        self.report.ends[str(run.outcome if run else "never began")] += 1
        if self.ledger is not None:
            found = self.ledger.judge(run) if run else self.ledger.untouched()
            self.report.tally.add(found)
        return run

    def _run(self, name: str) -> Run | None:
        at = self._process(calm=True)
        try:
            events = records.events_of(at.store, name)
            return records.load(at.store, name) if events else None
        finally:
            at.close()

    def _process(self, *, calm: bool) -> Process:
        host = Host(ahead=self.ahead)
        if not calm and self._chance(0.35):
            host.kill = self.rng.randint(1, 60)
        if not calm and self._chance(0.2):
            host.jump = self.rng.randint(1, 40)
            host.by = timedelta(days=self.rng.choice((-1, 1)))
        at = Process(self.inventory, str(self.folder / "store"), self._connect(host))
        at.machine, at.clock = host, host.now
        return at

    def _connect(self, host: Host) -> Callable[[Organization, Server], Transport]:
        return lambda organization, server: _Wire(_impatient(organization, server), host)

    def _arm(self, heat: float) -> None:
        self.lab.faults.append(schedule(self.rng, self._deed, density=2.5 * heat, deeds=1.5 * heat))

    def _calm(self) -> None:
        for trouble in self.lab.faults:
            self.report.struck += getattr(trouble, "struck", Counter())
        self.lab.faults.clear()

    def _deed(self, name: str) -> None:
        """Let another administrator do something; what is not there cannot be changed."""
        identity, properties = DEEDS[name](self.lab)
        try:
            self.lab.organization.edit(identity, properties, "CONTOSO\\other", None)
        except KeyError:
            return
        self.report.struck[f"somebody {name}"] += 1
        self.report.story.append(f"somebody {name}")
        if self.ledger is not None:
            self.ledger.note()

    def _heard(self, _run: Run, event: Event) -> None:
        self.report.story.append(f"  {type(event).__name__} {getattr(event, 'position', '')}")

    def _on_failure(self) -> OnFailure:
        return OnFailure.ROLLBACK if self._chance(0.3) else OnFailure.HOLD

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability


def _told(done: Done) -> str:
    run = done.run
    state = "no run" if run is None else f"{run.outcome or run.interrupted} {list(run.statuses)}"
    return f"{state} {done.error or ''}"
