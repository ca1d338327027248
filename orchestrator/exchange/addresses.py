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

_BITS = {4: 32, 6: 128}
_MASKED = re.compile(r"(.+)\((.+)\)")


def spans(ranges: Iterable[str]) -> Spans:
    """Return RemoteIPRanges as spans, one for each.

    Forms: one address, ``low-high``, ``net/bits``, ``net(mask)`` [seen for the first three].
    Raises UnknownFact for anything else: what cannot be read is not guessed.
    """
    return tuple(_span(text) for text in ranges)


def _span(text: str) -> Span:
    try:
        if masked := _MASKED.fullmatch(text.strip()):
            text = f"{masked[1]}/{masked[2]}"
        if "-" in text:
            low, high = (ip_address(half.strip()) for half in text.split("-"))
            return _between(Span(low.version, int(low), int(high)), high.version)
        network = ip_network(text.strip(), strict=False)
        return Span(network.version, int(network[0]), int(network[-1]))
    except ValueError as error:
        raise UnknownFact("RemoteIPRanges", f"'{text[:60]}' cannot be read") from error


def _between(span: Span, version: int) -> Span:
    if span.version != version or span.low > span.high:
        raise ValueError(span)
    return span


def merged(parts: Iterable[Span]) -> Spans:
    """Return the same addresses as the fewest spans, sorted: what two ranges can be compared by."""
    joined: list[Span] = []
    for part in sorted(parts):
        last = joined[-1] if joined else None
        if last and last.version == part.version and part.low <= last.high + 1:
            joined[-1] = Span(last.version, last.low, max(last.high, part.high))
        else:
            joined.append(part)
    return tuple(joined)


def covers(wide: Spans, narrow: Spans) -> bool:
    """Say whether every address of *narrow* is in *wide*, which is merged."""
    return all(
        any(w.version == n.version and w.low <= n.low and n.high <= w.high for w in wide)
        for n in narrow
    )


def specific(ranges: Spans, version: int, address: int) -> int | None:
    """Return how wide the narrowest range is that holds the address, or None where none does."""
    widths = [
        span.high - span.low
        for span in ranges
        if span.version == version and span.low <= address <= span.high
    ]
    return min(widths, default=None)


def outranks(one: Spans, other: Spans, among: Spans) -> bool:
    """Say whether *one* gets a connection from any address *among* that *other* should get.

    A connection goes to the connector whose matching range is the narrowest [doc]; between two
    that are as narrow nobody knows. Give ranges as written: merging them hides what is narrow.
    """
    for version, address in _edges((*one, *other, *among)):
        if specific(among, version, address) is not None:
            own, others = specific(one, version, address), specific(other, version, address)
            if own is not None and (others is None or own <= others):
                return True
    return False


def _edges(ranges: Spans) -> set[tuple[int, int]]:
    """Return the addresses at which any answer about *ranges* can change."""
    return {
        (span.version, edge)
        for span in ranges
        for edge in (span.low - 1, span.low, span.high, span.high + 1)
    }


def is_everything(ranges: Spans) -> bool:
    """Say whether the ranges hold every address of a version, as on the default connectors."""
    ends = {(span.version, span.low, span.high) for span in merged(ranges)}
    return not ends.isdisjoint((version, 0, 2**bits - 1) for version, bits in _BITS.items())


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


def meet(one: Sequence[Binding], other: Sequence[Binding]) -> bool:
    """Say whether a connection may come to both: to the same port of the same address."""
    return any(listens(one, binding) for binding in other) or any(
        listens(other, binding) for binding in one
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
    if not space or not cost.strip().isdecimal():
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
