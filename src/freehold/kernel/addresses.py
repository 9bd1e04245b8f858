"""Addresses as they stand in the configuration: "0.0.0.0:25", "[::]:25", networks."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An IP address and a TCP or UDP port; port 0 lets the system choose."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Return the endpoint of "0.0.0.0:25" or "[::]:25".

        Raises:
            ValueError: it is neither; names are not looked up.
        """
        host, colon, port = text.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(f'{text!r}: write an IPv6 address in brackets, such as "[::]:25"')
        if not colon or not port.isascii() or not port.isdigit() or int(port) > MAX_PORT:
            raise ValueError(f'{text!r} is not an address such as "0.0.0.0:25"')
        try:
            return cls(str(ip_address(host)), int(port))
        except ValueError:
            raise ValueError(f"{text!r}: {host!r} is not an IP address") from None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach the address."""
    return ip_address(host).is_loopback


def parse_network(text: str) -> IPv4Network | IPv6Network:
    """Return the network of "10.0.0.0/8" or of one address. Raises ValueError otherwise."""
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f'{text!r} is not a network such as "10.0.0.0/8"') from None
