"""Sends FETCH responses that need nothing but rows."""

import asyncio
from collections.abc import Sequence

from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.fetch.columns import fill_columns
from freehold.modules.mail.imap.messages.rows import (
    RowPlan,
    make_chunk,
    read_messages,
    split_positions,
    write_chunk,
)
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.imap.sync import tell_keywords
from freehold.storage.database import Row

SMALL_BYTES = 512
"""Responses up to here leave together with the tagged reply: one packet for a lone STORE."""


async def send_rows(
    conversation: Conversation, view: View, plan: RowPlan, positions: Sequence[range], *arguments: int
) -> int:
    """Send the items of the messages at `positions`; returns how many messages are gone.

    `arguments` go to the plan's statement.
    """
    missing = 0
    for group in split_positions(positions, plan.chunk_messages):
        rows = await read_messages(conversation.context.database, view, plan.sql, group, *arguments)
        missing += await send_group(conversation, view, plan, group, rows)
    return 0 if arguments else missing


async def send_group(
    conversation: Conversation, view: View, plan: RowPlan, group: Sequence[range], rows: list[Row]
) -> int:
    """Send the items of one group of messages from their rows; returns how many messages have none.

    The loop gets its turn behind it, unless the response is a small one.
    """
    chunk = make_chunk(view, plan, group, rows)
    await fill_columns(conversation, view, plan, chunk)
    if chunk.numbers:
        if "m.keywords" in plan.columns:
            tell_keywords(conversation, view, chunk)
        written = write_chunk(view, plan, chunk)
        conversation.send(written)
        if len(written) > SMALL_BYTES:
            await conversation.peer.flush()
            await asyncio.sleep(0)
    return chunk.missing
