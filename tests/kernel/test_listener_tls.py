import asyncio
import ssl
from pathlib import Path

import pytest

from freehold.kernel.listener import Listener
from freehold.kernel.listener_settings import ListenerSettings
from tests.kernel.line_server import TRUSTING, LineServer, line_server, self_signed_context, until


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    return self_signed_context(tmp_path)


async def test_implicit_tls_tells_the_session_what_is_in_force(context: ssl.SSLContext) -> None:
    async with line_server(context=lambda: context, implicit_tls=True) as server:
        reader, writer = await server.connect(TRUSTING)
        assert await reader.readline() == b"hello\n"
        tls = server.happenings.sessions[0].peer.tls
        assert tls is not None
        assert (tls.version, tls.cipher) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
        writer.write(b"a\nQUIT\n")
        assert await reader.read() == b"[a]\nbye\n"
        writer.close()


async def test_starttls_goes_on_encrypted(context: ssl.SSLContext) -> None:
    async with line_server(context=lambda: context) as server:
        reader, writer = await server.connect()
        await reader.readline()
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"go ahead\n"
        await writer.start_tls(TRUSTING, server_hostname="mail.example")
        writer.write(b"a\n" * 3)
        assert await reader.readexactly(12) == b"[a]\n[a]\n[a]\n"
        assert server.happenings.sessions[0].peer.tls is not None
        writer.write(b"QUIT\n")
        assert await reader.readline() == b"bye\n"
        writer.close()
        await server.happenings.all_ended.wait()
        assert server.happenings.ended == 1


async def test_a_line_sent_along_with_starttls_is_never_run(context: ssl.SSLContext) -> None:
    async with line_server(context=lambda: context) as server:
        reader, writer = await server.connect()
        await reader.readline()
        writer.write(b"STARTTLS\r\nNOOP\r\n")
        assert await reader.readline() == b"go ahead\n"
        await writer.start_tls(TRUSTING, server_hostname="mail.example")
        writer.write(b"a\n")
        assert await reader.readline() == b"[a]\n"
        assert server.happenings.sessions[0].lines == [b"a"]
        writer.close()


async def test_bytes_queued_during_the_burst_of_starttls_are_never_given(context: ssl.SSLContext) -> None:
    async with line_server(context=lambda: context) as server:
        reader, writer = await server.connect()
        await reader.readline()
        writer.write(b"WAIT\nSTARTTLS\n")
        await server.happenings.waiting.wait()
        writer.write(b"NOOP\n")
        await until(lambda: server.happenings.sessions[0].peer.has_unread)
        server.happenings.may_go_on.set()
        assert await reader.readline() == b"waited\n"
        assert await reader.readline() == b"go ahead\n"
        await writer.start_tls(TRUSTING, server_hostname="mail.example")
        writer.write(b"a\n")
        assert await reader.readline() == b"[a]\n"
        assert server.happenings.sessions[0].lines == [b"a"]
        writer.close()


@pytest.mark.parametrize("implicit_tls", [True, False])
async def test_bytes_that_are_no_handshake_close_the_connection(
    context: ssl.SSLContext, implicit_tls: bool
) -> None:
    async with line_server(context=lambda: context, implicit_tls=implicit_tls) as server:
        reader, writer = await awaited_handshake(server, implicit_tls)
        writer.write(b"EHLO plain.example\r\n")
        await reader.read()
        writer.close()
        await until_closed(server.listener)
        assert server.listener.counts.failed_handshakes == 1
        assert server.happenings.ended == len(server.happenings.sessions)


@pytest.mark.parametrize("implicit_tls", [True, False])
async def test_a_handshake_that_takes_too_long_is_cut_off(
    context: ssl.SSLContext, implicit_tls: bool
) -> None:
    settings = ListenerSettings(handshake_seconds=0.05)
    async with line_server(settings, context=lambda: context, implicit_tls=implicit_tls) as server:
        reader, writer = await awaited_handshake(server, implicit_tls)
        assert await reader.read() == b""
        writer.close()
        await until_closed(server.listener)
        assert server.listener.counts.failed_handshakes == 1


@pytest.mark.parametrize("implicit_tls", [True, False])
async def test_a_peer_that_goes_away_instead_of_a_handshake_is_forgotten(
    context: ssl.SSLContext, implicit_tls: bool
) -> None:
    async with line_server(context=lambda: context, implicit_tls=implicit_tls) as server:
        _, writer = await awaited_handshake(server, implicit_tls)
        writer.close()
        await writer.wait_closed()
        await until_closed(server.listener)
        assert server.happenings.ended == len(server.happenings.sessions)


async def test_a_new_context_serves_new_connections(tmp_path: Path) -> None:
    contexts = [self_signed_context(tmp_path, "old.example")]
    async with line_server(context=lambda: contexts[-1], implicit_tls=True) as server:
        old_reader, old_writer = await server.connect(TRUSTING)
        await old_reader.readline()
        contexts.append(self_signed_context(tmp_path, "new.example"))
        _, new_writer = await server.connect(TRUSTING)
        old, new = [
            writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            for writer in (old_writer, new_writer)
        ]
        assert b"old.example" in old
        assert b"new.example" in new
        old_writer.write(b"a\n")
        assert await old_reader.readline() == b"[a]\n"
        old_writer.close()
        new_writer.close()


async def test_a_tls_peer_that_takes_nothing_is_cut_off(context: ssl.SSLContext) -> None:
    settings = ListenerSettings(write_seconds=0.1, sweep_seconds=0.05)
    async with line_server(settings, context=lambda: context, implicit_tls=True) as server:
        reader, writer = await server.connect(TRUSTING)
        await reader.readline()
        writer.write(b"FLOOD\n")
        await server.happenings.all_ended.wait()
        assert server.listener.counts.timed_out == 1
        writer.transport.abort()


async def test_starttls_of_a_server_without_tls_closes_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with line_server() as server:
        reader, writer = await server.connect()
        writer.write(b"STARTTLS\n")
        assert await reader.read() == b"hello\ngo ahead\n"
        assert "there is none to be had" in caplog.text
        writer.close()


async def test_draining_ends_a_handshake_under_way(context: ssl.SSLContext) -> None:
    async with line_server(context=lambda: context, implicit_tls=True) as server:
        reader, writer = await server.connect()
        await until(lambda: server.listener.open_connections > 0)
        await server.listener.drain(0.05)
        assert server.listener.open_connections == 0
        assert await reader.read() == b""
        writer.close()


async def awaited_handshake(
    server: LineServer, implicit_tls: bool
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; returns when the server awaits a handshake."""
    reader, writer = await server.connect()
    if not implicit_tls:
        writer.write(b"STARTTLS\n")
        assert await reader.readexactly(15) == b"hello\ngo ahead\n"
    return reader, writer


async def until_closed(listener: Listener) -> None:
    await until(lambda: not listener.open_connections)
