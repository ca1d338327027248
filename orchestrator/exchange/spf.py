"""SPF records (RFC 7208), read for one purpose: which addresses a domain says it sends from.

A hint and no more: ranges of mail services are shared by many, and a record may be stale.
"""

import re
from ipaddress import ip_network
from typing import NamedTuple

_RECORD = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_TERM = re.compile(r"(?P<sign>[-+~?]?)(?P<name>[a-z0-9]+)(?P<rest>[:/].*)?", re.IGNORECASE)
_TERMS = 100


class Record(NamedTuple):
    """What one record allows: *ranges*, and further domains to *include* or ask for *a* and *mx*.

    *redirect* takes the place of the record where nothing in it matches; empty where there is none.
    """

    ranges: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    a: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    redirect: str = ""


def record(text: str, domain: str) -> Record | None:
    """Return what *text*, a TXT record of *domain*, allows; None where it is no SPF record.

    Terms that deny, that hold macros, or that make no sense are left out.
    """
    if not _RECORD.match(text):
        return None
    found: dict[str, list[str]] = {"ip": [], "include": [], "a": [], "mx": []}
    redirect = ""
    for term in text.split()[1 : _TERMS + 1]:
        if term.lower().startswith("redirect="):
            redirect = _name(term.partition("=")[2]) or redirect
            continue
        kind, value = _allowed(term, domain)
        if value:
            found[kind].append(value)
    return Record(
        tuple(found["ip"]),
        tuple(found["include"]),
        tuple(found["a"]),
        tuple(found["mx"]),
        redirect,
    )


def _allowed(term: str, domain: str) -> tuple[str, str]:
    """Return the kind of a term that allows something, and what; an empty text is nothing."""
    parts = _TERM.fullmatch(term)
    if parts is None or parts["sign"] not in {"", "+"}:
        return "ip", ""
    rest = parts["rest"] or ""
    match parts["name"].lower():
        case "ip4" | "ip6":
            return "ip", _range(rest[1:])
        case "include":
            return "include", _name(rest[1:])
        case "a" | "mx" as kind:
            named = rest.removeprefix(":").partition("/")[0] if rest.startswith(":") else domain
            return kind, _name(named)
        case _:
            return "ip", ""


def _range(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return ""


def _name(text: str) -> str:
    """Return a domain name, or nothing for macros and whatever else is none."""
    name = text.lower().removesuffix(".")
    return name if re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", name) and len(name) < 254 else ""
