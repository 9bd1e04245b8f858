"""Sends FETCH responses with pieces of messages: small ones many at a time, large ones in pieces."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from freehold.errors import NotFoundError
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.fetch_columns import fill_columns
from freehold.modules.mail.imap.message_content import MessageContent
from freehold.modules.mail.imap.message_rows import (
    Chunk,
    RowPlan,
    item_values,
    make_chunk,
    read_messages,
    split_positions,
    told_names,
)
from freehold.modules.mail.imap.sync import tell_keywords
from freehold.modules.mail.imap.view import View
from freehold.protocols.imap import data_response
from freehold.protocols.imap.body_section import BodySection
from freehold.protocols.imap.fetch import FetchAttribute
from freehold.protocols.mime.section import Range
from freehold.storage.blobs import INLINE_MAX_BYTES

CHUNK_MESSAGES = 128
"""Messages whose rows are read at once."""
BATCH_BYTES = 512 * 1024
"""Contents of small messages that are in memory at once, about."""
PIECE_BYTES = 128 * 1024
"""Pieces in which a large message is sent."""
LONG_SCAN_BYTES = 1024 * 1024
"""Larger messages are looked through off the loop's thread."""

BODY_COLUMNS = ("m.blob_id", "m.size_bytes")

BodyItem = BodySection | FetchAttribute
"""A section, or `FetchAttribute.BODY`: what needs the message's octets."""


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
) -> int:
    """Send row items and body items of the messages at `positions`; returns how many messages are gone.

    `plan` must have `BODY_COLUMNS`. No more than a batch of small messages, or one piece of a large
    one, is in memory at once.
    """
    missing = 0
    for group in split_positions(positions, CHUNK_MESSAGES):
        rows = await read_messages(conversation.context.database, view, plan.sql, group)
        chunk = make_chunk(view, plan, group, rows)
        missing += chunk.missing
        await fill_columns(conversation, view, plan, chunk)
        if not chunk.numbers:
            continue
        if "m.keywords" in plan.columns:
            tell_keywords(conversation, view, chunk)
        for batch in _batches(_messages(view, plan, chunk)):
            missing += await _send_batch(conversation, batch, bodies)
    return missing


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


async def _send_batch(conversation: Conversation, batch: list[_Message], bodies: Sequence[BodyItem]) -> int:
    context = conversation.context
    blob_ids = [message.blob_id for message in batch if message.size_bytes <= INLINE_MAX_BYTES]
    contents = await context.database.read(context.blobs.read_many, blob_ids) if blob_ids else {}
    missing = 0
    for message in batch:
        data = contents.get(message.blob_id)
        if data is not None:
            conversation.send(_write(message, MessageContent(data), bodies))
        elif not await _send_large(conversation, message, bodies):
            missing += 1
    await conversation.peer.flush()
    await asyncio.sleep(0)
    return missing


def _write(message: _Message, content: MessageContent, bodies: Sequence[BodyItem]) -> bytes:
    items = [message.head] if message.head else []
    for item in bodies:
        if isinstance(item, BodySection):
            items.append(data_response.body_item(item.label, _without_nul(content.octets(item))))
        else:
            items.append(b"BODY " + content.structure())
    return data_response.fetch_line(message.number, items, word=message.word)


def _without_nul(octets: bytes | None) -> bytes | None:
    """Replace NUL, which no literal may hold (RFC 3501 §4.3), as Dovecot does: sizes stay."""
    return octets.replace(b"\0", b"\x80") if octets is not None and 0 in octets else octets


async def _send_large(conversation: Conversation, message: _Message, bodies: Sequence[BodyItem]) -> bool:
    """Send a message from its file; False when it has been removed meanwhile."""
    try:
        async with conversation.context.blobs.open_view(message.blob_id) as buffer:
            content = MessageContent(buffer)
            if message.size_bytes > LONG_SCAN_BYTES and any(map(_needs_parts, bodies)):
                await asyncio.to_thread(lambda: content.part)
            await _send_pieces(conversation, message, content, bodies)
    except NotFoundError:
        return False
    return True


def _needs_parts(item: BodyItem) -> bool:
    return not isinstance(item, BodySection) or bool(item.part)


async def _send_pieces(
    conversation: Conversation, message: _Message, content: MessageContent, bodies: Sequence[BodyItem]
) -> None:
    conversation.send(b"* %d %b (%b" % (message.number, message.word, message.head))
    separator = b" " if message.head else b""
    for item in bodies:
        conversation.send(separator)
        separator = b" "
        if not isinstance(item, BodySection):
            conversation.send(b"BODY " + content.structure())
            continue
        found = content.locate(item)
        if not isinstance(found, Range) or found.start == found.end:
            octets = b"" if isinstance(found, Range) else _without_nul(found)
            conversation.send(data_response.body_item(item.label, octets))
            continue
        conversation.send(b"%b {%d}\r\n" % (item.label, found.end - found.start))
        for start in range(found.start, found.end, PIECE_BYTES):
            piece = content.buffer[start : min(start + PIECE_BYTES, found.end)]
            conversation.send(piece.replace(b"\0", b"\x80") if 0 in piece else piece)
            await conversation.peer.flush()
    conversation.send(b")\r\n")


def marks_seen(item: BodyItem) -> bool:
    r"""Tell whether fetching an item makes the message \Seen."""
    return isinstance(item, BodySection) and not item.peek
