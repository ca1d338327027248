"""A process that works on a lab, judges a change in doubt at once, and may be killed by anybody."""

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from orchestrator.app import records
from orchestrator.app.batch import side_by_side
from orchestrator.app.execution import Done, Options, carry_out, resume, roll_back
from orchestrator.app.planning import plan_organization
from orchestrator.app.workplace import Workplace, connect_psrp
from orchestrator.core.events import Event, Mandate
from orchestrator.core.inventory import Inventory, Organization
from orchestrator.core.run import Run
from orchestrator.loader import find_playbook, load_inventory
from orchestrator.loader.playbook import load_playbook


@dataclass(frozen=True)
class Errand:
    """Where to work, and on what: *verbs* are run, resume and rollback, one after the other."""

    inventory: str
    store: str
    playbook: str
    inputs: tuple[tuple[str, str], ...]
    batch: str
    verbs: tuple[str, ...] = ("run",)


def quick(file: Path) -> Inventory:
    """Return the inventory in *file*, with no time given to a change in doubt."""
    inventory = load_inventory(file)
    hasty = (
        replace(each, timeouts=replace(each.timeouts, settle=0)) for each in inventory.organizations
    )
    return replace(inventory, organizations=tuple(hasty))


def quick_workplace(errand: Errand) -> Workplace:
    """Return where the errand is done."""
    return Workplace(quick(Path(errand.inventory)), errand.store, connect_psrp)


def do(errand: Errand) -> None:
    """Do it in every organization, side by side. Exit code 0 means that nobody stopped it."""
    workplace = quick_workplace(errand)
    for verb in errand.verbs:
        done = every(workplace, errand, verb)
        assert all(each.error is None for each in done), [each.error for each in done]
    workplace.close()


def every(workplace: Workplace, errand: Errand, verb: str) -> list[Done]:
    """Do one thing in every organization that it concerns."""
    organizations = workplace.inventory.organizations
    if verb == "run":
        return side_by_side(
            workplace, organizations, lambda each: _run(workplace, errand, each), forks=4
        )
    names = [f"{errand.batch}/{each.name}" for each in organizations]
    begun = [name for name in names if records.events_of(workplace.store, name)]
    if verb == "resume":
        return side_by_side(
            workplace, begun, lambda name: resume(workplace, name, unheard), forks=4
        )
    return side_by_side(workplace, begun, lambda name: _back(workplace, name), forks=4)


def _run(workplace: Workplace, errand: Errand, organization: Organization) -> Done:
    playbook = load_playbook(find_playbook(errand.playbook))
    planned = plan_organization(workplace, organization, playbook, dict(errand.inputs))
    options = Options(Mandate("tester", reason="a test"))
    return carry_out(workplace, planned, errand.batch, options, unheard)


def _back(workplace: Workplace, name: str) -> Done:
    return roll_back(workplace, name, unheard, reason="a test", in_doubt=True)


def unheard(_run: Run, _event: Event) -> None:
    """Listen to nothing."""
