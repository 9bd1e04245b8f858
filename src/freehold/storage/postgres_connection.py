"""One PostgreSQL connection: its settings, its transaction for functions, and its errors in our words."""

import types
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from typing import Any, Final, TypeVar

import asyncpg

from freehold.storage.database import (
    ConstraintError,
    IntegrityError,
    QueryError,
    Row,
    StorageError,
    StorageFullError,
    Value,
    foreign_await,
)
from freehold.storage.dialect import postgres_statement

T = TypeVar("T")

CONNECT_SECONDS: Final = 10.0
STATEMENT_SECONDS: Final = 30.0
LONG_STATEMENT_SECONDS: Final = 300.0
SERVER_GRACE_SECONDS: Final = 5.0  # the client gives up this much after the server should have

# Connections refuse to write unless a transaction says otherwise, so that `read()` cannot.
SERVER_SETTINGS: Final = {
    "application_name": "freehold",
    "synchronous_commit": "on",
    "default_transaction_read_only": "on",
    "statement_timeout": f"{STATEMENT_SECONDS:.0f}s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
    "jit": "off",  # short statements: compiling costs more than it saves
}

RETRIED: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,
)
RAISED_BY_STATEMENTS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    OverflowError,
    UnicodeEncodeError,
)
_FAULTS_OF_THE_PROGRAM: Final = (
    asyncpg.SyntaxOrAccessError,
    asyncpg.DataError,
    ValueError,  # the driver's own DataError is one: a value of the wrong type
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.FeatureNotSupportedError,
    OverflowError,
)


def translate(error: BaseException) -> StorageError:
    """Return the storage error that says what PostgreSQL or its driver said."""
    match error:
        case StorageError():
            return error
        case asyncpg.UniqueViolationError():
            return IntegrityError()
        case asyncpg.IntegrityConstraintViolationError():
            return ConstraintError()
        case asyncpg.DiskFullError():
            return StorageFullError()
    return QueryError() if isinstance(error, _FAULTS_OF_THE_PROGRAM) else StorageError()


class SecondStatementError(BaseException):
    """A function that was run without a transaction asked for a second statement, which needs a snapshot.

    Not an Exception, so that no transaction function catches it.
    """


class PostgresTransaction:
    """Statements on one connection; `waiting` tells whether one is under way.

    `failure` is the first error of a statement; the transaction can then only be undone.
    """

    __slots__ = ("_connection", "_seconds", "_single", "_used", "failure", "waiting")

    def __init__(self, connection: Any, *, seconds: float, single: bool = False) -> None:
        self._connection = connection
        self._seconds = seconds + SERVER_GRACE_SECONDS
        self._single = single
        self._used = False
        self.failure: BaseException | None = None
        self.waiting = False

    async def fetch(self, sql: str, *arguments: Value) -> list[Row]:
        """Return all rows."""
        statement = self._start(sql, arguments)
        try:
            records = await self._connection.fetch(statement, *arguments, timeout=self._seconds)
        except RAISED_BY_STATEMENTS as error:
            raise self._failed(error) from error
        finally:
            self.waiting = False
        return list(map(tuple, records))

    async def fetch_one(self, sql: str, *arguments: Value) -> Row | None:
        """Return the first row, or None."""
        statement = self._start(sql, arguments)
        try:
            record = await self._connection.fetchrow(statement, *arguments, timeout=self._seconds)
        except RAISED_BY_STATEMENTS as error:
            raise self._failed(error) from error
        finally:
            self.waiting = False
        return None if record is None else tuple(record)

    async def execute(self, sql: str, *arguments: Value) -> None:
        """Run a statement and drop what it returns."""
        statement = self._start(sql, arguments)
        try:
            await self._connection.execute(statement, *arguments, timeout=self._seconds)
        except RAISED_BY_STATEMENTS as error:
            raise self._failed(error) from error
        finally:
            self.waiting = False

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once for each row of arguments, without waiting for each answer."""
        all_rows = list(rows)
        statement = self._start(sql, [argument for row in all_rows for argument in row])
        try:
            await self._connection.executemany(statement, all_rows, timeout=self._seconds)
        except RAISED_BY_STATEMENTS as error:
            raise self._failed(error) from error
        finally:
            self.waiting = False

    def end(self) -> None:
        """Refuse statements from now on."""
        if self.failure is None:
            self.failure = QueryError("the transaction is over")

    @property
    def retried(self) -> BaseException | None:
        """The failure, if it says that the transaction may be run again."""
        return self.failure if isinstance(self.failure, RETRIED) else None

    def _start(self, sql: str, arguments: Sequence[Value]) -> str:
        if self.failure is not None:
            raise QueryError("the transaction has failed or is over")
        for argument in arguments:
            if type(argument) is str and "\0" in argument:
                self.failure = QueryError("text may not hold NUL")
                raise self.failure
        if self._single:
            if self._used:
                self.failure = SecondStatementError()
                raise self.failure
            self._used = True
        self.waiting = True
        return postgres_statement(sql)

    def _failed(self, error: BaseException) -> StorageError:
        self.failure = error
        return translate(error)


@types.coroutine
def drive(
    function: Callable[..., Awaitable[T]], tx: PostgresTransaction, args: Any, kwargs: Any
) -> Generator[Any, Any, T]:
    """Run a transaction function on the loop.

    Raises RuntimeError when it awaits anything but its transaction, and the failure of a statement even when
    the function caught it: one of RETRIED as it is, all others as a StorageError.
    """
    steps: Generator[Any, Any, T] = function(tx, *args, **kwargs).__await__()
    try:
        awaited = next(steps)
        while tx.waiting:
            try:
                answer = yield awaited
            except BaseException as error:  # noqa: BLE001 (time-outs and cancellation belong to the statement)
                awaited = steps.throw(error)
            else:
                awaited = steps.send(answer)
    except StopIteration as end:
        if tx.failure is not None:
            raise tx.retried or translate(tx.failure) from tx.failure
        result: T = end.value
        return result
    except Exception:
        if tx.retried is not None:
            raise tx.retried from None
        raise
    finally:
        tx.end()
    steps.close()
    raise foreign_await(function)
