"""The inventory: the file as it is written, and how it becomes what the core works with."""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from orchestrator.core.command import Plain
from orchestrator.core.contradictions import Contradiction, contradictions
from orchestrator.core.errors import ConfigurationError
from orchestrator.core.inventory import (
    Auth,
    Connection,
    Credential,
    DomainName,
    HostName,
    Inventory,
    Line,
    Name,
    Organization,
    Partner,
    Protection,
    Server,
    Smtp,
    Source,
    Variable,
    WinRM,
    Words,
)
from orchestrator.core.limits import Ceiling, Limits
from orchestrator.core.selection import EVERYTHING
from orchestrator.document import Document, Tree, convert, nearest, parse, schema
from orchestrator.loader.calendar import Calendar, Windows, WrittenFreeze, calendar
from orchestrator.loader.text import read_text
from orchestrator.loader.winrm import ListedServer, Port, Secret, WrittenWinRM

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
    credential: Secret = ""
    winrm: Annotated[
        WrittenWinRM, Meta(description="How event logs and protocol logs are read.")
    ] = WrittenWinRM()
    smtp: Annotated[Smtp | None, Meta(description="The server that letters are handed to.")] = None
    protocol_logs: Annotated[
        tuple[Words, ...],
        Meta(description=r"Directories of SmtpReceive logs, as in 'D:\Logs\SmtpReceive'."),
    ] = ()
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
    partners: Annotated[
        Mapping[
            DomainName,
            Annotated[Partner, Meta(description="What is known of the partner.")],
        ],
        Meta(description="Partners, by their domains: where they send from, whom to write to."),
    ] = {}
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
        credential=_credential(entry.credential, entry.auth, name, directory),
        title=entry.title,
        domain_controller=entry.domain_controller,
        tags=entry.tags,
        variables=entry.variables,
        protect=entry.protect,
        windows=own.windows,
        freezes=own.freezes,
        limits=entry.limits,
        winrm=_winrm(document, entry, name, directory),
        partners={domain.lower(): partner for domain, partner in entry.partners.items()},
        smtp=_smtp(entry, directory),
        protocol_logs=entry.protocol_logs,
    )
    for contradiction in contradictions(found):
        raise _conflict(document, name, contradiction)
    return found


def _merged(tree: Tree, name: str) -> Entry:
    """Return the entry of an organization with the defaults in it; both are valid already."""
    root: Any = tree
    defaults, entry = root.get("defaults", {}), root["organizations"][name]
    together = {**{key: defaults[key] for key in defaults if key not in _APART}, **entry}
    for key in ("timeouts", "winrm"):
        if key in together:
            together[key] = {**defaults.get(key, {}), **entry.get(key, {})}
    return msgspec.convert(together, Entry)


def _servers(document: Document, entry: Entry, name: str) -> Iterator[Server]:
    usual = entry.port or (443 if entry.ssl else 80)
    yield from _listed(document, entry.servers, usual, ("organizations", name, "servers"))


def _listed(
    document: Document,
    listed: Iterable[str | ListedServer],
    usual: int,
    path: tuple[str | int, ...],
) -> Iterator[Server]:
    seen: set[tuple[str, int]] = set()
    for index, each in enumerate(listed):
        one = ListedServer(name=each) if isinstance(each, str) else each
        server = Server(one.name, one.address or one.name, one.port or usual)
        key = (server.name.lower(), server.port)
        if key in seen:
            message = f"{server.name} is listed twice"
            raise document.error((*path, index), message, "Keep one of them.")
        seen.add(key)
        yield server


def _winrm(document: Document, entry: Entry, name: str, directory: Path) -> WinRM:
    """Return the WinRM endpoint; what it leaves out is as for the Exchange endpoint."""
    written = entry.winrm
    own = {key: value for key in _SHARED if (value := getattr(written, key)) is not UNSET}
    merged = {key: getattr(entry, key) for key in _SHARED} | own
    port = written.port or (5986 if merged["ssl"] else 5985)
    path = ("organizations", name, "winrm", "servers")
    credential = entry.credential if written.credential is UNSET else written.credential
    return WinRM(
        **{**merged, "ca_file": _absolute(merged["ca_file"], directory)},
        port=port,
        servers=tuple(_listed(document, written.servers, port, path)),
        credential=_credential(credential, merged["auth"], name, directory),
        configuration=written.configuration,
    )


_SHARED = ("ssl", "ca_file", "auth", "encryption", "allow_cleartext", "user")
"""What the WinRM endpoint takes from the Exchange endpoint where it does not say otherwise."""


def _smtp(entry: Entry, directory: Path) -> Smtp | None:
    if entry.smtp is None:
        return None
    return replace(entry.smtp, ca_file=_absolute(entry.smtp.ca_file, directory))


def _credential(written: str, auth: Auth, name: str, directory: Path) -> Credential:
    if not written:
        kerberos = auth is Auth.KERBEROS
        return Credential(Source.KERBEROS) if kerberos else Credential(Source.KEYRING, name)
    source, _, rest = written.partition(":")
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
