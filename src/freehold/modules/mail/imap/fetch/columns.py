"""Columns of a FETCH that no row holds ready: EMAILID (RFC 8474 §5.1), and a PREVIEW not yet indexed."""

import asyncio
from collections.abc import Iterator, Sequence

from freehold.errors import NotFoundError
from freehold.modules.mail.folders.object_ids import read_email_ids
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.messages.rows import EMAIL_IDS, PREVIEW_COLUMN, Chunk, RowPlan
from freehold.modules.mail.imap.selected.view import View
from freehold.protocols.imap.fetch import FetchAttribute
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.mime.preview import preview
from freehold.protocols.mime.structure import scan
from freehold.storage.blobs import INLINE_MAX_BYTES

BATCH_BYTES = 512 * 1024
"""Contents of small messages that are in memory at once, about."""


async def fill_columns(conversation: Conversation, view: View, plan: RowPlan, chunk: Chunk) -> None:
    """Add to a chunk what its plan needs beside the rows.

    Raises:
        FolderNotFoundError: the folder is gone.
    """
    if not chunk.numbers:
        return
    if FetchAttribute.EMAILID in plan.items:
        ids = await conversation.context.database.read(read_email_ids, view.folder_id)
        chunk.columns[EMAIL_IDS] = [ids.of_blob(blob_id).encode() for blob_id in chunk.columns["m.blob_id"]]
    if FetchAttribute.PREVIEW in plan.items:
        await _fill_previews(conversation, chunk)


async def _fill_previews(conversation: Conversation, chunk: Chunk) -> None:
    """Compute the previews that the index does not have yet; of a message that is gone there is none."""
    previews = list(chunk.columns[PREVIEW_COLUMN])
    blob_ids, sizes = chunk.columns["m.blob_id"], chunk.columns["m.size_bytes"]
    missing = [index for index, text in enumerate(previews) if text is None]
    if not missing:
        return
    context = conversation.context
    for batch in _batches(missing, sizes):
        small = [blob_ids[index] for index in batch if sizes[index] <= INLINE_MAX_BYTES]
        contents = await context.database.read(context.blobs.read_many, small) if small else {}
        for index in batch:
            content = contents.get(blob_ids[index])
            if content is None:
                previews[index] = await _large_preview(conversation, blob_ids[index])
            else:
                previews[index] = _preview(content)
        await asyncio.sleep(0)
    chunk.columns[PREVIEW_COLUMN] = previews


def _batches(indexes: Sequence[int], sizes: Sequence[int]) -> Iterator[list[int]]:
    """Yield indexes whose small contents fill a batch at most."""
    batch: list[int] = []
    octets = 0
    for index in indexes:
        batch.append(index)
        octets += sizes[index] if sizes[index] <= INLINE_MAX_BYTES else 0
        if octets >= BATCH_BYTES:
            yield batch
            batch, octets = [], 0
    if batch:
        yield batch


async def _large_preview(conversation: Conversation, blob_id: int) -> str | None:
    try:
        async with conversation.context.blobs.open_view(blob_id) as buffer:
            return await asyncio.to_thread(_preview, buffer)
    except NotFoundError:
        return None


def _preview(buffer: Buffer) -> str:
    """Return a preview that can be written: without NUL, and without halves of surrogate pairs."""
    return preview(buffer, scan(buffer)).replace("\0", "").encode("utf-8", "replace").decode()
