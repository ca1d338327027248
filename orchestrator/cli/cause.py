"""Why a plan is made: an incident, which says the organization and the inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.cli.work import Wanted
from orchestrator.core.errors import UsageError
from orchestrator.core.playbook import Playbook

if TYPE_CHECKING:
    from orchestrator.app.workplace import Workplace
    from orchestrator.exchange.incident import Incident


def because(
    workplace: "Workplace", name: str | None, wanted: Wanted, limit: tuple[str, ...]
) -> tuple[Wanted, tuple[str, ...]]:
    """Return what is wanted, and where, with what the incident *name* says; as is without one.

    What was given with ``--set`` wins; an empty value means: not the incident's either. Raises
    UsageError where the incident does not say what the playbook needs.
    """
    if name is None:
        return wanted, limit
    if not workplace.has_store:
        raise UsageError(
            f"no incident is called '{name}': none is recorded",
            "'orchestrator events' reads the servers' logs and records what they say.",
        )
    from orchestrator.app import incidents  # noqa: PLC0415 - only where one is named

    found = incidents.find(workplace.store, name)
    inputs = _inputs(found, wanted.playbook, wanted.given)
    return replace(wanted, given=inputs, incident=found.id), _where(workplace, found, limit)


def _inputs(incident: "Incident", playbook: Playbook, given: Mapping[str, str]) -> dict[str, str]:
    from orchestrator.app.diagnosis import connectors, inputs  # noqa: PLC0415 - only for incidents

    said = inputs(incident, [spec.name for spec in playbook.inputs])
    found = {name: text for name, text in {**said, **given}.items() if text or name not in said}
    missing = [spec.name for spec in playbook.inputs if spec.required and spec.name not in found]
    named = connectors(incident)
    takes = any(spec.name == "connector" for spec in playbook.inputs)
    if takes and len(named) > 1 and "connector" not in given:
        raise UsageError(
            f"the events of {incident.id} name several connectors: {', '.join(named)}",
            r"Say which is meant with --set connector='SERVER\Name'; "
            f"'orchestrator diagnose {incident.id}' tells.",
        )
    if missing:
        raise UsageError(
            f"{incident.id} does not say what {playbook.name} needs: {', '.join(missing)}",
            f"Add {_hint(missing)}",
        )
    return found


def _hint(names: Sequence[str]) -> str:
    return " ".join(f"--set {name}=..." for name in names)


def _where(workplace: "Workplace", incident: "Incident", limit: tuple[str, ...]) -> tuple[str, ...]:
    own = incident.organization
    if limit and [each.name for each in workplace.inventory.select(limit)] != [own]:
        raise UsageError(
            f"{incident.id} is an incident of {own}, and --limit says otherwise",
            "Leave --limit away: the incident says where.",
        )
    return (own,)
