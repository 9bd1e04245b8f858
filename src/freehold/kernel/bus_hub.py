"""The hub of the bus: passes each client's events on to all the others, and answers queries.

It never decodes an event and never waits for a client: a slow one loses news, a wrong one its connection.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from freehold.kernel.bus_wire import FrameBuffer, FrameError, FrameKind, frame, reachable
from freehold.kernel.log import get_logger
from freehold.kernel.reactor import Watcher

MAX_CLIENTS: Final = 256
MAX_QUEUED_BYTES: Final = 1 << 20
READ_BYTES: Final = 65_536

log = get_logger("freehold.kernel.bus")

Answerer = Callable[[str], object]
"""Answers a query by its name with something that msgspec encodes."""


class BusHub:
    """Owns the socket (mode 0600) and its clients; runs on the supervisor's reactor or on an asyncio loop."""

    def __init__(self, path: Path, watcher: Watcher, answer: Answerer) -> None:
        self._path = path
        self._watcher = watcher
        self._answer = answer
        self._clients: dict[int, _Client] = {}
        self._told: Callable[[bytes], None] | None = None
        self._listener = _listen(path)
        watcher.add_reader(self._listener.fileno(), self._accept)

    def listen_in(self, told: Callable[[bytes], None]) -> None:
        """Have the body of every client's event given to `told` too (the single process is its own hub)."""
        self._told = told

    def broadcast(self, data: bytes) -> None:
        """Send a frame to every client."""
        for client in list(self._clients.values()):
            client.send(data)

    def close(self) -> None:
        """Drop every client and remove the socket's file."""
        self._watcher.remove_reader(self._listener.fileno())
        self._listener.close()
        for client in list(self._clients.values()):
            client.close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def abandon(self) -> None:
        """Close the descriptors only: what a forked child does, for the hub is its parent's.

        The watcher is left alone: parent and child share one epoll instance, so what the child
        unregistered there would be lost to the parent.
        """
        self._listener.close()
        for client in self._clients.values():
            client.abandon()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # gone again, or out of descriptors: the client tries again
            return
        if len(self._clients) >= MAX_CLIENTS:
            connection.close()
            return
        connection.settimeout(0)
        client = _Client(connection, self._watcher, self._received, self._gone)
        self._clients[client.number] = client

    def _received(self, client: "_Client", frames: list[tuple[int, bytes]]) -> None:
        events = [body for kind, body in frames if kind == FrameKind.EVENT]
        if events:
            data = b"".join([frame(FrameKind.EVENT, body) for body in events])
            for other in list(self._clients.values()):
                if other is not client:
                    other.send(data)
        if self._told is not None:
            for body in events:
                self._told(body)
        for kind, body in frames:
            if kind == FrameKind.QUERY:
                answer = self._answer(body.decode("utf-8", "replace"))
                client.send(frame(FrameKind.ANSWER, msgspec.msgpack.encode(answer)))

    def _gone(self, client: "_Client") -> None:
        self._clients.pop(client.number, None)


class _Client:
    """One connection: reads frames, writes what it is sent as far as the socket takes it."""

    __slots__ = ("_buffer", "_connection", "_gone", "_outbox", "_received", "_watcher", "number")

    def __init__(
        self,
        connection: socket.socket,
        watcher: Watcher,
        received: Callable[["_Client", list[tuple[int, bytes]]], None],
        gone: Callable[["_Client"], None],
    ) -> None:
        self._connection = connection
        self._watcher = watcher
        self._received = received
        self._gone = gone
        self._buffer = FrameBuffer()
        self._outbox = bytearray()
        self.number = connection.fileno()
        watcher.add_reader(self.number, self._read)

    def send(self, data: bytes) -> None:
        """Send the frame, or queue what does not fit; a full queue loses it."""
        if self._connection.fileno() < 0 or len(self._outbox) + len(data) > MAX_QUEUED_BYTES:
            return
        self._outbox += data
        if len(self._outbox) == len(data):
            self._write()

    def close(self) -> None:
        """Close the connection; idempotent."""
        if self._connection.fileno() < 0:
            return
        self._watcher.remove_reader(self.number)
        self._watcher.remove_writer(self.number)
        self._connection.close()
        self._gone(self)

    def abandon(self) -> None:
        """Close the descriptor only."""
        self._connection.close()

    def _read(self) -> None:
        try:
            data = self._connection.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        try:
            self._received(self, list(self._buffer.feed(data)))
        except FrameError:
            log.warning("a client of the bus sent a malformed frame")
            self.close()

    def _write(self) -> None:
        try:
            sent = self._connection.send(self._outbox)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        del self._outbox[:sent]
        if self._outbox:
            self._watcher.add_writer(self.number, self._write)
        else:
            self._watcher.remove_writer(self.number)


def _listen(path: Path) -> socket.socket:
    """Bind the socket; a file left by a dead server is replaced (the data folder's lock is ours)."""
    with suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    before = os.umask(0o177)
    try:
        with reachable(path) as address:
            listener.bind(address)
    finally:
        os.umask(before)
    listener.listen(64)
    return listener
