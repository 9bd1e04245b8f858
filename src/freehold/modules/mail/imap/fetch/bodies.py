"""Sends FETCH responses with pieces of messages: small ones many at a time, large ones in pieces."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from freehold.errors import NotFoundError
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.fetch.body_items import can_send, send_item, write_item
from freehold.modules.mail.imap.fetch.columns import fill_columns
from freehold.modules.mail.imap.messages.content import (
    LONG_SCAN_BYTES,
    BodyItem,
    MessageContent,
    UnknownEncodingError,
)
from freehold.modules.mail.imap.messages.rows import (
    Chunk,
    RowPlan,
    item_values,
    make_chunk,
    read_messages,
    split_positions,
    told_names,
)
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.imap.sync import tell_keywords
from freehold.protocols.imap import data_response
from freehold.storage.blobs import INLINE_MAX_BYTES

CHUNK_MESSAGES = 128
"""Messages whose rows are read at once."""
BATCH_BYTES = 512 * 1024
"""Contents of small messages that are in memory at once, about."""

BODY_COLUMNS = ("m.blob_id", "m.size_bytes")


@dataclass(slots=True)
class Sent:
    """What a FETCH could not send: messages that are gone, items whose encoding is unknown."""

    missing: int = 0
    undecodable: int = 0

    def add(self, other: "Sent") -> None:
        """Count what another part of the FETCH could not send."""
        self.missing += other.missing
        self.undecodable += other.undecodable


@dataclass(frozen=True, slots=True)
class _Message:
    """One message to be sent: its number or UID, the response's word, its row's items, and its content."""

    number: int
    word: bytes
    head: bytes
    blob_id: int
    size_bytes: int


async def send_bodies(
    conversation: Conversation,
    view: View,
    plan: RowPlan,
    bodies: Sequence[BodyItem],
    positions: Sequence[range],
) -> Sent:
    """Send row items and body items of the messages at `positions`; returns what could not be sent.

    `plan` must have `BODY_COLUMNS`. No more than a batch of small messages, or one piece of a large
    one, is in memory at once.
    """
    result = Sent()
    for group in split_positions(positions, CHUNK_MESSAGES):
        rows = await read_messages(conversation.context.database, view, plan.sql, group)
        chunk = make_chunk(view, plan, group, rows)
        result.missing += chunk.missing
        await fill_columns(conversation, view, plan, chunk)
        if not chunk.numbers:
            continue
        if "m.keywords" in plan.columns:
            tell_keywords(conversation, view, chunk)
        for batch in _batches(_messages(view, plan, chunk)):
            result.add(await _send_batch(conversation, batch, bodies))
    return result


def _messages(view: View, plan: RowPlan, chunk: Chunk) -> Iterator[_Message]:
    heads = item_values(view, plan, chunk)
    numbers, word = told_names(view, chunk)
    columns = zip(numbers, heads, chunk.columns["m.blob_id"], chunk.columns["m.size_bytes"], strict=True)
    return (_Message(number, word, *more) for number, *more in columns)


def _batches(messages: Iterator[_Message]) -> Iterator[list[_Message]]:
    """Yield small messages together and large ones alone, in order."""
    batch: list[_Message] = []
    octets = 0
    for message in messages:
        is_large = message.size_bytes > INLINE_MAX_BYTES
        if batch and (is_large or octets + message.size_bytes > BATCH_BYTES):
            yield batch
            batch, octets = [], 0
        if is_large:
            yield [message]
        else:
            batch.append(message)
            octets += message.size_bytes
    if batch:
        yield batch


async def _send_batch(conversation: Conversation, batch: list[_Message], bodies: Sequence[BodyItem]) -> Sent:
    context = conversation.context
    blob_ids = [message.blob_id for message in batch if message.size_bytes <= INLINE_MAX_BYTES]
    contents = await context.database.read(context.blobs.read_many, blob_ids) if blob_ids else {}
    result = Sent()
    unflushed = 0
    for message in batch:
        data = contents.get(message.blob_id)
        if data is not None and message.size_bytes * len(bodies) <= BATCH_BYTES:
            written = _write(message, MessageContent(data), bodies, result)
            conversation.send(written)
            unflushed += len(written)
            if unflushed >= BATCH_BYTES:
                await conversation.peer.flush()
                unflushed = 0
        else:
            await _send_large(conversation, message, bodies, result, data)
    await conversation.peer.flush()
    await asyncio.sleep(0)
    return result


def _write(message: _Message, content: MessageContent, bodies: Sequence[BodyItem], result: Sent) -> bytes:
    items = [message.head] if message.head else []
    for item in bodies:
        try:
            items.append(write_item(content, item))
        except UnknownEncodingError:
            result.undecodable += 1
    return data_response.fetch_line(message.number, items, word=message.word) if items else b""


async def _send_large(
    conversation: Conversation,
    message: _Message,
    bodies: Sequence[BodyItem],
    result: Sent,
    data: bytes | None,
) -> None:
    """Send a message in pieces, from its file if it has one; it may have been removed meanwhile."""
    view = conversation.context.blobs.open_view(message.blob_id) if data is None else nullcontext(data)
    try:
        async with view as buffer:
            content = MessageContent(buffer)
            if message.size_bytes > LONG_SCAN_BYTES:
                await asyncio.to_thread(content.prepare, bodies)
            items = [item for item in bodies if can_send(content, item)]
            result.undecodable += len(bodies) - len(items)
            await _send_items(conversation, message, content, items)
    except NotFoundError:
        result.missing += 1


async def _send_items(
    conversation: Conversation, message: _Message, content: MessageContent, items: Sequence[BodyItem]
) -> None:
    if not items and not message.head:
        return
    conversation.send(b"* %d %b (%b" % (message.number, message.word, message.head))
    separator = b" " if message.head else b""
    for item in items:
        conversation.send(separator)
        separator = b" "
        await send_item(conversation, content, item)
    conversation.send(b")\r\n")
