"""Management roles: which cmdlets, and which of their parameters, exist for a user [doc].

To add a role: one row of ``ROLES``. ``None`` stands for every parameter.
"""

from collections.abc import Iterable, Mapping

Grants = Mapping[str, tuple[str, ...] | None]

_READS: Grants = dict.fromkeys(
    (
        "Get-TransportConfig",
        "Get-ReceiveConnector",
        "Get-SendConnector",
        "Get-ExchangeServer",
        "Get-OrganizationConfig",
        "Get-AcceptedDomain",
        "Get-EdgeSubscription",
        "Get-FrontendTransportService",
        "Get-TransportService",
        "Get-TransportServer",
        "Get-ManagementRole",
        "Get-ManagementRoleAssignment",
    )
)

ROLES: Mapping[str, Grants] = {
    "Organization Transport Settings": {
        "Get-TransportConfig": None,
        "Set-TransportConfig": None,
        "Get-ExchangeServer": None,
    },
    "Receive Connectors": {
        "Get-ReceiveConnector": None,
        "Set-ReceiveConnector": None,
        "Get-ExchangeServer": None,
    },
    "Send Connectors": {
        "Get-SendConnector": None,
        "Set-SendConnector": None,
        "Get-ExchangeServer": None,
    },
    "View-Only Configuration": _READS,
    "View-Only Audit Logs": {"Search-AdminAuditLog": None},
    "Edge Subscriptions": {"Get-EdgeSubscription": None, "Start-EdgeSynchronization": None},
    "Journaling": {
        "Get-TransportConfig": None,
        "Set-TransportConfig": (
            "Identity",
            "JournalingReportNdrTo",
            "LegacyJournalingMigrationEnabled",
            "VoicemailJournalingEnabled",
            "DomainController",
        ),
    },
}


def granted(roles: Iterable[str]) -> dict[str, tuple[str, ...] | None]:
    """Return the cmdlets that *roles* grant together, and the parameters of each."""
    total: dict[str, tuple[str, ...] | None] = {}
    for role in roles:
        for cmdlet, parameters in ROLES[role].items():
            known = total.get(cmdlet, ())
            total[cmdlet] = None if known is None or parameters is None else known + parameters
    return total
