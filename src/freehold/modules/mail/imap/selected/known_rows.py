"""What THREAD reads of messages, in as little of memory as it can be remembered in."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from freehold.storage.database import Row

THREAD_COLUMNS = ("internal_ms", "sent_ms", "message_id", "reference_ids", "base_subject", "is_reply")
"""What is read of a message, behind its UID."""


@dataclass(frozen=True, slots=True)
class KnownRows:
    """Messages of a folder in any order: about 35 octets for each, and 4 for each id that it names.

    An id or a subject is known by its hash alone: 64 bits, with a key of this process, so that nobody can
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
        return sum(len(column) * column.itemsize for column in self._columns)

    @property
    def _columns(self) -> "Sequence[array[int]]":
        return (
            *(self.uids, self.sent_ms, self.ids, self.references),
            *(self.ends, self.subjects, self.is_reply, self.hashes),
        )

    def and_rows(self, rows: Sequence[Row]) -> "KnownRows":
        """Return these and further messages, read as UID and `THREAD_COLUMNS`."""
        uids, sent_ms, ids, references, ends, subjects, is_reply, hashes = (
            column[:] for column in self._columns
        )
        numbers = dict(zip(hashes, range(len(hashes)), strict=True))
        number_of = numbers.setdefault
        for uid, internal, sent, message_id, named, subject, answers in rows:
            uids.append(uid)
            sent_ms.append(internal if sent is None else sent)
            ids.append(number_of(hash(message_id), len(numbers)))
            references.extend([number_of(hash(each), len(numbers)) for each in named.split()])
            ends.append(len(references))
            subjects.append(hash(subject))
            is_reply.append(answers)
        hashes.extend(list(numbers)[len(hashes) :])
        return KnownRows(uids, sent_ms, ids, references, ends, subjects, is_reply, hashes)


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
