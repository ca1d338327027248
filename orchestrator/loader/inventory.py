"""The inventory: the file as it is written, and how it becomes what the core works with."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError
from orchestrator.core.inventory import (
    Auth,
    Connection,
    Contradiction,
    Credential,
    HostName,
    Inventory,
    Line,
    Name,
    Organization,
    Protection,
    Server,
    Source,
    Variable,
    contradictions,
)
from orchestrator.core.limits import Ceiling, Limits
from orchestrator.core.selection import EVERYTHING
from orchestrator.document import Document, Tree, convert, nearest, parse, schema
from orchestrator.loader.calendar import Calendar, Windows, WrittenFreeze, calendar
from orchestrator.loader.text import read_text

Port = Annotated[int, Meta(ge=1, le=65535, description="A TCP port: 80, or 443 with ssl.")]
Identifier = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$(?!\n)",
        description="The name of a playbook's input: letters, digits and '_'.",
    ),
]


class Settings(Connection, frozen=True, kw_only=True):
    """What ``defaults`` may say for all organizations, and each of them again for itself."""

    port: Port | UnsetType = UNSET
    credential: Annotated[
        str,
        Meta(
            pattern=r"^(keyring:[^\n]+|env:[A-Za-z_][A-Za-z0-9_]*|file:[^\n]+|kerberos:)$(?!\n)",
            description="Where the password is, never the password: keyring:NAME, env:VARIABLE, "
            "file:PATH, or kerberos: for a ticket cache.",
            extra={"secret": True},
        ),
    ] = ""
    windows: Windows = UNSET
    freezes: Annotated[
        tuple[WrittenFreeze, ...], Meta(description="Days in which nothing may be changed.")
    ] = ()


class Defaults(Settings, frozen=True, kw_only=True):
    """What holds for all organizations, and for a whole batch of runs."""

    limits: Annotated[Limits, Meta(description="How much one batch may do.")] = Limits()
    kill_switch: Annotated[
        Line, Meta(description="While this file exists nothing is sent; beside the inventory file.")
    ] = ""


class ListedServer(Plain, frozen=True, kw_only=True):
    """A server that is not simply reached by its name at the usual port."""

    name: HostName
    address: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)"
            r"$(?!\n)",
            description="An IP address or name to connect to, without a port.",
        ),
    ] = ""
    port: Port | UnsetType = UNSET


class Entry(Settings, frozen=True, kw_only=True):
    """One organization as it is written."""

    title: Annotated[str, Meta(description="What people call it.")] = ""
    servers: Annotated[
        tuple[HostName | ListedServer, ...],
        Meta(min_length=1, description="Its Exchange servers; they are tried in this order."),
    ]
    domain_controller: Annotated[
        HostName,
        Meta(description="The domain controller to read and write; else one is found per plan."),
    ] = ""
    tags: Annotated[tuple[Name, ...], Meta(description="For --limit tag:NAME.")] = ()
    variables: Annotated[
        Mapping[
            Identifier,
            Annotated[Variable, Meta(description="Text, a whole number, true or false.")],
        ],
        Meta(description="Default values for the inputs of playbooks, by their names."),
    ] = {}
    protect: Annotated[Protection, Meta(description="What no playbook may touch.")] = Protection()
    limits: Annotated[
        Ceiling, Meta(description="What no option may exceed in this organization.")
    ] = Ceiling()


class Written(Plain, frozen=True, kw_only=True):
    """An inventory file."""

    defaults: Annotated[Defaults, Meta(description="For all organizations.")] = Defaults()
    organizations: Annotated[
        dict[
            Name,
            Annotated[
                Entry, Meta(description="What is known of it stands under it: at least 'servers'.")
            ],
        ],
        Meta(
            min_length=1,
            description="Each organization under a name of your choice, with its 'servers'.",
        ),
    ]
    groups: Annotated[
        Mapping[
            Name,
            Annotated[
                tuple[Name, ...],
                Meta(min_length=1, description="Names of organizations or of other groups."),
            ],
        ],
        Meta(description="Groups, each under its name."),
    ] = {}


_APART = frozenset({"limits", "kill_switch", "windows", "freezes"})
"""Keys of ``defaults`` that are not simply taken over by each organization."""

_ADVICE = (
    "A secret is never written in an inventory: store it with 'orchestrator credentials set NAME' "
    "and write 'credential: keyring:NAME'."
)
_HINTS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("password", "passwd", "pwd", "secret", "token", "pass"), _ADVICE),
        **dict.fromkeys(
            ("host", "hosts", "hostname", "server"), "Servers are listed in 'servers'."
        ),
        **dict.fromkeys(("https", "tls", "use_ssl", "scheme"), "Write 'ssl: true' for https."),
        **dict.fromkeys(("dc", "domaincontroller"), "Did you mean 'domain_controller'?"),
    }
)


def load_inventory(path: Path) -> Inventory:
    """Return the inventory in the file *path*, complete and free of contradictions.

    Paths in it are meant from its own directory. Raises ConfigurationError.
    """
    return parse_inventory(read_text(path), str(path), path.absolute().parent)


def parse_inventory(text: str, file: str, directory: Path) -> Inventory:
    """Return the inventory that *text* describes; *directory* is where its paths begin."""
    document = parse(text, file)
    written = convert(document, Written, _HINTS)
    _check_names(document, written)
    usual = calendar(document, ("defaults",), written.defaults)
    return Inventory(
        tuple(_organization(document, name, directory, usual) for name in written.organizations),
        _groups(document, written),
        written.defaults.limits,
        _absolute(written.defaults.kill_switch, directory),
    )


def inventory_schema() -> dict[str, Any]:
    """Return the JSON Schema of inventory files, for editors."""
    return schema(Written, "Inventory of the orchestrator")


def _check_names(document: Document, written: Written) -> None:
    for name in written.groups:
        if name in written.organizations:
            message = f"'{name}' is an organization already"
            raise document.error(("groups", name), message, "Give the group another name.")
    for kind in ("organizations", "groups"):
        if EVERYTHING in getattr(written, kind):
            message = f"'{EVERYTHING}' means every organization and cannot be a name"
            raise document.error((kind, EVERYTHING), message, "Choose another name.")


def _organization(document: Document, name: str, directory: Path, usual: Calendar) -> Organization:
    entry = _merged(document.tree, name)
    own = calendar(document, ("organizations", name), entry, usual)
    connection = {key: getattr(entry, key) for key in Connection.__struct_fields__}
    connection["path"] = entry.path.strip("/")
    connection["ca_file"] = _absolute(entry.ca_file, directory)
    found = Organization(
        **connection,
        name=name,
        servers=tuple(_servers(document, entry, name)),
        credential=_credential(entry, name, directory),
        title=entry.title,
        domain_controller=entry.domain_controller,
        tags=entry.tags,
        variables=entry.variables,
        protect=entry.protect,
        windows=own.windows,
        freezes=own.freezes,
        limits=entry.limits,
    )
    for contradiction in contradictions(found):
        raise _conflict(document, name, contradiction)
    return found


def _merged(tree: Tree, name: str) -> Entry:
    """Return the entry of an organization with the defaults in it; both are valid already."""
    root: Any = tree
    defaults, entry = root.get("defaults", {}), root["organizations"][name]
    together = {**{key: defaults[key] for key in defaults if key not in _APART}, **entry}
    if "timeouts" in together:
        together["timeouts"] = {**defaults.get("timeouts", {}), **entry.get("timeouts", {})}
    return msgspec.convert(together, Entry)


def _servers(document: Document, entry: Entry, name: str) -> Iterator[Server]:
    usual = entry.port or (443 if entry.ssl else 80)
    seen: set[tuple[str, int]] = set()
    for index, each in enumerate(entry.servers):
        listed = ListedServer(name=each) if isinstance(each, str) else each
        server = Server(listed.name, listed.address or listed.name, listed.port or usual)
        key = (server.name.lower(), server.port)
        if key in seen:
            path = ("organizations", name, "servers", index)
            raise document.error(path, f"{server.name} is listed twice", "Keep one of them.")
        seen.add(key)
        yield server


def _credential(entry: Entry, name: str, directory: Path) -> Credential:
    if not entry.credential:
        kerberos = entry.auth is Auth.KERBEROS
        return Credential(Source.KERBEROS) if kerberos else Credential(Source.KEYRING, name)
    source, _, rest = entry.credential.partition(":")
    if source == Source.FILE:
        rest = _absolute(rest, directory)
    return Credential(Source(source), rest)


def _absolute(path: str, directory: Path) -> str:
    return str(directory / Path(path).expanduser()) if path else ""


def _conflict(document: Document, name: str, conflict: Contradiction) -> ConfigurationError:
    own, default = ("organizations", name, conflict.key), ("defaults", conflict.key)
    if own in document.places or default not in document.places:
        return document.error(own, conflict.message, conflict.advice)
    return document.error(default, f"{conflict.message}, as in {name}", conflict.advice)


def _groups(document: Document, written: Written) -> dict[str, tuple[str, ...]]:
    """Return the organizations of each group, in the order of the file."""
    inner = {g: [m for m in ms if m in written.groups] for g, ms in written.groups.items()}
    try:
        order = tuple(TopologicalSorter(inner).static_order())
    except CycleError as error:
        circle = error.args[1][::-1]
        message = f"groups go in a circle: {' -> '.join(circle)}"
        raise document.error(("groups", circle[0]), message, "Cut it somewhere.") from None
    found: dict[str, tuple[str, ...]] = {}
    for name in order:
        found[name] = tuple(dict.fromkeys(_members(document, written, name, found)))
    return {name: found[name] for name in written.groups}


def _members(
    document: Document, written: Written, name: str, known: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    for index, member in enumerate(written.groups[name]):
        if member in written.organizations:
            yield member
        elif member in known:
            yield from known[member]
        else:
            advice = nearest(member, [*written.organizations, *written.groups])
            message = f"'{member}' is no organization or group"
            raise document.error(("groups", name, index), message, advice)
