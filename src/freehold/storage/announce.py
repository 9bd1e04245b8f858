"""Short texts between the hosts that share a database; of SQLite, which one host has for itself, none."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

from freehold.storage.open import POSTGRES_PREFIXES

MAX_TEXT_BYTES: Final = 7_999
"""PostgreSQL's own bound of what NOTIFY carries."""


class Announcer(Protocol):
    """A connection on which texts are said and heard; `lost` is set once it is of no more use."""

    lost: asyncio.Event

    async def say(self, texts: Iterable[str]) -> None:
        """Say texts, in order; each at most `MAX_TEXT_BYTES`. Raises StorageError."""
        ...

    async def wait_until_lost(self) -> None:
        """Return when the connection is lost."""
        ...

    async def close(self) -> None:
        """Close the connection; idempotent."""
        ...


Announce = Callable[[Callable[[str], None]], Awaitable[Announcer]]
"""Connects, and has the callback given each text that anyone says; raises StorageError."""


def announcing(url: str, channel: str) -> Announce | None:
    """Return how to connect to the channel of a database, or None where one host has it for itself."""
    if not url.startswith(POSTGRES_PREFIXES):
        return None
    from freehold.storage.postgres_listen import announce  # noqa: PLC0415 (the driver is an extra)

    async def connect(heard: Callable[[str], None]) -> Announcer:
        return await announce(url, channel, heard)

    return connect
