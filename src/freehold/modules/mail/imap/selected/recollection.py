"""Keeps what was worked out for one command and saves the work for the next, within a bound of memory."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_BYTES: Final = 1024
"""What an entry costs beside its value, about."""


class Recollection(Generic[K, V]):
    """Values by key; what was not asked for the longest goes first. The finder judges whether one holds."""

    __slots__ = ("_entries", "_max_bytes", "_used_bytes")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._used_bytes = 0
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()

    @property
    def used_bytes(self) -> int:
        """What all values take, about; never more than `max_bytes`."""
        return self._used_bytes

    def find(self, key: K) -> V | None:
        """Return the value of a key, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def keep(self, key: K, value: V, size_bytes: int) -> None:
        """Keep a value of about `size_bytes` in place of what the key had, unless it alone is too large."""
        before = self._entries.pop(key, None)
        if before is not None:
            self._used_bytes -= before[1]
        size_bytes += ENTRY_BYTES
        if size_bytes > self._max_bytes:
            return
        self._entries[key] = (value, size_bytes)
        self._used_bytes += size_bytes
        while self._used_bytes > self._max_bytes:
            _, (_, freed) = self._entries.popitem(last=False)
            self._used_bytes -= freed
