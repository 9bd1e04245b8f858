"""A peer of a session that is driven without a listener: one from another host, in plain text."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from freehold.kernel.stream import StreamSession, TlsFacts, Verdict


class FarPeer:
    """A peer from another host, in plain text."""

    def __init__(self) -> None:
        self.address: IPv4Address | IPv6Address = ip_address("192.0.2.1")
        self.port = 1
        self.tls: TlsFacts | None = None
        self.has_unread = False
        self.sent = b""

    def send(self, data: bytes) -> None:
        self.sent += data

    async def flush(self) -> None:
        """Everything is taken at once."""

    def wake(self) -> None:
        """Nobody waits."""

    def start_compression(self, unused: bytes) -> None:
        """Nobody asks."""


async def say(session: StreamSession, peer: FarPeer, data: bytes) -> bytes:
    """Give a session bytes; returns what it sends, and closes nothing."""
    peer.sent = b""
    session.receive(data)
    assert await session.advance() is Verdict.READ
    return peer.sent
