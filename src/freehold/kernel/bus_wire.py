"""The bus on the wire: how an event becomes a frame, and where the socket is.

A frame is four bytes of length (big-endian), one byte of kind, and a MessagePack body. An event's body is
the tagged struct; a query's body is its name; an answer's body is what the owner of the socket says.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Final

import msgspec

from freehold.errors import FreeholdError
from freehold.kernel.bus import Event

MAX_FRAME_BYTES: Final = 64 * 1024
"""News is small: what is large is a row, and the news names it."""

HEADER_BYTES: Final = 4
SOCKET_NAME: Final = "bus.sock"
MAX_SOCKET_PATH: Final = 100
"""A Unix socket's path ends at 108 bytes (unix(7))."""


class FrameError(FreeholdError):
    """The peer sent something that is not a frame, or an event is too large to be one."""

    public = "malformed frame"


class FrameKind(IntEnum):
    """The first byte of a frame."""

    EVENT = 1
    QUERY = 2
    ANSWER = 3


class Tag(msgspec.Struct):
    """Reads only an event's class name from a body."""

    type: str


class FrameBuffer:
    """Cuts a byte stream into frames; holds at most one incomplete frame."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the kind and body of every frame that is now complete.

        Raises:
            FrameError: the peer announces a frame above the limit, or an empty one.
        """
        self._data += data
        while len(self._data) >= HEADER_BYTES:
            size = int.from_bytes(self._data[:HEADER_BYTES], "big")
            if not 1 <= size <= MAX_FRAME_BYTES:
                raise FrameError
            end = HEADER_BYTES + size
            if len(self._data) < end:
                return
            body = bytes(self._data[HEADER_BYTES:end])
            del self._data[:end]
            yield body[0], body[1:]


def frame(kind: FrameKind, body: bytes) -> bytes:
    """Return the frame of a body. Raises FrameError above `MAX_FRAME_BYTES`."""
    size = len(body) + 1
    if size > MAX_FRAME_BYTES:
        raise FrameError(f"a frame of {size} bytes is too large for the bus")
    return size.to_bytes(HEADER_BYTES, "big") + bytes([kind]) + body


def event_frame(event: Event) -> bytes:
    """Return the frame that tells other processes an event."""
    return frame(FrameKind.EVENT, msgspec.msgpack.encode(event))


def socket_path(data: Path) -> Path:
    """Return where the bus of a data folder listens."""
    return data / "run" / SOCKET_NAME


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """Give a name of the socket that fits into a socket address, however deep the data folder is."""
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def connect(path: Path, patience_seconds: float) -> socket.socket:
    """Return a connected blocking socket. Raises OSError when no server listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        connection.settimeout(patience_seconds)
        with reachable(path) as address:
            connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection
