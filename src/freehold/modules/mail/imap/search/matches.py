"""Finds the messages of the open folder that match search keys; others get their turn between chunks.

SEARCH, SORT, THREAD and search contexts all ask here.
"""

import asyncio
from array import array
from dataclasses import dataclass

from freehold.errors import NotFoundError
from freehold.modules.mail.folders.read import folder_modseq
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.messages.content import MessageContent
from freehold.modules.mail.imap.messages.rows import ranges_at, split_positions
from freehold.modules.mail.imap.search.index import questions_of
from freehold.modules.mail.imap.search.objects import find_objects
from freehold.modules.mail.imap.search.plan import Candidate, Check, plan_search
from freehold.modules.mail.imap.search.rows import FIXED_COLUMNS, read_candidates
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.model import MAX_UID, UID_BITS
from freehold.modules.mail.search.lookup import ask_index
from freehold.protocols.imap.search_keys import EveryMessage, SearchKey
from freehold.storage.blobs import INLINE_MAX_BYTES
from freehold.storage.database import Row

PLAIN_CHUNK = 5000
"""Messages that are looked at at once when rows tell everything."""
CHUNK = 1000
"""Messages at once when contents may have to be read."""
BATCH_BYTES = 1024 * 1024
"""Contents of small messages in memory at once, about."""
FEW_MESSAGES = 32
"""Up to this number they are looked through, which is quicker than to ask the index of a large mailbox."""
CHECKS_AT_ONCE = 16
"""Contents looked through before others get their turn."""


@dataclass(frozen=True, slots=True)
class Found:
    """UIDs of messages that match, ascending, and their modseqs."""

    uids: "array[int]"
    modseqs: "array[int]"


async def find_matches(
    conversation: Conversation, view: View, key: SearchKey, *, modseqs: bool = True
) -> Found:
    """Return what matches a key among the messages that the session has been told of.

    Without need of `modseqs` there may be none.
    """
    if isinstance(key, EveryMessage) and not modseqs and await _none_is_gone(conversation, view):
        return Found(array("I", view.uids.uids(0, len(view.uids))), array("q"))
    key = await find_objects(conversation, view.folder_id, key)
    context = conversation.context
    now_ms = context.clock.now_ms()
    plan = plan_search(key, view, now_ms)
    if plan.check is not None and sum(map(len, plan.positions)) > FEW_MESSAGES:
        questions = frozenset(questions_of(key))
        index = await context.database.read_long(ask_index, view.mailbox_id, view.folder_id, questions)
        plan = plan_search(key, view, now_ms, index)
    found = Found(array("I"), array("q"))
    for group in split_positions(plan.positions, PLAIN_CHUNK if plan.check is None else CHUNK):
        base = view.folder_id << UID_BITS
        ranges = [(base | low, base | high) for low, high in ranges_at(view, group)]
        rows = await context.database.read(read_candidates, plan, view, ranges)
        if plan.check is not None:
            rows = await _judge(conversation, plan.check, rows)
        found.uids.extend([row[0] & MAX_UID for row in rows])
        found.modseqs.extend([row[1] for row in rows])
        await asyncio.sleep(0)
    return found


async def _none_is_gone(conversation: Conversation, view: View) -> bool:
    """Tell whether all messages of the view are there, for nothing has happened since it was told of."""
    newest = await conversation.context.database.read(
        folder_modseq, view.mailbox_id, view.folder_id, view.reader_id
    )
    return newest == view.expunged_modseq


async def _judge(conversation: Conversation, check: Check, rows: list[Row]) -> list[Row]:
    """Return the rows of messages that match, whose contents are read where need be."""
    matching: list[Row] = []
    batch: list[tuple[Row, Candidate | None]] = []
    octets = 0
    for row in rows:
        candidate = Candidate(row[0] & MAX_UID, row[2], row[4], row[FIXED_COLUMNS:])
        told = check(candidate)
        if told is False:
            continue
        batch.append((row, None if told else candidate))
        if told is None:
            octets += min(row[3], INLINE_MAX_BYTES)
        if octets >= BATCH_BYTES:
            matching += await _judge_batch(conversation, check, batch)
            batch, octets = [], 0
    return matching + await _judge_batch(conversation, check, batch)


async def _judge_batch(
    conversation: Conversation, check: Check, batch: list[tuple[Row, Candidate | None]]
) -> list[Row]:
    context = conversation.context
    small = [row[2] for row, candidate in batch if candidate is not None and row[3] <= INLINE_MAX_BYTES]
    contents = await context.database.read(context.blobs.read_many, small) if small else {}
    matching = []
    for number, (row, candidate) in enumerate(batch):
        if number % CHECKS_AT_ONCE == 0:
            await asyncio.sleep(0)
        if candidate is None:
            matching.append(row)
        elif row[2] in contents:
            candidate.content = MessageContent(contents[row[2]])
            if check(candidate):
                matching.append(row)
        elif await _judge_large(conversation, check, candidate, row[2]):
            matching.append(row)
    return matching


async def _judge_large(conversation: Conversation, check: Check, candidate: Candidate, blob_id: int) -> bool:
    """Look through a large message, off the loop's thread; one that is gone does not match."""
    try:
        async with conversation.context.blobs.open_view(blob_id) as buffer:
            candidate.content = MessageContent(buffer)
            told = await asyncio.to_thread(check, candidate)
            candidate.content = None
            return bool(told)
    except NotFoundError:
        return False
