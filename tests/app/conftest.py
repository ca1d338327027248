"""A jump host beside a lab: the product's own parts, plugged together over the real wire."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from orchestrator.app.execution import Done, Options, carry_out, new_batch, resume, roll_back
from orchestrator.app.planning import Planned, plan_organization
from orchestrator.app.workplace import Workplace, connect_psrp, utc_now
from orchestrator.core.events import Event, Mandate, OnFailure
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.lab import PASSWORD, Lab, parse_scenario
from orchestrator.loader import find_playbook, load_inventory
from orchestrator.loader.playbook import load_playbook

DEDICATED = parse_scenario("""
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
""")

RETIRE = "retire-dedicated-connectors"
REMOVE = "remove-domain-security"


@dataclass
class Desk:
    """A workplace on a lab, and what happened there."""

    lab: Lab
    workplace: Workplace
    inventory_file: Path
    events: list[Event] = field(default_factory=list)

    def plan(self, playbook: str, **inputs: str) -> Planned:
        """Plan a shipped playbook and keep the session."""
        file = find_playbook(playbook)
        organization = self.workplace.inventory.organizations[0]
        return plan_organization(self.workplace, organization, load_playbook(file), inputs)

    def planned(self, playbook: str, **inputs: str) -> Plan:
        """Plan a shipped playbook that can be planned, and leave."""
        found = self.plan(playbook, **inputs)
        assert found.plan is not None, found.error
        assert found.session is not None
        found.session.close()
        return found.plan

    def carry_out(
        self,
        planned: Planned,
        *,
        on_failure: OnFailure = OnFailure.HOLD,
        whatif: bool = False,
        listener: Callable[[Run, Event], None] | None = None,
    ) -> Done:
        """Carry out a plan for a reason, as a batch of its own."""
        options = Options(Mandate("tester", reason="a test"), on_failure, whatif)
        batch = new_batch(self.workplace)
        return carry_out(self.workplace, planned, batch, options, listener or self.heard)

    def heard(self, _run: Run, event: Event) -> None:
        """Keep an event that was recorded."""
        self.events.append(event)

    def resume(self, run: str) -> Done:
        """Take a run up again."""
        return resume(self.workplace, run, self.heard)

    def roll_back(self, run: str, *, in_doubt: bool = False) -> Done:
        """Undo a run."""
        return roll_back(self.workplace, run, self.heard, reason="a test", in_doubt=in_doubt)

    def state(self) -> dict[str, object]:
        """What an administrator would call the state: lists without order, no stamps."""
        return {
            label: {name: _unordered(value) for name, value in properties.items() if _lasts(name)}
            for label, properties in self.lab.snapshot().items()
        }

    def writes(self) -> list[str]:
        """Our writes that took effect, as cmdlet and object, by the lab's own audit log."""
        return [
            f"{entry.cmdlet} {entry.object}"
            for entry in self.lab.audit()
            if entry.effective and entry.caller == "CONTOSO\\ops"
        ]


def _lasts(name: str) -> bool:
    return not name.startswith("When") and name != "OriginatingServer"


def _unordered(value: object) -> object:
    if isinstance(value, tuple | list):
        return tuple(sorted(str(one).casefold() for one in value))
    return value


@pytest.fixture
def open_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Desk]]:
    """Return a function that opens a desk on a running lab."""
    monkeypatch.setenv("ORCHESTRATOR_LAB_PASSWORD", PASSWORD)
    tmp_path.chmod(0o700)
    desks: list[Desk] = []

    def open_on(
        lab: Lab, *, settle: int = 1, clock: Callable[[], datetime] = utc_now, text: str = ""
    ) -> Desk:
        file = tmp_path / f"inventory{len(desks)}.yaml"
        written = text or lab.inventory_text()
        file.write_text(written + f"defaults: {{timeouts: {{settle: {settle}}}}}\n")
        workplace = Workplace(load_inventory(file), str(tmp_path / "store"), connect_psrp)
        workplace.clock = clock
        desks.append(Desk(lab, workplace, file))
        return desks[-1]

    yield open_on
    for desk in desks:
        desk.workplace.close()


@pytest.fixture
def dedicated() -> Iterator[Lab]:
    """A lab in which fabrikam.com has connectors of its own."""
    with Lab(DEDICATED) as lab:
        yield lab
