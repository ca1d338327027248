"""An inventory of a running lab, in the format that the product reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from orchestrator.lab.organization import Organization


@dataclass(frozen=True, slots=True)
class Place:
    """Where one server is to be reached; *https_port* is None without HTTPS."""

    organization: str
    name: str
    server: str
    port: int
    https_port: int | None


@dataclass(frozen=True, slots=True)
class Access:
    """How the inventory says to log on. Without *user*, as the scenario's first account."""

    user: str | None
    auth: str
    encryption: str
    credential: str
    ssl: bool


def inventory_text(
    organizations: Mapping[str, Organization],
    places: Iterable[Place],
    address: str,
    access: Access,
) -> str:
    """Return the inventory as YAML."""
    known = tuple(places)
    listed: dict[str, object] = {}
    for name, organization in organizations.items():
        scenario = organization.scenario
        servers = [
            {
                "name": one.name,
                "address": address,
                "port": (one.https_port or one.port) if access.ssl else one.port,
            }
            for one in known
            if one.organization == name
        ]
        entry: dict[str, object] = {
            "servers": servers,
            "domain_controller": organization.home(next(iter(organization.servers))),
            "path": "PowerShell",
            "ssl": access.ssl,
            "auth": access.auth,
            "encryption": access.encryption,
            "user": access.user or f"{scenario.netbios}\\{scenario.users[0].name}",
            "credential": access.credential,
            "tags": ["lab"],
        }
        if access.auth == "basic" and not access.ssl:
            entry["allow_cleartext"] = True
        listed[name] = entry
    return yaml.safe_dump({"organizations": listed}, sort_keys=False, allow_unicode=True)
