"""RETR and TOP: a message to the client, a large one in pieces (RFC 1939 §5, RFC 1939 §7)."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from freehold.errors import NotFoundError
from freehold.modules.mail.pop3.conversation import Conversation
from freehold.modules.mail.pop3.errors import AccessEndedError, MessageGoneError
from freehold.protocols.pop3 import reply
from freehold.protocols.pop3.events import Retr, Top
from freehold.protocols.pop3.message_lines import pieces_of, retrieved, top
from freehold.storage.blobs import INLINE_MAX_BYTES, BlobStore
from freehold.storage.database import Transaction

Encoder = Callable[[Iterable[bytes]], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class _Content:
    """A message's content; `data` is None where it is large and in a file."""

    blob_id: int
    data: bytes | None


async def retrieve(conversation: Conversation, event: Retr) -> None:
    r"""Answer RETR. The message becomes \Seen when the session ends, as with Dovecot.

    Raises:
        NoSuchMessageError: the number is none, or marked as deleted.
        MessageGoneError: somebody else has removed the message.
        AccessEndedError: the mailbox or its login was disabled or removed.
    """
    maildrop = conversation.maildrop
    size = maildrop.size(event.number)
    await _send(conversation, event.number, f"{size} octets", retrieved)
    maildrop.seen.add(event.number)


async def retrieve_top(conversation: Conversation, event: Top) -> None:
    """Answer TOP; errors as `retrieve`."""
    heading = "Top of message follows"
    await _send(conversation, event.number, heading, lambda pieces: top(pieces, event.lines))


async def find_message(tx: Transaction, mailbox_id: int, row_id: int) -> tuple[int, int]:
    """Return content id and stored size of a message that somebody is about to read or delete.

    Raises:
        MessageGoneError: it is no longer there.
        AccessEndedError: the mailbox or its login was disabled or removed: that is in force at once.
    """
    row = await tx.fetch_one(
        "SELECT b.is_disabled, l.is_disabled, m.blob_id, m.size_bytes FROM mailbox AS b"
        " JOIN login AS l ON l.id = b.login_id"
        " LEFT JOIN message AS m ON m.id = ? AND m.mailbox_id = b.id WHERE b.id = ?",
        row_id,
        mailbox_id,
    )
    if row is None or row[0] or row[1]:
        raise AccessEndedError
    if row[2] is None:
        raise MessageGoneError
    return row[2], row[3]


async def _find_content(tx: Transaction, blobs: BlobStore, mailbox_id: int, row_id: int) -> _Content:
    blob_id, size_bytes = await find_message(tx, mailbox_id, row_id)
    if size_bytes > INLINE_MAX_BYTES:
        return _Content(blob_id, None)
    return _Content(blob_id, (await blobs.read_many(tx, [blob_id])).get(blob_id))


async def _send(conversation: Conversation, number: int, heading: str, encode: Encoder) -> None:
    context, maildrop = conversation.context, conversation.maildrop
    content = await context.database.read(
        _find_content, context.blobs, maildrop.mailbox_id, maildrop.row_id(number)
    )
    if content.data is not None:
        conversation.send(reply.ok(heading) + b"".join(encode(pieces_of(content.data))))
        await conversation.peer.flush()
    else:
        await _send_large(conversation, content.blob_id, heading, encode)
    await asyncio.sleep(0)  # many may have been asked for at once


async def _send_large(conversation: Conversation, blob_id: int, heading: str, encode: Encoder) -> None:
    try:
        async with conversation.context.blobs.open_view(blob_id) as buffer:
            conversation.send(reply.ok(heading))
            for piece in encode(pieces_of(buffer)):
                conversation.send(piece)
                await conversation.peer.flush()
    except NotFoundError as error:
        raise MessageGoneError from error
