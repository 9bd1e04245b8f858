"""THREAD and UID THREAD (RFC 5256 §3)."""

from array import array
from collections.abc import Callable, Sequence
from typing import Final

from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.errors import TooManyToSortError
from freehold.modules.mail.imap.search.matches import find_matches
from freehold.modules.mail.imap.search.result import message_numbers
from freehold.modules.mail.imap.search.sort_order import KNOWN_FOR_EACH_WANTED
from freehold.modules.mail.imap.search.sort_rows import in_turn, read_rows_of, turn_of_many
from freehold.modules.mail.imap.selected.known import KnownThreads
from freehold.modules.mail.imap.selected.known_rows import (
    NO_ROWS,
    REFERENCE_COLUMNS,
    SUBJECT_COLUMNS,
    KnownRows,
)
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.imap.thread.references import thread_by_references, thread_by_references_only
from freehold.modules.mail.imap.thread.rows import ThreadRows, rows_of
from freehold.modules.mail.imap.thread.subjects import thread_by_subject
from freehold.protocols.imap.thread import Thread, ThreadAlgorithm, Threads, thread_chunks

THREADED_IN_LOOP: Final = 5000
"""More messages are threaded off the loop's thread."""
IDS_LIKE_A_MESSAGE: Final = 4
"""As many ids take about as long as a message does."""
MAX_NAMED_IDS: Final = 2_000_000
"""Ids that the messages threaded at once name all together; each costs some 200 bytes meanwhile."""
KNOWN_FOR_EACH_THERE: Final = 2
"""Where more rows are known for each message of a folder, they are forgotten: most are of what is gone."""

_NAMED_IDS: Final = 1 + REFERENCE_COLUMNS.index("reference_ids")

_ALGORITHMS: Final[dict[ThreadAlgorithm, tuple[Callable[[ThreadRows], Threads], tuple[str, ...]]]] = {
    ThreadAlgorithm.ORDEREDSUBJECT: (thread_by_subject, SUBJECT_COLUMNS),
    ThreadAlgorithm.REFERENCES: (thread_by_references, REFERENCE_COLUMNS),
    ThreadAlgorithm.REFS: (thread_by_references_only, REFERENCE_COLUMNS),
}
"""How messages are threaded, and the columns that are read to that end."""


async def thread(conversation: Conversation, command: Thread) -> Reply:
    """Answer THREAD.

    Raises:
        TooManyToSortError: more messages match than are threaded.
    """
    view = conversation.selected
    found = await find_matches(conversation, view, command.key, modseqs=False)
    for piece in await _pieces(conversation, view, command, found.uids):
        conversation.send(piece)
        await conversation.peer.flush()
    return Reply("Thread completed")


async def _pieces(
    conversation: Conversation, view: View, command: Thread, uids: "array[int]"
) -> Sequence[bytes]:
    """Return the response; one of the same messages is remembered, for nothing it rests on ever changes."""
    known = conversation.context.known.threads
    key = (view.folder_id, view.uid_validity), command.algorithm, command.uid
    numbers: Sequence[int] = uids if command.uid else message_numbers(view, uids)
    before = known.find(key)
    if before is not None and before.uids == uids and before.numbers == numbers:
        return before.pieces
    algorithm, columns = _ALGORITHMS[command.algorithm]
    async with turn_of_many(conversation, len(uids)):
        rows = await _rows(conversation, view, uids, columns)
        weight = _weight(len(uids), len(rows.references) + len(rows.hashes))
        pieces = await in_turn(
            weight, THREADED_IN_LOOP, lambda: tuple(thread_chunks(algorithm(rows_of(rows, uids, numbers))))
        )
    known.keep(key, KnownThreads(uids, numbers, pieces), 8 * len(uids) + sum(map(len, pieces)))
    return pieces


async def _rows(
    conversation: Conversation, view: View, uids: "array[int]", columns: tuple[str, ...]
) -> KnownRows:
    """Return rows in which some ascending UIDs are; what was read before is remembered.

    Raises:
        TooManyToSortError: more than `MAX_SORTED_MESSAGES` are unknown, or they name too many ids.
    """
    every, key = conversation.context.known.thread_rows, ((view.folder_id, view.uid_validity), columns)
    known = every.find(key) or NO_ROWS
    if known.uids == uids:
        return known
    has_all = len(uids) == len(view.uids)
    if not has_all and len(uids) * KNOWN_FOR_EACH_WANTED < len(known.uids):
        return await _read(conversation, view, uids, columns, NO_ROWS)
    if has_all and len(uids) * KNOWN_FOR_EACH_THERE < len(known.uids):
        known = NO_ROWS
    before = known
    new = array(
        "I", await in_turn(len(uids), THREADED_IN_LOOP, lambda: sorted(set(uids).difference(before.uids)))
    )
    if new:
        known = await _read(conversation, view, new, columns, before)
        every.keep(key, known, known.size_bytes)
    return known


async def _read(
    conversation: Conversation, view: View, uids: "array[int]", columns: tuple[str, ...], before: KnownRows
) -> KnownRows:
    """Return the rows `before`, and those of some ascending UIDs, which are read."""
    read = await read_rows_of(conversation, view, uids, columns)
    named = sum([row[_NAMED_IDS].count(" ") for row in read]) if columns == REFERENCE_COLUMNS else 0
    if named > MAX_NAMED_IDS:
        raise TooManyToSortError
    weight = _weight(len(read), named + len(before.hashes))
    return await in_turn(weight, THREADED_IN_LOOP, lambda: before.and_rows(read))


def _weight(messages: int, ids: int) -> int:
    """Return how many messages without ids take as long as these, which have so many."""
    return messages + ids // IDS_LIKE_A_MESSAGE
