"""Puts messages in the order of sort criteria (RFC 5256 §2.2, §3, RFC 5957 §3)."""

import asyncio
from array import array
from collections.abc import Sequence
from itertools import chain

from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.errors import TooManyToSortError
from freehold.modules.mail.imap.selected.known import KnownOrder
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.search.read_rows import read_index_rows
from freehold.protocols.imap.sort import SortField, SortKey
from freehold.storage.database import Row

MAX_SORTED_MESSAGES = 200_000
"""Messages that are sorted at once; each costs some 300 bytes meanwhile."""
MAX_KEY_CHARACTERS = 128 * 1024 * 1024
"""All texts together by which messages are sorted or threaded; hostile ones name a hundred others each."""
CHUNK_MESSAGES = 2000
"""Messages whose keys are read at once."""
SORTED_IN_LOOP = 20_000
"""More are sorted off the loop's thread."""
GAP_READ_THROUGH = 40
"""Fewer messages between two that are wanted are read along and dropped."""

_COLUMNS: dict[SortField, str | None] = {
    SortField.ARRIVAL: None,
    SortField.CC: "cc_key",
    SortField.DATE: "sent_ms",
    SortField.DISPLAYFROM: "display_from",
    SortField.DISPLAYTO: "display_to",
    SortField.FROM: "from_key",
    SortField.SIZE: None,
    SortField.SUBJECT: "base_subject",
    SortField.TO: "to_key",
}
_NUMBERS = frozenset({"sent_ms", "is_reply"})
MS_PER_SECOND = 1000
_ARRIVAL_COLUMN, _SIZE_COLUMN, _FIXED_COLUMNS = 1, 2, 3


async def sort_messages(
    conversation: Conversation, view: View, uids: Sequence[int], order: Sequence[SortKey]
) -> Sequence[int]:
    """Return the indexes of ascending `uids` in the order of the criteria; equals stay as they are.

    Texts are compared in the form of i;unicode-casemap. A message that is gone sorts as an empty one. What
    was sorted before is remembered: none of what messages are sorted by ever changes.

    Raises:
        TooManyToSortError: there are more than `MAX_SORTED_MESSAGES`.
    """
    known, key = conversation.context.known.orders, ((view.folder_id, view.uid_validity), tuple(order))
    wanted = array("I", uids)
    before = known.find(key)
    if before is not None and before.uids == wanted:
        return before.indexes
    indexes = await _sort(conversation, view, wanted, order)
    known.keep(key, KnownOrder(wanted, indexes), 2 * len(wanted) * wanted.itemsize)
    return indexes


async def _sort(
    conversation: Conversation, view: View, uids: "array[int]", order: Sequence[SortKey]
) -> "array[int]":
    names = tuple(dict.fromkeys(name for key in order if (name := _COLUMNS[key.field]) is not None))
    rows = await read_rows_of(conversation, view, uids, names)
    columns = [(_column(rows, key.field, names), key.reverse) for key in order]
    if len(uids) > SORTED_IN_LOOP:
        return await asyncio.to_thread(_sorted, len(uids), columns)
    return _sorted(len(uids), columns)


async def read_rows_of(
    conversation: Conversation, view: View, uids: Sequence[int], names: Sequence[str]
) -> list[Row]:
    """Return (UID, INTERNALDATE, size, the named columns of `message_index`) of ascending UIDs, in order.

    Raises:
        TooManyToSortError: there are more than `MAX_SORTED_MESSAGES`, or their texts are too long.
    """
    if len(uids) > MAX_SORTED_MESSAGES:
        raise TooManyToSortError
    context = conversation.context
    nothing = tuple("" for _ in names)
    texts = [place for place, name in enumerate(names, _FIXED_COLUMNS) if name not in _NUMBERS]
    rows: list[Row] = []
    room = MAX_KEY_CHARACTERS
    for start in range(0, len(uids), CHUNK_MESSAGES):
        wanted = uids[start : start + CHUNK_MESSAGES]
        read = await read_index_rows(
            context.database, context.blobs, view.mailbox_id, view.folder_id, _covering(wanted), names
        )
        if [row[0] for row in read] != list(wanted):
            known = {row[0]: row for row in read}
            read = [known.get(uid) or (uid, 0, 0, *nothing) for uid in wanted]
        rows += read
        room -= sum(len(row[place]) for place in texts for row in read)
        if room < 0:
            raise TooManyToSortError
        await asyncio.sleep(0)
    return rows


def _covering(uids: Sequence[int]) -> list[UidRange]:
    """Return ranges in which the UIDs lie, with the small gaps between them."""
    ranges: list[UidRange] = []
    first = last = uids[0]
    for uid in uids:
        if uid - last > GAP_READ_THROUGH:
            ranges.append((first, last))
            first = uid
        last = uid
    return [*ranges, (first, last)]


def _column(rows: Sequence[Row], field: SortField, names: Sequence[str]) -> Sequence[int] | Sequence[str]:
    match field:
        case SortField.ARRIVAL:
            return [row[_ARRIVAL_COLUMN] // MS_PER_SECOND for row in rows]  # as FETCH tells it
        case SortField.SIZE:
            return [row[_SIZE_COLUMN] for row in rows]
        case SortField.DATE:
            return sent_moments(rows, _FIXED_COLUMNS + names.index("sent_ms"))
        case _:
            place = _FIXED_COLUMNS + names.index(_COLUMNS[field] or "")
            return [row[place] for row in rows]


def sent_moments(rows: Sequence[Row], place: int) -> list[int]:
    """Return when messages were sent; INTERNALDATE counts where no date is (RFC 5256 §2.2)."""
    return [row[place] if isinstance(row[place], int) else row[_ARRIVAL_COLUMN] for row in rows]


def _sorted(count: int, columns: Sequence[tuple[Sequence[int] | Sequence[str], bool]]) -> "array[int]":
    """Sort by the last criterion first: each sort keeps what those after it have decided."""
    indexes = list(range(count))
    for column, reverse in reversed(columns):
        indexes.sort(key=column.__getitem__, reverse=reverse)
    return array("I", chain(indexes))
