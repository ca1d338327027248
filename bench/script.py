r"""The yardstick: the same careful job as a good administrator would script it with pypsrp alone.

It opens one pool and keeps it, surveys, judges, looks again right before each change, makes it in
delta form by Guid on one domain controller, reads it back, and closes the pool. Run it as

    python -m bench.script remove|retire PORT AUTH USER CONTROLLER [--plain]

with the password in ORCHESTRATOR_LAB_PASSWORD. It removes DOMAIN; ``retire`` also disables the
connector ``EX01\From Fabrikam`` wherever it is the same flow. As a rule it is frugal: reads share
a pipeline, are narrowed with Select-Object, a read-back is the next change's look, and no
pipeline is signalled, because the pool's end frees it. ``--plain`` does what most scripts do:
each read on its own, whole objects. One line of JSON says what it took from opening the session to
closing it, without imports.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any
from xml.etree import ElementTree as ET

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

DOMAIN = "fabrikam.com"
CONNECTOR = "EX01\\From Fabrikam"

LISTS = ("TLSReceiveDomainSecureList", "Guid", "OriginatingServer")
RECEIVE = (
    *("Name", "Identity", "Guid", "Server", "Enabled", "DomainSecureEnabled", "AuthMechanism"),
    *("PermissionGroups", "Bindings", "RemoteIPRanges", "TlsDomainCapabilities"),
    "OriginatingServer",
)
STATE = ("Identity", "Guid", "Enabled", "RemoteIPRanges", "OriginatingServer")
SEND = ("Name", "Guid", "LinkedReceiveConnector", "OriginatingServer")


class Trouble(Exception):
    """Something is not as it must be; nothing more is done."""


@dataclass(frozen=True)
class Read:
    """A Get cmdlet, the properties that matter, and one object's Guid or all of them."""

    cmdlet: str
    properties: Sequence[str]
    identity: str = ""


@dataclass
class Shell:
    """One pool, and the domain controller that everything is asked of."""

    pool: RunspacePool
    controller: str
    plain: bool

    def read(self, *reads: Read) -> list[list[dict[str, Any]]]:
        """Return the objects of each read; frugally all in one pipeline."""
        if self.plain:
            return [self._ask(each) for each in reads]
        found = self._ask(*reads)
        kinds = [each.cmdlet.removeprefix("Get-") for each in reads]
        return [
            [one for one in found if _is(one, kind, each.identity)]
            for kind, each in zip(kinds, reads, strict=True)
        ]

    def change(self, cmdlet: str, **parameters: object) -> None:
        """Send one Set."""
        shell = PowerShell(self.pool)
        shell.add_cmdlet(cmdlet)
        shell.add_parameters({**parameters, "DomainController": self.controller, "Confirm": False})
        self._run(shell)

    def _ask(self, *reads: Read) -> list[dict[str, Any]]:
        shell = PowerShell(self.pool)
        for each in reads:
            shell.add_cmdlet(each.cmdlet).add_parameter("DomainController", self.controller)
            if each.identity:
                shell.add_parameter("Identity", each.identity)
            if not self.plain:
                shell.add_cmdlet("Select-Object")
                shell.add_parameter("Property", list(each.properties))
            shell.add_statement()
        found = [_plain(one) for one in self._run(shell)]
        for one in found:
            if one["OriginatingServer"] != self.controller:
                raise Trouble(f"{one['OriginatingServer']} answered")
        return found

    def _run(self, shell: PowerShell) -> list[Any]:
        output: list[Any] = shell.invoke()
        if shell.had_errors or shell.streams.error:
            raise Trouble("; ".join(str(error) for error in shell.streams.error))
        return output


def _is(one: dict[str, Any], kind: str, identity: str) -> bool:
    wanted = "TransportConfigContainer" if kind == "TransportConfig" else kind
    same_kind = one["kind"].rpartition(".")[2].casefold().endswith(wanted.casefold())
    return same_kind and (not identity or str(one["Guid"]) == identity)


def _plain(one: Any) -> dict[str, Any]:
    properties = {**one.adapted_properties, **one.extended_properties}
    return {"kind": one.types[0], **{name: _value(value) for name, value in properties.items()}}


def _value(value: Any) -> Any:
    """Return what pypsrp made of a property: it leaves the lists of Exchange as XML text."""
    sets = getattr(value, "property_sets", None)
    if sets and isinstance(sets[0], str) and sets[0].startswith("<LST"):
        return [each.findtext("ToString") or each.text for each in ET.fromstring(sets[0])]  # noqa: S314 - our own server
    return str(value) if hasattr(value, "to_string") else value


def remove(shell: Shell) -> None:
    """Take the domain off the receive list."""
    lists = Read("Get-TransportConfig", LISTS)
    (config,), connectors = shell.read(lists, Read("Get-ReceiveConnector", RECEIVE))
    if not any("AnonymousUsers" in one["PermissionGroups"] for one in connectors):
        raise Trouble("no connector would take the mail afterwards")
    _change_list(shell, config, shell.read(lists)[0][0])
    _check_list(config, shell.read(lists)[0][0])


def retire(shell: Shell) -> None:
    """Take the domain off the receive list and disable the partner's connectors."""
    lists = Read("Get-TransportConfig", LISTS)
    (config,), connectors, send = shell.read(
        lists, Read("Get-ReceiveConnector", RECEIVE), Read("Get-SendConnector", SEND)
    )
    flow = _flow(connectors, send)
    looks = [Read("Get-ReceiveConnector", STATE, str(one["Guid"])) for one in flow]
    _change_list(shell, config, shell.read(lists)[0][0])
    (back,), look = _next(shell, lists, looks[0])
    _check_list(config, back)
    for at, one in enumerate(flow):
        if look["RemoteIPRanges"] != one["RemoteIPRanges"] or not look["Enabled"]:
            raise Trouble(f"{one['Identity']} was changed by somebody else")
        shell.change("Set-ReceiveConnector", Identity=str(one["Guid"]), Enabled=False)
        (back,), look = _next(shell, looks[at], *looks[at + 1 : at + 2])
        if back["Enabled"]:
            raise Trouble(f"{one['Identity']} is still enabled")


def _next(shell: Shell, back: Read, *look: Read) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Read one change back, and with it what the next is about."""
    seen, *more = shell.read(back, *look)
    return seen, more[0][0] if more else {}


def _flow(
    connectors: Sequence[dict[str, Any]], send: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    tied = next((one for one in connectors if one["Identity"] == CONNECTOR), None)
    if tied is None or "Partners" not in tied["PermissionGroups"]:
        raise Trouble(f"{CONNECTOR} is not what it should be")
    if any(one["LinkedReceiveConnector"] for one in send):
        raise Trouble("a send connector is linked")
    flow = [
        one
        for one in connectors
        if one["Name"] == tied["Name"]
        and one["RemoteIPRanges"] == tied["RemoteIPRanges"]
        and one["Enabled"]
    ]
    for one in flow:
        if not any(_takes_over(other, one) for other in connectors if other not in flow):
            raise Trouble(f"nothing takes over from {one['Identity']}")
    return flow


def _takes_over(other: dict[str, Any], one: dict[str, Any]) -> bool:
    return (
        other["Server"] == one["Server"]
        and other["Enabled"]
        and "AnonymousUsers" in other["PermissionGroups"]
        and all(binding in other["Bindings"] for binding in one["Bindings"])
        and all(
            any(_within(part, whole) for whole in other["RemoteIPRanges"])
            for part in one["RemoteIPRanges"]
        )
    )


def _within(part: str, whole: str) -> bool:
    first, last = _bounds(part)
    low, high = _bounds(whole)
    return low <= first and last <= high


def _bounds(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    if "/" in text:
        net = ip_network(text)
        return (net.version, int(net[0])), (net.version, int(net[-1]))
    low, _, high = text.partition("-")
    first, last = ip_address(low), ip_address(high or low)
    return (first.version, int(first)), (last.version, int(last))


def _change_list(shell: Shell, seen: dict[str, Any], now: dict[str, Any]) -> None:
    if DOMAIN not in now[LISTS[0]] or DOMAIN not in seen[LISTS[0]]:
        raise Trouble(f"{DOMAIN} is not listed")
    shell.change("Set-TransportConfig", **{LISTS[0]: {"Remove": DOMAIN}})


def _check_list(before: dict[str, Any], now: dict[str, Any]) -> None:
    if [one for one in before[LISTS[0]] if one != DOMAIN] != list(now[LISTS[0]]):
        raise Trouble("the list is not what it should be")


def main() -> None:
    """Do the job that the arguments name and print what it took."""
    job, port, auth, user, controller, *plain = sys.argv[1:]
    password = os.environ["ORCHESTRATOR_LAB_PASSWORD"]
    wall, cpu = time.perf_counter(), time.process_time()
    wsman = WSMan(
        "127.0.0.1",
        port=int(port),
        path="PowerShell",
        ssl=False,
        auth=auth,
        encryption="never" if auth == "basic" else "auto",
        username=user,
        password=password,
        no_proxy=True,
    )
    with wsman, RunspacePool(wsman, configuration_name="Microsoft.Exchange") as pool:
        shell = Shell(pool, controller, plain=bool(plain))
        remove(shell) if job == "remove" else retire(shell)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main()
