"""Message numbers and UIDs of a folder as a session sees it, kept as runs.

A folder of 100,000 messages without gaps costs as much as one of 10; each gap costs 8 bytes.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import chain

from freehold.modules.mail.folders.ranges import UidRange, merge_ranges
from freehold.protocols.imap.sequence_set import SequenceSet


class UidMap:
    """Ascending UIDs; the index of one is its message number minus one."""

    __slots__ = ("_count", "_firsts", "_starts")

    def __init__(self, ranges: Iterable[UidRange] = ()) -> None:
        """Take ascending, disjoint ranges of UIDs."""
        self._set(ranges)

    def __len__(self) -> int:
        return self._count

    @property
    def run_count(self) -> int:
        """How many runs without gaps the UIDs make."""
        return len(self._firsts)

    @property
    def size_bytes(self) -> int:
        """What the runs take in memory."""
        return len(self._firsts) * (self._firsts.itemsize + self._starts.itemsize)

    @property
    def last_uid(self) -> int:
        """The largest UID, or 0."""
        if not self._count:
            return 0
        return self._firsts[-1] + self._count - 1 - self._starts[-1]

    def uid_at(self, index: int) -> int:
        """Return the UID at an index from 0 to the number of messages minus one."""
        run = bisect_right(self._starts, index) - 1
        return self._firsts[run] + index - self._starts[run]

    def index_of(self, uid: int) -> int:
        """Return the index of a UID, or -1."""
        run = bisect_right(self._firsts, uid) - 1
        if run < 0:
            return -1
        index = self._starts[run] + uid - self._firsts[run]
        return index if index < self._end(run) else -1

    def rank(self, uid: int) -> int:
        """Return how many UIDs are smaller than this one."""
        run = bisect_right(self._firsts, uid - 1) - 1
        if run < 0:
            return 0
        return min(self._starts[run] + uid - self._firsts[run], self._end(run))

    def uid_ranges(self, start: int, stop: int) -> Iterator[UidRange]:
        """Yield the ranges of UIDs at the indexes start…stop-1."""
        run = bisect_right(self._starts, start) - 1
        while start < stop:
            end = min(self._end(run), stop)
            shift = self._firsts[run] - self._starts[run]
            yield start + shift, end - 1 + shift
            start = end
            run += 1

    def uids(self, start: int, stop: int) -> Iterator[int]:
        """Return the UIDs at the indexes start…stop-1."""
        return chain.from_iterable(range(first, last + 1) for first, last in self.uid_ranges(start, stop))

    def positions(self, numbers: SequenceSet, *, uid: bool) -> list[range]:
        """Return the indexes of a set of message numbers or UIDs, ascending, without what is not there."""
        if not uid:
            return list(numbers.number_positions(self._count))
        return self.positions_of(numbers.resolve(self.last_uid))

    def positions_of(self, ranges: Iterable[UidRange]) -> list[range]:
        """Return the indexes of the UIDs in ascending, disjoint ranges."""
        found = (range(self.rank(low), self.rank(high + 1)) for low, high in ranges)
        return [positions for positions in found if positions]

    def copy(self) -> "UidMap":
        """Return a map of the same UIDs that changes by itself."""
        copied = UidMap()
        copied._firsts, copied._starts, copied._count = self._firsts[:], self._starts[:], self._count
        return copied

    def extend(self, ranges: Iterable[UidRange]) -> None:
        """Add ascending ranges of UIDs greater than all there are."""
        for first, last in ranges:
            if not self._count or first != self.last_uid + 1:
                self._firsts.append(first)
                self._starts.append(self._count)
            self._count += last - first + 1

    def remove(self, ranges: Iterable[UidRange]) -> list[range]:
        """Remove UIDs, unknown ones too; returns the ascending ranges of indexes that they had."""
        gone = self.positions_of(merge_ranges(ranges))
        if not gone:
            return []
        kept: list[UidRange] = []
        start = 0
        for positions in gone:
            kept += self.uid_ranges(start, positions.start)
            start = positions.stop
        kept += self.uid_ranges(start, self._count)
        self._set(kept)
        return gone

    def _set(self, ranges: Iterable[UidRange]) -> None:
        self._firsts = array("I")
        self._starts = array("I")
        self._count = 0
        self.extend(ranges)
        self._firsts, self._starts = self._firsts[:], self._starts[:]  # without the room they grew by

    def _end(self, run: int) -> int:
        return self._starts[run + 1] if run + 1 < len(self._starts) else self._count
