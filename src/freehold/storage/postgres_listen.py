"""One PostgreSQL connection that says and hears short texts on a channel (LISTEN, NOTIFY).

It is apart from the pool: a connection that listens is never lent. A pooler that lends connections by
the transaction cannot carry it.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

import asyncpg

from freehold.storage.postgres_connection import (
    CONNECT_SECONDS,
    RAISED_BY_STATEMENTS,
    SERVER_SETTINGS,
    translate,
)

SAY_SECONDS: Final = 10.0
CHECK_SECONDS: Final = 30.0
"""How often a silent connection is tried: one that broke without a word would be quiet for ever."""

# What is said changes no row, so no commit need wait for the disk.
_SETTINGS: Final = {**SERVER_SETTINGS, "application_name": "freehold news", "synchronous_commit": "off"}


class PostgresAnnouncer:
    """An open connection; `lost` is set once it is of no more use."""

    def __init__(self, connection: Any, channel: str) -> None:
        self._connection = connection
        self._channel = channel
        self.lost = asyncio.Event()
        connection.add_termination_listener(lambda _connection: self.lost.set())

    async def say(self, texts: Iterable[str]) -> None:
        """Say texts, in order, to everyone who listens; each is shorter than 8,000 bytes.

        Raises:
            StorageError: the connection is lost, or too slow.
        """
        rows = [(self._channel, text) for text in texts]
        try:
            await self._connection.executemany("SELECT pg_notify($1, $2)", rows, timeout=SAY_SECONDS)
        except RAISED_BY_STATEMENTS as error:
            self.lost.set()
            raise translate(error) from error

    async def wait_until_lost(self) -> None:
        """Return when the connection is lost, which is looked for while nothing is heard."""
        while not self.lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_SECONDS):
                    await self.lost.wait()
                    return
            try:
                await self._connection.execute("SELECT 1", timeout=SAY_SECONDS)
            except RAISED_BY_STATEMENTS:
                self.lost.set()

    async def close(self) -> None:
        """Close the connection; idempotent."""
        with suppress(*RAISED_BY_STATEMENTS):
            await self._connection.close(timeout=SAY_SECONDS)


async def announce(url: str, channel: str, heard: Callable[[str], None]) -> PostgresAnnouncer:
    """Connect, and have `heard` called on the loop with each text that anyone says, oneself included.

    Raises:
        StorageError: the server cannot be reached.
    """
    try:
        connection = await asyncpg.connect(
            url, timeout=CONNECT_SECONDS, command_timeout=SAY_SECONDS, server_settings=_SETTINGS
        )
        try:
            await connection.add_listener(channel, lambda _connection, _pid, _channel, text: heard(text))
        except BaseException:
            connection.terminate()
            raise
    except RAISED_BY_STATEMENTS as error:
        raise translate(error) from error
    return PostgresAnnouncer(connection, channel)
