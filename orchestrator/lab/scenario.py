"""Scenarios: simulated organizations as YAML files, read strictly.

To add one: a file in ``scenarios/``. Everything but the title and what it teaches has a default,
which is Contoso: two servers, two domain controllers, one site.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml

from orchestrator.core.errors import ConfigurationError
from orchestrator.lab.clixml import Lists
from orchestrator.lab.faults import AnyFault, hint
from orchestrator.lab.mail import Certificate, Tls

PASSWORD = "Lab-Pa55word"  # noqa: S105 - the lab's accounts exist on loopback only

# The loader in C is many times faster, and not everywhere.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

OPERATOR_ROLES = (
    "Organization Transport Settings",
    "Receive Connectors",
    "Send Connectors",
    "View-Only Configuration",
    "View-Only Audit Logs",
    "Edge Subscriptions",
)


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of everything a scenario file contains."""


class Server(Part, frozen=True):
    """An Exchange server. *controller* is the domain controller it reads its configuration from."""

    name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]{1,15}$")]
    site: str = "Headquarters"
    controller: str = ""
    version: str = "Version 15.2 (Build 1544.4)"
    edge: bool = False
    connectors: bool = True
    certificate: Certificate = "valid"


class Sender(Part, frozen=True):
    """Somebody who sends a message *every* so many seconds, to one of *servers* after the other.

    *domain* is what is said in MAIL FROM, whoever it is: *label* is for people alone. *via* is the
    address of a gateway in between, which is then the only one that servers see. *after* is when
    the first message comes, in seconds.
    """

    domain: str
    addresses: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    every: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    after: float = 0.0
    servers: tuple[str, ...] = ()
    tls: Tls = "none"
    via: str = ""
    label: Literal["partner", "forger", "bystander"] = "partner"


class Controller(Part, frozen=True):
    """A domain controller."""

    name: str
    site: str = "Headquarters"


class Replication(Part, frozen=True):
    """Seconds until a write reaches the other controllers; negative: not by itself."""

    within: float = 0.0
    between: float = 0.0


class Connector(Part, frozen=True):
    """A connector beside the default ones; a receive connector exists on each of *servers*.

    *servers* empty means all. *properties* are Exchange's own names and values.
    """

    name: str
    servers: tuple[str, ...] = ()
    properties: Mapping[str, Any] = {}
    exchange_version: str = "0.1 (8.0.535.0)"


class Edit(Part, frozen=True):
    """Properties of an object that setup made, changed before the scenario begins."""

    identity: str
    properties: Mapping[str, Any]


class User(Part, frozen=True):
    """An account of the organization, its management roles, and what it is on the servers.

    Only an administrator may open a remote command shell; an Event Log Reader may read the log,
    but not that way (domain.md 4).
    """

    name: str
    roles: tuple[str, ...] = OPERATOR_ROLES
    password: str = PASSWORD
    local: Literal["administrator", "event-log-reader", "none"] = "administrator"


class Shapes(Part, frozen=True):
    """How values look on the wire; see ``clixml.Style``. *missing* names absent properties."""

    lists: Lists = "multivalued"
    empty: Literal["list", "nil"] = "list"
    enums: Literal["object", "text"] = "object"
    prefix: bool = False
    noise: bool = True
    missing: Mapping[str, tuple[str, ...]] = {}


class Scale(Part, frozen=True):
    """Servers, listed domains and connectors per server to generate beside the named ones."""

    servers: int = 0
    domains: int = 0
    connectors: int = 0


class Scenario(Part, frozen=True):
    """One simulated organization. *generation* is the year of its Exchange: 2010 or 2019.

    *confirmation*: ``always`` asks before each write that does not say ``-Confirm:$false``, the
    strictest server imaginable; ``asked`` only where ``-Confirm`` is given, as Exchange documents.
    *ignores_whatif* names cmdlets that write in spite of ``-WhatIf``. *jea* is the name of an
    endpoint, beside Exchange's, that offers nothing but ``wevtutil``. *reload* is after how many
    seconds a transport service loads its configuration again [obs], *audit_lag* after how many an
    entry of the audit log can be found [doc: up to 15 minutes].
    """

    title: str
    description: str
    organization: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]*$")] = "contoso"
    domain: str = "contoso.example"
    netbios: str = "CONTOSO"
    generation: Literal[2010, 2019] = 2019
    servers: tuple[Server, ...] = (Server(name="EX01"), Server(name="EX02"))
    controllers: tuple[Controller, ...] = (Controller(name="dc01"), Controller(name="dc02"))
    replication: Replication = Replication()
    receive_list: tuple[str, ...] = ()
    send_list: tuple[str, ...] = ()
    transport: Mapping[str, Any] = {}
    defaults: Mapping[str, Any] = {}
    receive_connectors: tuple[Connector, ...] = ()
    send_connectors: tuple[Connector, ...] = ()
    edits: tuple[Edit, ...] = ()
    edges: tuple[str, ...] = ()
    users: tuple[User, ...] = (User(name="ops"),)
    session_quota: int = 18
    jea: str = "OrchestratorEvents"
    confirmation: Literal["always", "asked"] = "always"
    ignores_whatif: tuple[str, ...] = ()
    language: Literal["en", "de"] = "en"
    shapes: Shapes = Shapes()
    faults: tuple[AnyFault, ...] = ()
    traffic: tuple[Sender, ...] = ()
    reload: Annotated[float, msgspec.Meta(ge=0)] = 300.0
    audit_lag: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    scale: Scale = Scale()


def scenarios() -> Mapping[str, str]:
    """Return the names of the scenarios that ship with the product, and their titles."""
    return {path.stem: load_scenario(path.stem).title for path in _shipped()}


def _shipped() -> Iterator[Path]:
    folder = resources.files("orchestrator.lab") / "scenarios"
    return iter(sorted(Path(str(one)) for one in folder.iterdir() if one.name.endswith(".yaml")))


@cache
def _names() -> tuple[str, ...]:
    return tuple(path.stem for path in _shipped())


def load_scenario(name: str | Path) -> Scenario:
    """Return a shipped scenario by its name, or the one in the file *name*.

    Raises ConfigurationError, with the place in the file and the nearest legal word.
    """
    path = next((one for one in _shipped() if one.stem == str(name)), Path(name))
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        near = did_you_mean(str(name), _names())
        raise ConfigurationError(
            f"no scenario is called {str(name)!r}, and no such file can be read{near}",
            "The scenarios are: " + ", ".join(_names()) + ".",
        ) from error
    return parse_scenario(text, str(path))


def parse_scenario(text: str, file: str = "") -> Scenario:
    """Return the scenario that *text* describes. Raises ConfigurationError."""
    try:
        document = _load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise ConfigurationError(
            f"not YAML: {error.problem}", file=file, line=place[0], column=place[1]
        ) from error
    try:
        return msgspec.convert(document, Scenario, strict=True)
    except msgspec.ValidationError as error:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        raise _refused(error, document, node, file) from error


def _load(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - one of the safe loaders
    except yaml.MarkedYAMLError:
        # The two loaders tell different places; the one in Python is the more exact.
        return yaml.safe_load(text)


_PLACE = re.compile(r"(?P<reason>.*?)(?: - at `(?:key in )?\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
_FIELD = re.compile(r"unknown field `([^`]*)`")
_FAULT = re.compile(r"faults\[(\d+)\]")
_STEP = re.compile(r"([A-Za-z_]\w*)|\[(\d+)\]")


def _refused(
    error: msgspec.ValidationError, document: Any, node: Any, file: str
) -> ConfigurationError:
    match = _PLACE.fullmatch(str(error))
    reason, path = (match["reason"], match["path"] or "") if match else (str(error), "")
    unknown = _FIELD.search(reason)
    fault = _FAULT.match(path)
    if fault and unknown:
        reason = f"{unknown[1]!r} is not a key here{hint(document['faults'][int(fault[1])])}"
        path = f"{path}.{unknown[1]}"
    elif fault and path.endswith(".kind"):
        reason += hint(document["faults"][int(fault[1])])
    elif unknown:
        legal = _fields_at(path)
        reason = f"{unknown[1]!r} is not a key here{did_you_mean(unknown[1], legal)}"
        path = f"{path}.{unknown[1]}" if path else unknown[1]
    line, column = _mark(node, path)
    return ConfigurationError(reason, file=file, line=line, column=column, path=path)


def _fields_at(path: str) -> tuple[str, ...]:
    """Return the keys that are legal at *path*, found by walking the types."""
    here: Any = Scenario
    for key, _ in _STEP.findall(path):
        if key:
            types = {one.name: one.type for one in msgspec.structs.fields(here)}
            here = types[key]
            here = here.__args__[0] if hasattr(here, "__args__") else here
    return tuple(one.name for one in msgspec.structs.fields(here))


def _mark(node: Any, path: str) -> tuple[int | None, int | None]:
    """Return line and column of the deepest part of *path* that the file has."""
    mark = node.start_mark if node is not None else None
    for key, index in _STEP.findall(path):
        if isinstance(node, yaml.MappingNode):
            pairs = [pair for pair in node.value if pair[0].value == key]
            if not pairs:
                break
            mark, node = pairs[0][0].start_mark, pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and index:
            node = node.value[int(index)]
            mark = node.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (None, None)


def did_you_mean(word: str, legal: tuple[str, ...]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest legal word, or nothing."""
    near = difflib.get_close_matches(word, legal, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
