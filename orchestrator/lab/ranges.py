"""IP bindings and remote ranges of receive connectors, as intervals."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def span(text: str) -> tuple[int, int, int]:
    """Return version, first and last address of ``a``, ``a-b`` or ``a/bits``.

    Raises ValueError for anything else.
    """
    if "/" in text:
        network = ip_network(text, strict=False)
        return network.version, int(network.network_address), int(network.broadcast_address)
    first, _, last = text.partition("-")
    low, high = ip_address(first.strip()), ip_address((last or first).strip())
    if low.version != high.version or int(low) > int(high):
        raise ValueError(text)
    return low.version, int(low), int(high)


def endpoint(text: str) -> tuple[IPv4Address | IPv6Address, int]:
    """Return address and port of ``0.0.0.0:25`` or ``[::]:25``. Raises ValueError."""
    host, _, port = text.rpartition(":")
    address = ip_address(host.removeprefix("[").removesuffix("]"))
    number = int(port)
    if not 0 <= number <= 65535 or (address.version == 6) != host.startswith("["):
        raise ValueError(text)
    return address, number


def same_ranges(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell whether two lists of remote ranges have a range in common.

    Exchange compares whole ranges: a narrower one beside a wider one is legal and is how a
    dedicated connector wins over the default one [doc].
    """
    return bool({span(text) for text in one} & {span(text) for text in other})
