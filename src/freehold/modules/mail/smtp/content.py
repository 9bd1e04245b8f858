"""The message as it comes in: our trace lines in front, the client's bytes unchanged behind them."""

from collections.abc import Callable

from freehold.storage.blobs import BlobWriter, PreparedBlob

MAX_HEADER_HOLD_BYTES = 64 * 1024
"""How much of a message is held back until its header's end shows which fields it lacks."""

HEADER_END = b"\r\n\r\n"


class IncomingContent:
    """Writes one message to a blob, in bounded memory.

    `make_prefix` is given the header (or as much of it as is held back) and returns the lines to put
    in front: Return-Path, Received, and what a submitted message lacks.
    """

    __slots__ = ("_held", "_make_prefix", "_searched", "_writer")

    def __init__(self, writer: BlobWriter, make_prefix: Callable[[bytes], bytes]) -> None:
        self._writer = writer
        self._make_prefix = make_prefix
        self._held: bytearray | None = bytearray()
        self._searched = 0

    async def write(self, chunk: bytes) -> None:
        """Add bytes of the message; may wait for the disk."""
        if self._held is None:
            self._writer.write(chunk)
            await self._writer.flush()
            return
        self._held += chunk
        if self._has_header(self._held):
            self._begin(self._held)
            await self._writer.flush()

    async def finish(self) -> PreparedBlob:
        """Return the whole message, ready to be named by a transaction."""
        if self._held is not None:
            self._begin(self._held)
        return await self._writer.finish()

    def abort(self) -> None:
        """Forget what was written."""
        self._writer.abort()

    def _has_header(self, held: bytearray) -> bool:
        if held.find(HEADER_END, self._searched) >= 0 or held.startswith(b"\r\n"):
            return True
        self._searched = max(0, len(held) - len(HEADER_END) + 1)
        return len(held) > MAX_HEADER_HOLD_BYTES

    def _begin(self, held: bytearray) -> None:
        head = bytes(held)
        self._held = None
        self._writer.write(self._make_prefix(head))
        self._writer.write(head)
