"""What THREAD reads of messages, in as little of memory as it can be remembered in."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from freehold.storage.database import Row

SUBJECT_COLUMNS = ("internal_ms", "sent_ms", "base_subject")
"""What is read of a message, behind its UID, to thread by subjects alone."""
REFERENCE_COLUMNS = (*SUBJECT_COLUMNS, "is_reply", "message_id", "reference_ids")
"""What is read to thread by references."""


@dataclass(frozen=True, slots=True)
class KnownRows:
    """Messages of a folder in any order: 35 octets for each, 4 for each id named, 8 for each different one.

    An id or a subject is known by its hash alone: 64 bits, with a key drawn at the start, so that nobody can
    make two that meet. `hashes` are those of ids by their numbers. The ids that the message at place n names
    lie in `references` from ends[n] to ends[n + 1].
    """

    uids: "array[int]"
    sent_ms: "array[int]"
    ids: "array[int]"
    references: "array[int]"
    ends: "array[int]"
    subjects: "array[int]"
    is_reply: "array[int]"
    hashes: "array[int]"

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        return 35 * len(self.uids) + 4 * len(self.references) + 8 * len(self.hashes)

    def and_rows(self, rows: Sequence[Row]) -> "KnownRows":
        """Return these and further messages, read as UID and `SUBJECT_COLUMNS` or `REFERENCE_COLUMNS`."""
        if not rows:
            return self
        columns = list(zip(*rows, strict=True))
        if len(columns) == 1 + len(SUBJECT_COLUMNS):
            columns += [(value,) * len(rows) for value in (0, "", "")]
        uids, internal, sent, subjects, is_reply, ids, named = columns
        own = list(map(hash, ids))
        chains = list(map(str.split, named))
        others = list(map(hash, chain.from_iterable(chains)))
        numbers = dict(zip(self.hashes, range(len(self.hashes)), strict=True))
        new = [each for each in dict.fromkeys(chain(own, others)) if each not in numbers]
        numbers.update(zip(new, range(len(numbers), len(numbers) + len(new)), strict=True))
        moments = (arrival if date is None else date for date, arrival in zip(sent, internal, strict=True))
        return KnownRows(
            uids=self.uids + array("I", uids),
            sent_ms=self.sent_ms + array("q", moments),
            ids=self.ids + array("I", map(numbers.__getitem__, own)),
            references=self.references + array("I", map(numbers.__getitem__, others)),
            ends=self.ends[:-1] + array("I", accumulate(map(len, chains), initial=self.ends[-1])),
            subjects=self.subjects + array("q", map(hash, subjects)),
            is_reply=self.is_reply + array("B", is_reply),
            hashes=self.hashes + array("q", new),
        )


NO_ROWS = KnownRows(
    uids=array("I"),
    sent_ms=array("q"),
    ids=array("I"),
    references=array("I"),
    ends=array("I", (0,)),
    subjects=array("q"),
    is_reply=array("B"),
    hashes=array("q", (hash(""),)),
)
