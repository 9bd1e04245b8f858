"""Connections that this server opens itself: bytes out, bytes in, TLS, and a time-out on each wait."""

import asyncio
import ssl
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address

from freehold.errors import FreeholdError
from freehold.kernel.stream import TlsFacts

READ_BYTES = 64 * 1024
CLOSE_SECONDS = 5.0


class ConnectionFailedError(FreeholdError):
    """The other host cannot be reached, or has closed or stalled the connection; `public` says how."""

    public = "connection failed"
    temporary = True


class OutgoingStream:
    """One connection to another host. Every method but `close` raises ConnectionFailedError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes, *, seconds: float) -> None:
        """Write bytes, waiting at most `seconds` for the other host to take them."""
        try:
            async with asyncio.timeout(seconds):
                self._writer.write(data)
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            raise _failure("sending", error) from error

    async def receive(self, *, seconds: float) -> bytes:
        """Return the next bytes, at most `READ_BYTES`, waiting at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                data = await self._reader.read(READ_BYTES)
        except (OSError, TimeoutError) as error:
            raise _failure("waiting for an answer", error) from error
        if not data:
            raise ConnectionFailedError("the other host closed the connection")
        return data

    async def start_tls(self, context: ssl.SSLContext, server_name: str, *, seconds: float) -> TlsFacts:
        """Encrypt the connection from here on; `server_name` is checked if `context` verifies."""
        try:
            async with asyncio.timeout(seconds):
                await self._writer.start_tls(context, server_hostname=server_name)
        except (OSError, TimeoutError) as error:
            raise _failure("starting TLS", error) from error
        tls = self._writer.get_extra_info("ssl_object")
        cipher = tls.cipher()
        return TlsFacts(tls.version() or "", cipher[0] if cipher else "", server_name)

    async def close(self) -> None:
        """Close, without waiting long for the other host."""
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._writer.wait_closed()


async def connect(address: IPv4Address | IPv6Address, port: int, *, seconds: float) -> OutgoingStream:
    """Open a TCP connection. Raises ConnectionFailedError."""
    try:
        async with asyncio.timeout(seconds):
            return OutgoingStream(*await asyncio.open_connection(str(address), port))
    except (OSError, TimeoutError) as error:
        raise _failure(f"connecting to {address} port {port}", error) from error


def _failure(doing: str, error: OSError | TimeoutError) -> ConnectionFailedError:
    if isinstance(error, TimeoutError):
        return ConnectionFailedError(f"{doing}: no answer in time")
    if isinstance(error, ssl.SSLError):
        return ConnectionFailedError(f"{doing}: {error.reason or 'TLS failed'}")
    return ConnectionFailedError(f"{doing}: {error.strerror or error}")
