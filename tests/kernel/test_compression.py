"""Connections that are deflated both ways, over real sockets."""

import asyncio
import logging
import ssl
import tracemalloc
import zlib
from pathlib import Path

import pytest

from freehold.kernel import compression
from freehold.kernel.listener_settings import ListenerSettings
from tests.deflating import DeflatingWriter, InflatingReader
from tests.kernel.line_server import TRUSTING, LineServer, line_server, self_signed_context

KIB = 1024


async def compressed(
    server: LineServer, context: ssl.SSLContext | None = None
) -> tuple[InflatingReader, DeflatingWriter]:
    """Connect, and have both ways deflated."""
    reader, writer = await server.connect(context)
    assert await reader.readline() == b"hello\n"
    writer.write(b"COMPRESS\n")
    assert await reader.readline() == b"compressed\n"
    return InflatingReader(reader), DeflatingWriter(writer)


@pytest.mark.parametrize("tls", [False, True])
async def test_lines_go_deflated_both_ways(tls: bool, tmp_path: Path) -> None:
    context = self_signed_context(tmp_path) if tls else None
    async with line_server(context=(lambda: context) if context else None, implicit_tls=tls) as server:
        reader, writer = await compressed(server, TRUSTING if tls else None)
        for _ in range(3):
            writer.write(b"a\nb")
            assert await reader.readline() == b"[a]\n"
            writer.write(b"\n")
            assert await reader.readline() == b"[b]\n"
        writer.write(b"QUIT\n")
        assert await reader.read() == b"bye\n"
        writer.close()


async def test_what_comes_along_with_the_command_is_deflated_already() -> None:
    async with line_server() as server:
        reader, writer = await server.connect()
        await reader.readline()
        deflated = DeflatingWriter(writer)
        writer.write(b"COMPRESS\n" + deflated.deflated(b"a\nQUIT\n"))
        assert await reader.readline() == b"compressed\n"
        assert await InflatingReader(reader).read() == b"[a]\nbye\n"
        writer.close()


async def test_the_end_of_the_stream_is_an_end_of_file_behind_what_came_before() -> None:
    async with line_server() as server:
        reader, writer = await compressed(server)
        writer.below.write(writer.deflated(b"a\n", zlib.Z_FINISH))
        assert await reader.read() == b"[a]\n"
        writer.close()
        await server.happenings.all_ended.wait()


async def test_an_end_of_file_leaves_time_for_what_came_before() -> None:
    async with line_server() as server:
        reader, writer = await compressed(server)
        lines = b"".join(b"%07d\n" % number for number in range(100_000))
        writer.write(lines)
        writer.below.write_eof()
        assert await reader.read() == b"".join(b"[%07d]\n" % number for number in range(100_000))
        writer.close()


async def test_what_cannot_be_inflated_closes_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with line_server() as server:
        reader, writer = await compressed(server)
        writer.below.write(b"NOOP\n")
        assert await reader.read() == b""
        writer.close()
        await server.happenings.all_ended.wait()
        assert server.listener.counts.crashed == 0
        [record] = [each for each in caplog.records if each.message == "connection cut off"]
        host, port = writer.below.get_extra_info("sockname")
        assert vars(record)["fields"] == {
            "listener": "lines",
            "client": host,
            "port": port,
            "reason": "compressed data is malformed",
        }


async def test_a_bomb_is_read_no_faster_than_its_session_takes_it() -> None:
    async with line_server(ListenerSettings(read_queue_bytes=64 * KIB)) as server:
        reader, writer = await compressed(server)
        writer.write(b"WAIT\n")
        await server.happenings.waiting.wait()
        line = b"x" * (20_000 * KIB) + b"\n"
        bomb = writer.deflated(line)
        del line
        session = server.happenings.sessions[0]
        tracemalloc.start()
        try:
            writer.below.write(bomb)
            await writer.below.drain()
            async with line_server() as other:
                other_reader, other_writer = await other.connect()
                assert await other_reader.readline() == b"hello\n"
                other_writer.close()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 2000 * KIB
        assert len(session.buffer) == 0
        server.happenings.may_go_on.set()
        assert await reader.readline() == b"waited\n"
        writer.below.transport.abort()
        await server.happenings.all_ended.wait()


async def test_a_peer_that_reads_nothing_bounds_what_waits_for_it() -> None:
    async with line_server(ListenerSettings(write_seconds=0.3, sweep_seconds=0.05)) as server:
        client = server.connect_plainly()
        loop = asyncio.get_running_loop()
        tracemalloc.start()
        try:
            await loop.sock_sendall(client, b"COMPRESS\n")
            await loop.sock_sendall(client, zlib_flushed(b"FLOOD\n"))
            await server.happenings.all_ended.wait()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            client.close()
        assert peak < 3000 * KIB
        assert server.listener.counts.timed_out == 1


def zlib_flushed(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


async def test_a_connection_goes_on_after_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "REST_SECONDS", 0.0)
    async with line_server() as server:
        reader, writer = await compressed(server)
        for number in range(20):
            line = b"line %d of several that look alike\n" % number
            writer.write(line)
            assert await reader.readline() == b"[" + line.rstrip() + b"]\n"
            await asyncio.sleep(0)
        writer.close()


async def test_a_farewell_is_deflated_too() -> None:
    async with line_server() as server:
        reader, writer = await compressed(server)
        await server.listener.drain(1)
        assert await reader.read() == b"shutting down\n"
        writer.close()
