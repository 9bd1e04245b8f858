"""THREAD and UID THREAD (RFC 5256 §3)."""

import asyncio
from collections.abc import Callable, Sequence

from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.search_matches import find_matches
from freehold.modules.mail.imap.search_result import message_numbers
from freehold.modules.mail.imap.sort_order import read_rows_of, sent_moments
from freehold.modules.mail.imap.thread_references import thread_by_references, thread_by_references_only
from freehold.modules.mail.imap.thread_rows import ThreadRow
from freehold.modules.mail.imap.thread_subjects import thread_by_subject
from freehold.protocols.imap.thread import Thread, ThreadAlgorithm, ThreadNode, thread_chunks
from freehold.storage.database import Row

THREADED_IN_LOOP = 5000
"""More messages are threaded off the loop's thread."""

_NAMES = ("sent_ms", "message_id", "reference_ids", "base_subject", "is_reply")
_SENT_COLUMN = 3

_ALGORITHMS: dict[ThreadAlgorithm, Callable[[Sequence[ThreadRow]], list[ThreadNode]]] = {
    ThreadAlgorithm.ORDEREDSUBJECT: thread_by_subject,
    ThreadAlgorithm.REFERENCES: thread_by_references,
    ThreadAlgorithm.REFS: thread_by_references_only,
}


async def thread(conversation: Conversation, command: Thread) -> Reply:
    """Answer THREAD.

    Raises:
        TooManyToSortError: more messages match than are threaded.
    """
    view = conversation.selected
    found = await find_matches(conversation, view, command.key)
    rows = await read_rows_of(conversation, view, found.uids, _NAMES)
    numbers: Sequence[int] = found.uids if command.uid else message_numbers(view, found.uids)
    pieces = await _in_turn(len(rows), lambda: _threads(command.algorithm, rows, numbers))
    for piece in thread_chunks(pieces):
        conversation.send(piece)
        await conversation.peer.flush()
    return Reply("Thread completed")


async def _in_turn(count: int, work: Callable[[], list[ThreadNode]]) -> list[ThreadNode]:
    return await asyncio.to_thread(work) if count > THREADED_IN_LOOP else work()


def _threads(algorithm: ThreadAlgorithm, rows: Sequence[Row], numbers: Sequence[int]) -> list[ThreadNode]:
    if not rows:
        return []
    moments = sent_moments(rows, _SENT_COLUMN)
    columns = list(zip(*rows, strict=True))[_SENT_COLUMN + 1 :]
    return _ALGORITHMS[algorithm](list(map(ThreadRow._make, zip(numbers, moments, *columns, strict=True))))
