"""Moves SQLite's write-ahead log into the database, beside the writers and not in their way."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from freehold.storage.database import StorageError
from freehold.storage.sqlite_connection import open_connection

CHECKPOINT_PAGES: Final = 4_000  # 16 MiB of log
SHRINK_BYTES: Final = 128 << 20  # a log file that grew beyond this is cut when nobody writes
IDLE_SECONDS: Final = 2.0


class Checkpointer:
    """A thread with its own connection.

    It works while others write, so it may never see the end of the log; the log starts anew only when a
    writer finds all of it moved, so the writer itself moves the rest of a long one (`sqlite_writer`).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log_path = path.with_name(path.name + "-wal")
        self._bell = threading.Event()
        self._noted = 0
        self._due = CHECKPOINT_PAGES
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sqlite-checkpoint", daemon=True)
        self._thread.start()

    def note(self, written: int) -> None:
        """Tell after a commit how many pages its connection has written so far."""
        first = not self._noted
        self._noted = written
        if first or written >= self._due or written < self._due - CHECKPOINT_PAGES:
            self._due = written + CHECKPOINT_PAGES
            self._bell.set()

    def close(self) -> None:
        """End the thread, after the checkpoint under way."""
        self._closing.set()
        self._bell.set()
        self._thread.join()

    def _run(self) -> None:
        connection: apsw.Connection | None = None
        while not self._closing.is_set():
            before = self._noted
            rung = self._bell.wait(IDLE_SECONDS if before else None)
            self._bell.clear()
            idle = not rung and self._noted == before
            if self._closing.is_set() or not (rung or idle):
                continue
            if idle:
                self._noted = 0
            with suppress(apsw.Error, StorageError, OSError):  # nothing is lost: the next one tries again
                if connection is None:
                    connection = open_connection(self._path, readonly=False)
                    connection.set_busy_timeout(0)
                self._checkpoint(connection, idle=idle)
        if connection is not None:
            connection.close()

    def _checkpoint(self, connection: apsw.Connection, *, idle: bool) -> None:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        if idle and self._log_path.stat().st_size > SHRINK_BYTES:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
