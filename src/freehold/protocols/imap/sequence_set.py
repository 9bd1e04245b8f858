"""Sets of message numbers: read from a command, applied to a mailbox, written into responses.

`*` is kept as `STAR` until the mailbox is known (RFC 9051 §9, sequence-set).
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_SEQUENCE_RANGES

STAR = 0
"""Stands for `*`; message numbers begin at 1."""

MAX_NUMBER = 2**32 - 1
"""Largest message number or UID (nz-number)."""

# seq-number = nz-number / "*"     seq-range = seq-number ":" seq-number
_RANGE = re.compile(rb"(\d{1,10}|\*)(?::(\d{1,10}|\*))?")


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Ranges in the order given; both ends belong to them; the second end may be `STAR`.

    No command can spell a set without ranges: it is what `$` is read as (`SAVED_RESULT`), until the
    session puts the result of a search in its place, which may be empty as well.
    """

    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def parse(cls, raw: bytes) -> "SequenceSet":
        """Read `1,3:5,7:*` or `$`.

        Raises:
            CommandError: it is no sequence set, holds 0 or a number over 32 bits, or has too many members.
        """
        if raw == b"1:*":
            return ALL_MESSAGES
        if raw == b"$":
            return SAVED_RESULT
        if raw.count(b",") >= MAX_SEQUENCE_RANGES:
            raise CommandError("too many ranges in the sequence set")
        return cls(tuple(_parse_range(member) for member in raw.split(b",")))

    @property
    def is_saved_result(self) -> bool:
        """Tell whether the set is `$` (RFC 5182 §2.1)."""
        return not self.ranges

    @property
    def has_star(self) -> bool:
        """Tell whether the set depends on the largest number in use."""
        return any(high == STAR for _, high in self.ranges)

    def resolve(self, maximum: int) -> list[tuple[int, int]]:
        """Give ascending, disjoint ranges, with `*` as `maximum`; 0 says that no message exists."""
        spans = sorted(_span(low, high, maximum) for low, high in self.ranges if maximum or high != STAR)
        merged: list[tuple[int, int]] = []
        for low, high in spans:
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return merged

    def uid_positions(self, uids: Sequence[int]) -> Iterator[range]:
        """Find the UIDs in an ascending array; yields ascending ranges of indexes into it."""
        for low, high in self.resolve(uids[-1] if uids else 0):
            first = bisect_left(uids, low)
            behind = bisect_right(uids, high, first)
            if first < behind:
                yield range(first, behind)

    def uids_in(self, uids: Sequence[int]) -> list[int]:
        """Give the members that occur in an ascending array of UIDs, ascending."""
        return [
            uid for positions in self.uid_positions(uids) for uid in uids[positions.start : positions.stop]
        ]

    def number_positions(self, count: int) -> Iterator[range]:
        """Give indexes (message number minus one) of a mailbox of `count` messages, ascending.

        Numbers beyond the last message are left out.
        """
        for low, high in self.resolve(count):
            if low <= count:
                yield range(low - 1, min(high, count))

    def to_bytes(self) -> bytes:
        """Write the set as it was given."""
        if self.is_saved_result:
            return b"$"
        return format_ranges(self.ranges)


ALL_MESSAGES = SequenceSet(((1, STAR),))
SAVED_RESULT = SequenceSet(())


def format_ranges(ranges: Iterable[tuple[int, int]]) -> bytes:
    """Write ranges of numbers as a set, however many numbers they hold. Empty gives b""."""
    return b",".join(_format_range(low, high) for low, high in ranges)


def format_numbers(numbers: Iterable[int]) -> bytes:
    """Write numbers as a set, runs as ranges; the order is kept (COPYUID needs it). Empty gives b""."""
    return b",".join(format_number_ranges(numbers))


def format_number_ranges(numbers: Iterable[int]) -> Iterator[bytes]:
    """Yield the members of the set that `format_numbers` writes."""
    iterator = iter(numbers)
    first = last = next(iterator, None)
    if first is None or last is None:
        return
    for number in iterator:
        if number == last + 1:
            last = number
            continue
        yield b"%d" % first if first == last else b"%d:%d" % (first, last)
        first = last = number
    yield b"%d" % first if first == last else b"%d:%d" % (first, last)


def _parse_range(member: bytes) -> tuple[int, int]:
    match = _RANGE.fullmatch(member)
    if match is None:
        raise CommandError("invalid sequence set")
    low = _parse_number(match[1])
    high = low if match[2] is None else _parse_number(match[2])
    return (high, low) if low == STAR else (low, high)


def _parse_number(raw: bytes) -> int:
    if raw == b"*":
        return STAR
    number = int(raw)
    if not 0 < number <= MAX_NUMBER:
        raise CommandError("message numbers are 1 to 4294967295")
    return number


def _span(low: int, high: int, maximum: int) -> tuple[int, int]:
    low, high = low or maximum, high or maximum
    return (low, high) if low <= high else (high, low)


def _format_range(low: int, high: int) -> bytes:
    if low == high:
        return b"*" if low == STAR else b"%d" % low
    return b"%d:*" % low if high == STAR else b"%d:%d" % (low, high)
