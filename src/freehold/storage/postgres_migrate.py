"""Brings a PostgreSQL database to this program's schema."""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from freehold.storage.database import SchemaError
from freehold.storage.dialect import postgres_schema, postgres_statement
from freehold.storage.migrations import RECORD_VERSION, SELECT_VERSIONS, VERSION_TABLE, Migration, pending
from freehold.storage.postgres_connection import CONNECT_SECONDS, RAISED_BY_STATEMENTS, translate

ADVISORY_LOCK: Final = 0x46524545_484F4C44  # one upgrade at a time in a database, whoever else uses its locks
LOCK_SECONDS: Final = 120
STEP_SECONDS: Final = 3600.0  # a step may rewrite a large table


async def migrate(url: str, steps: Sequence[Migration], *, readonly: bool) -> None:
    """Run the pending steps in one transaction; safe when several processes start at once.

    Raises SchemaError when the database is not UTF-8, is too new, or is too old and `readonly`.
    """
    try:
        connection = await asyncpg.connect(
            url,
            timeout=CONNECT_SECONDS,
            command_timeout=STEP_SECONDS,
            server_settings={"application_name": "freehold", "lock_timeout": f"{LOCK_SECONDS}s"},
        )
        try:
            async with connection.transaction():
                await _migrate_on(connection, steps, readonly=readonly)
        finally:
            await connection.close(timeout=CONNECT_SECONDS)
    except RAISED_BY_STATEMENTS as error:
        raise translate(error) from error


async def _migrate_on(connection: Any, steps: Sequence[Migration], *, readonly: bool) -> None:
    if await connection.fetchval("SHOW server_encoding") != "UTF8":
        raise SchemaError("the PostgreSQL database must have the encoding UTF8")
    if readonly:
        if pending(steps, await _versions(connection)):
            raise SchemaError("the database needs an upgrade: start the server once")
        return
    await connection.execute("SELECT pg_advisory_xact_lock($1)", ADVISORY_LOCK)
    todo = pending(steps, await _versions(connection))
    if todo:
        await connection.execute(postgres_schema(VERSION_TABLE))
    for step in todo:
        await connection.execute(postgres_schema(step.sql))
        await connection.execute(
            postgres_statement(RECORD_VERSION), step.name, step.version, step.compatible_version
        )


async def _versions(connection: Any) -> list[Any]:
    if await connection.fetchval("SELECT to_regclass('schema_version')") is None:
        return []
    rows: list[Any] = await connection.fetch(SELECT_VERSIONS)
    return rows
