"""The kinds of Exchange object, and their properties in one shape whatever shape they came in.

To support another kind of object, add a row to OBJECT_KINDS.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping

from orchestrator.core.command import Record
from orchestrator.core.facts import ObjectRef, Observation, UnknownFact, Value
from orchestrator.core.setting import ObjectKind

TRANSPORT_CONFIG = "TransportConfig"
RECEIVE_CONNECTOR = "ReceiveConnector"
SEND_CONNECTOR = "SendConnector"
EXCHANGE_SERVER = "ExchangeServer"
ACCEPTED_DOMAIN = "AcceptedDomain"
FRONTEND_TRANSPORT = "FrontendTransportService"
TRANSPORT_SERVICE = "TransportService"
CMDLET = "Cmdlet"

RECEIVE_LIST = "TLSReceiveDomainSecureList"
SEND_LIST = "TLSSendDomainSecureList"

CONFIG_CONTROLLER = "CurrentConfigDomainController"
"""Which domain controller a server reads its configuration from; shown with ``-Status`` [doc]."""

_COMMON = {
    "Name": "text",
    "Identity": "text",
    "Guid": "text",
    "DistinguishedName": "text",
    "OriginatingServer": "text",
    "WhenChangedUTC": "text",
    "ExchangeVersion": "text",
    "IsValid": "bool",
    "Enabled": "bool",
    "Comment": "text",
    "Fqdn": "text",
    "DomainSecureEnabled": "bool",
    "ProtocolLoggingLevel": "text",
    "RequireTLS": "bool",
    "TlsCertificateName": "text",
}

OBJECT_KINDS: Mapping[str, ObjectKind] = {
    TRANSPORT_CONFIG: ObjectKind(
        TRANSPORT_CONFIG,
        get="Get-TransportConfig",
        set="Set-TransportConfig",
        named=False,
        types=("TransportConfigContainer", "TransportConfig"),
        shapes={
            **_COMMON,
            RECEIVE_LIST: "list",
            SEND_LIST: "list",
            "InternalSMTPServers": "list",
        },
    ),
    RECEIVE_CONNECTOR: ObjectKind(
        RECEIVE_CONNECTOR,
        get="Get-ReceiveConnector",
        set="Set-ReceiveConnector",
        named=True,
        types=("ReceiveConnector",),
        shapes={
            **_COMMON,
            "Server": "text",
            "TransportRole": "text",
            "AuthMechanism": "flags",
            "PermissionGroups": "flags",
            "Bindings": "list",
            "RemoteIPRanges": "list",
            "TlsDomainCapabilities": "list",
            "SuppressXAnonymousTls": "bool",
        },
    ),
    SEND_CONNECTOR: ObjectKind(
        SEND_CONNECTOR,
        get="Get-SendConnector",
        set="Set-SendConnector",
        named=True,
        types=("SmtpSendConnectorConfig", "SendConnector"),
        shapes={
            **_COMMON,
            "AddressSpaces": "list",
            "SmartHosts": "list",
            "SourceTransportServers": "list",
            "DNSRoutingEnabled": "bool",
            "IgnoreSTARTTLS": "bool",
            "IsScopedConnector": "bool",
            "CloudServicesMailEnabled": "bool",
            "FrontendProxyEnabled": "bool",
            "Port": "int",
            "TlsAuthLevel": "text",
            "TlsDomain": "text",
            "LinkedReceiveConnector": "text",
        },
    ),
    EXCHANGE_SERVER: ObjectKind(
        EXCHANGE_SERVER,
        get="Get-ExchangeServer",
        set="",
        named=True,
        types=("ExchangeServer",),
        shapes={
            **_COMMON,
            CONFIG_CONTROLLER: "text",
            "AdminDisplayVersion": "text",
            "ServerRole": "flags",
            "Edition": "text",
        },
    ),
    ACCEPTED_DOMAIN: ObjectKind(
        ACCEPTED_DOMAIN,
        get="Get-AcceptedDomain",
        set="",
        named=True,
        types=("AcceptedDomain",),
        shapes={**_COMMON, "DomainName": "text"},
    ),
    FRONTEND_TRANSPORT: ObjectKind(
        FRONTEND_TRANSPORT,
        get="Get-FrontendTransportService",
        set="",
        named=True,
        types=("FrontendTransportServer", "FrontendTransportServerPresentationObject"),
        shapes={**_COMMON, "ReceiveProtocolLogPath": "text"},
    ),
    TRANSPORT_SERVICE: ObjectKind(
        TRANSPORT_SERVICE,
        get="Get-TransportService",
        set="",
        named=True,
        types=("TransportServer", "TransportServerPresentationObject"),
        shapes={**_COMMON, "ReceiveProtocolLogPath": "text"},
    ),
    CMDLET: ObjectKind(
        CMDLET,
        get="Get-Command",
        set="",
        named=True,
        types=("CmdletInfo", "FunctionInfo", "AliasInfo", "CommandInfo"),
        shapes={"Name": "text", "Parameters": "keys"},
    ),
}
"""One row per kind of object, with the names of domain.md section 5 [doc][seen]."""

IDENTIFYING = ("Name", "Guid", "Identity", "OriginatingServer")
"""Properties that every read of directory objects asks for, besides what a question needs."""

_EXCHANGE_DATA = "Microsoft.Exchange.Data."

_JOINT = re.compile(r"[\r\n]|^\{|\}$")

_PREFIX = re.compile(r"^(?:Deserialized\.|Selected\.)+")


def kind_of(record: Record) -> str | None:
    """Return the kind of object *record* is, or None where its type names tell nothing.

    Names arrive plain, or with ``Deserialized.`` or ``Selected.`` before them [obs].
    """
    for name in record.types:
        last = _PREFIX.sub("", name).rpartition(".")[2].partition("`")[0]
        for kind in OBJECT_KINDS.values():
            if last in kind.types:
                return kind.name
    return None


def observe(kind: str, record: Record, names: Collection[str]) -> Observation:
    """Return the properties *names* of *record*, as far as it has them.

    Raises UnknownFact where a value makes no sense. What nobody asked for is not looked at.
    """
    shapes = OBJECT_KINDS[kind].shapes
    properties = {
        name: read(shapes.get(name, "any"), value, f"{kind} {name}")
        for name, value in record.properties.items()
        if name in names
    }
    place = _text(record.properties.get("DistinguishedName"))
    return Observation(_reference(kind, properties, place), properties)


def _reference(kind: str, properties: Mapping[str, Value], place: str) -> ObjectRef:
    guid = _guid(str(properties.get("Guid") or place))
    name = str(properties.get("Name") or properties.get("Identity") or kind)
    if kind == CMDLET:
        return ObjectRef(kind, name.casefold(), name)
    if not guid:
        raise UnknownFact(f"{kind} {name}", "the server showed neither its Guid nor its place")
    if kind == TRANSPORT_CONFIG:
        return ObjectRef(kind, guid, kind)
    server = str(properties.get("Server") or "")
    if kind == RECEIVE_CONNECTOR and not server:
        home, slash, _ = str(properties.get("Identity") or "").partition("\\")
        server = home if slash else ""
    return ObjectRef(kind, guid, f"{server}\\{name}" if server else name)


_GUID = re.compile(
    r"[{(]?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})[)}]?",
    re.IGNORECASE,
)


def _guid(text: str) -> str:
    """Return a Guid in the form with hyphens, however it is written; a place in lower case."""
    found = _GUID.fullmatch(text.strip())
    return "-".join(found.groups() if found else (text,)).lower()


def read(shape: str, value: object, subject: str) -> Value:
    """Return a value from the wire in the shape that decisions use.

    Lists arrive as a list, one text, ``a, b`` joined, an object that holds a list, or nothing;
    enumerations as text with or without a number [obs]. Raises UnknownFact for anything else.
    """
    return _READERS.get(shape, _natural)(value, subject)


def _plain(value: object, _subject: str) -> str | None:
    return None if value is None else _text(value)


def _text(value: object) -> str:
    if isinstance(value, Record):
        return _text(value.value) if value.text is None else value.text
    return "" if value is None else str(value)


def _members(value: object, subject: str) -> tuple[str, ...]:
    if isinstance(value, Record) and (held := _held(value)) is not None:
        return _members(held, subject)
    if value is None or value == "":
        return ()
    members = _parts(value)
    if members is not None and all(map(_says_something, members)):
        return members
    raise UnknownFact(subject, "the server sent a list in a form that cannot be read")


def _parts(value: object) -> tuple[str, ...] | None:
    """Return the members of a list, or of the text in which they are joined; else None."""
    if isinstance(value, tuple | list):
        return tuple(_text(member) for member in value if member is not None)
    if not isinstance(value, str):
        return None
    return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)


def _says_something(text: str) -> bool:
    """Say whether *text* is one value.

    It is not where .NET has no words for an object, nor where several are joined without commas.
    """
    spoken = "`1[" not in text and not text.startswith(("System.", _EXCHANGE_DATA))
    return bool(text) and spoken and not _JOINT.search(text)


def _held(record: Record) -> object:
    """Return the list that an object is or holds, else its text."""
    if isinstance(record.value, tuple | list):
        return record.value
    holding = [held for held in record.properties.values() if isinstance(held, tuple | list)]
    wrapped = [held for held in record.properties.values() if isinstance(held, Record)]
    wrapped = [held for held in wrapped if isinstance(held.value, tuple | list)]
    if len(holding) + len(wrapped) == 1:
        return holding[0] if holding else wrapped[0].value
    return record.text if record.value is None or record.text is not None else record.value


def _flags(value: object, subject: str) -> tuple[str, ...] | None:
    """Return set flags. An enumeration always has a value: nothing is not the flag ``None``."""
    flags = _members(value, subject)
    if any(flag.isdecimal() for flag in flags):
        raise UnknownFact(subject, "the server sent numbers instead of names")
    return tuple(flag for flag in flags if flag.casefold() != "none") if flags else None


def _keys(value: object, _subject: str) -> tuple[str, ...]:
    held = value.value if isinstance(value, Record) else value
    if isinstance(held, Mapping):
        return tuple(str(key) for key in held)
    if isinstance(held, tuple | list):
        return tuple(_text(_named(entry)) for entry in held)
    return ()


def _named(entry: object) -> object:
    if not isinstance(entry, Record):
        return entry
    return entry.properties.get("Key", entry.properties.get("Name", entry))


def _boolean(value: object, subject: str) -> bool | None:
    spoken = _text(value).casefold() if isinstance(value, Record) else value
    if isinstance(spoken, str):
        spoken = {"true": True, "$true": True, "false": False, "$false": False, "": None}.get(
            spoken.casefold(), spoken
        )
    if spoken is None or isinstance(spoken, bool):
        return spoken
    raise UnknownFact(subject, "the server sent something else than true or false")


def _integer(value: object, subject: str) -> int | None:
    text = _text(value).strip()
    if not text:
        return None
    if re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    raise UnknownFact(subject, "the server sent something else than a whole number")


def _natural(value: object, subject: str) -> Value:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, tuple | list):
        return _members(value, subject)
    if isinstance(value, Record) and isinstance(value.value, tuple | list):
        return _members(value, subject)
    return _text(value)


_READERS: Mapping[str, Callable[[object, str], Value]] = {
    "list": _members,
    "flags": _flags,
    "keys": _keys,
    "bool": _boolean,
    "int": _integer,
    "text": _plain,
}


def find(objects: Iterable[Observation], name: str) -> Observation | None:
    """Return the object called *name*, ignoring case, or None."""
    return next((o for o in objects if o.text("Name").casefold() == name.casefold()), None)
