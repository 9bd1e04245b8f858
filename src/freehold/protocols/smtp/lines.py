"""Input buffer of a connection: command lines with a bound, and raw octets."""

_CR = 0x0D


class BadLineError(Exception):
    """A line ended wrongly, or passed the bound; it has been dropped."""

    def __init__(self, *, too_long: bool) -> None:
        super().__init__("line too long" if too_long else "line without CRLF")
        self.too_long = too_long


class InputBuffer:
    """Holds what was received and not yet used, as one bytes object and an offset into it."""

    __slots__ = ("_data", "_discarding", "_offset")

    def __init__(self) -> None:
        self._data = b""
        self._offset = 0
        self._discarding = False

    def __len__(self) -> int:
        return len(self._data) - self._offset

    def append(self, data: bytes) -> None:
        """Add received bytes; what belongs to an overlong line is dropped at once."""
        if self._discarding:
            end = data.find(b"\n")
            if end < 0:
                return
            self._discarding = False
            data = data[end + 1 :]
        rest = self._data[self._offset :]
        self._data = rest + data if rest else data
        self._offset = 0

    def clear(self) -> None:
        """Forget everything."""
        self._data = b""
        self._offset = 0
        self._discarding = False

    def starts_with(self, prefix: bytes) -> bool:
        """Whether the next bytes are `prefix`, given in upper case, in any case."""
        return self._data[self._offset : self._offset + len(prefix)].upper() == prefix

    def take_line(self, max_octets: int) -> bytes | None:
        """Return the next line without its CRLF, or None when it is not whole yet.

        A line may have `max_octets` with its CRLF. The rest of a longer one is dropped as it arrives.

        Raises:
            BadLineError: once for a line that is too long, or that ends in LF without CR.
        """
        data, offset = self._data, self._offset
        end = data.find(b"\n", offset)
        if end < 0:
            if len(data) - offset < max_octets:
                return None
            self.clear()
            self._discarding = True
            raise BadLineError(too_long=True)
        self._offset = end + 1
        if end + 1 == len(data):
            self._data, self._offset = b"", 0
        if end + 1 - offset > max_octets:
            raise BadLineError(too_long=True)
        if end == offset or data[end - 1] != _CR:
            raise BadLineError(too_long=False)
        return data[offset : end - 1]

    def take(self, max_octets: int) -> bytes:
        """Return up to `max_octets` bytes."""
        data, offset = self._data, self._offset
        if len(data) - offset <= max_octets:
            self._data, self._offset = b"", 0
            return data[offset:]
        self._offset = offset + max_octets
        return data[offset : offset + max_octets]

    def take_all(self) -> bytes:
        """Return all bytes."""
        return self.take(len(self._data))
