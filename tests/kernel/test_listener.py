import asyncio
import resource
import socket
from asyncio import IncompleteReadError
from ipaddress import IPv4Network

import pytest

from freehold.kernel.listener_settings import ListenerSettings
from freehold.kernel.stream import Peer
from tests.kernel.line_server import Happenings, LineSession, line_server, until


async def test_a_session_greets_before_it_was_sent_anything() -> None:
    async with line_server() as server:
        reader, writer = await server.connect()
        assert await reader.readline() == b"hello\n"
        writer.close()


async def test_pipelined_lines_are_answered_in_one_burst() -> None:
    async with line_server() as server:
        reader, writer = await server.connect()
        await reader.readline()
        writer.write(b"a\nb\nc\nQUIT\n")
        assert await reader.read() == b"[a]\n[b]\n[c]\nbye\n"
        assert server.happenings.sessions[0].advances == 2
        writer.close()


async def test_bytes_that_come_during_a_burst_are_kept_for_the_next() -> None:
    async with line_server() as server:
        reader, writer = await server.connect()
        await reader.readline()
        writer.write(b"WAIT\n")
        await server.happenings.waiting.wait()
        writer.write(b"a\n")
        await until(lambda: server.happenings.sessions[0].peer.has_unread)
        server.happenings.may_go_on.set()
        assert await reader.readline() == b"waited\n"
        assert await reader.readline() == b"[a]\n"
        writer.close()


async def test_reading_pauses_while_too_much_waits_and_goes_on_afterwards() -> None:
    settings = ListenerSettings(read_queue_bytes=1000)
    async with line_server(settings) as server:
        reader, writer = await server.connect()
        await reader.readline()
        writer.write(b"WAIT\n")
        await server.happenings.waiting.wait()
        line = b"y" * 65_535
        writer.write((line + b"\n") * 200)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.drain(), 0.3)
        server.happenings.may_go_on.set()
        assert await reader.readline() == b"waited\n"
        for _ in range(200):
            assert await reader.readexactly(len(line) + 3) == b"[" + line + b"]\n"
        writer.close()


async def test_what_was_received_is_answered_to_a_peer_that_closed_its_half() -> None:
    async with line_server() as server:
        reader, writer = await server.connect()
        writer.write(b"a\nb\n")
        writer.write_eof()
        assert await reader.read() == b"hello\n[a]\n[b]\n"
        writer.close()
        await server.happenings.all_ended.wait()


async def test_an_idle_peer_that_closes_its_half_is_closed() -> None:
    async with line_server() as server:
        reader, writer = await server.connect()
        await reader.readline()
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await server.happenings.all_ended.wait()
        assert server.listener.open_connections == 0


async def test_an_idle_session_is_woken_once_for_several_calls() -> None:
    async with line_server() as server:
        reader, writer = await server.connect()
        await reader.readline()
        session = server.happenings.sessions[0]
        session.buffer = b"news\n"
        session.peer.wake()
        session.peer.wake()
        assert await reader.readline() == b"[news]\n"
        assert session.advances == 2
        writer.close()


async def test_a_wake_during_a_burst_runs_the_session_again() -> None:
    async with line_server() as server:
        reader, writer = await server.connect()
        await reader.readline()
        session = server.happenings.sessions[0]
        writer.write(b"WAIT\n")
        await server.happenings.waiting.wait()
        session.peer.wake()
        server.happenings.may_go_on.set()
        assert await reader.readline() == b"waited\n"
        writer.write(b"QUIT\n")
        await reader.read()
        assert session.advances == 4
        writer.close()


async def test_a_silent_peer_is_told_so_and_closed() -> None:
    async with line_server() as server:
        server.happenings.idle_seconds = 0.05
        reader, writer = await server.connect()
        assert await reader.read() == b"hello\ntoo slow\n"
        await server.happenings.all_ended.wait()
        assert server.listener.counts.timed_out == 1
        writer.close()


async def test_a_peer_that_takes_nothing_is_cut_off() -> None:
    settings = ListenerSettings(write_seconds=0.1, sweep_seconds=0.05)
    async with line_server(settings) as server:
        with server.connect_plainly() as client:
            client.send(b"FLOOD\n")
            await server.happenings.all_ended.wait()
            assert server.happenings.ended == 1
            assert server.listener.counts.timed_out == 1
            assert server.listener.counts.crashed == 0


async def test_a_closed_peer_that_does_not_take_its_last_bytes_is_cut_off() -> None:
    settings = ListenerSettings(
        close_seconds=0.1, write_seconds=60, sweep_seconds=0.05, write_buffer_bytes=1 << 30
    )
    async with line_server(settings) as server:
        with server.connect_plainly() as client:
            client.send(b"hi\n")
            await until(lambda: any(session.lines for session in server.happenings.sessions))
            server.happenings.sessions[0].peer.send(b"x" * 50_000_000)
            client.send(b"QUIT\n")
            await server.happenings.all_ended.wait()


async def test_a_crash_ends_only_its_own_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with line_server() as server:
        reader, writer = await server.connect()
        other_reader, other_writer = await server.connect()
        writer.write(b"a\nCRASH\n")
        assert await reader.read() == b"hello\n[a]\n"
        other_writer.write(b"a\n")
        assert await other_reader.readline() == b"hello\n"
        assert await other_reader.readline() == b"[a]\n"
        assert server.listener.counts.crashed == 1
        assert "ZeroDivisionError" in caplog.text
        assert server.happenings.ended == 1
        writer.close()
        other_writer.close()


async def test_a_session_that_cannot_be_made_closes_its_connection(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_peer: Peer, _happenings: Happenings) -> LineSession:
        raise ZeroDivisionError

    async with line_server(make_session=fail) as server:
        reader, writer = await server.connect()
        assert await reader.read() == b""
        assert "ZeroDivisionError" in caplog.text
        writer.close()


async def test_one_connection_too_many_of_a_network_is_told_so() -> None:
    async with line_server(ListenerSettings(max_per_network=1)) as server:
        reader, writer = await server.connect()
        await reader.readline()
        refused_reader, refused_writer = await server.connect()
        assert await refused_reader.read() == b"too many\n"
        refused_writer.close()
        writer.write(b"QUIT\n")
        await reader.read()
        await server.happenings.all_ended.wait()
        again_reader, again_writer = await server.connect()
        assert await again_reader.readline() == b"hello\n"
        assert server.listener.counts.refused == 1
        writer.close()
        again_writer.close()


async def test_a_peer_that_resets_during_a_burst_ends_the_session_after_it() -> None:
    async with line_server() as server:
        client = server.connect_plainly()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        client.send(b"WAIT\n")
        await server.happenings.waiting.wait()
        client.close()
        assert server.happenings.ended == 0
        server.happenings.may_go_on.set()
        await server.happenings.all_ended.wait()
        assert server.happenings.ended == 1


async def test_draining_says_farewell_to_the_idle_and_lets_bursts_end() -> None:
    async with line_server() as server:
        idle_reader, idle_writer = await server.connect()
        busy_reader, busy_writer = await server.connect()
        await idle_reader.readline()
        busy_writer.write(b"WAIT\n")
        await server.happenings.waiting.wait()
        draining = asyncio.create_task(server.listener.drain(30))
        assert await idle_reader.read() == b"shutting down\n"
        server.happenings.may_go_on.set()
        assert await busy_reader.read() == b"hello\nwaited\nshutting down\n"
        idle_writer.close()
        busy_writer.close()
        await draining
        assert server.listener.open_connections == 0
        assert server.happenings.ended == 2


async def test_draining_cuts_off_a_burst_that_does_not_end() -> None:
    async with line_server() as server:
        reader, writer = await server.connect()
        writer.write(b"WAIT\n")
        await server.happenings.waiting.wait()
        await server.listener.drain(0.05)
        assert server.listener.open_connections == 0
        assert server.happenings.ended == 1
        with pytest.raises((IncompleteReadError, ConnectionError)):
            await reader.readexactly(100)
        writer.close()


async def test_accepting_pauses_without_file_descriptors_and_goes_on_with_them() -> None:
    behind_proxies = ListenerSettings(proxy_networks=(IPv4Network("192.0.2.0/24"),))
    async with line_server(settings=behind_proxies) as server:
        client = socket.socket()
        client.settimeout(0)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = socket.socket()
        free = lowest.fileno()
        lowest.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", server.port))
            await until(lambda: server.listener.is_starved)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert await asyncio.get_running_loop().sock_recv(client, 100) == b"hello\n"
        client.close()
