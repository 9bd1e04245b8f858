"""What is acknowledged is kept: processes that die, that write at once, and disks that fill up."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.storage.blobs import BlobSettings, open_blobs
from freehold.storage.database import Database, Row, StorageError, StorageFullError, Transaction
from freehold.storage.open import open_database
from tests.storage import writing_process

TMPFS_BYTES = 8 << 20


async def all_names(tx: Transaction) -> list[Row]:
    return await tx.fetch("SELECT name FROM counter")


async def names_of(database: Database) -> set[str]:
    return {row[0] for row in await database.read(all_names)}


async def start_writing(address: str, label: str, count: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, writing_process.__file__, address, label, str(count), stdout=asyncio.subprocess.PIPE
    )


async def test_a_process_killed_while_writing_loses_no_acknowledged_write_and_keeps_no_half(
    database_address: str,
) -> None:
    acknowledged: set[str] = set()
    for attempt in range(3):
        process = await start_writing(database_address, f"run{attempt}", 1_000_000)
        assert process.stdout is not None
        for _ in range(300):
            acknowledged.add((await process.stdout.readline()).decode().strip())
        process.send_signal(signal.SIGKILL)
        rest, _ = await process.communicate()
        acknowledged.update(
            line.decode().strip() for line in rest.splitlines(keepends=True) if line.endswith(b"\n")
        )

    database = await open_database(database_address, schemas=[])
    names = await names_of(database)
    await database.close()

    assert acknowledged <= names
    whole = {name for name in names if not name.endswith(" pair")}
    assert names == whole | {name + " pair" for name in whole}


async def test_several_processes_write_at_once(database_address: str) -> None:
    """They also all find the schema missing at the same moment."""
    processes = [await start_writing(database_address, f"p{number}", 20) for number in range(3)]
    for process in processes:
        await process.communicate()
        assert process.returncode == 0

    database = await open_database(database_address, schemas=[])
    names = await names_of(database)
    await database.close()

    assert len(names) == 3 * writing_process.WRITERS * 20 * 2


async def test_a_process_that_never_gives_its_turn_back_is_a_storage_error_until_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold.storage.sqlite_writer.WAIT_SECONDS", 0.2)
    path = tmp_path / "freehold.db"
    database = await open_database(str(path), schemas=[])
    hold = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, 2); print('held', flush=True); input()"
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", hold, f"{path}.turn",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    await holder.stdout.readline()

    results = await asyncio.gather(
        *(database.write(writing_process.insert, f"n{n}") for n in range(3)), return_exceptions=True
    )
    assert [isinstance(each, StorageError) and each.temporary for each in results] == [True] * 3
    await holder.communicate(b"\n")
    await database.write(writing_process.insert, "after")

    assert await names_of(database) == {"after", "after pair"}
    await database.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk is not permitted")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path) -> None:
    """Leave not a byte of space."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def insert_bytes(tx: Transaction, blob_id: int) -> None:
    await tx.execute(
        "INSERT INTO blob (id, size_bytes, place, refs, data) VALUES (?, 65536, 'row', 1, ?)",
        blob_id,
        bytes(65536),
    )


async def blob_ids(tx: Transaction) -> list[int]:
    return [row[0] for row in await tx.fetch("SELECT id FROM blob ORDER BY id")]


async def test_a_full_disk_fails_writes_and_service_resumes_when_there_is_room(small_disk: Path) -> None:
    database = await open_database(str(small_disk / "freehold.db"), schemas=[])
    for blob_id in range(8):
        await database.write(insert_bytes, blob_id)
    fill(small_disk / "ballast")

    failed = await asyncio.gather(
        *(database.write(insert_bytes, 100 + n) for n in range(40)), return_exceptions=True
    )
    assert {type(result) for result in failed} <= {StorageFullError, type(None)}
    kept = [100 + n for n, result in enumerate(failed) if result is None]
    with pytest.raises(StorageFullError) as caught:
        await asyncio.gather(*(database.write(insert_bytes, 200 + n) for n in range(40)))
    assert caught.value.public == "storage is full, try again later"
    assert caught.value.temporary
    held = await database.read(blob_ids)
    assert [blob_id for blob_id in held if blob_id < 200] == [*range(8), *kept]

    (small_disk / "ballast").unlink()
    await database.write(insert_bytes, 999)

    assert 999 in await database.read(blob_ids)
    await database.close()
    reopened = await open_database(str(small_disk / "freehold.db"), schemas=[])
    assert 999 in await reopened.read(blob_ids)
    await reopened.close()


async def test_a_full_disk_fails_a_large_message_and_leaves_no_temporary_file(
    small_disk: Path, tmp_path: Path
) -> None:
    database = await open_database(str(tmp_path / "freehold.db"), schemas=[])
    blobs = open_blobs(database, small_disk / "blobs", BlobSettings())
    writer = blobs.writer()

    async def receive() -> None:
        for _ in range(40):
            writer.write(bytes(512 << 10))
            await writer.flush()
        await writer.finish()

    with pytest.raises(StorageFullError):
        await receive()
    with pytest.raises(StorageError):
        await writer.finish()
    writer.abort()

    assert files_in(small_disk) == []
    (await blobs.prepare(bytes(1 << 20))).discard()
    await database.close()
