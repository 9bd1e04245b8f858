"""Copies what the URLs of CATENATE name into a message that is on its way (RFC 4469)."""

import asyncio
from collections.abc import AsyncGenerator

from freehold.errors import NotAllowedError, NotFoundError
from freehold.modules.mail.folders.access import open_selectable
from freehold.modules.mail.folders.errors import FolderNotSelectableError
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.imap.access import require_rights
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.errors import BadUrlError
from freehold.modules.mail.imap.messages.content import LONG_SCAN_BYTES, MessageContent
from freehold.modules.mail.model import message_id
from freehold.protocols.imap.url import MessageUrl, UrlError
from freehold.protocols.mime.buffer import chunks
from freehold.protocols.mime.section import Range
from freehold.storage.database import Transaction

PIECE_BYTES = 128 * 1024
"""Pieces in which a part is copied."""


async def pieces_of_url(conversation: Conversation, url: bytes) -> AsyncGenerator[bytes, None]:
    """Yield the octets that a URL names, in pieces, as they are stored.

    Raises:
        BadUrlError: it is malformed, or names nothing that the person may read.
    """
    try:
        wanted = MessageUrl.parse(url)
        blob_id, size_bytes = await _find_message(conversation, wanted)
        async with conversation.context.blobs.open_view(blob_id) as buffer:
            content = MessageContent(buffer)
            if size_bytes > LONG_SCAN_BYTES:
                await asyncio.to_thread(content.prepare, [wanted.section])
            found = content.locate(wanted.section)
            if found is None:
                raise BadUrlError(url)
            if not isinstance(found, Range):
                yield found
                return
            for piece in chunks(buffer, found.start, found.end, PIECE_BYTES):
                yield piece
    except (UrlError, NotFoundError, NotAllowedError, FolderNotSelectableError) as error:
        raise BadUrlError(url) from error


async def _find_message(conversation: Conversation, url: MessageUrl) -> tuple[int, int]:
    """Return the content's id and size of a message that the person may read."""
    database = conversation.context.database
    if url.mailbox is None:
        view = conversation.view
        if view is None:
            raise NotFoundError
        require_rights(view, Right.READ)
        folder_id, mailbox_id, validity = view.folder_id, view.mailbox_id, view.uid_validity
    else:
        access = await database.read(open_selectable, conversation.mailbox_id, url.mailbox, Right.READ)
        folder_id, mailbox_id, validity = access.folder.id, access.mailbox_id, access.folder.uid_validity
    if url.uid_validity not in (None, validity):
        raise NotFoundError
    return await database.read(_read_content, mailbox_id, message_id(folder_id, url.uid))


async def _read_content(tx: Transaction, mailbox_id: int, row_id: int) -> tuple[int, int]:
    row = await tx.fetch_one(
        "SELECT blob_id, size_bytes FROM message WHERE id = ? AND mailbox_id = ?", row_id, mailbox_id
    )
    if row is None:
        raise NotFoundError
    return int(row[0]), int(row[1])
