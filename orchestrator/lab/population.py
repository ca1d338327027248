"""From a scenario to the objects of a directory, a real server's default connectors included."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from orchestrator.core.errors import ConfigurationError
from orchestrator.lab.directory import Entry
from orchestrator.lab.forms import Link, Unfit
from orchestrator.lab.kind import ROUTING_GROUP
from orchestrator.lab.rights import ROLES
from orchestrator.lab.scenario import Connector, Scenario, Server, did_you_mean
from orchestrator.lab.schema import KINDS

_EVERY_IP = ("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "0.0.0.0-255.255.255.255")
_ALL_AUTH = "Tls, Integrated, BasicAuth, BasicAuthRequireTLS, ExchangeServer"

DEFAULTS_2019: Mapping[str, Mapping[str, Any]] = {
    "Default {server}": {
        "AuthMechanism": _ALL_AUTH,
        "Bindings": ("0.0.0.0:2525", "[::]:2525"),
        "PermissionGroups": "ExchangeUsers, ExchangeServers, ExchangeLegacyServers",
        "TransportRole": "HubTransport",
        "MaxInboundConnectionPerSource": "Unlimited",
        "MaxInboundConnectionPercentagePerSource": 100,
        "MaxRecipientsPerMessage": 5000,
        "SizeEnabled": "EnabledWithoutValue",
    },
    "Client Proxy {server}": {
        "AuthMechanism": _ALL_AUTH,
        "Bindings": ("[::]:465", "0.0.0.0:465"),
        "PermissionGroups": "ExchangeUsers, ExchangeServers",
        "TransportRole": "HubTransport",
    },
    "Default Frontend {server}": {
        "AuthMechanism": _ALL_AUTH,
        "Bindings": ("[::]:25", "0.0.0.0:25"),
        "DomainSecureEnabled": True,
        "PermissionGroups": "AnonymousUsers, ExchangeServers, ExchangeLegacyServers",
        "ProtocolLoggingLevel": "Verbose",
    },
    "Outbound Proxy Frontend {server}": {
        "AuthMechanism": _ALL_AUTH,
        "Bindings": ("[::]:717", "0.0.0.0:717"),
        "DomainSecureEnabled": True,
        "PermissionGroups": "ExchangeServers",
        "ProtocolLoggingLevel": "Verbose",
        "TarpitInterval": "00:00:00",
    },
    "Client Frontend {server}": {
        "AuthMechanism": "Tls, Integrated, BasicAuth, BasicAuthRequireTLS",
        "Bindings": ("[::]:587", "0.0.0.0:587"),
        "PermissionGroups": "ExchangeUsers",
    },
}
"""What setup creates on a Mailbox server since Exchange 2013 [seen on 2019]."""

DEFAULTS_2010: Mapping[str, Mapping[str, Any]] = {
    "Default {server}": {
        "AuthMechanism": _ALL_AUTH,
        "Bindings": ("[::]:25", "0.0.0.0:25"),
        "DomainSecureEnabled": True,
        "PermissionGroups": "ExchangeUsers, ExchangeServers, ExchangeLegacyServers",
    },
    "Client {server}": {
        "AuthMechanism": "Tls, Integrated, BasicAuth, BasicAuthRequireTLS",
        "Bindings": ("[::]:587", "0.0.0.0:587"),
        "PermissionGroups": "ExchangeUsers",
    },
}
"""What setup creates on a Hub Transport server of 2010 [doc]; nobody anonymous is let in."""


def identifier(scenario: Scenario, organization: str, *parts: str) -> str:
    """Return the Guid of an object: the same in every run of the same scenario."""
    return str(uuid5(NAMESPACE_DNS, "/".join((organization, scenario.domain, *parts)).casefold()))


def read_values(kind: str, given: Mapping[str, Any], path: str) -> dict[str, object]:
    """Return property values as stored, from those a person wrote.

    Raises ConfigurationError for an unknown property or an illegal value.
    """
    properties = KINDS[kind].properties
    values: dict[str, object] = {}
    for name, value in given.items():
        if name not in properties:
            near = did_you_mean(name, tuple(properties))
            raise ConfigurationError(f"a {kind} has no property {name!r}{near}", path=path)
        try:
            values[name] = None if value is None else properties[name].form.read(value)
        except Unfit as unfit:
            raise ConfigurationError(f"{name}: {unfit}", path=path) from unfit
    return values


def with_defaults(kind: str, values: Mapping[str, object]) -> dict[str, object]:
    """Return *values* with the kind's defaults for the rest, in the kind's order."""
    return {name: values.get(name, one.default) for name, one in KINDS[kind].properties.items()}


def populate(scenario: Scenario, organization: str) -> Iterator[Entry]:
    """Yield every object of the scenario. Raises ConfigurationError for illegal values."""
    _check_roles(scenario)
    edits = {edit.identity.casefold(): edit for edit in scenario.edits}
    for entry in _objects(_Maker(scenario, organization)):
        edit = edits.pop(entry.label.casefold(), None)
        if edit is None:
            yield entry
        else:
            values = read_values(entry.kind, edit.properties, f"edits: {edit.identity}")
            yield replace(entry, values={**entry.values, **values})
    for edit in edits.values():
        raise ConfigurationError(f"there is no object {edit.identity!r}", path="edits")


def _check_roles(scenario: Scenario) -> None:
    for user in scenario.users:
        for role in user.roles:
            if role not in ROLES:
                near = did_you_mean(role, tuple(ROLES))
                raise ConfigurationError(f"there is no role {role!r}{near}", path="users")


def _objects(make: "_Maker") -> Iterator[Entry]:
    scenario, organization = make.scenario, make.organization
    yield make.entry("OrganizationConfig", organization.title())
    yield make.entry("TransportConfig", "Transport Settings", values=make.transport())
    yield make.entry(
        "AcceptedDomain",
        scenario.domain,
        values={"DomainName": scenario.domain, "Default": True},
    )
    for server in make.servers:
        yield make.entry("ExchangeServer", server.name.upper(), values=make.server(server))
        yield from make.default_connectors(server)
    for connector in make.receive_connectors:
        yield from make.receive(connector)
    for at, connector in enumerate(scenario.send_connectors):
        yield make.send(connector, f"send_connectors[{at}]")
    for edge in scenario.edges:
        yield make.entry("EdgeSubscription", edge, values={"Domain": scenario.domain})


class _Maker:
    def __init__(self, scenario: Scenario, organization: str) -> None:
        self.scenario = scenario
        self.organization = organization
        self.servers = all_servers(scenario)
        self.receive_connectors = scenario.receive_connectors + tuple(
            Connector(
                name=f"From Partner {at + 1:03}",
                properties={
                    "AuthMechanism": "Tls",
                    "DomainSecureEnabled": True,
                    "PermissionGroups": "Partners",
                    "RemoteIPRanges": [f"198.51.{100 + at // 250}.{1 + at % 250}"],
                },
            )
            for at in range(scenario.scale.connectors)
        )

    def entry(
        self,
        kind: str,
        name: str,
        server: str = "",
        values: Mapping[str, object] | None = None,
        exchange_version: str = "0.1 (8.0.535.0)",
    ) -> Entry:
        guid = identifier(self.scenario, self.organization, kind, server, name)
        filled = with_defaults(kind, values or {})
        return Entry(kind, guid, name, server, filled, exchange_version=exchange_version)

    def transport(self) -> dict[str, object]:
        scenario = self.scenario
        generated = tuple(f"partner{at + 1:03}.example" for at in range(scenario.scale.domains))
        lists = {
            "TLSReceiveDomainSecureList": scenario.receive_list + generated,
            "TLSSendDomainSecureList": scenario.send_list,
        }
        return read_values("TransportConfig", {**lists, **scenario.transport}, "transport")

    def server(self, server: Server) -> dict[str, object]:
        scenario = self.scenario
        controller = home_controller(scenario, server)
        return {
            "AdminDisplayVersion": server.version,
            "Domain": scenario.domain,
            "Fqdn": f"{server.name.lower()}.{scenario.domain}",
            "Site": Link(server.site, f"CN={server.site},CN=Sites,CN=Configuration"),
            "IsEdgeServer": server.edge,
            "IsHubTransportServer": not server.edge,
            "ServerRole": "Edge" if server.edge else "Mailbox, ClientAccess, HubTransport",
            "CurrentConfigDomainController": controller,
            "CurrentDomainControllers": (controller,),
            "CurrentGlobalCatalogs": (controller,),
        }

    def default_connectors(self, server: Server) -> Iterator[Entry]:
        if not server.connectors or server.edge:
            return
        table = DEFAULTS_2010 if self.scenario.generation == 2010 else DEFAULTS_2019
        for pattern, given in table.items():
            name = pattern.format(server=server.name.upper())
            own = {"RemoteIPRanges": _EVERY_IP, **given, **self.scenario.defaults}
            yield self.connector(name, server.name, own, "defaults")

    def receive(self, connector: Connector) -> Iterator[Entry]:
        path = f"receive_connectors[{self.receive_connectors.index(connector)}]"
        known = {server.name.upper() for server in self.servers}
        for name in connector.servers or tuple(server.name for server in self.servers):
            if name.upper() not in known:
                near = did_you_mean(name.upper(), tuple(known))
                raise ConfigurationError(f"there is no server {name!r}{near}", path=path)
            yield self.connector(
                connector.name, name, connector.properties, path, connector.exchange_version
            )

    def connector(
        self,
        name: str,
        server: str,
        given: Mapping[str, Any],
        path: str,
        exchange_version: str = "0.1 (8.0.535.0)",
    ) -> Entry:
        host = server.upper()
        values = {
            "Fqdn": f"{server.lower()}.{self.scenario.domain}",
            **read_values("ReceiveConnector", given, path),
            "Server": Link(host, f"CN={host},CN=Servers"),
        }
        return self.entry("ReceiveConnector", name, host, values, exchange_version)

    def send(self, connector: Connector, path: str) -> Entry:
        values = read_values("SendConnector", connector.properties, path)
        first = self.servers[0].name.upper()
        home = Link(first, f"CN={first},CN=Servers")
        values.setdefault("SourceTransportServers", (home,))
        group = ROUTING_GROUP.partition(",")[0].removeprefix("CN=")
        values |= {
            "HomeMtaServerId": home,
            "HomeMTA": Link("Microsoft MTA", f"CN=Microsoft MTA,{home.path}"),
            "SourceRoutingGroup": Link(group, ROUTING_GROUP),
        }
        return self.entry(
            "SendConnector",
            connector.name,
            values=values,
            exchange_version=connector.exchange_version,
        )


def all_servers(scenario: Scenario) -> tuple[Server, ...]:
    """Return the named servers and the generated ones."""
    more = range(len(scenario.servers), len(scenario.servers) + scenario.scale.servers)
    return scenario.servers + tuple(Server(name=f"EX{at + 1:02}") for at in more)


def home_controller(scenario: Scenario, server: Server) -> str:
    """Return the full name of the controller a server reads from: its own, or its site's first."""
    names = [one.name for one in scenario.controllers if one.site == server.site]
    name = server.controller or (names or [scenario.controllers[0].name])[0]
    return name if "." in name else f"{name}.{scenario.domain}"
