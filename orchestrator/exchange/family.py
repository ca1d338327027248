"""The events of Domain Security: what each is called, what it carries, what it means.

To add an event, add a row to SECURITY_EVENTS. Only 11012 is ever remedied without a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PROVIDERS = ("MSExchangeTransport", "MSExchangeFrontEndTransport")
"""Exact names: ``MSExchangeTransportDelivery`` and its like are not ours [seen]."""

TLS_NOT_STARTED = 11012

THROTTLE = 15
"""Minutes in which a process logs one event for one domain, however many messages come [obs]."""


class Side(StrEnum):
    """Which way the mail went that the event is about."""

    RECEIVE = "receive"
    SEND = "send"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class EventKind:
    """One row: *strings* names the insertion strings in their order, *remedy* is for a person.

    *sentence* is the whole English text with its placeholders, where Microsoft documents it.
    """

    id: int
    name: str
    side: Side
    strings: tuple[str, ...]
    meaning: str
    remedy: str
    source: str
    sentence: str = ""


_PAIR = ("domain", "connector")

_ROWS = (
    EventKind(
        11011,
        "TlsDomainCertificateValidationFailure",
        Side.RECEIVE,
        (*_PAIR, "status"),
        "the partner's certificate chain is not valid here",
        "the partner mends its certificate, or our servers get the root or reach the CRL",
        "[doc]",
    ),
    EventKind(
        TLS_NOT_STARTED,
        "MessageNotAuthenticatedTlsNotStarted",
        Side.RECEIVE,
        _PAIR,
        "the sending server did not start TLS; its mail was refused (530 5.7.1)",
        "the domain leaves the receive list, or the partner mends its side",
        "[doc], when it is logged [obs]",
        "A message from domain-secured domain '%1' on connector '%2' could not be authenticated "
        "because the server did not use Transport Layer Security (TLS). Contact the administrator "
        "for %1 to resolve the problem, or remove the domain from the domain-secured list.",
    ),
    EventKind(
        11013,
        "MessageToSecureDomainFailedDueToTlsNegotiationFailure",
        Side.SEND,
        (*_PAIR, "error"),
        "TLS to the partner could not be negotiated",
        "TLSSendDomainSecureList: the partner mends its TLS, or the domain leaves that list",
        "[doc]",
    ),
    EventKind(
        11014,
        "MessageToSecureDomainFailedBecauseTlsNotOffered",
        Side.SEND,
        _PAIR,
        "the partner's server offers no STARTTLS",
        "TLSSendDomainSecureList: the partner offers TLS, or the domain leaves that list",
        "[doc]",
    ),
    EventKind(
        11015,
        "TlsDomainClientCertificateSubjectMismatch",
        Side.RECEIVE,
        (*_PAIR, "subject"),
        "the partner's certificate does not name its domain",
        "the partner gets a certificate that does, or the domain leaves the list",
        "[doc]",
    ),
    EventKind(
        11016,
        "TlsDomainServerCertificateSubjectMismatch",
        Side.SEND,
        (*_PAIR, "subject"),
        "the certificate of the partner's server does not name its domain",
        "the partner gets a certificate that does, or the domain leaves the send list",
        "[doc]",
    ),
    EventKind(
        11017,
        "MessageNotAuthenticatedNoClientCertificate",
        Side.RECEIVE,
        _PAIR,
        "the partner started TLS and showed no certificate",
        "the partner's server presents its certificate",
        "[doc]",
    ),
    EventKind(
        11018,
        "MessageNotAuthenticatedTlsNotAdvertised",
        Side.RECEIVE,
        _PAIR,
        "our own connector did not offer TLS",
        "the connector gets AuthMechanism with Tls, and a certificate; not the list",
        "[doc]",
    ),
    EventKind(
        11019,
        "MessageToSecureDomainFailedBecauseTlsNegotiationFailed",
        Side.SEND,
        (*_PAIR, "response"),
        "the partner's server answered STARTTLS with a refusal",
        "TLSSendDomainSecureList: the partner mends its TLS, or the domain leaves that list",
        "[doc]",
    ),
    EventKind(
        11020,
        "TlsDomainServerCertificateValidationFailure",
        Side.SEND,
        (*_PAIR, "status"),
        "the certificate chain of the partner's server is not valid here",
        "the partner mends its certificate, or our servers get the root or reach the CRL",
        "[doc]",
    ),
    EventKind(
        11021,
        "TlsDomainSecureDisabled",
        Side.BOTH,
        _PAIR,
        "the domain is listed, and the connector has DomainSecureEnabled off (451 4.7.3)",
        "the domain leaves the list, or the connector is switched back: then mail bounces (530) "
        "that is only deferred now",
        "[doc]",
    ),
    EventKind(
        11022,
        "TlsDomainCapabilitiesCertificateValidationFailure",
        Side.RECEIVE,
        ("capabilities", "connector", "status", "domain"),
        "a certificate that grants hybrid capabilities is not valid; this is not Domain Security",
        "whoever runs the hybrid connection looks at its certificates",
        "[doc]",
    ),
    EventKind(
        12014,
        "CannotLoadSTARTTLSCertificateFromStore",
        Side.BOTH,
        ("fqdn", "connector"),
        "no certificate fits the connector's name: we cannot offer TLS there",
        "a certificate for that name is installed and enabled for SMTP",
        "[doc] [seen]",
    ),
    EventKind(
        12016,
        "STARTTLSCertificateExpired",
        Side.BOTH,
        ("fqdn",),
        "the certificate for that name has expired: we cannot offer TLS with it",
        "the certificate is renewed",
        "[doc]",
    ),
    EventKind(
        12018,
        "STARTTLSCertificateExpiresSoon",
        Side.BOTH,
        ("subject", "thumbprint", "hours"),
        "our certificate expires soon; TLS still works",
        "the certificate is renewed in time",
        "[doc]",
    ),
)

SECURITY_EVENTS: Mapping[int, EventKind] = {row.id: row for row in _ROWS}
"""By event id: category MessageSecurity (11), and what related certificate events say."""
