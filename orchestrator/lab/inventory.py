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
    listed = {
        name: {
            "servers": [_server(one, address, access) for one in known if one.organization == name],
            **_settings(organization, access),
            "winrm": {
                "servers": [
                    _server(one, address, access) for one in known if one.organization == name
                ]
            },
        }
        for name, organization in organizations.items()
    }
    return yaml.safe_dump({"organizations": listed}, sort_keys=False, allow_unicode=True)


def _server(place: Place, address: str, access: Access) -> dict[str, object]:
    port = (place.https_port or place.port) if access.ssl else place.port
    return {"name": place.name, "address": address, "port": port}


def _settings(organization: Organization, access: Access) -> dict[str, object]:
    scenario = organization.scenario
    first = f"{scenario.netbios}\\{scenario.users[0].name}"
    cleartext = {"allow_cleartext": True} if access.auth == "basic" and not access.ssl else {}
    return {
        "domain_controller": organization.home(next(iter(organization.servers))),
        "path": "PowerShell",
        "ssl": access.ssl,
        "auth": access.auth,
        "encryption": access.encryption,
        "user": access.user or first,
        "credential": access.credential,
        "tags": ["lab"],
        **cleartext,
    }
