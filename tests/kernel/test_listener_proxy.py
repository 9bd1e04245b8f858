import asyncio
import ssl
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from freehold.kernel.listener_settings import ListenerSettings
from tests.kernel.line_server import TRUSTING, line_server, self_signed_context, until

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V2 = SIGNATURE + b"\x21\x11\x00\x0c" + bytes([192, 0, 2, 7, 192, 0, 2, 25]) + b"\x30\x39\x00\x19"
TRUSTED = ListenerSettings(
    proxy_networks=(ip_network("127.0.0.0/8"),), proxy_seconds=0.2, max_per_network=1, sweep_seconds=0.05
)


@pytest.mark.parametrize(
    "header",
    [b"PROXY TCP4 192.0.2.7 192.0.2.25 12345 25\r\n", V2, V2[:14] + b"\x00\x10" + V2[16:] + b"\x04\x00\x01x"],
)
async def test_the_client_is_who_the_proxy_says(header: bytes) -> None:
    async with line_server(TRUSTED) as server:
        reader, writer = await server.connect()
        writer.write(header + b"WHO\n")
        assert await reader.readline() == b"hello\n"
        assert await reader.readline() == b"192.0.2.7 12345 None\n"
        writer.close()


async def test_a_header_in_single_bytes_is_understood() -> None:
    async with line_server(TRUSTED) as server:
        reader, writer = await server.connect()
        for byte in b"PROXY TCP6 2001:db8::1 2001:db8::2 1 25\r\n":
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        writer.write(b"WHO\n")
        await reader.readline()
        assert await reader.readline() == b"2001:db8::1 1 None\n"
        writer.close()


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\x00\x00\x00"])
async def test_a_proxy_may_speak_for_itself(header: bytes) -> None:
    async with line_server(TRUSTED) as server:
        reader, writer = await server.connect()
        writer.write(header)
        assert await reader.readline() == b"hello\n"
        assert server.happenings.sessions[0].peer.address == ip_address("127.0.0.1")
        writer.close()


@pytest.mark.parametrize(
    "start", [b"EHLO client.example\r\n", b"PROXY TCP4 x y 1 2\r\n", SIGNATURE + b"\x31\x11\0\0"]
)
async def test_anything_else_from_a_proxy_closes_the_connection(start: bytes) -> None:
    async with line_server(TRUSTED) as server:
        reader, writer = await server.connect()
        writer.write(start)
        with suppress(ConnectionResetError):  # with bytes unread the system closes this way
            assert await reader.read() == b""
        assert server.happenings.sessions == []
        assert server.listener.counts.failed_proxy_headers == 1
        writer.close()


async def test_a_proxy_that_says_nothing_is_closed() -> None:
    async with line_server(TRUSTED) as server:
        reader, writer = await server.connect()
        writer.write(b"PROXY ")
        assert await reader.read() == b""
        assert server.listener.counts.failed_proxy_headers == 1
        assert server.listener.open_connections == 0
        writer.close()


async def test_a_header_from_elsewhere_is_only_bytes() -> None:
    settings = ListenerSettings(proxy_networks=(ip_network("192.0.2.0/24"),))
    async with line_server(settings) as server:
        reader, writer = await server.connect()
        writer.write(b"PROXY TCP4 192.0.2.7 192.0.2.25 12345 25\r\n")
        assert await reader.readline() == b"hello\n"
        assert await reader.readline() == b"[PROXY TCP4 192.0.2.7 192.0.2.25 12345 25]\n"
        assert server.happenings.sessions[0].peer.address == ip_address("127.0.0.1")
        writer.close()


async def test_limits_bind_the_client_and_not_its_proxy() -> None:
    async with line_server(TRUSTED) as server:
        pairs = [await server.connect() for _ in range(3)]
        for (_, writer), client in zip(pairs, ("192.0.2.1", "192.0.2.2", "192.0.2.2"), strict=True):
            writer.write(f"PROXY TCP4 {client} 192.0.2.25 1 25\r\n".encode())
        greetings = sorted([await reader.readline() for reader, _ in pairs])
        assert greetings == [b"hello\n", b"hello\n", b"too many\n"]
        for _, writer in pairs:
            writer.close()


async def test_implicit_tls_follows_the_header_in_the_same_packet(tmp_path: Path) -> None:
    context = self_signed_context(tmp_path)
    async with line_server(TRUSTED, context=lambda: context, implicit_tls=True) as server:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = TRUSTING.wrap_bio(incoming, outgoing, server_hostname="mail.example")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        reader, writer = await server.connect()
        writer.write(V2 + outgoing.read())
        while True:
            incoming.write(await reader.read(65536))
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                continue
        writer.write(outgoing.read())
        await until(lambda: len(server.happenings.sessions) > 0)
        assert server.happenings.sessions[0].peer.address == ip_address("192.0.2.7")
        assert server.happenings.sessions[0].peer.tls is not None
        writer.close()
