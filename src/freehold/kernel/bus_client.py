"""The buses that a process uses: in process only, connected to the hub, or one shot from the command line."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar, cast

import msgspec

from freehold.kernel.bus import Event, NewsMissed
from freehold.kernel.bus_wire import (
    FrameBuffer,
    FrameError,
    FrameKind,
    Tag,
    connect,
    event_frame,
    frame,
    reachable,
    socket_path,
)
from freehold.kernel.log import get_logger

E = TypeVar("E", bound=Event)

MAX_QUEUED_BYTES: Final = 1 << 20
FIRST_WAIT_SECONDS: Final = 0.05
LONGEST_WAIT_SECONDS: Final = 5.0
ONE_SHOT_SECONDS: Final = 1.0
QUERY_SECONDS: Final = 5.0

RELAY_SECONDS: Final = 0.005
"""How long news for other processes waits for more; far below what a person notices."""

log = get_logger("freehold.kernel.bus")


class Subscribers:
    """Who wants which events in this process."""

    __slots__ = ("_callbacks", "_decoders")

    def __init__(self) -> None:
        self._callbacks: dict[type[Event], list[Callable[[Event], None]]] = {}
        self._decoders: dict[str, msgspec.msgpack.Decoder[Event]] = {}

    def add(self, kind: type[E], callback: Callable[[E], None]) -> Callable[[], None]:
        """Have `callback` called for each event of `kind`; returns how to end that."""

        def called(event: Event) -> None:
            if isinstance(event, kind):
                callback(event)

        self._callbacks.setdefault(kind, []).append(called)
        self._decoders[kind.__name__] = msgspec.msgpack.Decoder(kind)

        def remove() -> None:
            with suppress(ValueError):
                self._callbacks[kind].remove(called)

        return remove

    def tell(self, event: Event) -> None:
        """Call every subscriber; one that fails does not keep the others from hearing."""
        for callback in tuple(self._callbacks.get(type(event), ())):
            try:
                callback(event)
            except Exception:  # the publisher is not to blame
                log.exception("a subscriber failed", event_kind=type(event).__name__)

    def tell_encoded(self, body: bytes) -> None:
        """Decode an event of another process and tell it; what nobody here knows is ignored."""
        try:
            decoder = self._decoders.get(_TAG.decode(body).type)
            if decoder is not None:
                self.tell(decoder.decode(body))
        except msgspec.DecodeError:  # another version's event: fields differ
            log.debug("an event of another version was ignored")


class LocalBus:
    """A bus within one process and loop.

    `relay`, if set, is given the events' frames for the other processes; `carry` each event's body, of this
    process or another of this host, for other hosts.

    A busy process has news hundreds of times a second, and each write wakes every other process: so
    frames wait `RELAY_SECONDS` for company.
    """

    __slots__ = ("_loop", "_subscribers", "_waiting", "carry", "relay")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.relay: Callable[[bytes], None] | None = None
        self.carry: Callable[[bytes], None] | None = None
        self._subscribers = Subscribers()
        self._waiting: list[bytes] = []

    def publish(self, event: Event) -> None:
        """Tell every subscriber: here soon on the loop, elsewhere by the relay."""
        self._loop.call_soon(self._subscribers.tell, event)
        if self.relay is None and self.carry is None:
            return
        body = msgspec.msgpack.encode(event)
        self._relay_soon(body)
        if self.carry is not None:
            self.carry(body)

    def bring(self, body: bytes) -> None:
        """Tell this host, all its processes, an event of another host."""
        self._subscribers.tell_encoded(body)
        self._relay_soon(body)

    def tell_missed(self) -> None:
        """Have whoever waits for news in this process look: some may have been lost."""
        self._loop.call_soon(self._subscribers.tell, NewsMissed())

    def _relay_soon(self, body: bytes) -> None:
        if self.relay is not None:
            if not self._waiting:
                self._loop.call_later(RELAY_SECONDS, self._relay_waiting)
            self._waiting.append(frame(FrameKind.EVENT, body))

    def _relay_waiting(self) -> None:
        frames = b"".join(self._waiting)
        self._waiting.clear()
        if self.relay is not None:
            self.relay(frames)

    def subscribe(self, kind: type[E], callback: Callable[[E], None]) -> Callable[[], None]:
        """Have `callback` called on the loop for each event of `kind`; returns how to unsubscribe."""
        return self._subscribers.add(kind, callback)

    def receive(self, body: bytes) -> None:
        """Tell this process an event of another of this host."""
        self._subscribers.tell_encoded(body)
        if self.carry is not None:
            self.carry(body)


class BusConnection(asyncio.Protocol):
    """A worker's connection to the hub; comes back by itself after the hub was gone."""

    def __init__(
        self, path: Path, receive: Callable[[bytes], None], missed: Callable[[], None] = lambda: None
    ) -> None:
        """Give each event to `receive`; `missed` is called when the connection is back after it was lost."""
        self._path = path
        self._receive = receive
        self._missed = missed
        self._transport: asyncio.Transport | None = None
        self._buffer = FrameBuffer()
        self._lost = asyncio.Event()

    def send(self, data: bytes) -> None:
        """Send frames to the hub; without a connection, or with a full queue, the news is lost."""
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size() + len(data) <= MAX_QUEUED_BYTES:
            transport.write(data)

    async def stay_connected(self) -> None:
        """Connect, and connect again whenever the connection is lost; runs until it is cancelled."""
        wait_seconds = FIRST_WAIT_SECONDS
        was_lost = False
        loop = asyncio.get_running_loop()
        while True:
            try:
                with reachable(self._path) as address:
                    await loop.create_unix_connection(lambda: self, address)
                if was_lost:
                    self._missed()
            except OSError:
                await asyncio.sleep(wait_seconds)
                wait_seconds = min(wait_seconds * 2, LONGEST_WAIT_SECONDS)
                continue
            wait_seconds = FIRST_WAIT_SECONDS
            await self._lost.wait()
            was_lost = True

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start with an empty buffer."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._buffer = FrameBuffer()
        self._lost.clear()

    def data_received(self, data: bytes) -> None:
        """Tell the events to this process; a malformed frame ends the connection."""
        try:
            for kind, body in self._buffer.feed(data):
                if kind == FrameKind.EVENT:
                    self._receive(body)
        except FrameError:
            log.warning("the bus sent a malformed frame")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Have `stay_connected` try again."""
        del exc
        self._transport = None
        self._lost.set()


class OneShotBus:
    """The bus of a command: what it publishes reaches the running server, nothing comes back."""

    __slots__ = ("_path",)

    def __init__(self, data: Path) -> None:
        self._path = socket_path(data)

    def publish(self, event: Event) -> None:
        """Tell the running server, if there is one."""
        publish_once(self._path, event)

    def subscribe(self, kind: type[E], callback: Callable[[E], None]) -> Callable[[], None]:
        """Accept the subscription; a command ends before any news could come."""
        del kind, callback
        return lambda: None


def publish_once(path: Path, event: Event) -> None:
    """Tell the server behind a bus socket an event; does nothing when none runs."""
    data = event_frame(event)
    with suppress(OSError), connect(path, ONE_SHOT_SECONDS) as connection:
        connection.sendall(data)


def query_once(path: Path, name: str) -> object | None:
    """Return the server's answer to a query, or None when none runs or it does not answer in time."""
    buffer = FrameBuffer()
    try:
        with connect(path, QUERY_SECONDS) as connection:
            connection.sendall(frame(FrameKind.QUERY, name.encode()))
            while data := connection.recv(65_536):
                for kind, body in buffer.feed(data):
                    if kind == FrameKind.ANSWER:
                        answer: object = msgspec.msgpack.decode(body)
                        return answer
    except (OSError, FrameError, msgspec.DecodeError):
        return None
    return None


_TAG: Final = msgspec.msgpack.Decoder(Tag)
