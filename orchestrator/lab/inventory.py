"""An inventory of a running lab, in the format that the product reads."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import yaml

from orchestrator.lab.organization import Organization


class Place(Protocol):
    """Where a server listens."""

    organization: str
    name: str
    port: int
    https_port: int | None


def inventory_text(
    organizations: Mapping[str, Organization],
    places: Iterable[Place],
    address: str,
    user: str | None,
    auth: str,
    encryption: str,
    credential: str,
    *,
    ssl: bool,
) -> str:
    """Return the YAML. Without *user*, the first account of the scenario."""
    listed: dict[str, object] = {}
    for name, organization in organizations.items():
        scenario = organization.scenario
        servers = [
            {
                "name": one.name,
                "address": address,
                "port": (one.https_port or one.port) if ssl else one.port,
            }
            for one in places
            if one.organization == name
        ]
        entry: dict[str, object] = {
            "servers": servers,
            "domain_controller": organization.home(next(iter(organization.servers))),
            "path": "PowerShell",
            "ssl": ssl,
            "auth": auth,
            "encryption": encryption,
            "user": user or f"{scenario.netbios}\\{scenario.users[0].name}",
            "credential": credential,
            "tags": ["lab"],
        }
        if auth == "basic" and not ssl:
            entry["allow_cleartext"] = True
        listed[name] = entry
    return yaml.safe_dump({"organizations": listed}, sort_keys=False, allow_unicode=True)
