"""Carries events between hosts that share a database: one connection for each host, in its back process.

What the bus of this host says is said to the others, and what they say is told here, never back to them.
As everywhere on the bus, news may be lost: when the way was interrupted, `NewsMissed` is told on both sides.
"""

import asyncio
import binascii
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from typing import Final

import msgspec

from freehold.kernel.bus import NewsMissed
from freehold.kernel.bus_client import LocalBus
from freehold.kernel.bus_wire import FrameBuffer, FrameError, FrameKind, event_frame, frame
from freehold.kernel.log import get_logger
from freehold.storage.announce import MAX_TEXT_BYTES, Announce, Announcer, announcing
from freehold.storage.database import StorageError

CHANNEL: Final = "freehold_news"
HOST_BYTES: Final = 8
MAX_PACK_BYTES: Final = (MAX_TEXT_BYTES - 2 * HOST_BYTES - 2) // 4 * 3
"""Octets of events that fit one text, in base64 behind the sender's name and a space."""

MAX_WAITING_BYTES: Final = 1 << 20
FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 10.0

log = get_logger("freehold.kernel.bus")


def join_hosts(stack: AsyncExitStack, bus: LocalBus, url: str) -> None:
    """Carry a bus's events to and from other hosts until the stack ends, if others can share the database."""
    connect = announcing(url, CHANNEL)
    if connect is not None:
        stack.callback(asyncio.create_task(HostBridge(bus, connect).run(), name="news of hosts").cancel)


class HostBridge:
    """One host's end of the way between hosts."""

    def __init__(self, bus: LocalBus, connect: Announce) -> None:
        self._bus = bus
        self._connect = connect
        self._host = secrets.token_hex(HOST_BYTES)
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._has_waiting = asyncio.Event()
        self._is_connected = False
        self._has_dropped = False

    async def run(self) -> None:
        """Connect, and again whenever the connection is lost; runs until it is cancelled."""
        self._bus.carry = self._take
        wait_seconds = FIRST_WAIT_SECONDS
        while True:
            try:
                announcer = await self._connect(self._hear)
            except StorageError as error:
                log.warning("news do not reach other hosts", retry_seconds=wait_seconds, cause=repr(error))
                await asyncio.sleep(wait_seconds)
                wait_seconds = min(wait_seconds * 2, LONGEST_WAIT_SECONDS)
                continue
            wait_seconds = FIRST_WAIT_SECONDS
            try:
                await self._serve(announcer)
            except Exception:  # whatever is wrong with one connection, the next is tried
                log.exception("news of hosts failed")
                await asyncio.sleep(wait_seconds)

    async def _serve(self, announcer: Announcer) -> None:
        self._is_connected = True
        self._bus.bring(msgspec.msgpack.encode(NewsMissed()))
        if self._has_dropped:
            self._has_waiting.set()
        saying = asyncio.create_task(self._say_all(announcer))
        saying.add_done_callback(lambda _task: announcer.lost.set())
        try:
            await announcer.wait_until_lost()
            log.warning("the connection for news of other hosts was lost")
            if saying.done() and not saying.cancelled():
                saying.result()
        finally:
            self._is_connected = False
            self._drop()
            saying.cancel()
            await announcer.close()

    async def _say_all(self, announcer: Announcer) -> None:
        """Say what waits; what comes while it is being said goes together next."""
        while True:
            await self._has_waiting.wait()
            self._has_waiting.clear()
            frames, self._waiting, self._waiting_bytes = self._waiting, [], 0
            if self._has_dropped:
                self._has_dropped = False
                frames.insert(0, event_frame(NewsMissed()))
            try:
                await announcer.say(self._host + " " + b64encode(pack).decode() for pack in _packs(frames))
            except StorageError:
                self._has_dropped = True
                return

    def _take(self, body: bytes) -> None:
        """Have an event of this host said to the others; without a connection it is lost."""
        size = len(body)
        if not self._is_connected or self._waiting_bytes + size > MAX_WAITING_BYTES:
            self._drop()
            return
        if size < MAX_PACK_BYTES // 2:
            self._waiting.append(frame(FrameKind.EVENT, body))
            self._waiting_bytes += size
            self._has_waiting.set()

    def _drop(self) -> None:
        self._has_dropped = True
        self._waiting.clear()
        self._waiting_bytes = 0

    def _hear(self, text: str) -> None:
        """Tell this host what another said; what is malformed is another version's, and ignored."""
        host, _, pack = text.partition(" ")
        if host == self._host:
            return
        try:
            for kind, body in FrameBuffer().feed(b64decode(pack, validate=True)):
                if kind == FrameKind.EVENT:
                    self._bus.bring(body)
        except (binascii.Error, ValueError, FrameError):
            log.debug("malformed news of another host were ignored")


def _packs(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Yield frames together as far as they fit one text; of equal ones, which say the same, one each."""
    pack = bytearray()
    for each in dict.fromkeys(frames):
        if len(pack) + len(each) > MAX_PACK_BYTES:
            yield bytes(pack)
            pack.clear()
        pack += each
    if pack:
        yield bytes(pack)
