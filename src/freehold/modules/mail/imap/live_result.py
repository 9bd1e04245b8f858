"""A result of SEARCH or SORT that is kept up to date, as a session holds it (RFC 5267 §4.3)."""

from array import array
from dataclasses import dataclass

from freehold.modules.mail.imap.search_sets import messages_in, sets_in
from freehold.modules.mail.imap.uid_map import UidMap
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
    """One result; the messages are in `runs`, those of a SORT in `sorted_uids` in its order."""

    tag: bytes
    uid: bool
    key: SearchKey
    order: tuple[SortKey, ...]
    runs: UidMap
    sorted_uids: "array[int]"

    @property
    def is_too_large(self) -> bool:
        """Tell whether the result is more than is kept."""
        if sum(len(messages_in(named).ranges) for named in sets_in(self.key)) > MAX_KEY_RANGES:
            return True
        if self.order:
            return len(self.sorted_uids) > MAX_CONTEXT_MESSAGES
        return self.runs.run_count > MAX_CONTEXT_RANGES
