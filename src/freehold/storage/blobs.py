"""Message bytes, kept exactly as they came: one copy for many recipients, counted.

Small contents are rows, in the same commit as the index. Large ones are files (or S3 objects) that are
durable before the transaction that names them, and removed after the commit that lets them go. A crash in
between leaves a content that nobody names, never a name without a content; `sweep()` removes the former and
reports the latter.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freehold.errors import NotFoundError
from freehold.storage import blob_rows
from freehold.storage.blob_files import FilePlace, files_before
from freehold.storage.blob_place import BlobMissingError, BlobPlace, View
from freehold.storage.blob_settings import INLINE_MAX_BYTES, BlobSettings, S3Settings
from freehold.storage.blob_spool import FOLDER_MODE, INCOMING, file_errors
from freehold.storage.blob_writer import SPILL_BYTES, BlobWriter, PreparedBlob
from freehold.storage.database import Database, StorageError, Transaction
from freehold.storage.disk_room import DiskRoom

__all__ = [
    "INLINE_MAX_BYTES",
    "SPILL_BYTES",
    "BlobMissingError",
    "BlobSettings",
    "BlobStore",
    "BlobWriter",
    "PreparedBlob",
    "S3Settings",
    "SweepReport",
    "View",
    "open_blobs",
]

FILE: Final = "file"
S3: Final = "s3"
SWEPT_AT_ONCE: Final = 500
MISSING_NAMED: Final = 1000


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep removed and found; of the missing contents the first thousand are named."""

    discarded: int
    orphans: int
    unfinished: int
    missing: int
    missing_ids: tuple[int, ...]


def open_blobs(database: Database, directory: Path, settings: BlobSettings) -> "BlobStore":
    """Return the blob store of a database; makes the folder if need be. Raises StorageError."""
    scratch = directory / INCOMING
    with file_errors():
        directory.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        scratch.mkdir(FOLDER_MODE, exist_ok=True)
    places: dict[str, BlobPlace] = {FILE: FilePlace(directory)}
    if settings.s3 is not None:
        try:
            from freehold.storage import blob_s3  # noqa: PLC0415 (the driver is an extra)
        except ModuleNotFoundError as error:
            raise StorageError("S3 needs the extra: pip install 'freehold[cluster]'") from error
        places[S3] = blob_s3.S3Place(blob_s3.open_s3(settings.s3), settings.s3.prefix, scratch)
    return BlobStore(database, scratch, places, settings.inline_max_bytes)


class BlobStore:
    """The contents of one database; new large ones go to the last of `places`, old ones stay."""

    def __init__(
        self, database: Database, scratch: Path, places: dict[str, BlobPlace], inline_max_bytes: int
    ) -> None:
        self._database = database
        self._scratch = scratch
        self._places = places
        self._inline_max = inline_max_bytes
        self._place_name = list(places)[-1]
        self._room = DiskRoom(scratch, database.reusable_bytes)

    def has_room(self) -> bool:
        """Tell whether the disk has room for more."""
        return self._room.has_room()

    def writer(self) -> BlobWriter:
        """Begin to receive a message."""
        place = self._places[self._place_name]
        return BlobWriter(self._scratch, self._place_name, place, self._inline_max, self._room)

    async def prepare(self, data: bytes) -> PreparedBlob:
        """Return a whole message as `writer()` would."""
        writer = self.writer()
        writer.write(data)
        return await writer.finish()

    async def insert(self, tx: Transaction, blob: PreparedBlob, *, blob_id: int, references: int) -> None:
        """Add the row of a content, with its first references, to the caller's transaction."""
        data = blob.claim()
        await blob_rows.insert(tx, blob_rows.NewBlob(blob_id, blob.size, blob.place, references, data))

    async def add_references(self, tx: Transaction, counts: Mapping[int, int]) -> None:
        """Count more rows that name contents, by id; raises NotFoundError when one of them is gone."""
        await blob_rows.add_references(tx, counts)

    async def release(self, tx: Transaction, blob_id: int, count: int = 1) -> None:
        """Count fewer; at zero the row goes with this commit, a file with the next sweep."""
        await blob_rows.release(tx, {blob_id: count})

    async def release_many(self, tx: Transaction, counts: Mapping[int, int]) -> None:
        """Do as `release()` for many contents, by id, in few statements."""
        await blob_rows.release(tx, counts)

    async def read(self, blob_id: int, offset: int = 0, length: int | None = None) -> bytes:
        """Return a content or a part of it; raises NotFoundError, BlobMissingError, StorageError."""
        if length is None:
            stored = await self._database.read(blob_rows.find, blob_id)
            if stored is not None and stored.data is not None:
                return stored.data[offset:] if offset else stored.data
        else:
            stored = await self._database.read(blob_rows.find_part, blob_id, offset, length)
            if stored is not None and stored.data is not None:
                return stored.data
        if stored is None:
            raise NotFoundError("the message's content is gone")
        place, key = self._find_place(stored.place)
        available = max(0, stored.size_bytes - offset)
        wanted = available if length is None else min(length, available)
        if wanted == 0:
            return b""
        try:
            return await place.read(key, offset, wanted)
        except BlobMissingError:
            await self._check_row(blob_id)
            raise

    async def read_many(self, tx: Transaction, blob_ids: Sequence[int]) -> dict[int, bytes]:
        """Return those contents that are in rows, by id, inside the caller's transaction.

        The others are missing from the result: `read()` or `open_view()` them afterwards. All are in
        memory at once: ask for as many as fit, knowing their sizes.
        """
        return await blob_rows.find_small(tx, blob_ids)

    @asynccontextmanager
    async def open_view(self, blob_id: int) -> AsyncIterator[View]:
        """Lend a whole content as bytes or mapped memory; errors as `read()`."""
        stored = await self._database.read(blob_rows.find, blob_id)
        if stored is None:
            raise NotFoundError("the message's content is gone")
        if stored.data is not None:
            yield stored.data
            return
        place, key = self._find_place(stored.place)
        try:
            view = place.open_view(key)
            content = await view.__aenter__()
        except BlobMissingError:
            await self._check_row(blob_id)
            raise
        try:
            yield content
        finally:
            await view.__aexit__(None, None, None)

    async def remove_discarded(self) -> int:
        """Remove the large contents that commits have let go; returns how many. Cheap: call it often."""
        count, last = 0, ""
        while names := await self._database.read(blob_rows.discarded_after, last, SWEPT_AT_ONCE):
            last = names[-1]
            for where, place in self._places.items():
                mine = [name for name in names if name.startswith(where + ":")]
                await place.remove([name.partition(":")[2] for name in mine])
                await self._database.write(blob_rows.forget_discarded, mine)
                count += len(mine)
        return count

    async def sweep(self, *, older_than_ms: int) -> SweepReport:
        """Remove what nobody names and report what is missing.

        `older_than_ms` is a moment, UTC milliseconds, at least hours ago: younger files may be on their way
        into a transaction.
        """
        discarded = await self.remove_discarded()
        orphans = 0
        for name, place in self._places.items():
            async for keys in place.keys_before(older_than_ms):
                orphans += await self._remove_orphans(name, place, keys)
        unfinished = await asyncio.to_thread(_remove_unfinished, self._scratch, older_than_ms)
        missing, missing_ids = await self._find_missing()
        return SweepReport(discarded, orphans, unfinished, missing, missing_ids)

    def _find_place(self, name: str) -> tuple[BlobPlace, str]:
        where, _, key = name.partition(":")
        place = self._places.get(where)
        if place is None:
            raise StorageError("the message's content is in a store that is not configured")
        return place, key

    async def _check_row(self, blob_id: int) -> None:
        """Raise NotFoundError when a content is missing because it was let go just now."""
        if await self._database.read(blob_rows.find, blob_id) is None:
            raise NotFoundError("the message's content is gone")

    async def _remove_orphans(self, where: str, place: BlobPlace, keys: list[str]) -> int:
        count = 0
        for start in range(0, len(keys), SWEPT_AT_ONCE):
            names = [f"{where}:{key}" for key in keys[start : start + SWEPT_AT_ONCE]]
            unnamed = await self._database.read_long(blob_rows.unnamed, names)
            await place.remove([name.partition(":")[2] for name in unnamed])
            count += len(unnamed)
        return count

    async def _find_missing(self) -> tuple[int, tuple[int, ...]]:
        """Return how many large contents are not there in full, and the ids of the first."""
        count, last = 0, -(1 << 63)
        named: list[int] = []
        while rows := await self._database.read_long(blob_rows.large_after, last, SWEPT_AT_ONCE):
            last = rows[-1].blob_id
            for row in rows:
                if await self._is_missing(row):
                    count += 1
                    if len(named) < MISSING_NAMED:
                        named.append(row.blob_id)
        return count, tuple(named)

    async def _is_missing(self, row: blob_rows.StoredBlob) -> bool:
        place, key = self._find_place(row.place)
        if await place.size(key) == row.size_bytes:
            return False
        return await self._database.read(blob_rows.find, row.blob_id) is not None


def _remove_unfinished(scratch: Path, moment_ms: int) -> int:
    with file_errors():
        names = files_before(scratch, moment_ms)
        for name in names:
            (scratch / name).unlink(missing_ok=True)
    return len(names)
