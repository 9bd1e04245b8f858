"""The writer thread of a SQLite database: transactions that wait together share one commit and one sync.

Each function runs in its own savepoint, so a failing one undoes only itself. When the commit fails, nobody's
work was kept and everybody learns it. Processes take turns (see `turn`).
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from freehold.storage.database import StorageError
from freehold.storage.sqlite_connection import SqliteTransaction, drive, open_connection, translate
from freehold.storage.turn import Turn

BATCH_TRANSACTIONS: Final = 256
BATCH_SECONDS: Final = 0.05  # what waits behind a long batch is let into the next one
WAIT_SECONDS: Final = 20.0  # a write that was not begun by then fails; SMTP clients wait minutes
CHECKPOINT_PAGES: Final = 4_000  # 16 MiB of log
CHECKPOINT_BUSY_PAGES: Final = 16_000  # beyond this the log is emptied even while others wait
SHRINK_PAGES: Final = 32_000  # a log that grew beyond this is cut when nobody writes
IDLE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Write:
    """One accepted call of `write()`."""

    function: Callable[..., Awaitable[Any]]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    future: asyncio.Future[Any]
    accepted: float


@dataclass(slots=True)
class Outcome:
    """What a write came to; only the writer thread changes it, before it is told."""

    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Accepts writes on the loop's thread and runs them on its own."""

    def __init__(self, path: Path, turn: Turn) -> None:
        self._path = path
        self._turn = turn
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Write] = deque()  # popleft() is how either thread claims a write
        self._bell = threading.Event()
        self._closing = False
        self._watch: asyncio.TimerHandle | None = None
        self._connection: apsw.Connection | None = None
        self._log_pages = 0
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    def submit(
        self, function: Callable[..., Awaitable[Any]], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> asyncio.Future[Any]:
        """Accept a write; the future is settled after the commit is durable."""
        if self._closing:
            raise StorageError("the database is closed")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(Write(function, args, kwargs, future, self._loop.time()))
        if not self._bell.is_set():
            self._bell.set()
        if self._watch is None:
            self._watch = self._loop.call_later(WAIT_SECONDS, self._refuse_the_late)
        return future

    async def close(self) -> None:
        """Finish what was accepted and end the thread."""
        self._closing = True
        self._bell.set()
        await self._loop.run_in_executor(None, self._thread.join)
        if self._watch is not None:
            self._watch.cancel()

    def _refuse_the_late(self) -> None:
        """Fail the writes that were not begun in time: another process holds the turn, or the disk hangs."""
        self._watch = None
        latest = self._loop.time() - WAIT_SECONDS
        while self._waiting and self._waiting[0].accepted <= latest:
            write = self._waiting.popleft()
            if not write.future.done():
                write.future.set_exception(StorageError())
        if self._waiting:
            self._watch = self._loop.call_later(WAIT_SECONDS / 4, self._refuse_the_late)

    def _run(self) -> None:
        while self._waiting or not self._closing:
            if not self._waiting and not self._bell.wait(IDLE_SECONDS if self._log_pages else None):
                self._checkpoint(idle=True)
                continue
            self._bell.clear()
            if self._waiting:
                self._run_turn()
        if self._connection is not None:
            self._connection.close()

    def _run_turn(self) -> None:
        outcomes: list[Outcome] = []
        self._turn.take()
        try:
            self._commit_batch(outcomes)
        except Exception as error:  # noqa: BLE001 (every caller is told, and the thread must live)
            self._reset()
            for outcome in outcomes:
                failure = translate(error, self._path)
                failure.__cause__ = error
                outcome.result, outcome.error = None, outcome.error or failure
        finally:
            self._turn.give()
        self._loop.call_soon_threadsafe(_settle, outcomes)
        self._checkpoint(idle=False)

    def _commit_batch(self, outcomes: list[Outcome]) -> None:
        """Run what waits, in order of arrival, and commit it."""
        end = time.monotonic() + BATCH_SECONDS
        connection = None
        while len(outcomes) < BATCH_TRANSACTIONS and (not outcomes or time.monotonic() < end):
            try:
                write = self._waiting.popleft()
            except IndexError:
                break
            outcome = Outcome(write.future)
            outcomes.append(outcome)
            if write.future.cancelled():
                continue
            if connection is None:
                connection = self._begin()
            self._run_one(connection, write, outcome)
        if connection is not None:
            connection.execute("COMMIT")

    def _begin(self) -> apsw.Connection:
        connection = self._connection
        if connection is None:
            connection = self._connection = open_connection(self._path, readonly=False)
            connection.set_wal_hook(self._note_log_pages)
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def _run_one(self, connection: apsw.Connection, write: Write, outcome: Outcome) -> None:
        connection.execute("SAVEPOINT one")
        try:
            outcome.result = drive(
                write.function, SqliteTransaction(connection, self._path), write.args, write.kwargs
            )
        except BaseException as error:  # noqa: BLE001 (handed to the caller, who decides)
            outcome.error = error
        if not connection.in_transaction:  # SQLite undid everything: disk full, I/O error, out of memory
            raise outcome.error or StorageError()
        if outcome.error is not None:
            connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")

    def _reset(self) -> None:
        """Undo the batch; a connection that cannot even do that is replaced."""
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except apsw.Error:
            self._connection = None
            connection.close(force=True)

    def _note_log_pages(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self, *, idle: bool) -> None:
        """Move the log into the database when it is long and nobody waits, or when it is very long."""
        if self._connection is None:
            return
        if not idle and self._log_pages < (CHECKPOINT_BUSY_PAGES if self._waiting else CHECKPOINT_PAGES):
            return
        shrink = idle and self._log_pages >= SHRINK_PAGES
        try:
            self._connection.wal_checkpoint(
                mode=apsw.SQLITE_CHECKPOINT_TRUNCATE if shrink else apsw.SQLITE_CHECKPOINT_PASSIVE
            )
        except apsw.Error:
            return  # busy or full: nothing is lost, and the next one tries again
        self._log_pages = 0


def _settle(outcomes: list[Outcome]) -> None:
    """Tell the callers, on the loop, after the commit."""
    for outcome in outcomes:
        if outcome.future.done():
            continue
        if outcome.error is not None:
            outcome.future.set_exception(outcome.error)
        else:
            outcome.future.set_result(outcome.result)
