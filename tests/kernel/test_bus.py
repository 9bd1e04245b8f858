"""The bus between processes: the hub on a loop, clients on real sockets."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from freehold.kernel.bus import Event
from freehold.kernel.bus_client import BusConnection, LocalBus, OneShotBus, publish_once, query_once
from freehold.kernel.bus_hub import MAX_QUEUED_BYTES, BusHub
from freehold.kernel.bus_wire import (
    MAX_FRAME_BYTES,
    FrameBuffer,
    FrameError,
    connect,
    event_frame,
    socket_path,
)

PATIENCE_SECONDS = 10.0


class Changed(Event, frozen=True):
    number: int


class Blob(Event, frozen=True):
    text: str


class Hearing:
    """Collects what one bus tells of `Changed`."""

    def __init__(self, bus: LocalBus) -> None:
        self.numbers: asyncio.Queue[int] = asyncio.Queue()
        bus.subscribe(Changed, lambda event: self.numbers.put_nowait(event.number))

    async def next(self) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.numbers.get()


@asynccontextmanager
async def _hub(data: Path) -> AsyncIterator[BusHub]:
    (data / "run").mkdir(parents=True, exist_ok=True)
    hub = BusHub(socket_path(data), asyncio.get_running_loop(), lambda query: {"asked": query})
    try:
        yield hub
    finally:
        hub.close()


@asynccontextmanager
async def _client(data: Path) -> AsyncIterator[LocalBus]:
    """Give a connected bus: it is known to be, once its own event has come back to a second client."""
    bus = LocalBus()
    connection = BusConnection(socket_path(data), bus.receive)
    bus.relay = connection.send
    staying = asyncio.create_task(connection.stay_connected())
    try:
        yield bus
    finally:
        staying.cancel()
        connection.close()


async def _publish_until_heard(bus: LocalBus, hearing: Hearing, number: int) -> None:
    """Publish until it is heard: a client that has only just started may not be connected yet."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            bus.publish(Changed(number))
            try:
                async with asyncio.timeout(0.05):
                    if await hearing.numbers.get() == number:
                        return
            except TimeoutError:
                continue


async def test_an_event_reaches_the_other_processes_and_its_own(tmp_path: Path) -> None:
    async with _hub(tmp_path), _client(tmp_path) as one, _client(tmp_path) as other:
        mine, theirs = Hearing(one), Hearing(other)
        await _publish_until_heard(one, theirs, 1)
        assert await mine.next() == 1


async def test_a_client_comes_back_after_the_hub_was_gone(tmp_path: Path) -> None:
    async with _client(tmp_path) as one, _client(tmp_path) as other:
        theirs = Hearing(other)
        async with _hub(tmp_path):
            await _publish_until_heard(one, theirs, 1)
        async with _hub(tmp_path):
            await _publish_until_heard(one, theirs, 2)


async def test_a_command_tells_the_server_and_asks_it(tmp_path: Path) -> None:
    async with _hub(tmp_path) as hub:
        bus = LocalBus()
        hub.listen_in(bus.receive)
        hearing = Hearing(bus)
        await asyncio.to_thread(OneShotBus(tmp_path).publish, Changed(7))
        assert await hearing.next() == 7
        assert await asyncio.to_thread(query_once, socket_path(tmp_path), "how") == {"asked": "how"}


async def test_a_hub_below_a_very_deep_folder_is_reachable(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100) / ("y" * 100)
    async with _hub(deep):
        assert await asyncio.to_thread(query_once, socket_path(deep), "how") == {"asked": "how"}


async def test_only_the_owner_can_reach_the_socket(tmp_path: Path) -> None:
    async with _hub(tmp_path):
        status = await asyncio.to_thread(socket_path(tmp_path).stat)
    assert stat.S_IMODE(status.st_mode) == 0o600


def test_without_a_server_a_command_says_nothing_and_goes_on(tmp_path: Path) -> None:
    publish_once(socket_path(tmp_path), Changed(1))
    assert query_once(socket_path(tmp_path), "status") is None


async def test_events_of_another_version_are_ignored() -> None:
    bus = LocalBus()
    hearing = Hearing(bus)
    for body in (b"\x81\xa4type\xa6Nobody", b"\x81\xa4type\xa7Changed", b"\xc1", b"", b"\x01"):
        bus.receive(body)
    bus.receive(event_frame(Changed(3))[5:])
    assert await hearing.next() == 3


async def test_a_subscriber_that_fails_does_not_keep_others_from_hearing() -> None:
    bus = LocalBus()

    def fail(_event: Changed) -> None:
        raise ValueError

    bus.subscribe(Changed, fail)
    hearing = Hearing(bus)
    bus.publish(Changed(1))
    assert await hearing.next() == 1


async def test_an_ended_subscription_hears_nothing() -> None:
    bus = LocalBus()
    heard: list[int] = []
    end = bus.subscribe(Changed, lambda event: heard.append(event.number))
    hearing = Hearing(bus)
    end()
    end()
    bus.publish(Changed(1))
    assert await hearing.next() == 1
    assert heard == []


@pytest.mark.parametrize("bad", [b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n"])
async def test_a_malformed_frame_ends_only_its_connection(tmp_path: Path, bad: bytes) -> None:
    async with _hub(tmp_path):
        connection = await asyncio.to_thread(connect, socket_path(tmp_path), PATIENCE_SECONDS)
        with connection:
            connection.sendall(bad)
            assert await asyncio.to_thread(connection.recv, 10) == b""
        assert await asyncio.to_thread(query_once, socket_path(tmp_path), "how") == {"asked": "how"}


async def test_a_client_that_does_not_read_loses_news_and_holds_up_nobody(tmp_path: Path) -> None:
    async with _hub(tmp_path) as hub, _client(tmp_path) as good:
        hearing = Hearing(good)
        silent = await asyncio.to_thread(connect, socket_path(tmp_path), PATIENCE_SECONDS)
        with silent:
            large = event_frame(Blob("x" * 60_000))
            for _ in range(2 * MAX_QUEUED_BYTES // len(large) + 10):
                hub.broadcast(large)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while hearing.numbers.empty():
                    await asyncio.to_thread(publish_once, socket_path(tmp_path), Changed(5))
            assert await hearing.next() == 5


def test_any_split_of_the_stream_gives_the_same_frames() -> None:
    stream = event_frame(Changed(1)) + event_frame(Blob("x" * 300)) + event_frame(Changed(2))
    whole = list(FrameBuffer().feed(stream))
    assert len(whole) == 3
    for size in (1, 2, 3, 7, 100):
        buffer = FrameBuffer()
        pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
        assert [one for piece in pieces for one in buffer.feed(piece)] == whole


def test_an_event_that_is_too_large_is_refused() -> None:
    with pytest.raises(FrameError):
        event_frame(Blob("x" * MAX_FRAME_BYTES))


def test_the_socket_is_closed_to_a_process_without_the_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"."), connect(socket_path(tmp_path / "gone"), 1.0) as found:
        assert isinstance(found, socket.socket)
