"""A client's ends of a connection that is deflated both ways, on Python's zlib with its usual settings."""

import asyncio
import zlib


class DeflatingWriter:
    """Deflates what is written, and flushes it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.below = writer
        self._compressor = zlib.compressobj(9, zlib.DEFLATED, -15, 9)

    def deflated(self, data: bytes, mode: int = zlib.Z_SYNC_FLUSH) -> bytes:
        """Return what would be written."""
        return self._compressor.compress(data) + self._compressor.flush(mode)

    def write(self, data: bytes) -> None:
        self.below.write(self.deflated(data))

    def close(self) -> None:
        self.below.close()


class InflatingReader:
    """Inflates what is read."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.below = reader
        self._inflater = zlib.decompressobj(-15)
        self._plain = bytearray()
        self.octets_read = 0

    async def readline(self) -> bytes:
        while b"\n" not in self._plain and await self._more():
            pass
        return self._take(self._plain.find(b"\n") + 1 or len(self._plain))

    async def readexactly(self, count: int) -> bytes:
        while len(self._plain) < count:
            assert await self._more(), "the connection was closed"
        return self._take(count)

    async def read(self) -> bytes:
        while await self._more():
            pass
        return self._take(len(self._plain))

    async def _more(self) -> bool:
        data = await self.below.read(1 << 16)
        self.octets_read += len(data)
        self._plain += self._inflater.decompress(data)
        return bool(data)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._plain[:count])
        del self._plain[:count]
        return taken
