"""The contract of a database: transactions are functions, run by either engine.

A transaction function is `async def f(tx, …)` and awaits nothing but `tx`; anything else is a RuntimeError at
once. It may be run more than once (PostgreSQL retries serialization failures), so it changes nothing but the
database. After a failed statement the transaction is lost on both engines: a function does not catch a
StorageError and go on, it uses ON CONFLICT.

The portable dialect: `?` parameters, BIGINT, TEXT, BOOLEAN, BLOB, ON CONFLICT, RETURNING, `TRUE` and `FALSE`.
Keywords that are translated (BIGINT, BOOLEAN, BLOB, TEXT, STRICT, WITHOUT ROWID) are written in capitals.
BOOLEAN columns take Python bools and come back as int from SQLite, bool from PostgreSQL: wrap with bool().
TEXT compares and sorts by code point (binary) on both engines and never holds NUL: such a value is refused.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from freehold.errors import FreeholdError

Value = int | str | bytes | float | bool | None
Row = tuple[Any, ...]
P = ParamSpec("P")
T = TypeVar("T")


class StorageError(FreeholdError):
    """The database or blob store cannot do this now; the cause is chained, never shown to a peer."""

    public = "storage is unavailable, try again later"
    temporary = True


class StorageFullError(StorageError):
    """No space is left on the disk."""

    public = "storage is full, try again later"


class ConstraintError(StorageError):
    """A row breaks a rule of its table (NOT NULL, CHECK, foreign key)."""

    public = "internal error"
    temporary = False


class IntegrityError(ConstraintError):
    """A unique or primary key exists already."""

    public = "already exists"


class QueryError(StorageError):
    """A statement is wrong or is given values that do not fit: a fault of the program."""

    public = "internal error"
    temporary = False


class SchemaError(FreeholdError):
    """The database's schema and this program do not fit together."""

    public = "the database does not fit this program"


def foreign_await(function: Callable[..., object]) -> RuntimeError:
    """Return the error for a function that waits for something else inside its transaction."""
    name = getattr(function, "__qualname__", repr(function))
    return RuntimeError(f"{name} awaited something other than its transaction")


class Transaction(Protocol):
    """What a transaction function may await."""

    async def fetch(self, sql: str, *arguments: Value) -> list[Row]:
        """Return all rows."""
        ...

    async def fetch_one(self, sql: str, *arguments: Value) -> Row | None:
        """Return the first row, or None."""
        ...

    async def execute(self, sql: str, *arguments: Value) -> None:
        """Run a statement and drop what it returns."""
        ...

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once for each row of arguments."""
        ...


class Database(Protocol):
    """One database, used from one event loop."""

    engine: Literal["sqlite", "postgres"]

    async def read(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function that only reads, on one snapshot.

        SQLite runs it in the loop's own thread, so keep it short.
        """
        ...

    async def read_long(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function that only reads and may take more than a few milliseconds, off the loop's thread."""
        ...

    async def write(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function and return its result after the commit is durable.

        An exception of the function undoes its changes and is raised here. When the waiting task is
        cancelled, or the connection is lost during the commit, the change may be kept or not: callers that
        try again must be idempotent.
        """
        ...

    async def write_relaxed(
        self,
        function: Callable[Concatenate[Transaction, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function as `write` does, and return its result after a commit durable within a second.

        A crash of this program takes nothing back. A loss of power may take back the relaxed commits of the
        last second, unless a durable one that wrote something came after them; a commit is never lost without
        all that came after it. On PostgreSQL this is `write`.
        """
        ...

    def reusable_bytes(self) -> int:
        """Return how much of its files the database can fill again; 0 where that is not known."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then close; idempotent."""
        ...
