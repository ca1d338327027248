"""The kinds of object the lab knows, and their properties in the order a server sends them.

To add a property: one row in its kind. To add a kind: one ``Kind`` in ``KINDS``, and its cmdlets.
Names, order, types and defaults of connectors are those of real exports [seen]; those of the other
kinds follow the cmdlets' documentation [doc].
"""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.lab import vocabulary as v
from orchestrator.lab.forms import Form


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a kind: its form, its default, and whether the Set cmdlet has it."""

    form: Form
    default: object = None
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of directory object.

    *types* are its .NET type names. *category* is its class in the directory schema. *container*
    is the distinguished name below the organization, with ``{server}`` for per-server objects.
    """

    name: str
    types: tuple[str, ...]
    category: str
    container: str
    properties: Mapping[str, Property]


_BASES = (
    f"{v.CONFIGURATION}.ADConfigurationObject",
    f"{v.DATA}.Directory.ADObject",
    f"{v.DATA}.Directory.ADRawEntry",
    f"{v.DATA}.ConfigurableObject",
    v.OBJECT,
)
_GROUP = "CN=Exchange Administrative Group (FYDIBOHF23SPDLT),CN=Administrative Groups"
ROUTING_GROUP = f"CN=Exchange Routing Group (DWBGZMFD01QNBJR),CN=Routing Groups,{_GROUP}"


def _types(name: str, *between: str) -> tuple[str, ...]:
    return tuple(f"{v.CONFIGURATION}.{one}" for one in (name, *between)) + _BASES


def _fixed(form: Form, default: object = None) -> Property:
    return Property(form, default, writable=False)


_YES = Property(v.FLAG, default=True)
_NO = Property(v.FLAG, default=False)

RECEIVE_CONNECTOR = Kind(
    "ReceiveConnector",
    _types("ReceiveConnector"),
    "msExchSmtpReceiveConnector",
    f"CN=SMTP Receive Connectors,CN=Protocols,CN={{server}},CN=Servers,{_GROUP}",
    {
        "AuthMechanism": Property(v.AUTH_MECHANISMS, "Tls"),
        "Banner": Property(v.TEXT, ""),
        "BinaryMimeEnabled": _YES,
        "Bindings": Property(v.many(v.BINDING), ("0.0.0.0:25",)),
        "ChunkingEnabled": _YES,
        "DefaultDomain": Property(v.REFERENCE),
        "DeliveryStatusNotificationEnabled": _YES,
        "EightBitMimeEnabled": _YES,
        "SmtpUtf8Enabled": _YES,
        "BareLinefeedRejectionEnabled": _NO,
        "DomainSecureEnabled": _NO,
        "EnhancedStatusCodesEnabled": _YES,
        "LongAddressesEnabled": _NO,
        "OrarEnabled": _NO,
        "SuppressXAnonymousTls": _NO,
        "ProxyEnabled": _NO,
        "AdvertiseClientSettings": _NO,
        "Fqdn": Property(v.FQDN),
        "ServiceDiscoveryFqdn": Property(v.FQDN),
        "TlsCertificateName": Property(v.CERTIFICATE),
        "Comment": Property(v.TEXT, ""),
        "Enabled": _YES,
        "ConnectionTimeout": Property(v.TIME_SPAN, "00:10:00"),
        "ConnectionInactivityTimeout": Property(v.TIME_SPAN, "00:05:00"),
        "MessageRateLimit": Property(v.LIMIT, "Unlimited"),
        "MessageRateSource": Property(
            v.choice(f"{v.CONFIGURATION}.MessageRateSourceFlags", "None", "IPAddress", "User", "All"),
            "IPAddress",
        ),
        "MaxInboundConnection": Property(v.LIMIT, "5000"),
        "MaxInboundConnectionPerSource": Property(v.LIMIT, "20"),
        "MaxInboundConnectionPercentagePerSource": Property(v.WHOLE, 2),
        "MaxHeaderSize": Property(v.SIZE, "256 KB (262,144 bytes)"),
        "MaxHopCount": Property(v.WHOLE, 60),
        "MaxLocalHopCount": Property(v.WHOLE, 5),
        "MaxLogonFailures": Property(v.WHOLE, 3),
        "MaxMessageSize": Property(v.SIZE, "36 MB (37,748,736 bytes)"),
        "MaxProtocolErrors": Property(v.LIMIT, "5"),
        "MaxRecipientsPerMessage": Property(v.WHOLE, 200),
        "PermissionGroups": Property(v.PERMISSION_GROUPS, "None"),
        "PipeliningEnabled": _YES,
        "ProtocolLoggingLevel": Property(v.LOGGING_LEVEL, "None"),
        "RemoteIPRanges": Property(v.many(v.RANGE), ("0.0.0.0-255.255.255.255",)),
        "RequireEHLODomain": _NO,
        "RequireTLS": _NO,
        "EnableAuthGSSAPI": _NO,
        "ExtendedProtectionPolicy": Property(
            v.choice(
                f"{v.CONFIGURATION}.ExtendedProtectionPolicySetting", "None", "Allow", "Require"
            ),
            "None",
        ),
        "LiveCredentialEnabled": _fixed(v.FLAG, default=False),
        "TlsDomainCapabilities": Property(v.many(v.CAPABILITY), ()),
        "Server": _fixed(v.REFERENCE),
        "TransportRole": Property(v.SERVER_ROLE, "FrontendTransport"),
        "RejectReservedTopLevelRecipientDomains": _NO,
        "RejectReservedSecondLevelRecipientDomains": _NO,
        "RejectSingleLabelRecipientDomains": _NO,
        "AcceptConsumerMail": _NO,
        "SizeEnabled": Property(
            v.choice(f"{v.DATA}.SizeMode", "Disabled", "Enabled", "EnabledWithoutValue"), "Enabled"
        ),
        "TarpitInterval": Property(v.TIME_SPAN, "00:00:05"),
        "AuthTarpitInterval": Property(v.TIME_SPAN, "00:00:05"),
        "MaxAcknowledgementDelay": Property(v.TIME_SPAN, "00:00:30"),
    },
)

SEND_CONNECTOR = Kind(
    "SendConnector",
    _types("SmtpSendConnectorConfig", "MailGateway", "SendConnector", "ADLegacyVersionableObject"),
    "msExchRoutingSMTPConnector",
    f"CN=Connections,{ROUTING_GROUP}",
    {
        "DNSRoutingEnabled": _YES,
        "TlsDomain": Property(v.SMTP_DOMAIN_WITH_SUBDOMAINS),
        "TlsAuthLevel": Property(v.TLS_AUTH_LEVEL),
        "ErrorPolicies": Property(v.choice(f"{v.DATA}.ErrorPolicies", "Default"), "Default"),
        "SmartHosts": Property(v.many(v.SMART_HOST), ()),
        "Port": Property(v.WHOLE, 25),
        "ConnectionInactivityTimeOut": Property(v.TIME_SPAN, "00:10:00"),
        "ForceHELO": _NO,
        "FrontendProxyEnabled": _NO,
        "IgnoreSTARTTLS": _NO,
        "CloudServicesMailEnabled": _NO,
        "Fqdn": Property(v.FQDN),
        "TlsCertificateName": Property(v.CERTIFICATE),
        "RequireTLS": _NO,
        "RequireOorg": _NO,
        "Enabled": _YES,
        "ProtocolLoggingLevel": Property(v.LOGGING_LEVEL, "None"),
        "SmartHostAuthMechanism": Property(
            v.choice(f"{v.CONFIGURATION}.SmtpSendConnectorConfig+AuthMechanisms", "None"), "None"
        ),
        "AuthenticationCredential": Property(v.TEXT),
        "UseExternalDNSServersEnabled": _NO,
        "DomainSecureEnabled": _NO,
        "SourceIPAddress": Property(v.IP_ADDRESS, "0.0.0.0"),  # noqa: S104 - a property's default
        "SmtpMaxMessagesPerConnection": Property(v.WHOLE, 20),
        "ConnectorType": Property(
            v.choice(f"{v.DATA}.SendConnectorType", "Default", "XPremises"), "Default"
        ),
        "SmartHostsString": _fixed(v.TEXT, ""),
        "CertificateSubject": _fixed(v.TEXT),
        "Region": _fixed(v.choice(f"{v.DATA}.SendConnectorRegion", "NotSpecified"), "NotSpecified"),
        "AddressSpaces": Property(v.many(v.ADDRESS_SPACE), ("SMTP:*;1",)),
        "ConnectedDomains": _fixed(v.many(v.TEXT, v.MSCORLIB), ()),
        "IsScopedConnector": _NO,
        "IsSmtpConnector": _fixed(v.FLAG, default=True),
        "Comment": Property(v.TEXT, ""),
        "SourceRoutingGroup": _fixed(v.REFERENCE),
        "SourceTransportServers": Property(v.REFERENCES, ()),
        "HomeMTA": _fixed(v.REFERENCE),
        "HomeMtaServerId": _fixed(v.REFERENCE),
        "LinkedReceiveConnector": Property(v.REFERENCE),
        "MaxMessageSize": Property(v.SIZE_LIMIT, "35 MB (36,700,160 bytes)"),
    },
)

TRANSPORT_CONFIG = Kind(
    "TransportConfig",
    _types("TransportConfigContainer"),
    "msExchTransportSettings",
    "",
    {
        "AddressBookPolicyRoutingEnabled": _NO,
        "AgentGeneratedMessageLoopDetectionInSubmissionEnabled": _YES,
        "AgentGeneratedMessageLoopDetectionInSmtpEnabled": _YES,
        "ClearCategories": _YES,
        "ConvertDisclaimerWrapperToEml": _NO,
        "DSNConversionMode": Property(
            v.choice(f"{v.DATA}.DSNConversionOption", "UseExchangeDSNs", "PreserveDSNBody"),
            "UseExchangeDSNs",
        ),
        "DiagnosticsAggregationServicePort": Property(v.WHOLE, 9710),
        "ExternalDelayDsnEnabled": _YES,
        "ExternalDsnDefaultLanguage": Property(v.TEXT),
        "ExternalDsnLanguageDetectionEnabled": _YES,
        "ExternalDsnMaxMessageAttachSize": Property(v.SIZE, "10 MB (10,485,760 bytes)"),
        "ExternalDsnReportingAuthority": Property(v.SMTP_DOMAIN),
        "ExternalDsnSendHtml": _YES,
        "ExternalPostmasterAddress": Property(v.ADDRESS),
        "GenerateCopyOfDSNFor": Property(v.TEXTS, ()),
        "HeaderPromotionModeSetting": Property(
            v.choice(f"{v.DATA}.HeaderPromotionMode", "NoCreate", "MayCreate", "MustCreate"),
            "NoCreate",
        ),
        "InternalDelayDsnEnabled": _YES,
        "InternalDsnDefaultLanguage": Property(v.TEXT),
        "InternalDsnLanguageDetectionEnabled": _YES,
        "InternalDsnMaxMessageAttachSize": Property(v.SIZE, "10 MB (10,485,760 bytes)"),
        "InternalDsnReportingAuthority": Property(v.SMTP_DOMAIN),
        "InternalDsnSendHtml": _YES,
        "InternalSMTPServers": Property(v.many(v.RANGE), ()),
        "JournalingReportNdrTo": Property(v.ADDRESS, "<>"),
        "LegacyJournalingMigrationEnabled": _NO,
        "LegacyArchiveJournalingEnabled": _NO,
        "JournalReportDLMemberSubstitutionEnabled": _NO,
        "MaxAllowedAgentGeneratedMessageDepth": Property(v.WHOLE, 3),
        "MaxAllowedAgentGeneratedMessageDepthPerAgent": Property(v.WHOLE, 2),
        "MaxDumpsterSizePerDatabase": Property(v.SIZE, "18 MB (18,874,368 bytes)"),
        "MaxDumpsterTime": Property(v.TIME_SPAN, "7.00:00:00"),
        "MaxReceiveSize": Property(v.SIZE_LIMIT, "36 MB (37,748,736 bytes)"),
        "MaxRecipientEnvelopeLimit": Property(v.LIMIT, "500"),
        "MaxRetriesForLocalSiteShadow": Property(v.WHOLE, 2),
        "MaxRetriesForRemoteSiteShadow": Property(v.WHOLE, 4),
        "MaxSendSize": Property(v.SIZE_LIMIT, "36 MB (37,748,736 bytes)"),
        "OrganizationFederatedMailbox": Property(v.ADDRESS),
        "QueueDiagnosticsAggregationInterval": Property(v.TIME_SPAN, "00:01:00"),
        "RejectMessageOnShadowFailure": _NO,
        "Rfc2231EncodingEnabled": _NO,
        "SafetyNetHoldTime": Property(v.TIME_SPAN, "2.00:00:00"),
        "ShadowHeartbeatFrequency": Property(v.TIME_SPAN, "00:02:00"),
        "ShadowMessageAutoDiscardInterval": Property(v.TIME_SPAN, "2.00:00:00"),
        "ShadowMessagePreferenceSetting": Property(
            v.choice(f"{v.DATA}.ShadowMessagePreference", "PreferRemote", "LocalOnly", "RemoteOnly"),
            "PreferRemote",
        ),
        "ShadowRedundancyEnabled": _YES,
        "ShadowResubmitTimeSpan": Property(v.TIME_SPAN, "03:00:00"),
        "SupervisionTags": Property(v.TEXTS, ("Reject", "Allow")),
        "TLSReceiveDomainSecureList": Property(v.DOMAINS, ()),
        "TLSSendDomainSecureList": Property(v.DOMAINS, ()),
        "VerifySecureSubmitEnabled": _NO,
        "VoicemailJournalingEnabled": _YES,
        "Xexch50Enabled": _YES,
    },
)

EXCHANGE_SERVER = Kind(
    "ExchangeServer",
    (f"{v.DATA}.Directory.Management.ExchangeServer", *_BASES),
    "msExchExchangeServer",
    f"CN=Servers,{_GROUP}",
    {
        "AdminDisplayVersion": _fixed(v.SERVER_VERSION, "Version 15.2 (Build 1544.4)"),
        "DataPath": _fixed(v.TEXT),
        "Domain": _fixed(v.TEXT, ""),
        "Edition": _fixed(
            v.choice(f"{v.CONFIGURATION}.ServerEditionType", "Unknown", "Standard", "Enterprise"),
            "Standard",
        ),
        "Fqdn": _fixed(v.TEXT, ""),
        "IsClientAccessServer": _fixed(v.FLAG, default=True),
        "IsEdgeServer": _fixed(v.FLAG, default=False),
        "IsFrontendTransportServer": _fixed(v.FLAG, default=True),
        "IsHubTransportServer": _fixed(v.FLAG, default=True),
        "IsMailboxServer": _fixed(v.FLAG, default=True),
        "OrganizationalUnit": _fixed(v.TEXT, ""),
        "ServerRole": _fixed(v.SERVER_ROLE, "Mailbox, ClientAccess, HubTransport"),
        "Site": _fixed(v.REFERENCE),
        "StaticConfigDomainController": _fixed(v.TEXT),
        "StaticDomainControllers": _fixed(v.TEXTS, ()),
        "StaticGlobalCatalogs": _fixed(v.TEXTS, ()),
        "StaticExcludedDomainControllers": _fixed(v.TEXTS, ()),
        "CurrentConfigDomainController": _fixed(v.TEXT),
        "CurrentDomainControllers": _fixed(v.TEXTS, ()),
        "CurrentGlobalCatalogs": _fixed(v.TEXTS, ()),
    },
)

ORGANIZATION = Kind(
    "OrganizationConfig",
    (f"{v.DATA}.Directory.Management.ADOrganizationConfig", *_BASES),
    "msExchOrganizationContainer",
    "",
    {
        "AdminAuditLogEnabled": _fixed(v.FLAG, default=True),
        "IsMixedMode": _fixed(v.FLAG, default=False),
        "IsDehydrated": _fixed(v.FLAG, default=False),
        "MailTipsAllTipsEnabled": _fixed(v.FLAG, default=True),
        "ObjectVersion": _fixed(v.WHOLE, 16763),
    },
)

ACCEPTED_DOMAIN = Kind(
    "AcceptedDomain",
    _types("AcceptedDomain"),
    "msExchAcceptedDomain",
    "CN=Accepted Domains,CN=Transport Settings",
    {
        "DomainName": _fixed(v.SMTP_DOMAIN_WITH_SUBDOMAINS),
        "DomainType": _fixed(
            v.choice(
                f"{v.CONFIGURATION}.AcceptedDomainType",
                "Authoritative",
                "ExternalRelay",
                "InternalRelay",
            ),
            "Authoritative",
        ),
        "Default": _fixed(v.FLAG, default=False),
    },
)

EDGE_SUBSCRIPTION = Kind(
    "EdgeSubscription",
    (f"{v.DATA}.Directory.SystemConfiguration.EdgeSubscription", *_BASES),
    "msExchEdgeSyncServiceConfig",
    f"CN=Servers,{_GROUP}",
    {"Site": _fixed(v.REFERENCE), "Domain": _fixed(v.TEXT, "")},
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        RECEIVE_CONNECTOR,
        SEND_CONNECTOR,
        TRANSPORT_CONFIG,
        EXCHANGE_SERVER,
        ORGANIZATION,
        ACCEPTED_DOMAIN,
        EDGE_SUBSCRIPTION,
    )
}
