"""Domain names as the two Domain Security lists take them: element type SmtpDomain [doc].

An entry covers exactly itself: no subdomains, no wildcards, case does not count [obs].
"""

import difflib
import re
from collections.abc import Sequence

from orchestrator.core.errors import UsageError
from orchestrator.core.facts import UnknownFact

LIMIT = 256
"""Entries that each of the two lists takes at most [doc]."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_SEVERAL = re.compile(r"[\s;,|]")
_SHOWN = 80


def parse_domain(text: str) -> str:
    """Return *text* as the domain a list entry would hold: ASCII, lower case.

    A name with other letters is returned in its ASCII form (``xn--``), which is what an SMTP
    server says. Raises UsageError that says what is meant and what to write instead.
    """
    given = text.strip()
    shown = given[:_SHOWN].encode("unicode_escape").decode("ascii")
    if text != given or any(ch.isspace() for ch in given) or not given:
        raise UsageError(f"'{shown}' is not a domain: it is empty or has spaces", _WRITE)
    if "@" in given:
        raise UsageError(f"'{shown}' is an address", f"Write what follows the @: {_WRITE}")
    if "*" in given or given.startswith("."):
        raise UsageError(
            f"'{shown}' has a wildcard: an entry of the list covers exactly one domain",
            "Name the one domain that the event names in its first field; "
            "subdomains are entries of their own.",
        )
    domain = to_ascii(given.removesuffix("."))
    labels = domain.split(".")
    if len(domain) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UsageError(f"'{shown}' is not a domain name", _WRITE)
    if all(label.isdigit() for label in labels):
        raise UsageError(f"'{shown}' is an IP address", _WRITE)
    return domain


_WRITE = "Write the domain as in fabrikam.com: the first data field of the event."


def to_ascii(domain: str) -> str:
    """Return the ASCII form of *domain* in lower case, or *domain* where it has none."""
    if domain.isascii():
        return domain.lower()
    import idna  # noqa: PLC0415 - its tables cost more than the rest of this floor

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain.casefold()


def to_unicode(domain: str) -> str:
    """Return *domain* as people write it, or *domain* itself where that is the same."""
    if "xn--" not in domain:
        return domain
    import idna  # noqa: PLC0415 - as above

    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain


def entries_for(entries: Sequence[str], domain: str) -> tuple[str, ...]:
    """Return the entries that cover *domain*, as they are stored.

    There are two where a name with other letters stands in both its forms. Raises UnknownFact
    where an entry is no domain but several, joined in a way that nobody knows.
    """
    for entry in entries:
        if _SEVERAL.search(entry):
            raise UnknownFact("the list", f"'{entry[:_SHOWN]}' is not one domain")
    return tuple(entry for entry in entries if to_ascii(entry) == to_ascii(domain))


def entry_for(entries: Sequence[str], domain: str) -> str | None:
    """Return the first entry that covers *domain*, as it is stored, or None."""
    return next(iter(entries_for(entries, domain)), None)


def parent_of(entries: Sequence[str], domain: str) -> str | None:
    """Return an entry of which *domain* is a subdomain: close, but it does not cover it."""
    below = to_ascii(domain)
    return next((entry for entry in entries if below.endswith("." + to_ascii(entry))), None)


def nearest(entries: Sequence[str], domain: str) -> str | None:
    """Return the entry most like *domain*, for "did you mean"; None where none is like it."""
    return next(iter(difflib.get_close_matches(domain, entries, n=1, cutoff=0.8)), None)
