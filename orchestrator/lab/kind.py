"""What a kind of directory object is: its types, where it lies, its properties."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.lab import vocabulary as v
from orchestrator.lab.forms import Form


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a kind: its form, its default, and whether the Set cmdlet has it."""

    form: Form
    default: object = None
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of directory object.

    *types* are its .NET type names. *category* is its class in the directory schema. *container*
    is the distinguished name below the organization, with ``{server}`` for per-server objects.
    """

    name: str
    types: tuple[str, ...]
    category: str
    container: str
    properties: Mapping[str, Property]


BASES = (
    f"{v.CONFIGURATION}.ADConfigurationObject",
    f"{v.DATA}.Directory.ADObject",
    f"{v.DATA}.Directory.ADRawEntry",
    f"{v.DATA}.ConfigurableObject",
    v.OBJECT,
)
GROUP = "CN=Exchange Administrative Group (FYDIBOHF23SPDLT),CN=Administrative Groups"
ROUTING_GROUP = f"CN=Exchange Routing Group (DWBGZMFD01QNBJR),CN=Routing Groups,{GROUP}"


def types(name: str, *between: str) -> tuple[str, ...]:
    """Return the type names of a configuration class, those of its bases included."""
    return tuple(f"{v.CONFIGURATION}.{one}" for one in (name, *between)) + BASES


def fixed(form: Form, default: object = None) -> Property:
    """Return a property that no Set cmdlet has."""
    return Property(form, default, writable=False)


YES = Property(v.FLAG, default=True)
NO = Property(v.FLAG, default=False)
