"""The octets received and not yet used; nothing is kept when there are none."""

LITERAL_TAIL_BYTES = 32
"""Enough of a line's end to recognise a literal."""


class LineTooLongError(Exception):
    """The line exceeds the limit; it is still in the inbox."""


class Inbox:
    """A queue of octets from which lines and counted runs are taken."""

    __slots__ = ("_data", "_scanned", "_start")

    def __init__(self) -> None:
        self._data = bytearray()
        self._start = 0
        self._scanned = 0

    def __len__(self) -> int:
        return len(self._data) - self._start

    def receive(self, data: bytes) -> None:
        """Append octets."""
        self._data += data

    def peek(self, count: int) -> bytes:
        """Give up to `count` octets and leave them."""
        return bytes(self._data[self._start : self._start + count])

    def find(self, octet: bytes, count: int) -> int:
        """Give how many octets stand before the first of this kind among the next `count`, or -1."""
        return max(-1, self._data.find(octet, self._start, self._start + count) - self._start)

    def clear(self) -> None:
        """Forget everything."""
        self._data = bytearray()
        self._start = self._scanned = 0

    def take_line(self, limit: int) -> bytes | None:
        """Take a line without its end (CRLF or, from hands and old programs, LF); None if none is whole.

        Raises:
            LineTooLongError: it has more than `limit` octets.
        """
        newline = self._data.find(b"\n", self._scanned)
        if newline < 0:
            # A CR may be the first half of the line's end, so it is not yet counted.
            if len(self._data) - self._data.endswith(b"\r") - self._start > limit:
                raise LineTooLongError
            self._scanned = len(self._data)
            return None
        end = newline - 1 if newline > self._start and self._data[newline - 1] == ord("\r") else newline
        if end - self._start > limit:
            raise LineTooLongError
        line = bytes(self._data[self._start : end])
        self._consume(newline + 1)
        return line

    def skip_line(self) -> tuple[bytes | None, int]:
        """Throw a line away; gives its last octets, or None if its end is still to come, and how many went.

        Of an unfinished line only `LITERAL_TAIL_BYTES` are kept.
        """
        newline = self._data.find(b"\n", self._scanned)
        if newline < 0:
            skipped = max(0, len(self) - LITERAL_TAIL_BYTES)
            self._consume(self._start + skipped)
            self._scanned = len(self._data)
            return None, skipped
        tail = bytes(self._data[max(self._start, newline - LITERAL_TAIL_BYTES) : newline])
        skipped = newline + 1 - self._start
        self._consume(newline + 1)
        return tail.removesuffix(b"\r"), skipped

    def take(self, count: int) -> bytes:
        """Take up to `count` octets, perhaps none."""
        end = min(self._start + count, len(self._data))
        with memoryview(self._data) as view:
            octets = bytes(view[self._start : end])
        self._consume(end)
        return octets

    def skip(self, count: int) -> int:
        """Throw up to `count` octets away; gives how many."""
        skipped = min(count, len(self))
        self._consume(self._start + skipped)
        return skipped

    def _consume(self, end: int) -> None:
        """Move the start; a used-up buffer is dropped, a half-used one shortened now and then."""
        if end == len(self._data):
            self.clear()
            return
        self._start = self._scanned = end
        if end > len(self._data) // 2:
            del self._data[:end]
            self._start = self._scanned = 0
