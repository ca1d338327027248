"""The types of Exchange's properties, one constant each [seen in real exports unless marked].

To add one: a constant built from a form, with the type names a server sends.
"""

import re
from uuid import UUID

from orchestrator.lab.forms import Choice, Primitive, Properties, Reference, Spoken, Unfit
from orchestrator.lab.lists import Many
from orchestrator.lab.ranges import endpoint, span

DATA = "Microsoft.Exchange.Data"
CONFIGURATION = f"{DATA}.Directory.SystemConfiguration"
ASSEMBLY = (
    "Microsoft.Exchange.Data, Version=15.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35"
)
DIRECTORY_ASSEMBLY = (
    "Microsoft.Exchange.Data.Directory, Version=15.0.0.0, Culture=neutral, "
    "PublicKeyToken=31bf3856ad364e35"
)
MSCORLIB = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
OBJECT = "System.Object"


def _flag(argument: object) -> bool:
    if isinstance(argument, bool):
        return argument
    if isinstance(argument, int):
        return argument != 0
    raise Unfit(
        f'Cannot convert value "{argument}" to type "System.Boolean". Boolean parameters accept '
        "only Boolean values and numbers, such as $True, $False, 1 or 0."
    )


def _whole(argument: object) -> int:
    try:
        return int(str(argument))
    except ValueError:
        raise Unfit("Input string was not in a correct format.") from None


def _guid(argument: object) -> str:
    try:
        return str(UUID(str(argument)))
    except ValueError:
        raise Unfit("Guid should contain 32 digits with 4 dashes.") from None


FLAG = Primitive("System.Boolean", "B", _flag)
WHOLE = Primitive("System.Int32", "I32", _whole)
LONG = Primitive("System.Int64", "I64", _whole)
TEXT = Primitive("System.String", "S", str)
GUID = Primitive("System.Guid", "G", _guid)
MOMENT = Primitive("System.DateTime", "DT", str)
REFERENCE = Reference()

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"(?=.{{1,255}}$){_LABEL}(?:\.{_LABEL})*")


def _domain(argument: object) -> str:
    text = str(argument)
    if not _DOMAIN.fullmatch(text):
        raise Unfit(f'"{text}" isn\'t a valid SMTP domain.')
    return text


def _domain_or_wildcard(argument: object) -> str:
    text = str(argument)
    if text != "*":
        _domain(text.removeprefix("*."))
    return text


SMTP_DOMAIN = Spoken((f"{DATA}.SmtpDomain", OBJECT), _domain, lambda text: (("Domain", "S", text),))
SMTP_DOMAIN_WITH_SUBDOMAINS = Spoken(
    (f"{DATA}.SmtpDomainWithSubdomains", OBJECT),
    _domain_or_wildcard,
    lambda text: (
        ("Domain", "S", text.removeprefix("*.")),
        ("IncludeSubDomains", "B", str(text.startswith("*")).lower()),
    ),
)
FQDN = Spoken(
    (f"{DATA}.Fqdn", f"{DATA}.SmtpDomain", OBJECT), _domain, lambda text: (("Domain", "S", text),)
)

_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_SIZE = re.compile(r"([0-9.]+)\s*(B|KB|MB|GB)?(?: \(.*)?", re.IGNORECASE)


def _size(argument: object) -> str:
    match = _SIZE.fullmatch(str(argument).strip())
    if match is None:
        raise Unfit(f'Can\'t parse "{argument}" as ByteQuantifiedSize.')
    unit = (match[2] or "B").upper()
    return f"{match[1]} {unit} ({int(float(match[1]) * _UNITS[unit]):,} bytes)"


SIZE = Spoken((f"{DATA}.ByteQuantifiedSize", "System.ValueType", OBJECT), _size)


def _limit(argument: object) -> str:
    text = str(argument)
    return "Unlimited" if text.casefold() == "unlimited" else str(_whole(text))


def _limit_properties(text: str) -> Properties:
    if text == "Unlimited":
        return (("IsUnlimited", "B", "true"),)
    return (("IsUnlimited", "B", "false"), ("Value", "I32", text))


LIMIT = Spoken(
    (f"{DATA}.Unlimited`1[[System.Int32, {MSCORLIB}]]", "System.ValueType", OBJECT),
    _limit,
    _limit_properties,
)
SIZE_LIMIT = Spoken(
    (f"{DATA}.Unlimited`1[[{DATA}.ByteQuantifiedSize, {ASSEMBLY}]]", "System.ValueType", OBJECT),
    lambda argument: "Unlimited" if str(argument) == "Unlimited" else _size(argument),
    lambda text: (("IsUnlimited", "B", str(text == "Unlimited").lower()),),
)

_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})")


def _time_span(argument: object) -> str:
    if not _SPAN.fullmatch(str(argument)):
        raise Unfit(f'"{argument}" isn\'t a valid time span.')
    return str(argument)


def _time_span_properties(text: str) -> Properties:
    match = _SPAN.fullmatch(text)
    days, hours, minutes, seconds = (
        (int(part or 0) for part in match.groups()) if match else (0,) * 4
    )
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return (
        ("Days", "I32", str(days)),
        ("Hours", "I32", str(hours)),
        ("Minutes", "I32", str(minutes)),
        ("Seconds", "I32", str(seconds)),
        ("Ticks", "I64", str(total * 10_000_000)),
        ("TotalSeconds", "Db", str(total)),
    )


TIME_SPAN = Spoken(
    (f"{DATA}.EnhancedTimeSpan", "System.ValueType", OBJECT), _time_span, _time_span_properties
)


def _binding(argument: object) -> str:
    try:
        endpoint(str(argument))
    except ValueError:
        raise Unfit(f'"{argument}" isn\'t a valid IP binding.') from None
    return str(argument)


def _binding_properties(text: str) -> Properties:
    address, port = endpoint(text)
    family = "InterNetworkV6" if address.version == 6 else "InterNetwork"
    return (("Port", "I32", str(port)), ("AddressFamily", "S", family))


BINDING = Spoken(
    (f"{DATA}.IPBinding", "System.Net.IPEndPoint", "System.Net.EndPoint", OBJECT),
    _binding,
    _binding_properties,
)


def _range(argument: object) -> str:
    try:
        span(str(argument))
    except ValueError:
        raise Unfit(f'"{argument}" isn\'t a valid IP address range.') from None
    return str(argument)


RANGE = Spoken((f"{DATA}.IPRange", OBJECT), _range, lambda text: (("Expression", "S", text),))

_SPACE = re.compile(r"(?:(?P<type>[A-Za-z0-9]+):)?(?P<space>.+?)(?:;(?P<cost>\d{1,3}))?")


def _address_space(argument: object) -> str:
    match = _SPACE.fullmatch(str(argument))
    if match is None or not 1 <= int(match["cost"] or 1) <= 100:
        raise Unfit(f'"{argument}" isn\'t a valid address space.')
    kind = match["type"] or "SMTP"
    if kind.upper() == "SMTP" and match["space"] != "--":
        _domain_or_wildcard(match["space"])
    return f"{kind}:{match['space']};{match['cost'] or 1}"


def _address_space_properties(text: str) -> Properties:
    kind, _, rest = text.partition(":")
    address, _, cost = rest.rpartition(";")
    return (
        ("Address", "S", address),
        ("Type", "S", kind),
        ("Cost", "I32", cost),
        ("IncludeSubDomains", "B", str(address.startswith("*")).lower()),
        ("Domain", "S", address),
        ("IsSmtpType", "B", str(kind.upper() == "SMTP").lower()),
        ("IsX400Type", "B", str(kind.upper() == "X400").lower()),
    )


ADDRESS_SPACE = Spoken((f"{DATA}.AddressSpace", OBJECT), _address_space, _address_space_properties)
SMART_HOST = Spoken((f"{DATA}.SmartHost", OBJECT), str, lambda text: (("Domain", "S", text),))
CERTIFICATE = Spoken((f"{DATA}.SmtpX509Identifier", OBJECT), str)
CAPABILITY = Spoken((f"{DATA}.SmtpReceiveDomainCapabilities", OBJECT), str)
ADDRESS = Spoken((f"{DATA}.SmtpAddress", "System.ValueType", OBJECT), str)
IP_ADDRESS = Spoken(("System.Net.IPAddress", OBJECT), str, silent=True)
OBJECT_VERSION = Spoken((f"{DATA}.ExchangeObjectVersion", OBJECT), str)
SERVER_VERSION = Spoken((f"{DATA}.ServerVersion", OBJECT), str, silent=True)
ORGANIZATION_ID = Spoken((f"{DATA}.Directory.OrganizationId", OBJECT), str)


def many(item: Spoken | Primitive, assembly: str = ASSEMBLY) -> Many:
    """Return the multivalued form of *item*."""
    return Many(item, f"{item.title}, {assembly}")


DOMAINS = many(SMTP_DOMAIN)
TEXTS = many(TEXT, MSCORLIB)
REFERENCES = Many(
    REFERENCE,
    f"{REFERENCE.title}, {DIRECTORY_ASSEMBLY}",
    (f"{DATA}.Directory.ADMultiValuedProperty`1[[{REFERENCE.title}, {DIRECTORY_ASSEMBLY}]]",),
)


def choice(name: str, *members: str, **numbered: int) -> Choice:
    """Return an enumeration whose *members* count from 0, or are *numbered*."""
    return Choice((name,), {**{one: at for at, one in enumerate(members)}, **numbered})


AUTH_MECHANISMS = Choice(
    (f"{CONFIGURATION}.AuthMechanisms",),
    {
        "None": 0,
        "Tls": 1,
        "Integrated": 2,
        "BasicAuth": 4,
        "BasicAuthRequireTLS": 8,
        "ExchangeServer": 16,
        "ExternalAuthoritative": 32,
    },
    flags=True,
)
PERMISSION_GROUPS = Choice(
    (f"{DATA}.PermissionGroups",),
    {
        "None": 0,
        "AnonymousUsers": 1,
        "ExchangeUsers": 2,
        "ExchangeServers": 4,
        "ExchangeLegacyServers": 8,
        "Partners": 16,
        "Custom": 32,
    },
    flags=True,
)
SERVER_ROLE = Choice(
    (f"{CONFIGURATION}.ServerRole",),
    {
        "None": 0,
        "Mailbox": 2,
        "ClientAccess": 4,
        "UnifiedMessaging": 16,
        "HubTransport": 32,
        "Edge": 64,
        "FrontendTransport": 16384,
    },
    flags=True,
)
LOGGING_LEVEL = choice(f"{DATA}.ProtocolLoggingLevel", "None", "Verbose")
OBJECT_STATE = choice(f"{DATA}.ObjectState", "New", "Unchanged", "Changed", "Deleted")
TLS_AUTH_LEVEL = choice(
    f"{DATA}.TlsAuthLevel",
    EncryptionOnly=1,
    CertificateValidation=2,
    DomainValidation=3,
)
