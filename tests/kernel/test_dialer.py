"""Outgoing connections, against real sockets that behave badly."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from freehold.certificates.contexts import client_context, server_context
from freehold.certificates.self_signed import write_self_signed
from freehold.kernel.dialer import ConnectionFailedError, OutgoingStream, TlsFailedError, connect

LOOPBACK = IPv4Address("127.0.0.1")
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def dialled(serve: Serve) -> AsyncIterator[OutgoingStream]:
    """Connect to a server that treats its one client in this way."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stream = await connect(LOOPBACK, server.sockets[0].getsockname()[1], seconds=5)
    try:
        yield stream
    finally:
        await stream.close()
        server.close()


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    certificate = tmp_path / "certificate.pem"
    write_self_signed("mx.test", certificate, 1_800_000_000_000)
    return server_context(certificate, certificate)


async def received(stream: OutgoingStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.receive(seconds=5)
    return data


async def test_what_came_before_the_end_is_read_before_the_end_is_told() -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"552 no\r\n")
        writer.close()

    async with dialled(serve) as stream:
        assert await stream.receive(seconds=5) == b"552 no\r\n"
        with pytest.raises(ConnectionFailedError, match="closed"):
            await stream.receive(seconds=5)
        assert stream.received() == b""


async def test_a_host_that_says_nothing_is_not_waited_for_long() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with dialled(serve) as stream:
        with pytest.raises(ConnectionFailedError, match="no answer in time"):
            await stream.receive(seconds=0.05)


async def test_a_host_that_does_not_read_is_not_waited_for_long_even_by_close() -> None:
    done = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    async with asyncio.timeout(10):
        async with dialled(serve) as stream:
            with pytest.raises(ConnectionFailedError, match="no answer in time"):
                await stream.send(b"x" * 100_000_000, seconds=0.2)
        done.set()


async def test_a_host_that_talks_without_end_is_read_piece_by_piece() -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(40):
            writer.write(b"y" * 100_000)
            await writer.drain()
        writer.close()

    async with dialled(serve) as stream:
        total = 0
        while total < 4_000_000:
            data = await stream.receive(seconds=5)
            assert len(data) < 1_000_000
            total += len(data)
        assert total == 4_000_000


async def test_a_port_where_nobody_listens_is_named() -> None:
    with pytest.raises(ConnectionFailedError, match=r"127\.0\.0\.1 port 1"):
        await connect(LOOPBACK, 1, seconds=5)


async def test_plain_text_before_tls_is_dropped(tls: ssl.SSLContext) -> None:
    injected = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await reader.readline()
        writer.write(b"250 injected\r\n")
        await writer.drain()
        injected.set()
        await writer.start_tls(tls)
        writer.write(b"250 genuine\r\n")
        await reader.read()
        writer.close()

    async with dialled(serve) as stream:
        assert await received(stream, 11) == b"220 ready\r\n"
        await stream.send(b"go\r\n", seconds=5)
        await injected.wait()
        for _ in range(5):  # the loop takes in what has come
            await asyncio.sleep(0)
        facts = await stream.start_tls(client_context(verify=False), "mx.test", seconds=5)
        assert facts.version == "TLSv1.3"
        assert await received(stream, 13) == b"250 genuine\r\n"


@pytest.mark.parametrize("name", ["mx.test", "", ".x", "a" * 300])
async def test_tls_that_cannot_be_had_is_one_kind_of_error(name: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"what is this?\r\n" * 10)
        writer.close()

    async with dialled(serve) as stream:
        with pytest.raises(TlsFailedError):
            await stream.start_tls(client_context(verify=False), name, seconds=2)


async def test_a_certificate_that_is_not_trusted_is_refused_where_that_matters(tls: ssl.SSLContext) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await writer.start_tls(tls)
        except (OSError, ConnectionError):
            writer.close()

    async with dialled(serve) as stream:
        with pytest.raises(TlsFailedError):
            await stream.start_tls(client_context(verify=True), "mx.test", seconds=5)
