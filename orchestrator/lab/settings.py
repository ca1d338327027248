"""The organization's own objects and its servers, after their cmdlets' pages [doc]."""

from orchestrator.lab import vocabulary as v
from orchestrator.lab.kind import BASES, GROUP, NO, YES, Kind, Property, fixed, types

TRANSPORT_CONFIG = Kind(
    "TransportConfig",
    types("TransportConfigContainer"),
    "msExchTransportSettings",
    "",
    {
        "AddressBookPolicyRoutingEnabled": NO,
        "AgentGeneratedMessageLoopDetectionInSubmissionEnabled": YES,
        "AgentGeneratedMessageLoopDetectionInSmtpEnabled": YES,
        "ClearCategories": YES,
        "ConvertDisclaimerWrapperToEml": NO,
        "DSNConversionMode": Property(
            v.choice(f"{v.DATA}.DSNConversionOption", "UseExchangeDSNs", "PreserveDSNBody"),
            "UseExchangeDSNs",
        ),
        "DiagnosticsAggregationServicePort": Property(v.WHOLE, 9710),
        "ExternalDelayDsnEnabled": YES,
        "ExternalDsnDefaultLanguage": Property(v.TEXT),
        "ExternalDsnLanguageDetectionEnabled": YES,
        "ExternalDsnMaxMessageAttachSize": Property(v.SIZE, "10 MB (10,485,760 bytes)"),
        "ExternalDsnReportingAuthority": Property(v.SMTP_DOMAIN),
        "ExternalDsnSendHtml": YES,
        "ExternalPostmasterAddress": Property(v.ADDRESS),
        "GenerateCopyOfDSNFor": Property(v.TEXTS, ()),
        "HeaderPromotionModeSetting": Property(
            v.choice(f"{v.DATA}.HeaderPromotionMode", "NoCreate", "MayCreate", "MustCreate"),
            "NoCreate",
        ),
        "InternalDelayDsnEnabled": YES,
        "InternalDsnDefaultLanguage": Property(v.TEXT),
        "InternalDsnLanguageDetectionEnabled": YES,
        "InternalDsnMaxMessageAttachSize": Property(v.SIZE, "10 MB (10,485,760 bytes)"),
        "InternalDsnReportingAuthority": Property(v.SMTP_DOMAIN),
        "InternalDsnSendHtml": YES,
        "InternalSMTPServers": Property(v.many(v.RANGE), ()),
        "JournalingReportNdrTo": Property(v.ADDRESS, "<>"),
        "LegacyJournalingMigrationEnabled": NO,
        "LegacyArchiveJournalingEnabled": NO,
        "JournalReportDLMemberSubstitutionEnabled": NO,
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
        "RejectMessageOnShadowFailure": NO,
        "Rfc2231EncodingEnabled": NO,
        "SafetyNetHoldTime": Property(v.TIME_SPAN, "2.00:00:00"),
        "ShadowHeartbeatFrequency": Property(v.TIME_SPAN, "00:02:00"),
        "ShadowMessageAutoDiscardInterval": Property(v.TIME_SPAN, "2.00:00:00"),
        "ShadowMessagePreferenceSetting": Property(
            v.choice(
                f"{v.DATA}.ShadowMessagePreference", "PreferRemote", "LocalOnly", "RemoteOnly"
            ),
            "PreferRemote",
        ),
        "ShadowRedundancyEnabled": YES,
        "ShadowResubmitTimeSpan": Property(v.TIME_SPAN, "03:00:00"),
        "SupervisionTags": Property(v.TEXTS, ("Reject", "Allow")),
        "TLSReceiveDomainSecureList": Property(v.DOMAINS, ()),
        "TLSSendDomainSecureList": Property(v.DOMAINS, ()),
        "VerifySecureSubmitEnabled": NO,
        "VoicemailJournalingEnabled": YES,
        "Xexch50Enabled": YES,
    },
)

EXCHANGE_SERVER = Kind(
    "ExchangeServer",
    (f"{v.DATA}.Directory.Management.ExchangeServer", *BASES),
    "msExchExchangeServer",
    f"CN=Servers,{GROUP}",
    {
        "AdminDisplayVersion": fixed(v.SERVER_VERSION, "Version 15.2 (Build 1544.4)"),
        "DataPath": fixed(v.TEXT),
        "Domain": fixed(v.TEXT, ""),
        "Edition": fixed(
            v.choice(f"{v.CONFIGURATION}.ServerEditionType", "Unknown", "Standard", "Enterprise"),
            "Standard",
        ),
        "Fqdn": fixed(v.TEXT, ""),
        "IsClientAccessServer": fixed(v.FLAG, default=True),
        "IsEdgeServer": fixed(v.FLAG, default=False),
        "IsFrontendTransportServer": fixed(v.FLAG, default=True),
        "IsHubTransportServer": fixed(v.FLAG, default=True),
        "IsMailboxServer": fixed(v.FLAG, default=True),
        "OrganizationalUnit": fixed(v.TEXT, ""),
        "ServerRole": fixed(v.SERVER_ROLE, "Mailbox, ClientAccess, HubTransport"),
        "Site": fixed(v.REFERENCE),
        "StaticConfigDomainController": fixed(v.TEXT),
        "StaticDomainControllers": fixed(v.TEXTS, ()),
        "StaticGlobalCatalogs": fixed(v.TEXTS, ()),
        "StaticExcludedDomainControllers": fixed(v.TEXTS, ()),
        "CurrentConfigDomainController": fixed(v.TEXT),
        "CurrentDomainControllers": fixed(v.TEXTS, ()),
        "CurrentGlobalCatalogs": fixed(v.TEXTS, ()),
    },
)

ORGANIZATION = Kind(
    "OrganizationConfig",
    (f"{v.DATA}.Directory.Management.ADOrganizationConfig", *BASES),
    "msExchOrganizationContainer",
    "",
    {
        "AdminAuditLogEnabled": fixed(v.FLAG, default=True),
        "IsMixedMode": fixed(v.FLAG, default=False),
        "IsDehydrated": fixed(v.FLAG, default=False),
        "MailTipsAllTipsEnabled": fixed(v.FLAG, default=True),
        "ObjectVersion": fixed(v.WHOLE, 16763),
    },
)

ACCEPTED_DOMAIN = Kind(
    "AcceptedDomain",
    types("AcceptedDomain"),
    "msExchAcceptedDomain",
    "CN=Accepted Domains,CN=Transport Settings",
    {
        "DomainName": fixed(v.SMTP_DOMAIN_WITH_SUBDOMAINS),
        "DomainType": fixed(
            v.choice(
                f"{v.CONFIGURATION}.AcceptedDomainType",
                "Authoritative",
                "ExternalRelay",
                "InternalRelay",
            ),
            "Authoritative",
        ),
        "Default": fixed(v.FLAG, default=False),
    },
)

EDGE_SUBSCRIPTION = Kind(
    "EdgeSubscription",
    (f"{v.DATA}.Directory.SystemConfiguration.EdgeSubscription", *BASES),
    "msExchEdgeSyncServiceConfig",
    f"CN=Servers,{GROUP}",
    {"Site": fixed(v.REFERENCE), "Domain": fixed(v.TEXT, "")},
)
