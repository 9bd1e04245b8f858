"""A client's connection: literal bytes go out, literal bytes come back; every wait has a time-out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

WAIT_SECONDS = 20


class Talk:
    """What is alike for all protocols."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def rest(self) -> bytes:
        """Return everything until the server closes."""
        return await asyncio.wait_for(self.reader.read(), WAIT_SECONDS)


T = TypeVar("T", bound=Talk)


@asynccontextmanager
async def connected(port: int, kind: type[T], limit: int) -> AsyncIterator[T]:
    """Connect, and hang up afterwards; `limit` bounds the octets of what is awaited in one piece."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=limit)
    try:
        yield kind(reader, writer)
    finally:
        writer.close()
