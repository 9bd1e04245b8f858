"""Relaxed commits: none has a sync of its own, one comes within a second, and only power takes them back."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from freehold.storage import sqlite_writer
from freehold.storage.database import Database, Row, Transaction
from freehold.storage.open import open_database
from freehold.storage.sqlite import SqliteDatabase, turn_path
from freehold.storage.sqlite_checkpoint import Checkpointer
from freehold.storage.turn import Turn
from tests.power import copy_as_after_a_loss, log_bytes

SYSTEM = apsw.vfs_names()[0]
"""The one that SQLite would use."""


class CountingFile(apsw.VFSFile):
    """A file that tells its file system of each sync."""

    def __init__(self, system: "CountingSystem", name: Any, flags: list[int]) -> None:
        self._system = system
        self._is_log = str(name.filename() if isinstance(name, apsw.URIFilename) else name).endswith("-wal")
        super().__init__(SYSTEM, name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802 (the driver's name)
        self._system.log_syncs += self._is_log
        super().xSync(flags)


class CountingSystem(apsw.VFS):
    """The file system, with the syncs of write-ahead logs counted."""

    def __init__(self) -> None:
        self.log_syncs = 0
        super().__init__("counting", SYSTEM, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> CountingFile:  # noqa: N802
        return CountingFile(self, name, flags)


@pytest.fixture
def system() -> Iterator[CountingSystem]:
    counting = CountingSystem()
    yield counting
    counting.unregister()


@pytest.fixture
def late_syncs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sync of relaxed commits comes while the test runs."""
    monkeypatch.setattr(sqlite_writer, "RELAXED_SECONDS", 3600)


@pytest.fixture
async def counted(
    system: CountingSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    """A database whose log nobody moves, for that syncs it too."""
    monkeypatch.setattr(Checkpointer, "note", lambda *_: None)
    database = await open_database(str(tmp_path / "counted.db"), schemas=[])
    await database.write(insert, "first")
    system.log_syncs = 0
    yield database
    await database.close()


async def insert(tx: Transaction, name: str) -> None:
    await tx.execute("INSERT INTO counter (name, value) VALUES (?, 1)", name)


async def names(tx: Transaction) -> list[Row]:
    return await tx.fetch("SELECT name FROM counter WHERE value = 1 ORDER BY name")


async def names_of(database: Database) -> list[str]:
    return [row[0] for row in await database.read(names)]


async def test_what_is_written_relaxed_is_there_at_once(database: Database) -> None:
    await database.write_relaxed(insert, "one")
    assert await names_of(database) == ["one"]
    assert [row[0] for row in await database.read_long(names)] == ["one"]


@pytest.mark.usefixtures("late_syncs")
async def test_only_a_batch_of_relaxed_writes_alone_is_not_synced(
    counted: Database, system: CountingSystem
) -> None:
    await counted.write_relaxed(insert, "a")
    await asyncio.gather(*(counted.write_relaxed(insert, f"b{number}") for number in range(5)))
    assert system.log_syncs == 0
    await asyncio.gather(counted.write_relaxed(insert, "c"), counted.write(insert, "d"))
    assert system.log_syncs == 1
    await counted.write(insert, "e")
    assert system.log_syncs == 2
    await counted.write_relaxed(insert, "f")
    assert system.log_syncs == 2


@pytest.fixture
async def synced(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set by each sync of relaxed commits."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    real = sqlite_writer.Writer._sync_log

    def sync_and_tell(writer: sqlite_writer.Writer) -> None:
        real(writer)
        loop.call_soon_threadsafe(event.set)

    monkeypatch.setattr(sqlite_writer.Writer, "_sync_log", sync_and_tell)
    return event


async def test_relaxed_commits_are_synced_a_little_later(
    sqlite_database: Database, synced: asyncio.Event
) -> None:
    for name in ("one", "two"):
        await sqlite_database.write_relaxed(insert, name)
        await asyncio.wait_for(synced.wait(), 20)
        synced.clear()


async def test_relaxed_commits_are_synced_while_another_process_has_the_turn(
    sqlite_database: SqliteDatabase, synced: asyncio.Event
) -> None:
    await sqlite_database.write_relaxed(insert, "one")
    other = Turn(turn_path(sqlite_database.path))
    other.take()
    waiting = asyncio.ensure_future(sqlite_database.write_relaxed(insert, "two"))
    await asyncio.wait_for(synced.wait(), 20)
    assert not waiting.done()
    other.close()
    await waiting


async def test_relaxed_commits_of_a_database_behind_a_link_are_synced_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    real = os.fdatasync

    def sync(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink())
        real(file)

    monkeypatch.setattr(os, "fdatasync", sync)
    (tmp_path / "disk").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "disk" / "freehold.db")
    database = await open_database(str(tmp_path / "link.db"), schemas=[])
    await database.write_relaxed(insert, "one")
    await database.close()
    assert synced == [tmp_path / "disk" / "freehold.db-wal"]


@pytest.mark.usefixtures("late_syncs")
async def test_closing_syncs_what_was_relaxed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fdatasync

    def sync(file: int) -> None:
        synced.append(file)
        real(file)

    monkeypatch.setattr(os, "fdatasync", sync)
    database = await open_database(str(tmp_path / "freehold.db"), schemas=[])
    await database.write_relaxed(insert, "one")
    assert not synced
    await database.close()
    assert len(synced) == 1


@pytest.mark.usefixtures("late_syncs")
async def test_a_loss_of_power_takes_back_a_tail_of_relaxed_commits_and_nothing_else(tmp_path: Path) -> None:
    path, after = tmp_path / "freehold.db", tmp_path / "after.db"
    database = await open_database(str(path), schemas=[])
    await database.write_relaxed(insert, "kept by the next")
    await database.write(insert, "kept")
    synced = log_bytes(path)
    await database.write_relaxed(insert, "lost")
    await database.write_relaxed(insert, "lost too")
    copy_as_after_a_loss(path, after, synced=synced)
    await database.close()

    after_power = await open_database(str(after), schemas=[])
    assert await names_of(after_power) == ["kept", "kept by the next"]
    await after_power.close()


@pytest.mark.usefixtures("late_syncs")
async def test_a_disk_that_does_not_sync_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", fail)
    database = await open_database(str(tmp_path / "freehold.db"), schemas=[])
    await database.write_relaxed(insert, "one")
    await database.close()
    assert "the disk does not take relaxed commits: Input/output error" in caplog.text
