"""Large contents as files: `blobs/ab/abcd…`, never changed after they have their name."""

import asyncio
import mmap
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from freehold.storage.blob_place import BlobMissingError, View
from freehold.storage.blob_spool import INCOMING, Spool, file_errors
from freehold.storage.blob_view import map_content

READ_PIECE_BYTES: Final = 1 << 20


class FilePlace:
    """Files under one folder; see `BlobPlace`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, spool: Spool) -> None:
        """Sync the spooled file, then its name."""
        await asyncio.to_thread(self._keep, spool)

    async def read(self, key: str, offset: int, length: int) -> bytes:
        """Return a part that lies within the content."""
        return await asyncio.to_thread(self._read, key, offset, length)

    @asynccontextmanager
    async def open_view(self, key: str) -> AsyncIterator[View]:
        """Lend the mapped file; it stays readable when it is removed meanwhile."""
        mapped = await asyncio.to_thread(self._map, key)
        try:
            yield mapped
        finally:
            with suppress(BufferError):  # somebody still holds a part: it is closed with that
                mapped.close()

    async def remove(self, keys: list[str]) -> None:
        """Remove files."""
        await asyncio.to_thread(self._remove, keys)

    async def size(self, key: str) -> int | None:
        """Return a file's size."""
        return await asyncio.to_thread(self._size, key)

    async def keys_before(self, moment_ms: int) -> AsyncIterator[list[str]]:
        """Return the keys of one folder after the other."""
        for folder in await asyncio.to_thread(_folders, self._folder):
            yield await asyncio.to_thread(files_before, folder, moment_ms)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _keep(self, spool: Spool) -> None:
        spool.make_durable()
        spool.move(self._path(spool.key))

    def _open(self, key: str) -> int:
        try:
            with file_errors():
                return os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC)
        except Exception as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise BlobMissingError from error.__cause__
            raise

    def _read(self, key: str, offset: int, length: int) -> bytes:
        descriptor = self._open(key)
        try:
            with file_errors():
                data = _read_range(descriptor, offset, offset + length)
        finally:
            os.close(descriptor)
        if len(data) < length:
            raise BlobMissingError("the message's content is damaged")
        return data

    def _map(self, key: str) -> mmap.mmap:
        descriptor = self._open(key)
        try:
            with file_errors():
                if os.fstat(descriptor).st_size == 0:
                    raise BlobMissingError
                return map_content(descriptor)
        finally:
            os.close(descriptor)

    def _remove(self, keys: list[str]) -> None:
        with file_errors():
            for key in keys:
                self._path(key).unlink(missing_ok=True)

    def _size(self, key: str) -> int | None:
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            return None


def _read_range(descriptor: int, offset: int, end: int) -> bytes:
    """Return the bytes from offset to end, in one piece of memory when the kernel gives them so."""
    data = os.pread(descriptor, max(0, end - offset), offset)
    if offset + len(data) >= end or not data:
        return data
    pieces = [data]
    position = offset + len(data)
    while position < end and (piece := os.pread(descriptor, min(READ_PIECE_BYTES, end - position), position)):
        pieces.append(piece)
        position += len(piece)
    return b"".join(pieces)


def _folders(folder: Path) -> list[Path]:
    with file_errors(), os.scandir(folder) as entries:
        return sorted(Path(entry) for entry in entries if entry.name != INCOMING and entry.is_dir())


def files_before(folder: Path, moment_ms: int) -> list[str]:
    """Return the names of a folder's files that were last changed before a moment."""
    with file_errors(), os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if _is_file_before(entry, moment_ms))


def _is_file_before(entry: "os.DirEntry[str]", moment_ms: int) -> bool:
    try:
        return entry.is_file(follow_symlinks=False) and entry.stat().st_mtime_ns < moment_ms * 1_000_000
    except FileNotFoundError:  # removed meanwhile
        return False
