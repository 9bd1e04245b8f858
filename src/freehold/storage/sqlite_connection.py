"""One SQLite connection: its settings, its transaction as functions see it, and its errors in our words."""

import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw

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

T = TypeVar("T")

NO_LOOP: Final = "no running event loop"

BUSY_MILLISECONDS: Final = (
    10_000  # only for what the turn does not guard: recovery and checkpoints of other programs
)
PAGE_CACHE_KIB: Final = 16_384
STATEMENTS_KEPT: Final = 256
NEARLY_FULL_BYTES: Final = 1 << 20  # below this much free space an I/O error is taken for a full disk

_UNIQUE: Final = frozenset(
    {apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_ROWID}
)
_FAULTS_OF_THE_PROGRAM: Final = (
    apsw.SQLError,
    apsw.BindingsError,
    apsw.MismatchError,
    apsw.RangeError,
    apsw.MisuseError,
    apsw.ReadOnlyError,
    apsw.TooBigError,
    apsw.IncompleteExecutionError,
    OverflowError,
    UnicodeEncodeError,
    TypeError,
)
_RAISED_BY_STATEMENTS: Final = (apsw.Error, OverflowError, UnicodeEncodeError, TypeError)


def open_connection(path: Path, *, readonly: bool) -> apsw.Connection:
    """Open a database with the settings that every connection of Freehold has."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOMUTEX
    try:
        connection = apsw.Connection(
            str(path),
            flags if readonly else flags | apsw.SQLITE_OPEN_CREATE,
            statementcachesize=STATEMENTS_KEPT,
        )
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        # plans do not depend on arguments: else some statements are compiled anew each time
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{PAGE_CACHE_KIB}")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA temp_store = MEMORY")
        if readonly:
            connection.execute("PRAGMA query_only = ON")
    except apsw.Error as error:
        raise translate(error, path) from error
    return connection


def translate(error: BaseException, path: Path) -> StorageError:
    """Return the storage error that says what SQLite said."""
    if isinstance(error, StorageError):
        return error
    if isinstance(error, apsw.ConstraintError):
        return IntegrityError() if getattr(error, "extendedresult", 0) in _UNIQUE else ConstraintError()
    if isinstance(error, apsw.FullError) or (isinstance(error, apsw.IOError) and _nearly_full(path)):
        return StorageFullError()
    if isinstance(error, _FAULTS_OF_THE_PROGRAM):
        return QueryError()
    return StorageError()


def _nearly_full(path: Path) -> bool:
    try:
        status = os.statvfs(path.parent)
    except OSError:
        return False
    return status.f_bavail * status.f_frsize < NEARLY_FULL_BYTES


class SqliteTransaction:
    """A transaction on one connection; each statement is over when its method returns.

    `failure` is the first error of a statement; the transaction can then only be undone.
    """

    __slots__ = ("_connection", "_path", "failure")

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self.failure: StorageError | None = None

    async def fetch(self, sql: str, *arguments: Value) -> list[Row]:
        """Return all rows."""
        try:
            return self._start(sql, arguments).fetchall()
        except _RAISED_BY_STATEMENTS as error:
            raise self._failed(error) from error

    async def fetch_one(self, sql: str, *arguments: Value) -> Row | None:
        """Return the first row, or None."""
        try:
            return self._start(sql, arguments).fetchone()
        except _RAISED_BY_STATEMENTS as error:
            raise self._failed(error) from error

    async def execute(self, sql: str, *arguments: Value) -> None:
        """Run a statement and drop what it returns."""
        try:
            self._start(sql, arguments)
        except _RAISED_BY_STATEMENTS as error:
            raise self._failed(error) from error

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once for each row of arguments."""
        try:
            for arguments in rows:
                self._start(sql, arguments)
        except _RAISED_BY_STATEMENTS as error:
            raise self._failed(error) from error

    def end(self) -> None:
        """Refuse statements from now on."""
        if self.failure is None:
            self.failure = QueryError("the transaction is over")

    def _start(self, sql: str, arguments: Sequence[Value]) -> apsw.Cursor:
        if self.failure is not None:
            raise QueryError("the transaction has failed or is over")
        for argument in arguments:
            if type(argument) is str and "\0" in argument:
                raise self._failed(QueryError("text may not hold NUL"))
        return self._connection.execute(sql, arguments)

    def _failed(self, error: BaseException) -> StorageError:
        failure = translate(error, self._path)
        if self.failure is None:
            self.failure = failure
        return failure


def drive(function: Callable[..., Awaitable[T]], tx: SqliteTransaction, args: Any, kwargs: Any) -> T:
    """Run a transaction function to its end in this thread, without ever suspending.

    Raises RuntimeError when it awaits anything but its transaction, and the failure of a statement even when
    the function caught it.
    """
    steps = function(tx, *args, **kwargs).__await__()
    try:
        next(steps)
    except StopIteration as end:
        if tx.failure is not None:
            raise tx.failure from None
        result: T = end.value
        return result
    except RuntimeError as error:
        if str(error) == NO_LOOP:  # asyncio's own words, in a thread without a loop
            raise foreign_await(function) from error
        raise
    finally:
        tx.end()
    steps.close()
    raise foreign_await(function)
