"""APPEND of one or several messages, all or none (RFC 9051 §6.3.12, RFC 3502)."""

import asyncio
from dataclasses import dataclass, replace

from msgspec import structs

from freehold.modules.mail.errors import FolderNotFoundError, MessageTooLargeError
from freehold.modules.mail.folders.access import Access, rights_of
from freehold.modules.mail.folders.append import Appended, NewMessage, append_message, insert_content
from freehold.modules.mail.folders.change import uid_ranges
from freehold.modules.mail.folders.flags import join_keywords
from freehold.modules.mail.folders.quota import check_owner, check_room
from freehold.modules.mail.folders.rights import ALL_RIGHTS, Right, permitted_flags
from freehold.modules.mail.folders.seen import Reading, mark_seen
from freehold.modules.mail.imap.access import open_target
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.flag_bytes import split_flags
from freehold.modules.mail.imap.quota import warn_if_nearly_full
from freehold.modules.mail.model import Flag
from freehold.protocols.imap import response_code
from freehold.protocols.imap.events import AppendStarted
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.mime.imap_structure import bodystructure, part_envelope
from freehold.protocols.mime.structure import scan
from freehold.protocols.pop3.message_lines import added_octets, pieces_of
from freehold.storage.blobs import INLINE_MAX_BYTES, BlobStore, BlobWriter, PreparedBlob
from freehold.storage.database import Transaction

MAX_MESSAGES = 1000
"""Messages of one command at the most."""
MAX_WAITING_BYTES = 16 * 1024 * 1024
"""Messages of one command that are kept in memory until its commit, in all; large ones are in files."""
LONG_SCAN_BYTES = 256 * 1024
"""Larger messages are looked through off the loop's thread."""


class EmptyMessageError(MessageTooLargeError):
    """The client gave the command up by an empty message (RFC 3502 §6.3.11)."""

    public = "an empty message is not stored"


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A message whose octets are all here."""

    blob: PreparedBlob
    message: NewMessage
    is_seen_by_reader: bool = False


class Append:
    """One APPEND under way; `abandon` it unless `commit` was called."""

    __slots__ = ("_arrived", "_heading", "_size_bytes", "_target", "_waiting_bytes", "_writer")

    def __init__(self) -> None:
        self._arrived: list[_Arrived] = []
        self._target: Access | None = None
        self._heading: AppendStarted | None = None
        self._size_bytes = 0
        self._waiting_bytes = 0
        self._writer: BlobWriter | None = None

    async def begin(self, conversation: Conversation, heading: AppendStarted) -> None:
        """Take the announcement of a message.

        Raises:
            TargetMissingError: no such folder, or none that the person may know of.
            RightMissingError: the person may not insert messages.
            MessageTooLargeError: it, or all of them, are larger than allowed; or it is empty.
            QuotaExceededError: the mailbox is full, or its owner may hold no more.
            TooManyKeywordsError: the message would have too many keywords.
        """
        context = conversation.context
        self._target = target = await open_target(conversation, heading.mailbox)
        if not heading.size:
            raise EmptyMessageError
        self._size_bytes += heading.size
        if heading.size > context.settings.max_message_bytes:
            raise MessageTooLargeError
        if heading.size <= INLINE_MAX_BYTES:
            self._waiting_bytes += heading.size
        if heading.number > MAX_MESSAGES or self._waiting_bytes > MAX_WAITING_BYTES:
            raise MessageTooLargeError("too many messages in one command")
        await context.database.read(check_room, target.mailbox_id, self._size_bytes)
        join_keywords(split_flags(heading.flags)[1])
        self._heading = heading
        self._writer = context.blobs.writer()

    async def write(self, data: bytes) -> None:
        """Take octets of the message."""
        if self._writer is not None:
            self._writer.write(data)
            await self._writer.flush()

    async def end_message(self, conversation: Conversation) -> None:
        """Take the end of the message: its octets are durable, or small enough for the commit."""
        if self._writer is None or self._heading is None or self._target is None:
            return
        blob = await self._writer.finish()
        self._writer = None
        try:
            message = await _describe(conversation, blob, self._heading)
            arrived = _permitted(_Arrived(blob, message), self._target)
        except BaseException:
            blob.discard()
            raise
        self._arrived.append(arrived)

    async def commit(self, conversation: Conversation) -> Reply:
        """Store all messages.

        Raises:
            QuotaExceededError: the mailbox became full meanwhile; nothing was stored.
            FolderNotFoundError: the folder was removed meanwhile, or is shared no longer.
            RightMissingError: the person may no longer insert messages.
        """
        context, target = conversation.context, self._target
        if target is None:
            raise FolderNotFoundError
        try:
            places = await context.database.write(
                _store,
                context.blobs,
                target,
                self._arrived,
                now_ms=context.clock.now_ms(),
            )
        finally:
            self.abandon()
        conversation.folder_changed(target.folder.id, places[-1].modseq, mailbox_id=target.mailbox_id)
        if not target.reader_id:
            await warn_if_nearly_full(conversation)
        uids = response_code.append_uid(places[0].uid_validity, (place.uid for place in places))
        return Reply("Append completed", uids)

    def abandon(self) -> None:
        """Remove what was not stored."""
        if self._writer is not None:
            self._writer.abort()
            self._writer = None
        for arrived in self._arrived:
            arrived.blob.discard()
        self._arrived.clear()


def _permitted(arrived: _Arrived, target: Access) -> _Arrived:
    r"""Return a message with the flags only that the person may set (RFC 4314 §4); a reader's \Seen apart."""
    if not target.reader_id and target.rights == ALL_RIGHTS:
        return arrived
    message = arrived.message
    flags = message.flags & permitted_flags(target.rights)
    keywords = message.keywords if Right.WRITE in target.rights else ""
    if not target.reader_id:
        return _Arrived(arrived.blob, structs.replace(message, flags=flags, keywords=keywords))
    message = structs.replace(message, flags=flags & ~Flag.SEEN, keywords=keywords)
    return _Arrived(arrived.blob, message, bool(flags & Flag.SEEN))


async def _describe(conversation: Conversation, blob: PreparedBlob, heading: AppendStarted) -> NewMessage:
    context = conversation.context
    with blob.view() as buffer:
        if blob.size > LONG_SCAN_BYTES:
            envelope, structure, added = await asyncio.to_thread(_summarise, buffer)
        else:
            envelope, structure, added = _summarise(buffer)
    bits, keywords = split_flags(heading.flags)
    internal_ms = heading.internal_date_ms
    return NewMessage(
        blob_id=context.ids.next(),
        size_bytes=blob.size,
        envelope=envelope,
        body_structure=structure,
        internal_ms=context.clock.now_ms() if internal_ms is None else internal_ms,
        flags=bits,
        keywords=join_keywords(keywords),
        added_octets=added,
    )


def _summarise(buffer: Buffer) -> tuple[bytes, bytes, int]:
    part = scan(buffer)
    return part_envelope(buffer, part), bodystructure(buffer, part), added_octets(pieces_of(buffer))


async def _store(
    tx: Transaction, blobs: BlobStore, target: Access, arrived: list[_Arrived], *, now_ms: int
) -> list[Appended]:
    mailbox_id, folder_id = target.mailbox_id, target.folder.id
    if target.reader_id:
        now = replace(target, rights=await rights_of(tx, folder_id, mailbox_id, target.reader_id))
        now.require(Right.INSERT)
    places = []
    for each in arrived:
        await insert_content(tx, blobs, each.blob, each.message, references=1)
        places.append(
            await append_message(tx, mailbox_id, folder_id, each.message, now_ms=now_ms, check_quota=True)
        )
    await check_owner(tx, mailbox_id)
    seen = [place.uid for place, each in zip(places, arrived, strict=True) if each.is_seen_by_reader]
    if seen:
        await mark_seen(tx, Reading(target.reader_id, mailbox_id, folder_id), uid_ranges(seen), seen=True)
    return places
