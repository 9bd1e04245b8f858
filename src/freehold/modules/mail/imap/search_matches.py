"""Finds the messages of the open folder that match search keys; others get their turn between chunks.

SEARCH, SORT, THREAD and search contexts all ask here.
"""

import asyncio
from array import array
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from freehold.errors import NotFoundError
from freehold.modules.mail.folders.messages import messages_of
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.message_content import MessageContent
from freehold.modules.mail.imap.message_rows import ranges_at, split_positions
from freehold.modules.mail.imap.search_objects import find_objects
from freehold.modules.mail.imap.search_plan import Candidate, Check, SearchPlan, plan_search
from freehold.modules.mail.imap.view import View
from freehold.modules.mail.model import MAX_UID, UID_BITS
from freehold.protocols.imap.search_keys import SearchKey
from freehold.storage.blobs import INLINE_MAX_BYTES
from freehold.storage.database import Row, Transaction, Value

PLAIN_CHUNK = 5000
"""Messages that are looked at at once when rows tell everything."""
CHUNK = 256
"""Messages at once when contents may have to be read."""
BATCH_BYTES = 1024 * 1024
"""Contents of small messages in memory at once, about."""

_FIXED_COLUMNS = 5
"""Id, modseq, blob, size, ENVELOPE; answers follow."""


@dataclass(frozen=True, slots=True)
class Found:
    """UIDs of messages that match, ascending, and their modseqs."""

    uids: "array[int]"
    modseqs: "array[int]"


async def find_matches(conversation: Conversation, view: View, key: SearchKey) -> Found:
    """Return what matches a key among the messages that the session has been told of."""
    key = await find_objects(conversation, view.folder_id, key)
    plan = plan_search(key, view, conversation.context.clock.now_ms())
    found = Found(array("I"), array("q"))
    async for uid, modseq in _matches(conversation, view, plan):
        found.uids.append(uid)
        found.modseqs.append(modseq)
    return found


async def _matches(
    conversation: Conversation, view: View, plan: SearchPlan
) -> AsyncIterator[tuple[int, int]]:
    """Yield UID and modseq of each match, ascending; the loop gets its turn between chunks."""
    for group in split_positions(plan.positions, PLAIN_CHUNK if plan.check is None else CHUNK):
        base = view.folder_id << UID_BITS
        ranges = [(base | low, base | high) for low, high in ranges_at(view, group)]
        rows = await conversation.context.database.read(_read, plan, ranges, view.mailbox_id, view.reader_id)
        if plan.check is not None:
            rows = await _judge(conversation, plan.check, rows)
        for row in rows:
            yield row[0] & MAX_UID, row[1]
        await asyncio.sleep(0)


async def _read(
    tx: Transaction, plan: SearchPlan, ranges: Sequence[tuple[int, int]], mailbox_id: int, reader_id: int
) -> list[Row]:
    """Return what SQL lets through: id, modseq, and with a check blob, size, ENVELOPE and answers."""
    columns = "m.id, m.modseq"
    tables, reader = messages_of(reader_id)
    before: list[Value] = []
    if plan.check is not None:
        told = [f"CASE WHEN {each.sql} THEN 1 ELSE 0 END" for each in plan.answers]
        before = [argument for each in plan.answers for argument in each.arguments]
        columns = ", ".join((columns, "m.blob_id, m.size_bytes, s.envelope", *told))
        tables += " JOIN message_summary AS s ON s.blob_id = m.blob_id"
    sql = (  # names of columns and tables are this program's own
        f"SELECT {columns} FROM {tables}"  # noqa: S608
        f" WHERE m.id BETWEEN ? AND ? AND m.mailbox_id = ? AND {plan.where.sql} ORDER BY m.id"
    )
    rows: list[Row] = []
    for first, last in ranges:
        rows += await tx.fetch(sql, *before, *reader, first, last, mailbox_id, *plan.where.arguments)
    return rows


async def _judge(conversation: Conversation, check: Check, rows: list[Row]) -> list[Row]:
    """Return the rows of messages that match, whose contents are read where need be."""
    matching: list[Row] = []
    batch: list[tuple[Row, Candidate | None]] = []
    octets = 0
    for row in rows:
        candidate = Candidate(row[0] & MAX_UID, row[4], row[_FIXED_COLUMNS:])
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
    for row, candidate in batch:
        if candidate is None:
            matching.append(row)
        elif row[2] in contents:
            candidate.content = MessageContent(contents[row[2]])
            if check(candidate):
                matching.append(row)
        elif await _judge_large(conversation, check, candidate, row[2]):
            matching.append(row)
    await asyncio.sleep(0)
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
