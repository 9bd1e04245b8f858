"""New contents are refused while there is still room for what frees some."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from freehold.storage import disk_room
from freehold.storage.blobs import BlobSettings, open_blobs
from freehold.storage.database import Database, StorageFullError, Transaction
from freehold.storage.disk_room import RESERVE_BYTES, DiskRoom

BLOCK = 4096
LARGE_DISK = 100 << 30


def set_disk(monkeypatch: pytest.MonkeyPatch, *, free: int, total: int = LARGE_DISK) -> None:
    """Have every look find a disk of this size."""
    monkeypatch.setattr(disk_room, "LOOK_SECONDS", 0)
    found: Any = SimpleNamespace(f_bavail=free // BLOCK, f_blocks=total // BLOCK, f_frsize=BLOCK)
    monkeypatch.setattr(os, "statvfs", lambda _folder: found)


@pytest.mark.parametrize(
    ("free", "reusable", "total", "has_room"),
    [
        (RESERVE_BYTES, 0, LARGE_DISK, True),
        (RESERVE_BYTES - BLOCK, 0, LARGE_DISK, False),
        (RESERVE_BYTES - BLOCK, BLOCK, LARGE_DISK, True),
        (RESERVE_BYTES // 2, RESERVE_BYTES // 2, LARGE_DISK, True),
        (BLOCK, RESERVE_BYTES - BLOCK, LARGE_DISK, True),
        (BLOCK, RESERVE_BYTES - 2 * BLOCK, LARGE_DISK, False),
        (16 << 20, 0, 64 << 20, True),
        ((16 << 20) - BLOCK, 0, 64 << 20, False),
        (0, 0, LARGE_DISK, False),
    ],
)
def test_a_part_of_the_disk_is_left(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    reusable: int,
    total: int,
    has_room: bool,
) -> None:
    set_disk(monkeypatch, free=free, total=total)
    room = DiskRoom(tmp_path, lambda: reusable)
    if has_room:
        room.check()
    else:
        with pytest.raises(StorageFullError):
            room.check()


def test_a_folder_that_cannot_be_looked_at_is_no_full_disk(tmp_path: Path) -> None:
    DiskRoom(tmp_path / "missing", lambda: 0).check()


def test_the_disk_is_not_looked_at_for_every_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []
    real = os.statvfs

    def look(folder: Path) -> os.statvfs_result:
        looked.append(folder)
        return real(folder)

    monkeypatch.setattr(os, "statvfs", look)
    monkeypatch.setattr(disk_room, "LOOK_SECONDS", 3600)
    room = DiskRoom(tmp_path, lambda: 0)
    room.check()
    room.check()
    assert looked == [tmp_path]


@pytest.mark.parametrize("size", [10, 1_000_000])
async def test_contents_are_refused_and_leave_nothing_behind(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    blobs = open_blobs(database, tmp_path / "blobs", BlobSettings())
    set_disk(monkeypatch, free=0)
    writer = blobs.writer()
    writer.write(bytes(size))
    await writer.flush()
    with pytest.raises(StorageFullError):
        await writer.finish()
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []
    set_disk(monkeypatch, free=LARGE_DISK)
    assert (await blobs.prepare(bytes(size))).size == size


async def put(tx: Transaction, number: int) -> None:
    await tx.execute("INSERT INTO counter (name, value) VALUES (?, ?)", f"{number} {'x' * 3000}", number)


async def clear(tx: Transaction) -> None:
    await tx.execute("DELETE FROM counter WHERE name LIKE '% x%'")


async def test_what_was_deleted_from_the_database_can_be_filled_again(sqlite_database: Database) -> None:
    for number in range(20):
        await sqlite_database.write(put, number)
    before = sqlite_database.reusable_bytes()
    await sqlite_database.write(clear)
    assert sqlite_database.reusable_bytes() - before >= 10 * BLOCK


def test_room_is_noticed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_disk(monkeypatch, free=0)
    monkeypatch.setattr(disk_room, "LOOK_SECONDS", 3600)
    room = DiskRoom(tmp_path, lambda: 0)
    assert not room.has_room()
    set_disk(monkeypatch, free=LARGE_DISK)
    assert room.has_room()
