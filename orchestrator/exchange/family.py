"""The events of Domain Security: what each is called, what it carries, what it means.

To add an event, add a row to SECURITY_EVENTS. Only 11012 is ever remedied without a person.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orchestrator.core.errors import UsageError
from orchestrator.exchange.domains import parse_domain

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


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event as a log or a file has it, before anybody says what it means.

    *id* may be the 32-bit instance id. *data* are the unnamed insertion strings in order. *joined*
    says that a collector made one text of them, with ", " between. *message* is the sentence, in
    whatever language. *at* is in UTC, or None where *written* does not say which instant is meant.
    *place* is where in the file it stands; *faults* are what the reader knows to be missing.
    """

    provider: str
    id: int
    computer: str = ""
    at: datetime | None = None
    written: str = ""
    data: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    joined: bool = False
    message: str = ""
    record: int | None = None
    place: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """An event of the family, understood as far as it can be.

    *details* holds every insertion string that is there, by its name. *incomplete* says what is
    missing, in words; nothing is ever filled in by guessing. *from_sentence* says that the strings
    were taken from the whole English sentence, because no data fields came along.
    """

    kind: EventKind
    provider: str
    computer: str
    at: datetime | None
    written: str
    details: Mapping[str, str]
    record: int | None
    place: str
    incomplete: tuple[str, ...]
    from_sentence: bool = False

    @property
    def id(self) -> int:
        """The event id of 16 bits."""
        return self.kind.id

    @property
    def domain(self) -> str:
        """The domain as it was logged, or empty."""
        return self.details.get("domain", "")

    @property
    def connector(self) -> str:
        r"""``SERVER\Name``, or empty where either is missing.

        The event carries the bare name, and its computer is the server of the connector. Only
        what was received belongs to one server: a send connector is the organization's.
        """
        name = self.details.get("connector", "")
        if not name or self.kind.side is Side.SEND:
            return name
        server = host(self.computer)
        return f"{server}\\{name}" if server else ""

    @property
    def remediable(self) -> bool:
        """Whether a playbook can be told what this event names: an 11012, and nothing missing."""
        complete = bool(self.connector) and _domain_fault(self.domain) is None
        return self.id == TLS_NOT_STARTED and complete


def host(computer: str) -> str:
    """Return the host part of *computer*, or nothing where it is empty or an address."""
    return "" if _ADDRESS.fullmatch(computer) else computer.partition(".")[0]


_ADDRESS = re.compile(r"[0-9.]+|.*:.*", re.DOTALL)


def event_id(number: int) -> int:
    """Return the id of 16 bits for an id or an instance id, signed or not; else *number*.

    An instance id has severity and facility in its upper half: 3221498628 is 11012 as an error
    of an ordinary event source, whose facility is 4 [seen].
    """
    unsigned = number & 0xFFFFFFFF if -(2**31) <= number < 0 else number
    return unsigned & 0xFFFF if unsigned >> 16 in _UPPER else number


_UPPER = frozenset({0x0004, 0x4004, 0x8004, 0xC004})


def interpret(raw: RawEvent) -> SecurityEvent | None:
    """Return what *raw* says if it is an event of the family: by exact provider and id alone."""
    kind = SECURITY_EVENTS.get(event_id(raw.id))
    if kind is None or raw.provider not in PROVIDERS:
        return None
    strings, spoken = _strings(raw, kind)
    details, missing = _details(kind, strings)
    if not any(strings) and not raw.faults:
        missing = [_nothing(raw)]
    return SecurityEvent(
        kind,
        raw.provider,
        raw.computer,
        raw.at,
        raw.written,
        details,
        raw.record,
        raw.place,
        (*raw.faults, *missing, *_circumstances(raw)),
        spoken,
    )


def _nothing(raw: RawEvent) -> str:
    if raw.joined:
        return "the data fields: a collector joined them, and nobody can say where one ends"
    if raw.message:
        return (
            "the data fields: only a sentence came along, which differs by language and version; "
            "export the event as XML"
        )
    return "the data fields: they are not there"


def _strings(raw: RawEvent, kind: EventKind) -> tuple[Sequence[str], bool]:
    """Return the insertion strings, and whether they had to be taken from the sentence."""
    if raw.joined:
        return _parted(raw.data[0] if raw.data else "", len(kind.strings)), False
    if raw.data:
        return raw.data, False
    if raw.named:
        numbered = [raw.named.get(f"param{number + 1}") for number in range(len(kind.strings))]
        if any(text is not None for text in numbered):
            return [text or "" for text in numbered], False
        return [raw.named.get(name, "") for name in kind.strings], False
    spoken = _from_sentence(kind.sentence, raw.message)
    return spoken, bool(spoken)


def _parted(text: str, number: int) -> Sequence[str]:
    """Return the strings that were joined, or none where it cannot be said where one ends.

    A domain has no comma in it, so two strings of which the first is one part at the first ", ".
    """
    parts = text.split(", ", 1) if number == 2 else text.split(", ")
    return parts if len(parts) == number else ()


def _from_sentence(sentence: str, message: str) -> tuple[str, ...]:
    """Return the strings of a *message* that is the whole documented *sentence*, else nothing."""
    if not sentence:
        return ()
    words = r"\s+".join(map(re.escape, sentence.split()))
    pattern = words.replace("%1", r"(?P<one>[^'\s]+)", 1).replace("%1", "(?P=one)")
    found = re.fullmatch(pattern.replace("%2", r"(?P<two>[^\r\n]+)"), message.strip())
    return (found["one"], found["two"]) if found else ()


def _details(kind: EventKind, strings: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    missing: list[str] = []
    for number, name in enumerate(kind.strings, start=1):
        text = strings[number - 1] if number <= len(strings) else ""
        fault = _fault(name, text, number)
        if fault is not None:
            missing.append(f"{name}: {fault}")
        if text and text != f"%{number}":
            found[name] = text
    return found, missing


def _fault(name: str, text: str, number: int) -> str | None:
    if not text.strip():
        return "it is not there"
    if text == f"%{number}":
        return f"the placeholder %{number} was never filled in"
    if "\ufffd" in text:
        return "characters of it were lost"
    return _domain_fault(text) if name == "domain" else None


def _domain_fault(text: str) -> str | None:
    try:
        parse_domain(text)
    except UsageError as error:
        return error.message
    return None


def _circumstances(raw: RawEvent) -> Sequence[str]:
    found = []
    if not raw.computer:
        found.append("computer: it is not there, so whose connector it is cannot be said")
    elif not host(raw.computer):
        found.append(f"computer: {raw.computer} is an address and not a name")
    if raw.at is None:
        found.append("time: it is not there, or without its time zone")
    return found
