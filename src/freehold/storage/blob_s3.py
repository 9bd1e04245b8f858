"""Large contents as objects in an S3-compatible store, for clusters."""

import asyncio
import mmap
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store

from freehold.storage.blob_place import BlobMissingError, View
from freehold.storage.blob_settings import S3Settings
from freehold.storage.blob_spool import Spool, file_errors
from freehold.storage.blob_view import map_content
from freehold.storage.database import StorageError

UPLOAD_PIECE_BYTES: Final = 8 << 20
UPLOADS_AT_ONCE: Final = 4  # pieces of one content, so at most 32 MiB of memory
DOWNLOAD_PIECE_BYTES: Final = 1 << 20
LISTED_AT_ONCE: Final = 1000
CONNECT_SECONDS: Final = 10
REQUEST_SECONDS: Final = 120
RETRIES: Final = 5
RETRY_SECONDS: Final = 60
OPERATION_SECONDS: Final = 600.0  # a whole content, all pieces and retries


def open_s3(settings: S3Settings) -> ObjectStore:
    """Return the store; nothing is asked of it yet."""
    optional = {
        "endpoint": settings.endpoint,
        "access_key_id": settings.access_key_id,
        "secret_access_key": settings.secret_access_key,
    }
    with _store_errors():
        return S3Store(
            settings.bucket,
            region=settings.region,
            checksum_algorithm="SHA256",
            client_options={
                "allow_http": settings.allow_http,
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(seconds=REQUEST_SECONDS),
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
            **{name: value for name, value in optional.items() if value},  # type: ignore[arg-type]
        )


@contextmanager
def _store_errors() -> Iterator[None]:
    """Turn what the store raises into StorageError; a missing object into BlobMissingError."""
    try:
        yield
    except FileNotFoundError as error:
        raise BlobMissingError from error
    except (BaseError, OSError, TimeoutError) as error:
        raise StorageError from error


@asynccontextmanager
async def _request() -> AsyncIterator[None]:
    with _store_errors():
        async with asyncio.timeout(OPERATION_SECONDS):
            yield


class S3Place:
    """Objects under a prefix; see `BlobPlace`."""

    def __init__(self, store: ObjectStore, prefix: str, scratch: Path) -> None:
        self._store = store
        self._prefix = prefix
        self._scratch = scratch

    async def keep(self, spool: Spool) -> None:
        """Upload the spooled file; then only this process's mapping of it is left."""
        async with _request():
            await obstore.put_async(
                self._store,
                self._prefix + spool.key,
                spool.path,
                chunk_size=UPLOAD_PIECE_BYTES,
                max_concurrency=UPLOADS_AT_ONCE,
            )
        await asyncio.to_thread(spool.unlink)

    async def read(self, key: str, offset: int, length: int) -> bytes:
        """Return a part that lies within the content."""
        async with _request():
            data = await obstore.get_range_async(self._store, self._prefix + key, start=offset, length=length)
        return data.to_bytes()

    @asynccontextmanager
    async def open_view(self, key: str) -> AsyncIterator[View]:
        """Lend a local copy, which has no name and goes with the mapping."""
        mapped = await self._download(key)
        try:
            yield mapped
        finally:
            with suppress(BufferError):
                mapped.close()

    async def remove(self, keys: list[str]) -> None:
        """Remove objects."""
        for key in keys:
            with suppress(BlobMissingError):
                async with _request():
                    await obstore.delete_async(self._store, self._prefix + key)

    async def size(self, key: str) -> int | None:
        """Return an object's size."""
        try:
            async with _request():
                return (await obstore.head_async(self._store, self._prefix + key))["size"]
        except BlobMissingError:
            return None

    async def keys_before(self, moment_ms: int) -> AsyncIterator[list[str]]:
        """Return the keys as the store lists them."""
        listing = obstore.list(self._store, self._prefix, chunk_size=LISTED_AT_ONCE)
        while True:
            async with _request():
                batch = await anext(listing, None)
            if batch is None:
                return
            yield [
                entry["path"].removeprefix(self._prefix)
                for entry in batch
                if entry["last_modified"].timestamp() * 1000 < moment_ms
            ]

    async def _download(self, key: str) -> mmap.mmap:
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            async with _request():
                answer = await obstore.get_async(self._store, self._prefix + key)
                async for piece in answer.stream(min_chunk_size=DOWNLOAD_PIECE_BYTES):
                    await asyncio.to_thread(_append, file, piece)
            return await asyncio.to_thread(_map, file)


def _append(file: IO[bytes], piece: bytes) -> None:
    with file_errors():
        file.write(piece)


def _map(file: IO[bytes]) -> mmap.mmap:
    with file_errors():
        file.flush()
        return map_content(file.fileno())
