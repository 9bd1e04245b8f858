"""The SQLite engine: a reader and a writer in the loop's thread, a few reader threads, one to commit.

Open it in the process that uses it: neither connections nor threads survive a fork.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, Final, Literal, ParamSpec, TypeVar

import apsw

from freehold.storage.database import StorageError, Transaction
from freehold.storage.sqlite_connection import SqliteTransaction, drive, open_connection, translate
from freehold.storage.sqlite_writer import Writer
from freehold.storage.turn import Turn

P = ParamSpec("P")
T = TypeVar("T")

LONG_READERS: Final = 3


def turn_path(path: Path) -> Path:
    """Return the lock file of a database file."""
    return path.with_name(path.name + ".turn")


class _Reader:
    """A connection that only reads, for one thread."""

    __slots__ = ("_connection", "_path")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_connection(path, readonly=True)

    def run(self, function: Callable[..., Awaitable[T]], args: Any, kwargs: Any) -> T:
        """Run a function on one snapshot."""
        try:
            self._connection.execute("BEGIN")
        except apsw.Error as error:
            raise translate(error, self._path) from error
        try:
            return drive(function, SqliteTransaction(self._connection, self._path), args, kwargs)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def reusable_bytes(self) -> int:
        """Return the size of the pages that nothing is in."""
        try:
            pages = self._connection.pragma("freelist_count")
            page_bytes = self._connection.pragma("page_size")
        except apsw.Error as error:
            raise translate(error, self._path) from error
        return int(pages) * int(page_bytes)

    @property
    def busy(self) -> bool:
        return self._connection.in_transaction

    def close(self) -> None:
        self._connection.close()


class SqliteDatabase:
    """A SQLite file, used from one event loop; see `Database`."""

    engine: Literal["sqlite", "postgres"] = "sqlite"

    def __init__(self, path: Path, *, readonly: bool) -> None:
        self.path = path
        self._thread = threading.get_ident()
        self._reader = _Reader(path)
        self._long_readers: list[_Reader] = []
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(LONG_READERS, thread_name_prefix="sqlite-reader")
        self._turn = None if readonly else Turn(turn_path(path))
        self._writer = None if self._turn is None else Writer(path, self._turn)
        self._closed = False

    async def read(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a short function in this thread: a point read takes 5–8 µs, a hop to another thread 300."""
        self._check_use()
        return self._reader.run(function, args, kwargs)

    async def read_long(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function on a reader thread; at most three run at a time."""
        self._check_use()
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, self._read_here, function, args, kwargs
        )

    async def write(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function and return its result after the commit, shared with others, is durable."""
        result: T = await self._usable_writer().submit(function, args, kwargs)
        return result

    async def write_relaxed(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function and return its result after the commit, which is durable within a second."""
        result: T = await self._usable_writer().submit(function, args, kwargs, is_relaxed=True)
        return result

    def reusable_bytes(self) -> int:
        """Return the size of the file's pages that nothing is in."""
        self._check_use()
        return self._reader.reusable_bytes()

    async def close(self) -> None:
        """Finish what was accepted, then close; idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._writer is not None:
            await self._writer.close()
        await asyncio.get_running_loop().run_in_executor(None, self._pool.shutdown)
        for reader in (*self._long_readers, self._reader):
            reader.close()
        if self._turn is not None:
            self._turn.close()

    def _read_here(self, function: Callable[..., Awaitable[T]], args: Any, kwargs: Any) -> T:
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = _Reader(self.path)
            self._long_readers.append(reader)
        return reader.run(function, args, kwargs)

    def _usable_writer(self) -> Writer:
        self._check_use()
        if self._writer is None:
            raise RuntimeError("the database was opened for reading only")
        return self._writer

    def _check_use(self) -> None:
        if self._closed:
            raise StorageError("the database is closed")
        if (
            threading.get_ident() != self._thread
            or self._reader.busy
            or (self._writer is not None and self._writer.running)
        ):
            raise RuntimeError("a transaction function used the database instead of its transaction")
