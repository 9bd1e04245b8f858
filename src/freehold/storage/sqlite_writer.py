"""Writes of a SQLite database: transactions that wait together share one commit and one sync.

Functions run in the loop's thread, the commit with its sync in the writer thread, while the loop serves those
who will write next. A lone writer's commit is made in the loop too, where commits prove to take little: two
hops between threads would cost more than they save. A whole transaction in the thread would have to win the
interpreter's lock after each statement: beside a busy loop that took seconds for what takes 40 µs in the
loop. A function's statements touch memory; what takes long goes into several transactions.

A function that fails undoes only itself. Savepoints would cost each batch more than failures do: so when one
has changed something and fails, the batch is undone and run once more, then with a savepoint for each. When
the commit fails, nobody's work was kept and everybody learns it. Processes take turns (see `turn`).

A batch of relaxed writes alone is committed without a sync, in the loop; the log is synced within a second
(`RELAXED_SECONDS`), or by the next commit that is not relaxed.
"""

import asyncio
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from freehold.storage.database import StorageError
from freehold.storage.sqlite_checkpoint import CHECKPOINT_PAGES, Checkpointer
from freehold.storage.sqlite_connection import SqliteTransaction, drive, open_connection, translate
from freehold.storage.turn import Turn

log = logging.getLogger("freehold.storage")

BATCH_TRANSACTIONS: Final = 256
BATCH_SECONDS: Final = (
    0.01  # the loop does nothing else meanwhile; what waits behind goes into the next batch
)
QUICK_SECONDS: Final = 0.0015
"""Where a commit usually takes less, a lone writer's is made in the loop; a long one ends that at once."""
GATHER_SECONDS: Final = 0.002
"""Where fewer wait than wrote together the last time, a batch waits so long for more to share its commit."""
LATEST_WEIGHT: Final = 0.2
UNKNOWN_COMMIT_SECONDS: Final = 0.01
RELAXED_SECONDS: Final = 0.5
"""How long after a relaxed commit the log is synced; the rest of its second is for the sync."""
WAIT_SECONDS: Final = 20.0  # a write that was not begun by then fails; SMTP clients wait minutes
CATCH_UP_PAGES: Final = 2 * CHECKPOINT_PAGES


@dataclass(frozen=True, slots=True)
class Write:
    """One accepted call of `write()`."""

    function: Callable[..., Awaitable[Any]]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    future: asyncio.Future[Any]
    accepted: float
    is_relaxed: bool


@dataclass(slots=True)
class Outcome:
    """What a write came to, until it is told."""

    write: Write
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Accepts writes on the loop's thread; one batch at a time is run or committed."""

    def __init__(self, path: Path, turn: Turn) -> None:
        self._path = path
        self._turn = turn
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Write] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        self._watch: asyncio.TimerHandle | None = None
        self._connection: apsw.Connection | None = None
        self._moved_at = 0  # pages that the connection had written when the log was last moved
        self._checkpointer = Checkpointer(path)
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="sqlite-writer", daemon=True)
        self._thread.start()
        self.running = False
        self._company = 0  # writers of the last batch
        self._gathering: asyncio.TimerHandle | None = None
        self._commit_seconds = UNKNOWN_COMMIT_SECONDS
        self._is_relaxed = False  # what the connection's next commit is
        # first for what a process that was killed left
        self._sync: asyncio.TimerHandle | None = self._loop.call_later(RELAXED_SECONDS, self._sync_soon)
        # the writer thread may have to wait for the turn, and what was answered must not
        self._syncer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-sync")

    def submit(
        self,
        function: Callable[..., Awaitable[Any]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        is_relaxed: bool = False,
    ) -> asyncio.Future[Any]:
        """Accept a write; the future is settled after the commit is durable, or is made if that is enough."""
        if self._closed:
            raise StorageError("the database is closed")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(Write(function, args, kwargs, future, self._loop.time(), is_relaxed))
        if self._idle.is_set():
            self._idle.clear()
            self._begin_soon()
        elif self._gathering is not None and len(self._waiting) >= self._company:
            self._gathering.cancel()
            self._gathering = None
            self._loop.call_soon(self._start_batch)
        if self._watch is None:
            self._watch = self._loop.call_later(WAIT_SECONDS, self._refuse_the_late)
        return future

    async def close(self) -> None:
        """Finish what was accepted and end the threads."""
        self._closed = True
        await self._idle.wait()
        if self._watch is not None:
            self._watch.cancel()
        if self._sync is not None:
            self._sync.cancel()
            self._sync_soon()
        self._jobs.put(None)
        await asyncio.to_thread(self._syncer.shutdown)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._checkpointer.close)
        if self._connection is not None:
            self._connection.close()

    # What runs in the loop's thread.

    def _begin_soon(self) -> None:
        """Begin a batch: when as many wait as wrote together lately, else a moment later."""
        if len(self._waiting) < self._company and not self._waiting[0].is_relaxed:
            self._gathering = self._loop.call_later(GATHER_SECONDS, self._start_batch)
        else:
            self._loop.call_soon(self._start_batch)  # after the tasks that are ready to write as well

    def _start_batch(self) -> None:
        self._gathering = None
        if self._turn.take_now():
            self._run_batch()
        else:
            self._jobs.put(self._wait_for_turn)

    def _run_batch(self) -> None:
        outcomes: list[Outcome] = []
        try:
            self._run_waiting(outcomes)
        except Exception as error:  # noqa: BLE001 (every caller is told, and the next batch must begin)
            self._undo(outcomes, error)
        connection = self._connection
        if connection is not None and connection.in_transaction:
            is_quick = self._is_relaxed or (len(outcomes) == 1 and self._commit_seconds < QUICK_SECONDS)
            if not is_quick or self._log_is_long(connection):
                self._jobs.put(lambda: self._commit_beside(connection, outcomes))
                return
            self._commit(connection, outcomes)
        self._turn.give()
        self._finish(outcomes)

    def _run_waiting(self, outcomes: list[Outcome]) -> None:
        """Run what waits, in order of arrival, in one transaction."""
        end = time.monotonic() + BATCH_SECONDS
        connection = None
        guarded = False
        is_relaxed = all(write.is_relaxed for write in self._waiting)
        while self._waiting and len(outcomes) < BATCH_TRANSACTIONS:
            write = self._waiting.popleft()
            if write.future.done():
                continue
            outcome = Outcome(write)
            outcomes.append(outcome)
            if connection is None:
                connection = self._begin(is_relaxed=is_relaxed)
            if guarded:
                self._run_guarded(connection, outcome)
            elif not self._run_clean(connection, outcome):
                guarded = True
                self._run_again(connection, outcomes)
            if time.monotonic() >= end:
                return

    def _begin(self, *, is_relaxed: bool) -> apsw.Connection:
        connection = self._connection
        if connection is None:
            connection = self._connection = open_connection(self._path, readonly=False)
            self._moved_at = 0
            self._is_relaxed = False
        if self._is_relaxed != is_relaxed:
            connection.execute(f"PRAGMA synchronous = {'NORMAL' if is_relaxed else 'FULL'}")
            self._is_relaxed = is_relaxed
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def _run_again(self, connection: apsw.Connection, outcomes: list[Outcome]) -> None:
        """Undo the batch and run it once more, so that whoever fails undoes only itself."""
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        for outcome in outcomes:
            self._run_guarded(connection, outcome)

    def _run_guarded(self, connection: apsw.Connection, outcome: Outcome) -> None:
        connection.execute("SAVEPOINT one")
        self._run_one(connection, outcome)
        if outcome.error is not None:
            connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")

    def _run_clean(self, connection: apsw.Connection, outcome: Outcome) -> bool:
        """Run a function; False where it failed and leaves something to undo."""
        before = connection.total_changes()
        self._run_one(connection, outcome)
        return outcome.error is None or connection.total_changes() == before

    def _run_one(self, connection: apsw.Connection, outcome: Outcome) -> None:
        write = outcome.write
        outcome.result = outcome.error = None
        self.running = True
        try:
            outcome.result = drive(
                write.function, SqliteTransaction(connection, self._path), write.args, write.kwargs
            )
        except BaseException as error:  # noqa: BLE001 (handed to the caller, who decides)
            outcome.error = error
        finally:
            self.running = False
        if not connection.in_transaction:  # SQLite undid everything: disk full, I/O error, out of memory
            raise outcome.error or StorageError()

    def _finish(self, outcomes: list[Outcome]) -> None:
        """Tell the callers, after the commit, and begin the next batch."""
        for outcome in outcomes:
            future = outcome.write.future
            if future.done():
                continue
            if outcome.error is not None:
                future.set_exception(outcome.error)
            else:
                future.set_result(outcome.result)
        if self._is_relaxed:
            if self._sync is None:
                self._sync = self._loop.call_later(RELAXED_SECONDS, self._sync_soon)
        else:
            self._company = len(outcomes)
        if self._waiting:
            self._begin_soon()
        else:
            self._idle.set()

    def _sync_soon(self) -> None:
        self._sync = None
        self._syncer.submit(self._sync_log)

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

    # What runs in the writer thread.

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _wait_for_turn(self) -> None:
        self._turn.take()
        self._tell(self._run_batch)

    def _commit_beside(self, connection: apsw.Connection, outcomes: list[Outcome]) -> None:
        self._commit(connection, outcomes)
        if self._log_is_long(connection):
            self._move_log(connection)
        self._turn.give()
        self._tell(self._finish, outcomes)

    def _move_log(self, connection: apsw.Connection) -> None:
        """Have the end of a long log moved into the database while nobody else writes."""
        written = _pages_written(connection)
        self._moved_at = written - CHECKPOINT_PAGES  # if the checkpointer is at it: soon again
        with suppress(apsw.Error):
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._moved_at = written

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop was closed without closing the database: nobody is left to be told
            self._jobs.put(None)

    # What runs in a thread of its own.

    def _sync_log(self) -> None:
        """Make relaxed commits durable."""
        try:
            descriptor = os.open(f"{self._path}-wal", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # nothing was written yet
        try:
            os.fdatasync(descriptor)
        except OSError as error:  # and the next commit that must be durable meets it
            log.error("the disk does not take relaxed commits: %s", error.strerror)  # noqa: TRY400
        finally:
            os.close(descriptor)

    # What runs in either of the first two, one at a time.

    def _commit(self, connection: apsw.Connection, outcomes: list[Outcome]) -> None:
        """Make a batch durable, and learn how long that takes here."""
        begun = time.monotonic()
        try:
            connection.execute("COMMIT")
        except apsw.Error as error:
            self._undo(outcomes, error)
        else:
            self._checkpointer.note(_pages_written(connection))
        if not self._is_relaxed:
            self._commit_seconds += (time.monotonic() - begun - self._commit_seconds) * LATEST_WEIGHT

    def _log_is_long(self, connection: apsw.Connection) -> bool:
        return _pages_written(connection) - self._moved_at >= CATCH_UP_PAGES

    def _undo(self, outcomes: list[Outcome], error: BaseException) -> None:
        """Undo the batch, on a new connection if this one cannot even do that, and fail all its writes."""
        connection = self._connection
        try:
            if connection is not None and connection.in_transaction:
                connection.execute("ROLLBACK")
        except apsw.Error:
            self._connection = None
            if connection is not None:
                connection.close(force=True)
        for outcome in outcomes:
            failure = translate(error, self._path)
            failure.__cause__ = None if failure is error else error
            outcome.result, outcome.error = None, outcome.error or failure


def _pages_written(connection: apsw.Connection) -> int:
    return int(connection.status(apsw.SQLITE_DBSTATUS_CACHE_WRITE)[0])
