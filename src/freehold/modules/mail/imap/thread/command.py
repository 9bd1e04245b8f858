"""THREAD and UID THREAD (RFC 5256 §3)."""

import asyncio
from array import array
from collections.abc import Callable, Sequence

from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.search.matches import find_matches
from freehold.modules.mail.imap.search.result import message_numbers
from freehold.modules.mail.imap.search.sort_order import sent_moments
from freehold.modules.mail.imap.search.sort_rows import read_rows_of
from freehold.modules.mail.imap.selected.known import KnownThreads
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.imap.thread.references import thread_by_references, thread_by_references_only
from freehold.modules.mail.imap.thread.rows import ThreadRow
from freehold.modules.mail.imap.thread.subjects import thread_by_subject
from freehold.protocols.imap.thread import Thread, ThreadAlgorithm, ThreadNode, thread_chunks
from freehold.storage.database import Row

THREADED_IN_LOOP = 5000
"""More messages are threaded off the loop's thread."""

_NAMES = ("internal_ms", "sent_ms", "message_id", "reference_ids", "base_subject", "is_reply")
_INTERNAL_COLUMN, _SENT_COLUMN = 1, 2

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
    rows = await read_rows_of(conversation, view, uids, _NAMES)
    threads = await _in_turn(len(rows), lambda: _threads(command.algorithm, rows, numbers))
    pieces = tuple(thread_chunks(threads))
    known.keep(key, KnownThreads(uids, numbers, pieces), 8 * len(uids) + sum(map(len, pieces)))
    return pieces


async def _in_turn(count: int, work: Callable[[], list[ThreadNode]]) -> list[ThreadNode]:
    return await asyncio.to_thread(work) if count > THREADED_IN_LOOP else work()


def _threads(algorithm: ThreadAlgorithm, rows: Sequence[Row], numbers: Sequence[int]) -> list[ThreadNode]:
    if not rows:
        return []
    moments = sent_moments(rows, _SENT_COLUMN, _INTERNAL_COLUMN)
    columns = list(zip(*rows, strict=True))[_SENT_COLUMN + 1 :]
    return _ALGORITHMS[algorithm](list(map(ThreadRow._make, zip(numbers, moments, *columns, strict=True))))
