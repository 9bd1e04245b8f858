"""What threading knows of messages, column by column, and how little of memory it can be kept in."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from freehold.storage.database import Row

COLUMNS = ("internal_ms", "sent_ms", "message_id", "reference_ids", "base_subject", "is_reply")
"""What is read of a message, behind its UID."""

NO_ID = 0
"""The number of the id "", which a message without an id of its own has."""
NO_SUBJECT = 0


class ThreadRows(NamedTuple):
    """Messages by ascending `numbers`, or UIDs, by which they are told.

    `ids` and `references` number message ids from 1 to below `id_count`; the ids that a message names come
    oldest first, and can be asked for once. Messages of one number in `subjects` have one base subject.
    `is_reply` says that words such as `Re:` stood before it.
    """

    numbers: Sequence[int]
    sent_ms: Sequence[int]
    ids: Sequence[int]
    references: Iterable[Sequence[int]]
    subjects: Sequence[int]
    is_reply: Sequence[int]
    id_count: int

    def by_date(self) -> list[int]:
        """Return the indexes of messages in the order in which they were sent, then by number."""
        return sorted(range(len(self.sent_ms)), key=self.sent_ms.__getitem__)


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
        """Return these and further messages, read as UID and `COLUMNS`."""
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

    def rows_of(self, uids: "array[int]", numbers: Sequence[int]) -> ThreadRows:
        """Return the rows of some ascending UIDs, all of which are known, to be told as `numbers`."""
        columns = [self.sent_ms.tolist(), self.ids.tolist(), self.subjects.tolist(), self.is_reply.tolist()]
        places: Sequence[int] = range(len(uids))
        if uids != self.uids:
            place_of = dict(zip(self.uids, range(len(self.uids)), strict=True))
            places = list(map(place_of.__getitem__, uids))
            columns = [list(map(column.__getitem__, places)) for column in columns]
        sent_ms, ids, subjects, is_reply = columns
        references, ends = self.references, self.ends.tolist()
        named = (references[ends[place] : ends[place + 1]] for place in places)
        return ThreadRows(numbers, sent_ms, ids, named, subjects, is_reply, len(self.hashes))


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
