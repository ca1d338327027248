"""The product, measured: ``python -m bench.product remove|retire INVENTORY STORE [FORKS]``.

What ``orchestrator run PLAYBOOK --limit all --yes`` does between reading its files and showing
the outcome: every organization planned, then every plan carried out, journal and all. One line of
JSON says what it took from opening the first session to closing the last, without imports, and
how long each organization took of it.
"""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

# What is imported when a session or the store is opened; the script's imports do not count either.
import filelock  # noqa: F401 - see above
import pypsrp.powershell  # noqa: F401 - likewise

from orchestrator import credentials  # noqa: F401 - as filelock
from orchestrator.app.batch import side_by_side
from orchestrator.app.execution import Done, Options, carry_out, new_batch
from orchestrator.app.planning import Planned, plan_organization
from orchestrator.app.workplace import Workplace, connect_psrp, utc_now
from orchestrator.core.events import Mandate, Outcome
from orchestrator.core.inventory import Organization
from orchestrator.core.playbook import Playbook
from orchestrator.journal import open_store, sqlite  # noqa: F401 - as filelock
from orchestrator.loader import find_playbook, load_inventory, load_playbook
from orchestrator.transports import connection, pool, psrp  # noqa: F401 - as filelock

JOBS = {
    "remove": ("remove-domain-security", {"domain": "fabrikam.com"}),
    "retire": (
        "retire-dedicated-connectors",
        {"domain": "fabrikam.com", "connector": "EX01\\From Fabrikam"},
    ),
}


def main() -> None:
    """Do the job that the arguments name and print what it took."""
    job, inventory, store, *forks = sys.argv[1:]
    workplace = Workplace(load_inventory(Path(inventory)), store, connect_psrp)
    # A store is made once on a machine, not in each session; opening it counts.
    open_store(store, now=utc_now).close()
    name, given = JOBS[job]
    playbook = load_playbook(find_playbook(name))
    wall, cpu = time.perf_counter(), time.process_time()
    took = carried_out(workplace, playbook, given, int(forks[0]) if forks else 1)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    workplace.close()
    print(json.dumps({"wall": wall, "cpu": cpu, "each": took}))


def carried_out(
    workplace: Workplace, playbook: Playbook, given: Mapping[str, str], forks: int
) -> dict[str, float]:
    """Do it everywhere; return each organization's seconds."""
    took: dict[str, float] = {}

    def plan(organization: Organization) -> Planned:
        begun = time.perf_counter()
        planned = plan_organization(workplace, organization, playbook, given)
        took[organization.name] = time.perf_counter() - begun
        return planned

    def carry(planned: Planned) -> Done:
        begun = time.perf_counter()
        done = carry_out(workplace, planned, batch, options, lambda *_: None)
        took[planned.organization.name] += time.perf_counter() - begun
        return done

    planned = side_by_side(workplace, workplace.inventory.organizations, plan, forks=forks)
    batch, options = new_batch(workplace), Options(Mandate("bench", reason="a benchmark"))
    done = side_by_side(workplace, planned, carry, forks=forks)
    for each in done:
        if each.error is not None or each.run is None or each.run.outcome is not Outcome.SUCCEEDED:
            raise SystemExit(f"{each.organization}: {each.error or each.run}")
    return took


if __name__ == "__main__":
    main()
