"""Whether a batch is more than somebody allows, and the ramp by which it begins.

Decided before anything is sent, on plans alone. Whose word counts: what an organization says of
itself is its ceiling, and nothing raises it. For the batch as a whole the command line counts
where it says anything, else the lowest of what playbook and inventory say.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import UNSET

from orchestrator.core.command import Plain
from orchestrator.core.limits import COUNTED, Ceiling, Limits
from orchestrator.core.plan import Plan, refers_to


class Excess(Plain, frozen=True):
    """A cap that a batch is beyond: how much it allows, how much was planned, and who says so.

    *organization* is empty where the whole batch is meant.
    """

    counted: str
    allowed: int
    planned: int
    source: str
    way_out: str
    organization: str = ""

    def __str__(self) -> str:
        who = f"{self.organization}: " if self.organization else ""
        return (
            f"{who}{self.planned} {self.counted} are planned, {self.source} allows {self.allowed}"
        )


class Caps(NamedTuple):
    """Everything that says how much a batch may do.

    *own* are the ceilings of organizations, by the names that plans have for them.
    """

    given: Limits = Limits()
    inventory: Limits = Limits()
    own: Mapping[str, Ceiling] = {}


def excesses(plans: Sequence[Plan], connectors: frozenset[str], caps: Caps) -> tuple[Excess, ...]:
    """Return every cap that *plans*, together one batch, are beyond.

    *connectors* are the kinds of object that count as connectors.
    """
    together = _tally(plans, connectors)
    found = [_beyond(each, together[each], _batch_cap(each, plans, caps)) for each in COUNTED]
    for plan in plans:
        name = plan.organization.name
        alone = _tally((plan,), connectors)
        ceiling = caps.own.get(name, Ceiling())
        found += [_above(name, each, alone[each], ceiling) for each in Ceiling.__struct_fields__]
    return tuple(excess for excess in found if excess is not None)


def _tally(plans: Sequence[Plan], connectors: frozenset[str]) -> dict[str, int]:
    touched = {
        (plan.organization.guid, ref.guid)
        for plan in plans
        for ref in refers_to(plan)
        if ref.kind in connectors
    }
    return {
        "changes": sum(len(plan.changes) for plan in plans),
        "organizations": len(plans),
        "connectors": len(touched),
    }


def _batch_cap(counted: str, plans: Sequence[Plan], caps: Caps) -> tuple[int, str] | None:
    """Return the cap on a whole batch and who says so."""
    given = getattr(caps.given, counted)
    if given is not UNSET:
        return given, f"--max-{counted}"
    said = [(caps.inventory, f"defaults.limits.{counted} of the inventory")]
    said += [(_of(plan), f"limits.{counted} of the playbook {plan.playbook}") for plan in plans]
    known = [(getattr(limits, counted), source) for limits, source in said]
    return min((each for each in known if each[0] is not UNSET), default=None)


def _of(plan: Plan) -> Limits:
    return Limits() if plan.limits is UNSET else plan.limits


def _beyond(counted: str, planned: int, cap: tuple[int, str] | None) -> Excess | None:
    if cap is None or planned <= cap[0]:
        return None
    way_out = f"Choose fewer organizations with --limit, or allow it: --max-{counted} {planned}."
    return Excess(counted, cap[0], planned, cap[1], way_out)


def _above(name: str, counted: str, planned: int, ceiling: Ceiling) -> Excess | None:
    allowed = getattr(ceiling, counted)
    if allowed is UNSET or planned <= allowed:
        return None
    source = f"organizations.{name}.limits.{counted} of the inventory"
    way_out = "No option passes it: whoever answers for the organization has to raise it there."
    return Excess(counted, allowed, planned, source, way_out, name)


def waves(number: int, *, ramp: bool) -> Iterator[int]:
    """Yield how many of *number* organizations are begun together: 1, 2, 4, ..., or all."""
    size = 1 if ramp else max(number, 1)
    while number > 0:
        yield min(size, number)
        number -= size
        size *= 2
