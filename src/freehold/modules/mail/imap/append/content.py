"""A message of APPEND whose octets are all here: rewritten where it must be, and described for its folder."""

import asyncio

from freehold.modules.mail.folders.append import NewMessage
from freehold.modules.mail.folders.flags import join_keywords
from freehold.modules.mail.imap.context import ImapContext
from freehold.modules.mail.imap.messages.content import LONG_SCAN_BYTES
from freehold.modules.mail.imap.messages.flag_bytes import split_flags
from freehold.protocols.imap.events import AppendStarted
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.mime.encode import has_binary, without_binary
from freehold.protocols.mime.imap_structure import bodystructure, part_envelope
from freehold.protocols.mime.structure import scan
from freehold.protocols.pop3.message_lines import added_octets, pieces_of
from freehold.storage.blobs import BlobWriter, PreparedBlob


async def finish_content(context: ImapContext, writer: BlobWriter, *, is_binary: bool) -> PreparedBlob:
    """Return a received message; of one that came as literal8 the parts in raw octets are in base64.

    Raises:
        StorageError: it cannot be kept; nothing of it is left.
    """
    blob = await writer.finish()
    if not is_binary:
        return blob
    try:
        return await _encoded(context, blob)
    except BaseException:
        blob.discard()
        raise


async def describe(context: ImapContext, blob: PreparedBlob, heading: AppendStarted) -> NewMessage:
    """Return what a folder keeps of a message.

    Raises:
        TooManyKeywordsError: it has too many.
    """
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


async def _encoded(context: ImapContext, blob: PreparedBlob) -> PreparedBlob:
    """Return the message without parts in raw octets, which may be the same one."""
    with blob.view() as buffer:
        part = await asyncio.to_thread(scan, buffer)
        if not has_binary(part):
            return blob
        writer = context.blobs.writer()
        pieces = without_binary(buffer, part)
        try:
            while piece := await asyncio.to_thread(next, pieces, b""):
                writer.write(piece)
                await writer.flush()
            encoded = await writer.finish()
        except BaseException:
            writer.abort()
            raise
    blob.discard()
    return encoded
