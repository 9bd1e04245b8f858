"""How many connections are taken, in all and from one network.

A network is an IPv4 address or an IPv6 /64, the smallest that one customer is given. A listener
keeps one `ConnectionLimits`; listeners may also share one.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPV6_NETWORK_BYTES = 8
"""The /64 of an IPv6 address."""


def plain_address(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv4-mapped IPv6 one stands for (RFC 4291 §2.5.5.2), or it itself."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_within(address: IPv4Address | IPv6Address, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Tell whether one of the networks holds the address."""
    return any(address in network for network in networks)


class ConnectionLimits:
    """Counts open connections; each `admit` that gave True is followed by one `release`."""

    __slots__ = ("_by_network", "_exempt", "_max_per_network", "_max_total", "total")

    def __init__(
        self,
        max_total: int,
        max_per_network: int,
        exempt: tuple[IPv4Network | IPv6Network, ...] = (),
    ) -> None:
        self._max_total = max_total
        self._max_per_network = max_per_network
        self._exempt = exempt
        self._by_network: dict[bytes, int] = {}
        self.total = 0

    def admit(self, address: IPv4Address | IPv6Address) -> bool:
        """Count a connection from the address, or return False where that would be one too many."""
        if self.total >= self._max_total:
            return False
        network = _network_of(address)
        count = self._by_network.get(network, 0)
        if count >= self._max_per_network and not is_within(address, self._exempt):
            return False
        self._count(network)
        return True

    def move(self, proxy: IPv4Address | IPv6Address, client: IPv4Address | IPv6Address) -> bool:
        """Count a connection admitted for a proxy under its client, or change nothing and return False."""
        self.release(proxy)
        if self.admit(client):
            return True
        self._count(_network_of(proxy))
        return False

    def release(self, address: IPv4Address | IPv6Address) -> None:
        """Forget a connection that was admitted."""
        network = _network_of(address)
        count = self._by_network.pop(network)
        if count > 1:
            self._by_network[network] = count - 1
        self.total -= 1

    def _count(self, network: bytes) -> None:
        self._by_network[network] = self._by_network.get(network, 0) + 1
        self.total += 1


def _network_of(address: IPv4Address | IPv6Address) -> bytes:
    packed = address.packed
    return packed[:IPV6_NETWORK_BYTES] if isinstance(address, IPv6Address) else packed
