"""News between hosts: two buses on one real PostgreSQL database, and what happens when the way breaks."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest

from freehold.kernel.bus import Event, NewsMissed
from freehold.kernel.bus_client import LocalBus
from freehold.kernel.bus_hosts import CHANNEL, MAX_PACK_BYTES, HostBridge
from freehold.kernel.bus_wire import event_frame
from freehold.storage.announce import MAX_TEXT_BYTES, Announce, Announcer, announcing
from freehold.storage.database import StorageError

PATIENCE_SECONDS = 20.0


class Turned(Event, frozen=True):
    number: int
    text: str = ""


class Hearing:
    """Collects the numbers that one bus tells; None stands for news that were missed."""

    def __init__(self, bus: LocalBus) -> None:
        self.numbers: asyncio.Queue[int | None] = asyncio.Queue()
        bus.subscribe(Turned, lambda event: self.numbers.put_nowait(event.number))
        bus.subscribe(NewsMissed, lambda _event: self.numbers.put_nowait(None))

    async def next(self) -> int | None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.numbers.get()

    async def until(self, number: int | None) -> list[int | None]:
        """Return all that is told up to a number."""
        told = [await self.next()]
        while told[-1] != number:
            told.append(await self.next())
        return told


@asynccontextmanager
async def host(connect: Announce) -> AsyncIterator[tuple[LocalBus, Hearing]]:
    """Give the bus of a host that is connected: it has been told to look."""
    bus = LocalBus()
    hearing = Hearing(bus)
    running = asyncio.create_task(HostBridge(bus, connect).run())
    try:
        assert await hearing.next() is None
        yield bus, hearing
    finally:
        running.cancel()


def channel(url: str) -> Announce:
    connect = announcing(url, CHANNEL)
    assert connect is not None
    return connect


async def test_an_event_reaches_the_other_host_once_and_never_comes_back(postgres_url: str) -> None:
    connect = channel(postgres_url)
    async with host(connect) as (one, at_one), host(connect) as (other, at_other):
        for number in range(100):
            one.publish(Turned(number))
        assert await at_other.until(99) == list(range(100))
        other.publish(Turned(100))
        assert await at_one.until(100) == list(range(101))
        assert at_other.numbers.qsize() <= 1


async def test_events_of_the_processes_of_a_host_are_carried_and_brought_to_them(postgres_url: str) -> None:
    connect = channel(postgres_url)
    async with host(connect) as (one, _), host(connect) as (other, at_other):
        brought: asyncio.Queue[bytes] = asyncio.Queue()
        other.relay = brought.put_nowait
        one.receive(event_frame(Turned(7))[5:])
        assert await at_other.until(7) == [7]
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await brought.get() == event_frame(Turned(7))


async def test_news_are_split_to_what_one_text_carries_and_what_is_larger_is_left_out(
    postgres_url: str,
) -> None:
    connect = channel(postgres_url)
    async with host(connect) as (one, _), host(connect) as (_, at_other):
        for number in range(20):
            one.publish(Turned(number, "x" * 1500))
        one.publish(Turned(20, "x" * MAX_PACK_BYTES))
        one.publish(Turned(21))
        assert await at_other.until(21) == [*range(20), 21]


async def test_two_databases_of_one_server_hear_nothing_of_each_other(
    postgres_url: str, postgres_server_url: str
) -> None:
    async with host(channel(postgres_url)) as (one, _), host(channel(postgres_server_url)) as (two, at_two):
        one.publish(Turned(1))
        two.publish(Turned(2))
        assert await at_two.until(2) == [2]


async def test_after_a_lost_connection_both_sides_are_told_that_they_missed_something(
    postgres_url: str,
) -> None:
    opened: list[Announcer] = []
    connect = channel(postgres_url)

    async def remembered(heard: Callable[[str], None]) -> Announcer:
        opened.append(await connect(heard))
        return opened[-1]

    async with host(remembered) as (one, at_one), host(connect) as (_, at_other):
        await opened[0].close()
        one.publish(Turned(1))
        assert await at_one.until(None) == [1, None]
        assert await at_other.until(None) in ([None], [1, None])
        one.publish(Turned(2))
        assert (await at_other.until(2))[-1] == 2


async def test_a_server_that_is_not_there_is_tried_again(postgres_url: str) -> None:
    connect = channel(postgres_url)
    refusals = 2

    async def later(heard: Callable[[str], None]) -> Announcer:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise StorageError
        return await connect(heard)

    async with host(later), host(connect):
        assert refusals == 0


async def test_a_text_of_the_longest_length_is_carried(postgres_url: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    announcer = await channel(postgres_url)(heard.put_nowait)
    text = "x" * MAX_TEXT_BYTES
    await announcer.say([text])
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await heard.get() == text
    with pytest.raises(StorageError):
        await announcer.say([text + "x"])
    await announcer.close()


class Wire:
    """An announcer that records what is said, and lets the test say things."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()
        self.said: asyncio.Queue[str] = asyncio.Queue()
        self.heard: Callable[[str], None] = lambda _text: None

    async def connect(self, heard: Callable[[str], None]) -> Announcer:
        self.heard = heard
        return self

    async def say(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.said.put_nowait(text)

    async def wait_until_lost(self) -> None:
        await self.lost.wait()

    async def close(self) -> None:
        self.lost.set()


@pytest.mark.parametrize("text", ["", "x", "host", "host !!", "host AAAA", "host /////w==", "h\u00e4 \u00e4"])
async def test_malformed_news_are_ignored(text: str) -> None:
    wire = Wire()
    async with host(wire.connect) as (_, hearing):
        wire.heard(text)
        wire.heard("elsewhere " + base64.b64encode(event_frame(Turned(3))).decode())
        assert await hearing.until(3) == [3]


async def test_equal_news_that_wait_together_are_said_once() -> None:
    wire = Wire()
    async with host(wire.connect) as (bus, _):
        for _ in range(50):
            bus.publish(Turned(5))
        async with asyncio.timeout(PATIENCE_SECONDS):
            text = await wire.said.get()
        assert base64.b64decode(text.partition(" ")[2]) == event_frame(Turned(5))


async def test_after_a_fault_in_saying_news_another_connection_says_them() -> None:
    class Faulty(Wire):
        async def say(self, texts: Iterable[str]) -> None:
            raise RuntimeError(f"not foreseen: {texts}")

    wires: list[Wire] = [Faulty(), Wire()]
    sound = wires[1]

    async def connect(heard: Callable[[str], None]) -> Announcer:
        return await wires.pop(0).connect(heard)

    async with host(connect) as (bus, hearing):
        bus.publish(Turned(1))
        assert await hearing.until(None) == [1, None]
        bus.publish(Turned(2))
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await sound.said.get()


def test_of_sqlite_there_are_no_other_hosts() -> None:
    assert announcing("sqlite:/nowhere/freehold.db", CHANNEL) is None
