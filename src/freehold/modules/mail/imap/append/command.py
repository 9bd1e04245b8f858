"""APPEND of messages, whole or put together, all or none; REPLACE (RFC 9051 §6.3.12, RFC 3502, RFC 4469)."""

from collections.abc import Sequence
from contextlib import aclosing

from freehold.modules.mail.errors import FolderNotFoundError, MessageTooLargeError
from freehold.modules.mail.folders.access import Access
from freehold.modules.mail.folders.append import Appended
from freehold.modules.mail.folders.flags import join_keywords
from freehold.modules.mail.folders.quota import check_room
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.imap.access import open_target
from freehold.modules.mail.imap.append.catenate import pieces_of_url
from freehold.modules.mail.imap.append.content import describe, finish_content
from freehold.modules.mail.imap.append.replace import find_outgoing, tell_replaced
from freehold.modules.mail.imap.append.store import Arrived, Outgoing, Stored, permitted, store_messages
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.errors import telling
from freehold.modules.mail.imap.folders.quota import warn_if_nearly_full
from freehold.modules.mail.imap.folders.spelling import tell_spelling
from freehold.modules.mail.imap.messages.flag_bytes import split_flags
from freehold.protocols.imap import response_code
from freehold.protocols.imap.events import (
    AppendMessageEnd,
    AppendStarted,
    CatenateText,
    CatenateUrl,
    LiteralChunk,
)
from freehold.storage.blobs import INLINE_MAX_BYTES, BlobWriter

MAX_MESSAGES = 1000
"""Messages of one command at the most."""
MAX_WAITING_BYTES = 16 * 1024 * 1024
"""Messages of one command that are kept in memory until its commit, in all; large ones are in files."""

AppendEvent = AppendStarted | CatenateText | CatenateUrl | LiteralChunk | AppendMessageEnd


class EmptyMessageError(MessageTooLargeError):
    """The client gave the command up by an empty message (RFC 3502 §6.3.11)."""

    public = "an empty message is not stored"


class Append:
    """One APPEND or REPLACE under way; `abandon` it unless `commit` was called."""

    __slots__ = (
        "_arrived",
        "_heading",
        "_is_binary",
        "_message_bytes",
        "_outgoing",
        "_target",
        "_total_bytes",
        "_waiting_bytes",
        "_writer",
    )

    def __init__(self) -> None:
        self._arrived: list[Arrived] = []
        self._target: Access | None = None
        self._outgoing: Outgoing | None = None
        self._heading: AppendStarted | None = None
        self._writer: BlobWriter | None = None
        self._is_binary = False
        self._message_bytes = 0
        self._total_bytes = 0
        self._waiting_bytes = 0

    async def take(self, conversation: Conversation, event: AppendEvent) -> None:
        """Take what the client sends next.

        Raises:
            TargetMissingError: no such folder, or none that the person may know of.
            RightMissingError: the person may not insert messages, or not expunge the replaced one.
            ReplacedMissingError, ReadOnlyError: there is nothing to be replaced.
            MessageTooLargeError: a message, or all of them, are larger than allowed; or one is empty.
            QuotaExceededError: the mailbox is full, or its owner may hold no more.
            TooManyKeywordsError: the message would have too many keywords.
            BadUrlError: a URL names nothing that the person may read.
        """
        match event:
            case LiteralChunk(data):
                await self._write(data)
            case AppendStarted():
                await self._begin(conversation, event)
            case AppendMessageEnd():
                await self._end_message(conversation)
            case CatenateText(size, binary):
                self._is_binary = self._is_binary or binary
                await self._announce(conversation, size)
            case CatenateUrl(url):
                async with aclosing(pieces_of_url(conversation, url)) as pieces:
                    async for piece in pieces:
                        await self._announce(conversation, len(piece))
                        await self._write(piece)

    async def commit(self, conversation: Conversation) -> Reply:
        """Store all messages.

        Raises:
            QuotaExceededError: the mailbox became full meanwhile; nothing was stored.
            FolderNotFoundError: the folder was removed meanwhile, or is shared no longer.
            RightMissingError: the person may no longer insert messages.
            ReplacedMissingError: the message to be replaced is gone.
        """
        context, target = conversation.context, self._target
        if target is None:
            raise FolderNotFoundError
        try:
            stored: Stored = await context.database.write(
                store_messages,
                context.blobs,
                target,
                self._arrived,
                outgoing=self._outgoing,
                now_ms=context.clock.now_ms(),
            )
        finally:
            self.abandon()
        conversation.folder_changed(target.folder.id, stored.places[-1].modseq, mailbox_id=target.mailbox_id)
        if not target.reader_id:
            await warn_if_nearly_full(conversation)
        if self._heading is not None:
            tell_spelling(conversation, self._heading.mailbox)
        uids = _append_uid(target, stored.places)
        if self._outgoing is None:
            return Reply("Append completed", uids)
        with telling():
            return await tell_replaced(conversation, stored, uids)

    def abandon(self) -> None:
        """Remove what was not stored."""
        if self._writer is not None:
            self._writer.abort()
            self._writer = None
        for arrived in self._arrived:
            arrived.blob.discard()
        self._arrived.clear()

    async def _begin(self, conversation: Conversation, heading: AppendStarted) -> None:
        if heading.number == 1:
            self._target = await open_target(conversation, heading.mailbox)
            if heading.replaced is not None:
                self._outgoing = await find_outgoing(conversation, heading.replaced)
        if heading.number > MAX_MESSAGES:
            raise MessageTooLargeError("too many messages in one command")
        if heading.size == 0:
            raise EmptyMessageError
        join_keywords(split_flags(heading.flags)[1])
        self._heading = heading
        self._is_binary = heading.binary
        self._message_bytes = 0
        self._writer = conversation.context.blobs.writer()
        if heading.size is not None:
            await self._announce(conversation, heading.size)

    async def _announce(self, conversation: Conversation, size: int) -> None:
        """Check that there is room for `size` octets more of the message."""
        context = conversation.context
        self._message_bytes += size
        self._total_bytes += size
        if self._message_bytes > context.settings.max_message_bytes:
            raise MessageTooLargeError
        if self._target is not None:
            leaving = 0 if self._outgoing is None else self._outgoing.size_bytes
            room = max(0, self._total_bytes - leaving)
            await context.database.read(check_room, self._target.mailbox_id, room)

    async def _write(self, data: bytes) -> None:
        if self._writer is not None:
            self._writer.write(data)
            await self._writer.flush()

    async def _end_message(self, conversation: Conversation) -> None:
        """Take the end of the message: its octets are durable, or small enough for the commit."""
        writer, heading, target = self._writer, self._heading, self._target
        if writer is None or heading is None or target is None:
            return
        if not self._message_bytes:
            raise EmptyMessageError
        context = conversation.context
        blob = await finish_content(context, writer, is_binary=self._is_binary)
        self._writer = None
        try:
            arrived = permitted(Arrived(blob, await describe(context, blob, heading)), target)
        except BaseException:
            blob.discard()
            raise
        self._arrived.append(arrived)
        if blob.size <= INLINE_MAX_BYTES:
            self._waiting_bytes += blob.size
            if self._waiting_bytes > MAX_WAITING_BYTES:
                raise MessageTooLargeError("too many messages in one command")


def _append_uid(target: Access, places: Sequence[Appended]) -> bytes | None:
    """Name the UIDs, unless they are of a folder that the person may not read (RFC 9051 §6.3.12)."""
    if Right.READ not in target.rights:
        return None
    return response_code.append_uid(places[0].uid_validity, (place.uid for place in places))
