"""Large contents in an object store; the store itself is obstore's own, in memory."""

import os
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from freehold.errors import NotFoundError
from freehold.storage.blob_files import FilePlace
from freehold.storage.blob_place import BlobPlace
from freehold.storage.blob_s3 import S3Place
from freehold.storage.blobs import (
    BlobMissingError,
    BlobSettings,
    BlobStore,
    PreparedBlob,
    S3Settings,
    open_blobs,
)
from freehold.storage.database import Database, StorageError, Transaction

LARGE = os.urandom(3_000_000)
DISTANT_FUTURE_MS = 1 << 43


@pytest.fixture
def objects() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


@pytest.fixture
def blobs(database: Database, objects: MemoryStore, scratch: Path, tmp_path: Path) -> BlobStore:
    files = tmp_path / "files"
    files.mkdir()
    places: dict[str, BlobPlace] = {"file": FilePlace(files), "s3": S3Place(objects, "mail/", scratch)}
    return BlobStore(database, scratch, places, 1000)


def names_in(objects: MemoryStore) -> list[str]:
    return [entry["path"] for batch in objects.list() for entry in batch]


def names_of_files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def insert(tx: Transaction, blobs: BlobStore, blob: PreparedBlob, blob_id: int) -> None:
    await blobs.insert(tx, blob, blob_id=blob_id, references=1)


async def test_a_large_content_is_an_object_and_comes_back_exactly(
    database: Database, blobs: BlobStore, objects: MemoryStore, scratch: Path
) -> None:
    writer = blobs.writer()
    for start in range(0, len(LARGE), 100_000):
        writer.write(LARGE[start : start + 100_000])
        await writer.flush()
    blob = await writer.finish()
    assert names_of_files(scratch) == []
    with blob.view() as view:
        assert view[:] == LARGE
    await database.write(insert, blobs, blob, 1)

    assert [name.startswith("mail/") for name in names_in(objects)] == [True]
    assert await blobs.read(1) == LARGE
    assert await blobs.read(1, 2_000_000) == LARGE[2_000_000:]
    assert await blobs.read(1, 5, 10) == LARGE[5:15]
    assert await blobs.read(1, len(LARGE) + 5) == b""
    assert await blobs.read(1, len(LARGE) - 3, 10) == LARGE[-3:]
    assert await blobs.read(1, len(LARGE) + 3, 10) == b""
    async with blobs.open_view(1) as view:
        assert view[:] == LARGE
    assert names_of_files(scratch) == []


async def test_an_object_goes_with_its_last_reference(
    database: Database, blobs: BlobStore, objects: MemoryStore
) -> None:
    await database.write(insert, blobs, await blobs.prepare(LARGE), 1)
    await database.write(blobs.release, 1)

    report = await blobs.sweep(older_than_ms=0)

    assert (report.discarded, report.missing) == (1, 0)
    assert names_in(objects) == []
    with pytest.raises(NotFoundError):
        await blobs.read(1)


async def test_orphans_are_swept_others_objects_are_not_and_missing_ones_are_reported(
    database: Database, blobs: BlobStore, objects: MemoryStore
) -> None:
    await database.write(insert, blobs, await blobs.prepare(LARGE), 1)
    objects.delete(names_in(objects)[0])
    await database.write(insert, blobs, await blobs.prepare(LARGE), 2)
    (await blobs.prepare(LARGE)).discard()
    objects.put("elsewhere/1", b"not ours")

    assert (await blobs.sweep(older_than_ms=0)).orphans == 0
    report = await blobs.sweep(older_than_ms=DISTANT_FUTURE_MS)

    assert (report.orphans, report.missing_ids) == (1, (1,))
    assert len(names_in(objects)) == 2
    for offset in (0, 5):
        with pytest.raises(BlobMissingError):
            await blobs.read(1, offset)
    with pytest.raises(BlobMissingError):
        async with blobs.open_view(1):
            pass
    assert await blobs.read(2) == LARGE


async def test_a_store_that_does_not_answer_is_a_temporary_error_and_leaves_no_temporary_file(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold.storage.blob_s3.RETRIES", 0)
    unreachable = S3Settings(
        bucket="b", endpoint="http://127.0.0.1:1", access_key_id="a", secret_access_key="s", allow_http=True
    )
    blobs = open_blobs(sqlite_database, tmp_path / "blobs", BlobSettings(s3=unreachable))

    with pytest.raises(StorageError) as caught:
        await blobs.prepare(LARGE)

    assert caught.value.temporary
    assert names_of_files(tmp_path / "blobs" / "incoming") == []
