"""Reads what messages of the open folder are sorted and threaded by; others get their turn between chunks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.errors import TooManyToSortError
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.search.read_rows import read_index_rows
from freehold.storage.database import Row

T = TypeVar("T")

MAX_SORTED_MESSAGES = 200_000
"""Messages that are sorted at once; each costs some 300 bytes meanwhile."""
MAX_KEY_CHARACTERS = 128 * 1024 * 1024
"""All texts together by which messages are sorted or threaded; hostile ones name a hundred others each."""
CHUNK_MESSAGES = 2000
"""Messages whose keys are read at once."""
MAX_ROWS_AT_ONCE = 2 * CHUNK_MESSAGES
"""Those that are read along included; the keys of one may have some 19,000 characters."""
GAP_READ_THROUGH = 40
"""Fewer messages between two that are wanted are read along and dropped."""

_NUMBERS = frozenset({"internal_ms", "size_bytes", "sent_ms", "is_reply"})


@asynccontextmanager
async def turn_of_many(conversation: Conversation, count: int) -> AsyncIterator[None]:
    """Wait, before many messages are put in order, until no other session of the process does that."""
    if count <= CHUNK_MESSAGES:
        yield
        return
    async with conversation.context.ordering:
        yield


async def in_turn(weight: int, most_in_loop: int, work: Callable[[], T]) -> T:
    """Do work on messages: what weighs much, off the loop's thread."""
    return await asyncio.to_thread(work) if weight > most_in_loop else work()


async def read_rows_of(
    conversation: Conversation, view: View, uids: Sequence[int], names: Sequence[str]
) -> list[Row]:
    """Return (UID, the columns that `read_index_rows` knows by these names) of ascending UIDs, in order.

    A message that is gone has nothing: no text, and 0.

    Raises:
        TooManyToSortError: there are more than `MAX_SORTED_MESSAGES`, or their texts are too long.
    """
    if len(uids) > MAX_SORTED_MESSAGES:
        raise TooManyToSortError
    nothing = tuple(0 if name in _NUMBERS else "" for name in names)
    texts = [place for place, name in enumerate(names, 1) if name not in _NUMBERS]
    rows: list[Row] = []
    room = MAX_KEY_CHARACTERS
    done = 0
    while done < len(uids):
        wanted = _next_chunk(uids, done)
        done += len(wanted)
        read = await read_rows_there(conversation, view, wanted, names)
        if len(read) < len(wanted):
            known = {row[0]: row for row in read}
            read = [known.get(uid) or (uid, *nothing) for uid in wanted]
        rows += read
        for place in texts:
            room -= sum([len(row[place]) for row in read])
        if room < 0:
            raise TooManyToSortError
        await asyncio.sleep(0)
    return rows


async def read_rows_there(
    conversation: Conversation, view: View, uids: Sequence[int], names: Sequence[str]
) -> list[Row]:
    """Return the rows of those of some ascending UIDs, of one chunk at most, that are not gone."""
    context = conversation.context
    read = await read_index_rows(
        context.database, context.blobs, view.mailbox_id, view.folder_id, _covering(uids), names
    )
    if len(read) > len(uids) or [row[0] for row in read] != list(uids):
        wanted = set(uids)
        read = [row for row in read if row[0] in wanted]
    return read


def _next_chunk(uids: Sequence[int], start: int) -> Sequence[int]:
    chunk = uids[start : start + CHUNK_MESSAGES]
    while sum(last - first + 1 for first, last in _covering(chunk)) > MAX_ROWS_AT_ONCE:
        chunk = chunk[: len(chunk) // 2]
    return chunk


def _covering(uids: Sequence[int]) -> list[UidRange]:
    """Return ranges in which the UIDs lie, with the small gaps between them."""
    first, last = uids[0], uids[-1]
    if last - first == len(uids) - 1:
        return [(first, last)]
    ranges: list[UidRange] = []
    last = first
    for uid in uids:
        if uid - last > GAP_READ_THROUGH:
            ranges.append((first, last))
            first = uid
        last = uid
    return [*ranges, (first, last)]
