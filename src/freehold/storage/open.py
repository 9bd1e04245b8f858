"""Opens a database by its address, brings its schema up to date, and gives out numbers."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from freehold.storage.database import Database, SchemaError, Transaction
from freehold.storage.ids import NODES
from freehold.storage.migrations import Migration, Schema, load_all
from freehold.storage.sqlite import SqliteDatabase, turn_path
from freehold.storage.sqlite_migrate import migrate

__all__ = ["Schema", "allot_node", "next_number", "open_database"]

POSTGRES_PREFIXES = ("postgresql://", "postgres://")


async def open_database(url_or_path: str, *, schemas: Sequence[Schema], readonly: bool = False) -> Database:
    """Open "sqlite:/path/freehold.db", a plain path, or "postgresql://…", with the schemas up to date.

    Call it in the process and on the loop that will use the database. Raises SchemaError when the schema and
    this program do not fit, StorageError when the database cannot be reached.
    """
    steps = await asyncio.to_thread(load_all, schemas)
    if url_or_path.startswith(POSTGRES_PREFIXES):
        return await _open_postgres(url_or_path, steps, readonly=readonly)
    # SQLite follows links, and has its log beside what they lead to: so must the lock and the log's sync
    path = await asyncio.to_thread(Path(url_or_path.removeprefix("sqlite:")).resolve)
    await asyncio.to_thread(migrate, path, turn_path(path), steps, readonly=readonly)
    return SqliteDatabase(path, readonly=readonly)


async def _open_postgres(url: str, steps: Sequence[Migration], *, readonly: bool) -> Database:
    try:
        from freehold.storage import postgres, postgres_migrate  # noqa: PLC0415 (the driver is an extra)
    except ModuleNotFoundError as error:
        raise SchemaError("PostgreSQL needs the extra: pip install 'freehold[cluster]'") from error
    await postgres_migrate.migrate(url, steps, readonly=readonly)
    return await postgres.connect_pool(url, readonly=readonly)


async def allot_node(database: Database) -> int:
    """Return a node number for `IdMaker`, 0…1023; take one at each start of a process.

    Numbers come round after 1,024 starts, when the ids of then are long in the past.
    """
    return await database.write(next_number, "node") % NODES


async def next_number(tx: Transaction, name: str) -> int:
    """Return 1, 2, 3, … for each name, without gaps; for what must stay below 2^31."""
    row = await tx.fetch_one(
        "INSERT INTO counter (name, value) VALUES (?, 1)"
        " ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value",
        name,
    )
    assert row is not None
    return int(row[0])
