"""PARTIAL: one page of a result, for SEARCH, SORT and FETCH (RFC 9394 §3.1, §3.3, RFC 5267 §4.4)."""

import re
from dataclasses import dataclass

from freehold.protocols.imap.cursor import MAX_NUMBER32, Cursor
from freehold.protocols.imap.errors import CommandError

# partial-range-first = nz-number ":" nz-number     partial-range-last = "-" nz-number ":-" nz-number
_RANGE = re.compile(rb"(?:(\d{1,10}):(\d{1,10})|-(\d{1,10}):-(\d{1,10}))(?=[ )]|\Z)")


@dataclass(frozen=True, slots=True)
class PartialRange:
    """The results number `first` to `last`, from 1; counted from the last one backwards if `from_end`."""

    first: int
    last: int
    from_end: bool = False

    def indexes(self, count: int) -> range:
        """Return which of `count` results belong to the page, ascending; perhaps none."""
        if self.from_end:
            return range(max(0, count - self.last), max(0, count - self.first + 1))
        return range(min(self.first - 1, count), min(self.last, count))

    def to_bytes(self) -> bytes:
        """Write the range with the smaller number first."""
        return (b"-%d:-%d" if self.from_end else b"%d:%d") % (self.first, self.last)


def parse_partial(cursor: Cursor) -> PartialRange:
    """Take a range, either way round.

    Raises:
        CommandError: it is none, or has `*`, 0 or a number over 32 bits in it.
    """
    match = cursor.match(_RANGE)
    if match is None:
        raise cursor.error("a range of results")
    from_end = match[1] is None
    one, other = (int(match[3]), int(match[4])) if from_end else (int(match[1]), int(match[2]))
    first, last = min(one, other), max(one, other)
    if not first or last > MAX_NUMBER32:
        raise CommandError("results are counted from 1 to 4294967295")
    return PartialRange(first, last, from_end)
