"""The PostgreSQL engine: a pool of connections, serializable writes that are retried, reads on one snapshot.

Writes are SERIALIZABLE, so a transaction function needs no locks to be right: what it read is still so when
it commits, or it is run again. What is run again waits for its turn: of all such, one runs at a time. The
server's database must be UTF-8; its collation does not matter, as every TEXT column is made with the "C"
collation.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Concatenate, Final, Literal, ParamSpec, TypeVar

import asyncpg

from freehold.storage.database import StorageError, Transaction
from freehold.storage.postgres_connection import (
    CONNECT_SECONDS,
    LONG_STATEMENT_SECONDS,
    RAISED_BY_STATEMENTS,
    RETRIED,
    SERVER_SETTINGS,
    STATEMENT_SECONDS,
    PostgresTransaction,
    SecondStatementError,
    drive,
    translate,
)

P = ParamSpec("P")
T = TypeVar("T")

POOL_CONNECTIONS: Final = 16  # per process
ACQUIRE_SECONDS: Final = 20.0
CLOSE_SECONDS: Final = 20.0
ROLLBACK_SECONDS: Final = 5.0
STATEMENTS_KEPT: Final = 512
ATTEMPTS: Final = 24
FREE_ATTEMPTS: Final = 1  # of these the first, which wait for no turn
FIRST_PAUSE_SECONDS: Final = 0.002
LONGEST_PAUSE_SECONDS: Final = 0.25

BEGIN_WRITE: Final = "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
TURN_LOCK: Final = 0x46524545_5455524E  # the turn of writers that met others, in a database
TAKE_TURN: Final = f"SELECT pg_advisory_lock({TURN_LOCK})"
GIVE_TURN_BACK: Final = f"SELECT pg_advisory_unlock({TURN_LOCK})"
BEGIN_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
BEGIN_LONG_READ: Final = f"{BEGIN_READ}; SET LOCAL statement_timeout = '{LONG_STATEMENT_SECONDS:.0f}s'"


async def connect_pool(url: str, *, readonly: bool) -> "PostgresDatabase":
    """Return the database at a postgresql:// address; raises StorageError when it cannot be reached."""
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=POOL_CONNECTIONS,
            max_queries=1_000_000,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            statement_cache_size=STATEMENTS_KEPT,
            max_cached_statement_lifetime=0,
            server_settings=SERVER_SETTINGS,
            reset=_keep_settings,
        )
    except RAISED_BY_STATEMENTS as error:
        raise translate(error) from error
    return PostgresDatabase(pool, readonly=readonly)


async def _keep_settings(_connection: Any) -> None:
    """Spare the round trip that resets session settings: nothing here changes any."""


class PostgresDatabase:
    """A PostgreSQL database, used from one event loop; see `Database`."""

    engine: Literal["sqlite", "postgres"] = "postgres"

    def __init__(self, pool: Any, *, readonly: bool) -> None:
        self._pool = pool
        self._readonly = readonly
        self._inside: set[asyncio.Task[Any] | None] = set()
        self._several_statements: set[str] = set()  # functions that were seen to need a snapshot
        self._turn = asyncio.Lock()
        self._closed = False
        self._all_done = asyncio.Event()
        self._all_done.set()

    async def read(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function that only reads: one statement costs one round trip, several get a snapshot.

        A function is first run without a transaction. When it asks for a second statement it is started
        again in one, and always from then on.
        """
        name = f"{function.__module__}.{getattr(function, '__qualname__', '')}"
        with self._accepted():
            if name not in self._several_statements:
                try:
                    async with self._connection() as connection:
                        tx = PostgresTransaction(connection, seconds=STATEMENT_SECONDS, single=True)
                        return await drive(function, tx, args, kwargs)
                except SecondStatementError:
                    self._several_statements.add(name)
                except RETRIED:
                    pass
            return await self._run(BEGIN_READ, STATEMENT_SECONDS, function, args, kwargs)

    async def read_long(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function that only reads, with more time for each statement."""
        with self._accepted():
            return await self._run(BEGIN_LONG_READ, LONG_STATEMENT_SECONDS, function, args, kwargs)

    async def write(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function and return its result after the commit is durable."""
        if self._readonly:
            raise RuntimeError("the database was opened for reading only")
        with self._accepted():
            return await self._run(BEGIN_WRITE, STATEMENT_SECONDS, function, args, kwargs)

    async def write_relaxed(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function as `write` does: a relaxed commit would be lost with the server, not the machine."""
        return await self.write(function, *args, **kwargs)

    def reusable_bytes(self) -> int:
        """Return 0: the files are the server's."""
        return 0

    async def close(self) -> None:
        """Finish what was accepted, then close; idempotent."""
        if self._closed:
            return
        self._closed = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._all_done.wait()
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _run(
        self, begin: str, seconds: float, function: Callable[..., Awaitable[T]], args: Any, kwargs: Any
    ) -> T:
        """Run a function in a transaction; again, after longer and random pauses, while others interfere."""
        pause = FIRST_PAUSE_SECONDS
        for attempt in range(ATTEMPTS):
            in_turn = begin == BEGIN_WRITE and attempt >= FREE_ATTEMPTS
            try:
                async with (
                    self._connection_in_turn() if in_turn else self._connection() as connection,
                    _transaction(connection, begin),
                ):
                    return await drive(
                        function, PostgresTransaction(connection, seconds=seconds), args, kwargs
                    )
            except RETRIED as error:
                conflict = error
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 (spreads load, hides nothing)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        raise StorageError from conflict

    @contextmanager
    def _accepted(self) -> Iterator[None]:
        """Note that the running task uses the database, which it may not do again meanwhile."""
        if self._closed:
            raise StorageError("the database is closed")
        task = asyncio.current_task()
        if task in self._inside:
            raise RuntimeError("a transaction function used the database instead of its transaction")
        self._inside.add(task)
        self._all_done.clear()
        try:
            yield
        finally:
            self._inside.discard(task)
            if not self._inside:
                self._all_done.set()

    @asynccontextmanager
    async def _connection_in_turn(self) -> AsyncIterator[Any]:
        """Lend a connection to one at a time, of all processes that write to the database.

        The turn is taken before the transaction, and so before its snapshot. Those of one process wait
        for it without a connection.
        """
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                await self._turn.acquire()
        except TimeoutError as error:
            raise translate(error) from error
        try:
            async with self._connection() as connection:
                try:
                    await _command(connection, TAKE_TURN)
                    yield connection
                finally:
                    await _undo(connection, GIVE_TURN_BACK)
        finally:
            self._turn.release()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """Lend a connection; the pool drops one that fails afterwards, and what was committed stays so."""
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        except RAISED_BY_STATEMENTS as error:
            raise translate(error) from error
        try:
            yield connection
        finally:
            with suppress(*RAISED_BY_STATEMENTS):
                await self._pool.release(connection)


@asynccontextmanager
async def _transaction(connection: Any, begin: str) -> AsyncIterator[None]:
    await _command(connection, begin)
    try:
        yield
    except BaseException:
        await _undo(connection, "ROLLBACK")
        raise
    await _command(connection, "COMMIT")


async def _command(connection: Any, command: str) -> None:
    try:
        await connection.execute(command)
    except RETRIED:
        raise
    except RAISED_BY_STATEMENTS as error:
        raise translate(error) from error


async def _undo(connection: Any, command: str) -> None:
    """Run what ends a transaction or a turn; a connection that cannot is dropped, which ends both as well."""
    try:
        await connection.execute(command, timeout=ROLLBACK_SECONDS)
    except BaseException as error:
        with suppress(asyncpg.InterfaceError):  # lost, and so out of the pool already
            connection.terminate()
        if not isinstance(error, RAISED_BY_STATEMENTS):
            raise
