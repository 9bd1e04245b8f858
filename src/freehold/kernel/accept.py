"""From a listening socket to identified transports: accepting, PROXY headers, implicit TLS."""

import asyncio
import ipaddress
import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from freehold.kernel.limits import plain_address
from freehold.kernel.proxy_protocol import ProxiedClient, ProxyHeaderError, bytes_missing, parse_header


def address_of(socket_address: tuple[str, int]) -> tuple[IPv4Address | IPv6Address, int]:
    """Return the address, without IPv6 scope and IPv4 mapping, and the port of a socket's address."""
    return _parsed(socket_address[0]), socket_address[1]


@lru_cache(maxsize=4096)
def _parsed(host: str) -> IPv4Address | IPv6Address:
    return plain_address(ipaddress.ip_address(host.partition("%")[0]))


def prepare(accepted: socket.socket) -> None:
    """Make an accepted socket non-blocking, unbuffered and watched for peers that vanished."""
    accepted.settimeout(0)
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def refuse(accepted: socket.socket, farewell: bytes) -> None:
    """Close a connection that nothing was read from, with a last word if the socket takes it at once."""
    with accepted:
        accepted.settimeout(0)
        if farewell:
            try:
                accepted.send(farewell)
            except OSError:
                return


async def receive_proxy_header(
    loop: asyncio.AbstractEventLoop, accepted: socket.socket, seconds: float
) -> ProxiedClient | None:
    """Read a PROXY header off the socket and not a byte more, so that a TLS handshake can follow.

    Raises:
        ProxyHeaderError: it is malformed, or the peer closed.
        TimeoutError: it was not complete in time.
        OSError: the connection broke.
    """
    header = b""
    async with asyncio.timeout(seconds):
        while missing := bytes_missing(header):
            try:
                received = accepted.recv(missing)
            except BlockingIOError:
                await _readable(loop, accepted)
                continue
            if not received:
                raise ProxyHeaderError
            header += received
    return parse_header(header)


async def _readable(loop: asyncio.AbstractEventLoop, accepted: socket.socket) -> None:
    ready = loop.create_future()

    def note() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(accepted, note)
    try:
        await ready
    finally:
        loop.remove_reader(accepted)
