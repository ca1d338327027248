"""Objects as they travel through a pipeline and onto the wire."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orchestrator.lab import vocabulary as v
from orchestrator.lab.clixml import Style, Writer
from orchestrator.lab.directory import Entry
from orchestrator.lab.forms import Again, Form, Link
from orchestrator.lab.schema import KINDS

SELECTED_BASES = ("System.Management.Automation.PSCustomObject", "System.Object")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and its form; on its own it is an output too, such as a string."""

    form: Form
    value: object

    def write(self, out: Writer, name: str | None = None) -> None:
        """Write the value."""
        if self.value is None:
            out.nil(name)
        else:
            self.form.write(out, self.value, name)


@dataclass(frozen=True, slots=True)
class Output:
    """An object: type names, ToString, adapted and extended properties.

    *key* is equal for outputs that look the same on the wire, so that they are written only once.
    *entry* is the directory object behind it, which is how a pipe into a Set cmdlet identifies it.
    """

    types: tuple[str, ...]
    text: str | None
    adapted: Mapping[str, Cell] = field(default_factory=dict)
    extended: Mapping[str, Cell] = field(default_factory=dict)
    key: Hashable = None
    entry: Entry | None = None

    @property
    def cells(self) -> dict[str, Cell]:
        """All properties together."""
        return {**self.adapted, **self.extended}


def clixml(output: Output | Cell, style: Style) -> str:
    """Return the document of one output."""
    out = Writer(style)
    if isinstance(output, Cell):
        output.write(out)
        return out.text()
    out.begin(output.types, output.text)
    for part, cells in (("Props", output.adapted), ("MS", output.extended)):
        if cells:
            out.open(part)
            for name, cell in cells.items():
                cell.write(out, name)
            out.close(part)
    if output.entry is not None:
        out.noise(output.types[0], output.entry.label)
    out.end()
    return out.text()


def present(
    entry: Entry, controller: str, organization: str, domain: str, missing: tuple[str, ...] = ()
) -> Output:
    """Return a directory object as the Get cmdlet shows it, answered by *controller*.

    *missing* are properties that this version of Exchange does not have.
    """
    kind = KINDS[entry.kind]
    cells = {name: Cell(one.form, entry.values.get(name)) for name, one in kind.properties.items()}
    cells |= _common(entry, controller, organization, domain)
    for name in missing:
        cells.pop(name, None)
    key = (organization, entry.guid, entry.version, controller)
    return Output(kind.types, entry.label, cells, {}, key, entry)


def distinguished_name(entry: Entry, organization: str, domain: str) -> str:
    """Return where the object lies in the configuration partition."""
    suffix = ",".join(f"DC={label}" for label in domain.split("."))
    top = f"CN={organization.title()},CN=Microsoft Exchange,CN=Services,CN=Configuration,{suffix}"
    if entry.kind == "OrganizationConfig":
        return top
    container = KINDS[entry.kind].container.format(server=entry.server)
    escaped = entry.name.replace("\\", "\\\\").replace(",", "\\,")
    return ",".join(part for part in (f"CN={escaped}", container, top) if part)


def _common(entry: Entry, controller: str, organization: str, domain: str) -> dict[str, Cell]:
    """Return the properties that every directory object ends with [seen]."""
    path = distinguished_name(entry, organization, domain)
    identity = Link(entry.label, path, entry.guid)
    category = KINDS[entry.kind].category
    schema = Link(f"{domain}/Configuration/Schema/{category}", f"CN={category},CN=Schema")
    changed, created = _moment(entry.changed), _moment(entry.created)
    return {
        "AdminDisplayName": Cell(v.TEXT, ""),
        "ExchangeVersion": Cell(v.OBJECT_VERSION, entry.exchange_version),
        "Name": Cell(v.TEXT, entry.name),
        "DistinguishedName": Cell(v.TEXT, path),
        "Identity": Cell(v.REFERENCE, identity),
        "Guid": Cell(v.GUID, entry.guid),
        "ObjectCategory": Cell(v.REFERENCE, schema),
        "ObjectClass": Cell(v.TEXTS, ("top", category)),
        "WhenChanged": Cell(v.MOMENT, changed),
        "WhenCreated": Cell(v.MOMENT, created),
        "WhenChangedUTC": Cell(v.MOMENT, changed),
        "WhenCreatedUTC": Cell(v.MOMENT, created),
        "OrganizationId": Cell(v.ORGANIZATION_ID, ""),
        "Id": Cell(Again("Identity", v.REFERENCE), identity),
        "OriginatingServer": Cell(v.TEXT, controller),
        "IsValid": Cell(v.FLAG, value=True),
        "ObjectState": Cell(v.OBJECT_STATE, "Unchanged"),
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
