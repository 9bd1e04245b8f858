"""Message bytes in rows and files, on both engines."""

import asyncio
import os
from pathlib import Path

import pytest

from freehold.errors import NotFoundError
from freehold.storage.blobs import (
    INLINE_MAX_BYTES,
    SPILL_BYTES,
    BlobMissingError,
    BlobSettings,
    BlobStore,
    PreparedBlob,
    open_blobs,
)
from freehold.storage.database import Database, IntegrityError, StorageError, Transaction

SMALL = b"From: a@example.org\r\n\r\nh\xc3\xb6 \x00 \xff\r\n"
LARGE = os.urandom(INLINE_MAX_BYTES) + b"\r\n.\r\n" + bytes(SPILL_BYTES * 2)
DISTANT_FUTURE_MS = 1 << 43


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(database: Database, folder: Path) -> BlobStore:
    return open_blobs(database, folder, BlobSettings())


async def insert(tx: Transaction, blobs: BlobStore, blob: PreparedBlob, blob_id: int) -> None:
    await blobs.insert(tx, blob, blob_id=blob_id, references=2)


async def store(database: Database, blobs: BlobStore, data: bytes, blob_id: int) -> None:
    await database.write(insert, blobs, await blobs.prepare(data), blob_id)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "data", [b"", b"x", SMALL, b"y" * INLINE_MAX_BYTES, b"z" * (INLINE_MAX_BYTES + 1), LARGE]
)
async def test_bytes_are_kept_exactly(database: Database, blobs: BlobStore, data: bytes) -> None:
    await store(database, blobs, data, 7)

    assert await blobs.read(7) == data
    assert await blobs.read(7, 3) == data[3:]
    assert await blobs.read(7, 2, 5) == data[2:7]
    assert await blobs.read(7, len(data) + 10, 5) == b""
    assert await blobs.read(7, 0, len(data) + 10) == data
    async with blobs.open_view(7) as view:
        assert view[:] == data


async def test_only_large_contents_are_files(database: Database, blobs: BlobStore, folder: Path) -> None:
    await store(database, blobs, b"y" * INLINE_MAX_BYTES, 1)
    assert files_in(folder) == []

    await store(database, blobs, LARGE, 2)
    [path] = files_in(folder)
    assert path.read_bytes() == LARGE
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_writer_spills_to_a_temporary_file_and_its_view_is_the_message(
    database: Database, blobs: BlobStore, folder: Path
) -> None:
    writer = blobs.writer()
    for start in range(0, len(LARGE), 10_000):
        writer.write(LARGE[start : start + 10_000])
        await writer.flush()
    assert len(files_in(folder / "incoming")) == 1
    assert writer.size == len(LARGE)

    blob = await writer.finish()

    assert files_in(folder / "incoming") == []
    with blob.view() as view:
        assert view[:] == LARGE
        assert view.find(b"\r\n.\r\n") == INLINE_MAX_BYTES + LARGE[INLINE_MAX_BYTES:].find(b"\r\n.\r\n")
    await database.write(insert, blobs, blob, 1)
    assert await blobs.read(1) == LARGE


async def test_an_aborted_message_and_a_discarded_one_leave_nothing(blobs: BlobStore, folder: Path) -> None:
    writer = blobs.writer()
    writer.write(LARGE)
    await writer.flush()
    writer.abort()
    (await blobs.prepare(LARGE)).discard()

    assert files_in(folder) == []


async def test_discarding_what_a_transaction_was_given_does_not_remove_it(
    database: Database, blobs: BlobStore
) -> None:
    blob = await blobs.prepare(LARGE)
    await database.write(insert, blobs, blob, 1)

    blob.discard()

    assert await blobs.read(1) == LARGE


async def test_giving_up_a_writer_that_has_finished_does_not_remove_the_message(
    database: Database, blobs: BlobStore
) -> None:
    writer = blobs.writer()
    writer.write(LARGE)
    prepared = await writer.finish()
    writer.abort()
    await database.write(insert, blobs, prepared, 1)
    writer.abort()
    assert await blobs.read(1) == LARGE


async def test_what_was_discarded_cannot_be_inserted(database: Database, blobs: BlobStore) -> None:
    blob = await blobs.prepare(LARGE)
    blob.discard()

    with pytest.raises(StorageError):
        await database.write(insert, blobs, blob, 1)


async def test_cancelling_a_flush_does_not_lead_to_a_truncated_message(
    blobs: BlobStore, folder: Path
) -> None:
    writer = blobs.writer()
    writer.write(LARGE)
    flushing = asyncio.create_task(writer.flush())
    await asyncio.sleep(0)
    flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)

    with pytest.raises(StorageError):
        await writer.finish()
    writer.abort()
    report = await blobs.sweep(older_than_ms=DISTANT_FUTURE_MS)

    assert files_in(folder) == []
    assert report.orphans == 0


async def test_a_content_goes_with_its_last_reference(
    database: Database, blobs: BlobStore, folder: Path
) -> None:
    for blob_id, data in ((1, SMALL), (2, LARGE)):
        await store(database, blobs, data, blob_id)
        await database.write(blobs.add_references, {blob_id: 3})
        await database.write(blobs.release, blob_id, 4)
        assert await blobs.read(blob_id) == data

        await database.write(blobs.release, blob_id)

        with pytest.raises(NotFoundError):
            await blobs.read(blob_id)
        with pytest.raises(NotFoundError):
            await database.write(blobs.add_references, {blob_id: 1})
        await database.write(blobs.release, blob_id)

    report = await blobs.sweep(older_than_ms=0)

    assert report.discarded == 1
    assert files_in(folder) == []
    assert (await blobs.sweep(older_than_ms=0)).discarded == 0


async def test_many_references_are_counted_and_released_together(
    database: Database, blobs: BlobStore, folder: Path
) -> None:
    for blob_id in range(1, 151):
        await store(database, blobs, LARGE if blob_id == 150 else SMALL, blob_id)
    counts = {blob_id: 1 + blob_id % 2 for blob_id in range(1, 151)}
    await database.write(blobs.add_references, counts)

    await database.write(blobs.release_many, counts)
    assert await blobs.read(77) == SMALL
    with pytest.raises(NotFoundError):
        await database.write(blobs.add_references, {1: 1, 999: 1})
    await database.write(blobs.release_many, dict.fromkeys([*range(1, 76), 150, 999], 2))

    for blob_id in (1, 75, 150):
        with pytest.raises(NotFoundError):
            await blobs.read(blob_id)
    assert await blobs.read(76) == await blobs.read(149) == SMALL
    assert (await blobs.sweep(older_than_ms=0)).discarded == 1
    assert files_in(folder) == []


async def test_a_failed_transaction_keeps_neither_a_release_nor_an_insert(
    database: Database, blobs: BlobStore
) -> None:
    await store(database, blobs, LARGE, 1)
    blob = await blobs.prepare(SMALL)

    async def release_and_fail(tx: Transaction) -> None:
        await blobs.release(tx, 1, 2)
        await blobs.insert(tx, blob, blob_id=5, references=1)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(release_and_fail)
    await blobs.sweep(older_than_ms=0)

    assert await blobs.read(1) == LARGE
    with pytest.raises(NotFoundError):
        await blobs.read(5)


async def test_an_id_is_used_once(database: Database, blobs: BlobStore) -> None:
    await store(database, blobs, SMALL, 1)
    with pytest.raises(IntegrityError):
        await store(database, blobs, SMALL, 1)


async def test_many_small_contents_are_read_in_one_transaction(database: Database, blobs: BlobStore) -> None:
    for blob_id in range(150):
        await store(database, blobs, b"%d" % blob_id, blob_id)
    await store(database, blobs, LARGE, 1000)

    found = await database.read(blobs.read_many, [*range(150), 1000, 2000])

    assert found == {blob_id: b"%d" % blob_id for blob_id in range(150)}
    assert await database.read(blobs.read_many, []) == {}


async def test_a_file_that_no_row_names_is_swept_when_it_is_old_enough(
    database: Database, blobs: BlobStore, folder: Path
) -> None:
    await store(database, blobs, LARGE, 1)
    await blobs.prepare(LARGE)  # the process died before its transaction
    half_received = blobs.writer()
    half_received.write(LARGE)
    await half_received.flush()
    now_ms = int(files_in(folder)[0].stat().st_mtime * 1000)

    young = await blobs.sweep(older_than_ms=now_ms - 60_000)
    assert (young.orphans, young.unfinished) == (0, 0)
    old = await blobs.sweep(older_than_ms=DISTANT_FUTURE_MS)

    assert (old.orphans, old.unfinished, old.missing) == (1, 1, 0)
    assert await blobs.read(1) == LARGE
    assert len(files_in(folder)) == 1


async def test_a_missing_or_damaged_file_is_reported_and_reading_it_says_so(
    database: Database, blobs: BlobStore, folder: Path
) -> None:
    for blob_id in (1, 2, 3):
        await store(database, blobs, LARGE, blob_id)
        if blob_id == 1:
            files_in(folder)[0].unlink()
        if blob_id == 2:
            os.truncate(files_in(folder)[0], 100)

    report = await blobs.sweep(older_than_ms=0)

    assert (report.missing, report.missing_ids) == (2, (1, 2))
    with pytest.raises(BlobMissingError) as caught:
        await blobs.read(1)
    assert not caught.value.temporary
    with pytest.raises(BlobMissingError):
        async with blobs.open_view(1):
            pass


async def test_an_open_view_outlives_the_removal_of_its_file(
    database: Database, blobs: BlobStore, folder: Path
) -> None:
    await store(database, blobs, LARGE, 1)
    async with blobs.open_view(1) as view:
        await database.write(blobs.release, 1, 2)
        await blobs.sweep(older_than_ms=0)
        assert files_in(folder) == []
        assert view[:] == LARGE
