"""Who may connect where, and what a send connector carries: the three grammars of addresses."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import ip_address, ip_network
from typing import NamedTuple, TypeAlias

from orchestrator.core.facts import UnknownFact


class Span(NamedTuple):
    """Addresses from *low* to *high*, both included, of IP *version* 4 or 6."""

    version: int
    low: int
    high: int


Spans: TypeAlias = tuple[Span, ...]

_WIDTH = {4: 32, 6: 128}
_MASKED = re.compile(r"(.+)\((.+)\)")


def spans(ranges: Iterable[str]) -> Spans:
    """Return RemoteIPRanges as spans, sorted and merged.

    Forms: one address, ``low-high``, ``net/bits``, ``net(mask)`` [seen for the first three].
    Raises UnknownFact for anything else: what cannot be read is not guessed.
    """
    return _merge(_span(text) for text in ranges)


def _span(text: str) -> Span:
    try:
        if masked := _MASKED.fullmatch(text.strip()):
            text = f"{masked[1]}/{masked[2]}"
        if "-" in text:
            low, high = (ip_address(half.strip()) for half in text.split("-"))
            return Span(low.version, int(low), int(high))
        network = ip_network(text.strip(), strict=False)
        return Span(network.version, int(network[0]), int(network[-1]))
    except ValueError as error:
        raise UnknownFact("RemoteIPRanges", f"'{text[:60]}' cannot be read") from error


def _merge(parts: Iterable[Span]) -> Spans:
    merged: list[Span] = []
    for part in sorted(parts):
        last = merged[-1] if merged else None
        if last and last.version == part.version and part.low <= last.high + 1:
            merged[-1] = Span(last.version, last.low, max(last.high, part.high))
        else:
            merged.append(part)
    return tuple(merged)


def covers(wide: Spans, narrow: Spans) -> bool:
    """Say whether every address of *narrow* is in *wide*."""
    return all(
        any(w.version == n.version and w.low <= n.low and n.high <= w.high for w in wide)
        for n in narrow
    )


def overlap(one: Spans, other: Spans) -> bool:
    """Say whether the two have an address in common."""
    return any(
        a.version == b.version and a.low <= b.high and b.low <= a.high for a in one for b in other
    )


def size(ranges: Spans) -> int:
    """Return how many addresses there are: the smaller of two is the more specific."""
    return sum(span.high - span.low + 1 for span in ranges)


def is_everything(ranges: Spans) -> bool:
    """Say whether the ranges hold every address of a version, as on the default connectors."""
    return any(span.low == 0 and span.high == 2 ** _WIDTH[span.version] - 1 for span in ranges)


class Binding(NamedTuple):
    """A local address and port; the unspecified address stands for all of its version."""

    version: int
    address: int
    port: int


def bindings(texts: Iterable[str]) -> tuple[Binding, ...]:
    """Return Bindings such as ``0.0.0.0:25`` and ``[::]:25``. Raises UnknownFact otherwise."""
    return tuple(_binding(text) for text in texts)


def _binding(text: str) -> Binding:
    host, _, port = text.strip().rpartition(":")
    try:
        address = ip_address(host.strip("[]"))
        return Binding(address.version, int(address), int(port))
    except ValueError as error:
        raise UnknownFact("Bindings", f"'{text[:60]}' cannot be read") from error


def listens(candidate: Sequence[Binding], binding: Binding) -> bool:
    """Say whether one of *candidate* takes connections that come to *binding*."""
    return any(
        own.version == binding.version
        and own.port == binding.port
        and own.address in {0, binding.address}
        for own in candidate
    )


class AddressSpace(NamedTuple):
    """What a send connector carries: ``Type:Space;Cost``, type SMTP and cost 1 by default [doc]."""

    type: str
    space: str
    cost: int


def address_space(text: str) -> AddressSpace:
    """Return one entry of AddressSpaces. A space of another type may hold semicolons."""
    prefix, colon, rest = text.strip().partition(":")
    kind, rest = (prefix.upper(), rest) if colon else ("SMTP", text.strip())
    space, _, cost = rest.rpartition(";")
    if not space or not cost.strip().isdigit():
        return AddressSpace(kind, rest.casefold(), 1)
    return AddressSpace(kind, space.casefold(), int(cost))


def carries(space: AddressSpace, other: AddressSpace) -> bool:
    """Say whether mail for *other* may go the way of *space*."""
    if space.type != other.type or space.space == "--":
        return False
    if space.type != "SMTP":
        return space.space == other.space
    wild, plain = space.space.startswith("*."), other.space.removeprefix("*.")
    if space.space == "*":
        return True
    if wild:
        return other.space == space.space or plain.endswith(space.space[1:])
    return other.space == space.space
