"""What threading knows of messages, column by column."""

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from freehold.modules.mail.imap.selected.known_rows import KnownRows

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


def rows_of(known: KnownRows, uids: "array[int]", numbers: Sequence[int]) -> ThreadRows:
    """Return the rows of some ascending UIDs, all of which are known, to be told as `numbers`."""
    columns = [known.sent_ms.tolist(), known.ids.tolist(), known.subjects.tolist(), known.is_reply.tolist()]
    places: Sequence[int] = range(len(uids))
    if uids != known.uids:
        place_of = dict(zip(known.uids, range(len(known.uids)), strict=True))
        places = list(map(place_of.__getitem__, uids))
        columns = [list(map(column.__getitem__, places)) for column in columns]
    sent_ms, ids, subjects, is_reply = columns
    references, ends = known.references, known.ends.tolist()
    named = (references[ends[place] : ends[place + 1]] for place in places)
    return ThreadRows(numbers, sent_ms, ids, named, subjects, is_reply, len(known.hashes))
