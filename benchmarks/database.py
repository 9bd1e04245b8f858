"""A fresh PostgreSQL database for each server that is measured; without an address SQLite is used."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

CONNECT_SECONDS = 30.0


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """Make an empty database on the server of `url`, and drop it afterwards; '' stays ''.

    The role must be allowed to create databases; the database that `url` names is not touched.
    """
    if not url:
        yield ""
        return
    name = f"freehold_bench_{uuid.uuid4().hex[:12]}"
    asyncio.run(_execute(url, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        asyncio.run(_execute(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


async def _execute(url: str, statement: str) -> None:
    import asyncpg  # noqa: PLC0415 -- an optional extra, needed with --database only

    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
