"""A result of SEARCH or SORT that is kept up to date, as a session holds it (RFC 5267 §4.3)."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from freehold.modules.mail.folders.change import uid_ranges
from freehold.modules.mail.folders.ranges import UidRange, subtract_ranges
from freehold.modules.mail.imap.selected.number_sets import messages_in, sets_in
from freehold.modules.mail.imap.selected.uid_map import UidMap
from freehold.protocols.imap.fetch import FetchItem
from freehold.protocols.imap.search_keys import SearchKey
from freehold.protocols.imap.sort import SortKey

MAX_CONTEXT_RANGES = 16_384
"""Runs of UIDs that such a result of SEARCH may have; each costs 8 bytes."""
MAX_KEY_RANGES = 1024
"""Ranges of UIDs that its search keys may have."""
MAX_CONTEXT_MESSAGES = 20_000
"""Messages that such a result of SORT may have; each costs 4 bytes, and new ones are sorted in among all."""


@dataclass(slots=True)
class LiveResult:
    """One result; the messages are in `runs`, those of a SORT in `sorted_uids` in its order.

    `items` are fetched of new messages that come into it (RFC 5465 §7).
    """

    tag: bytes
    uid: bool
    key: SearchKey
    order: tuple[SortKey, ...]
    runs: UidMap
    sorted_uids: "array[int]"
    items: tuple[FetchItem, ...] = ()

    def among(self, ranges: Sequence[UidRange]) -> list[UidRange]:
        """Return which of some messages (ascending, disjoint) are in the result."""
        members = self.runs if not self.order else UidMap(uid_ranges(sorted(self.sorted_uids)))
        there = list(members.uid_ranges(0, len(members)))
        return subtract_ranges(ranges, subtract_ranges(ranges, there))

    @property
    def is_too_large(self) -> bool:
        """Tell whether the result is more than is kept."""
        if sum(len(messages_in(named).ranges) for named in sets_in(self.key)) > MAX_KEY_RANGES:
            return True
        if self.order:
            return len(self.sorted_uids) > MAX_CONTEXT_MESSAGES
        return self.runs.run_count > MAX_CONTEXT_RANGES
