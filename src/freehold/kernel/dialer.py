"""Connections that this server opens itself: bytes out, bytes in, TLS, and a time-out on each wait."""

import asyncio
import ssl
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import cast

from freehold.errors import FreeholdError
from freehold.kernel.stream import TlsFacts

MAX_BUFFERED_BYTES = 64 * 1024
"""Received and not yet asked for; beyond it the other host has to wait."""
CLOSE_SECONDS = 2.0
"""How long a TLS goodbye or what is still to be sent may take at the end."""


class ConnectionFailedError(FreeholdError):
    """The other host cannot be reached, or has closed or stalled the connection; `public` says how."""

    public = "connection failed"
    temporary = True


class TlsFailedError(ConnectionFailedError):
    """The connection could not be encrypted, for whatever reason; it is of no more use."""

    public = "TLS failed"


class _Receiver(asyncio.Protocol):
    """Keeps what comes in until it is asked for, and knows whether sending has to wait."""

    __slots__ = ("_changed", "buffer", "closed", "failure", "is_over", "may_send", "transport")

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray()
        self.is_over = False
        self.failure: Exception | None = None
        self.closed: asyncio.Future[None] = loop.create_future()
        self.may_send = asyncio.Event()
        self.may_send.set()
        self._changed: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) >= MAX_BUFFERED_BYTES and self.transport is not None:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self.is_over = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True
        self.failure = exc
        self.may_send.set()
        self._wake()
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        self.may_send.clear()

    def resume_writing(self) -> None:
        self.may_send.set()

    def take(self) -> bytes:
        """Return what has come in, and let more come."""
        data = bytes(self.buffer)
        self.buffer.clear()
        if len(data) >= MAX_BUFFERED_BYTES and self.transport is not None and not self.is_over:
            self.transport.resume_reading()
        return data

    async def wait(self) -> None:
        """Return when bytes have come in or none will."""
        if not self.buffer and not self.is_over:
            self._changed = asyncio.get_running_loop().create_future()
            await self._changed

    def _wake(self) -> None:
        changed, self._changed = self._changed, None
        if changed is not None and not changed.done():
            changed.set_result(None)


class OutgoingStream:
    """One connection to another host, used by one task; waiting raises ConnectionFailedError."""

    __slots__ = ("_receiver", "_transport")

    def __init__(self, transport: asyncio.Transport, receiver: _Receiver) -> None:
        self._transport = transport
        self._receiver = receiver

    async def send(self, data: bytes, *, seconds: float) -> None:
        """Write bytes, waiting at most `seconds` for the other host to take them."""
        receiver = self._receiver
        if receiver.is_over:
            raise _lost("sending", receiver)
        self._transport.write(data)
        if receiver.may_send.is_set():
            return
        try:
            async with asyncio.timeout(seconds):
                await receiver.may_send.wait()
        except TimeoutError as error:
            raise _failure("sending", error) from error
        if receiver.is_over:
            raise _lost("sending", receiver)

    async def receive(self, *, seconds: float) -> bytes:
        """Return the next bytes, waiting at most `seconds`; what came before an end is still returned."""
        receiver = self._receiver
        if not receiver.buffer:
            try:
                async with asyncio.timeout(seconds):
                    await receiver.wait()
            except TimeoutError as error:
                raise _failure("waiting for an answer", error) from error
        if receiver.buffer:
            return receiver.take()
        raise _lost("waiting for an answer", receiver)

    def received(self) -> bytes:
        """Return what has come in already, without waiting, also after a failure."""
        return self._receiver.take()

    async def start_tls(self, context: ssl.SSLContext, server_name: str, *, seconds: float) -> TlsFacts:
        """Encrypt the connection from here on; `server_name` is checked if `context` verifies.

        What came in before in plain text is dropped (RFC 3207 §6).

        Raises:
            TlsFailedError: refused, broken off or too slow; the connection is of no more use.
        """
        self._receiver.take()
        try:
            async with asyncio.timeout(seconds):
                transport = await asyncio.get_running_loop().start_tls(
                    self._transport, self._receiver, context, server_hostname=server_name
                )
        except (OSError, TimeoutError, ValueError) as error:  # ValueError: a name that no certificate has
            raise TlsFailedError(_failure("starting TLS", error).public) from error
        if transport is None:
            raise TlsFailedError
        self._transport = self._receiver.transport = transport
        tls = transport.get_extra_info("ssl_object")
        cipher = tls.cipher()
        return TlsFacts(tls.version() or "", cipher[0] if cipher else "", server_name)

    async def close(self) -> None:
        """Close; what the other host does not take in time is dropped with the connection."""
        self._transport.close()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await asyncio.shield(self._receiver.closed)
        finally:
            self.abort()

    def abort(self) -> None:
        """End the connection at once, without sending anything more."""
        self._transport.abort()


async def connect(address: IPv4Address | IPv6Address, port: int, *, seconds: float) -> OutgoingStream:
    """Open a TCP connection. Raises ConnectionFailedError."""
    try:
        async with asyncio.timeout(seconds):
            transport, receiver = await asyncio.get_running_loop().create_connection(
                _Receiver, str(address), port
            )
    except (OSError, TimeoutError) as error:
        raise _failure(f"connecting to {address} port {port}", error) from error
    return OutgoingStream(transport, receiver)


def _lost(doing: str, receiver: _Receiver) -> ConnectionFailedError:
    if isinstance(receiver.failure, OSError):
        return _failure(doing, receiver.failure)
    return ConnectionFailedError("the other host closed the connection")


def _failure(doing: str, error: Exception) -> ConnectionFailedError:
    if isinstance(error, TimeoutError):
        return ConnectionFailedError(f"{doing}: no answer in time")
    if isinstance(error, ssl.SSLError):
        return ConnectionFailedError(f"{doing}: {error.reason or 'TLS failed'}")
    if isinstance(error, OSError):
        return ConnectionFailedError(f"{doing}: {error.strerror or error}")
    return ConnectionFailedError(f"{doing}: {error}")
