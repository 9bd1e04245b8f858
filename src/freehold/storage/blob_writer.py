"""A message's bytes on their way in: in memory while small, in a temporary file when large, then kept."""

import asyncio
import mmap
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from freehold.storage.blob_place import BlobPlace, View
from freehold.storage.blob_rows import ROW
from freehold.storage.blob_spool import Spool
from freehold.storage.database import StorageError
from freehold.storage.disk_room import DiskRoom

SPILL_BYTES: Final = 256 << 10  # memory of one message being received


class PreparedBlob:
    """Contents that only want a row: small ones in memory, large ones durable where `place` says."""

    __slots__ = ("_data", "_discarded", "_inserted", "_lock", "_spool", "place", "size")

    def __init__(self, size: int, place: str, data: bytes | None, spool: Spool | None) -> None:
        self.size = size
        self.place = place
        self._data = data
        self._spool = spool
        self._lock = threading.Lock()
        self._inserted = False
        self._discarded = False

    @contextmanager
    def view(self) -> Iterator[View]:
        """Lend the whole content; parts of it (memoryview) are released before the end."""
        if self._spool is None:
            yield self._data or b""
            return
        mapped: mmap.mmap = self._spool.map()
        try:
            yield mapped
        finally:
            with suppress(BufferError):  # somebody still holds a part: it is closed with that
                mapped.close()

    def discard(self) -> None:
        """Remove what no transaction was given; otherwise do nothing.

        A transaction that failed or was cancelled may have been committed all the same, so its file is left
        to the sweep. What is in S3 always is.
        """
        with self._lock:
            if self._inserted or self._discarded:
                return
            self._discarded = True
        if self._spool is not None:
            self._spool.remove()

    def claim(self) -> bytes | None:
        """Return what goes into the row, for a transaction; from now on `discard()` does nothing."""
        with self._lock:
            if self._discarded:
                raise StorageError("the message was given up")
            self._inserted = True
        return self._data


class BlobWriter:
    """One message being received, by one task."""

    __slots__ = (
        "_buffered",
        "_chunks",
        "_failed",
        "_inline_max",
        "_place",
        "_place_name",
        "_room",
        "_scratch",
        "_spool",
        "size",
    )

    def __init__(
        self, scratch: Path, place_name: str, place: BlobPlace, inline_max_bytes: int, room: DiskRoom
    ) -> None:
        self._scratch = scratch
        self._room = room
        self._place_name = place_name
        self._place = place
        self._inline_max = inline_max_bytes
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._spool: Spool | None = None
        self._failed = False
        self.size = 0

    def write(self, data: bytes) -> None:
        """Add bytes, in memory; call `flush()` between chunks, or all of it stays there."""
        self._chunks.append(data)
        self._buffered += len(data)
        self.size += len(data)

    async def flush(self) -> None:
        """Move what exceeds the memory of one message to the disk. Raises StorageFullError, StorageError."""
        if self._buffered >= SPILL_BYTES:
            self._failed = True  # unless it ends well: the bytes are then neither here nor on the disk
            await asyncio.to_thread(self._spill, self._take_chunks())
            self._failed = False

    async def finish(self) -> PreparedBlob:
        """Return the content; when it is large, after it is durable.

        Raises StorageFullError, StorageError; also when an earlier `flush()` failed.
        """
        if self._failed:
            raise StorageError("the message was given up")
        chunks = self._take_chunks()
        try:
            self._room.check()
            if self._spool is None and self.size <= self._inline_max:
                return PreparedBlob(self.size, ROW, b"".join(chunks), None)
            spool = await asyncio.to_thread(self._spill, chunks)
            await self._place.keep(spool)
        except BaseException:
            self.abort()
            raise
        self._spool = None  # it is the prepared blob's now: giving up the writer must not remove it
        return PreparedBlob(self.size, f"{self._place_name}:{spool.key}", None, spool)

    def abort(self) -> None:
        """Give the message up and remove its temporary file; does nothing after `finish()` returned."""
        self._chunks.clear()
        if self._spool is not None:
            self._spool.remove()

    def _take_chunks(self) -> list[bytes]:
        chunks, self._chunks, self._buffered = self._chunks, [], 0
        return chunks

    def _spill(self, chunks: list[bytes]) -> Spool:
        if self._spool is None:
            self._spool = Spool(self._scratch)
        self._spool.append(chunks)
        return self._spool
