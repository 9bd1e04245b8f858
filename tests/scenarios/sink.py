"""A mail host elsewhere: takes what the queue sends it, and remembers what it answered 250 for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

MAX_LINE_BYTES = 1 << 20


@dataclass
class Sink:
    """What was taken, in order."""

    taken: list[bytes] = field(default_factory=list)
    port: int = 0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak as little SMTP as a sender needs."""
        try:
            writer.write(b"220 sink.example\r\n")
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    self.taken.append(await _content(reader))
                    writer.write(b"250 taken\r\n")
                elif verb == b"QUIT":
                    writer.write(b"221 goodbye\r\n")
                    await writer.drain()
                    return
                else:
                    writer.write(b"250 sink.example\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


async def _content(reader: asyncio.StreamReader) -> bytes:
    """Return a message without its dots."""
    lines = []
    while (line := await reader.readuntil(b"\r\n")) != b".\r\n":
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)


@asynccontextmanager
async def sink() -> AsyncIterator[Sink]:
    """Run a sink on a free port."""
    one = Sink()
    server = await asyncio.start_server(one.converse, "127.0.0.1", 0, limit=MAX_LINE_BYTES)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
