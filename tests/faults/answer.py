"""The table of faults: what goes wrong, and what the product answers. One row is one test."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

FILE = Path(__file__).with_name("answers.yaml")
CONNECTORS = ("ReceiveConnector:EX01\\From Fabrikam", "ReceiveConnector:EX02\\From Fabrikam")
CONFIG = "TransportConfig:Transport Settings"
LIST = "TLSReceiveDomainSecureList"
DOMAIN = "fabrikam.com"

Snapshot = dict[str, dict[str, Any]]
State = Literal["as before", "as asked", "partly"]


class Then(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the command that comes next leads to.

    *healed*: what went wrong has passed by then. *controller* is first named in the inventory.
    """

    command: str
    says: str
    exit: int
    state: State
    healed: bool = True
    controller: str = ""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fault, or several at once, and the answer. *most* bounds the HTTP requests.

    *job* is what is being done: ``remove`` makes one change, ``retire`` three. *state* is that of
    the organization by the lab itself; *doubt* says that the product does not claim to know it.
    The faults are switched on once the lab runs, or for a rollback once there is a run to undo.
    """

    name: str
    when: str
    faults: tuple[Mapping[str, Any], ...]
    says: str
    exit: int
    state: State
    job: Literal["remove", "retire", "rollback"] = "remove"
    options: tuple[str, ...] = ()
    doubt: bool = False
    most: int = 40
    slow: bool = False
    scenario: str = "dedicated-pair"
    next: Then | None = None


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows that belong together."""

    title: str
    rows: tuple[Row, ...]


def groups() -> tuple[Group, ...]:
    """Return the table."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return msgspec.convert(document, tuple[Group, ...], strict=True)


def rows() -> Iterator[Row]:
    """Yield every row."""
    for group in groups():
        yield from group.rows


def edited(before: Snapshot, row: Row) -> Snapshot:
    """Return what other administrators make of the organization, nobody else being at work."""
    after = deepcopy(before)
    for fault in row.faults:
        match fault:
            case {"kind": "edit", "identity": identity, "properties": properties}:
                after[_key(identity)].update(properties)
            case {"kind": "vanish", "identity": identity}:
                del after[_key(identity)]
            case {"kind": "replace", "identity": identity}:
                after[_key(identity)]["Guid"] = "another"
            case _:
                continue
    return after


def asked(before: Snapshot, job: str) -> Snapshot:
    """Return what the job makes of an organization."""
    after = deepcopy(before)
    after[CONFIG][LIST] = [one for one in after[CONFIG][LIST] if one != DOMAIN]
    for connector in CONNECTORS if job != "remove" else ():
        if connector in after:
            after[connector]["Enabled"] = False
    return after


def _key(identity: str) -> str:
    return CONFIG if identity == "TransportConfig" else f"ReceiveConnector:{identity}"
