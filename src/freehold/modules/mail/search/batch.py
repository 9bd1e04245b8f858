"""The next messages of a folder for the index, and the transaction that adds them.

A batch is read, then examined outside any transaction, then added by one short write that also moves the
folder's mark: a crash in between loses nothing and leaves nothing half done. Who comes late with a batch, as
another host has added to the same mailbox, learns it from the generation and adds nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from freehold.modules.mail.model import MAX_UID, UID_BITS
from freehold.modules.mail.search import store
from freehold.modules.mail.search.document import Document
from freehold.modules.mail.search.segment import Segment
from freehold.storage.database import Transaction

BATCH_DOCUMENTS = 64
"""Contents of one batch at most."""
BATCH_BYTES = 1024 * 1024
"""Their octets in memory, about; a larger one is a batch of its own."""
LOOKED_AT = 2000
"""Messages of one batch, most of them known: a copy or move of many is done in few steps."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What to index next: contents with their sizes, and the mark that holds when they are added."""

    mailbox_id: int
    folder_id: int
    generation: int
    next_uid: int
    contents: tuple[tuple[int, int], ...]


async def folders_behind(tx: Transaction, *, most: int) -> list[int]:
    """Return folders that have messages beyond their mark."""
    rows = await tx.fetch(
        "SELECT f.id FROM folder AS f LEFT JOIN search_folder AS s ON s.folder_id = f.id"
        " WHERE f.uid_next > COALESCE(s.next_uid, 1) ORDER BY f.id LIMIT ?",
        most,
    )
    return [int(row[0]) for row in rows]


async def next_batch(tx: Transaction, folder_id: int) -> Batch | None:
    """Return what a folder has beyond its mark, or the beginning of it; None: nothing."""
    row = await tx.fetch_one(
        "SELECT f.mailbox_id, f.uid_next, COALESCE(s.next_uid, 1) FROM folder AS f"
        " LEFT JOIN search_folder AS s ON s.folder_id = f.id WHERE f.id = ?",
        folder_id,
    )
    if row is None or row[2] >= row[1]:
        return None
    mailbox_id, uid_next, first = row
    base = folder_id << UID_BITS
    rows = await tx.fetch(
        "SELECT m.id, m.blob_id, m.size_bytes, d.blob_id FROM message AS m LEFT JOIN search_document AS d"
        " ON d.mailbox_id = m.mailbox_id AND d.blob_id = m.blob_id"
        " WHERE m.id BETWEEN ? AND ? AND m.mailbox_id = ? ORDER BY m.id LIMIT ?",
        base | first,
        base | (uid_next - 1),
        mailbox_id,
        LOOKED_AT,
    )
    contents: dict[int, int] = {}
    octets = 0
    end = uid_next if len(rows) < LOOKED_AT else (rows[-1][0] & MAX_UID) + 1
    for row_id, blob_id, size_bytes, indexed in rows:
        if indexed is not None or blob_id in contents:
            continue
        if contents and (len(contents) == BATCH_DOCUMENTS or octets + size_bytes > BATCH_BYTES):
            end = row_id & MAX_UID
            break
        contents[blob_id] = size_bytes
        octets += size_bytes
    generation = await store.read_generation(tx, mailbox_id)
    return Batch(mailbox_id, folder_id, generation, end, tuple(contents.items()))


async def add_batch(tx: Transaction, batch: Batch, documents: Sequence[Document], segment: Segment) -> None:
    """Add the documents of a batch, with their segment, and move the folder's mark.

    Nothing is done where the folder is gone.

    Raises:
        IndexChangedError: the mailbox's index has changed since the batch was read.
    """
    if await tx.fetch_one("SELECT id FROM folder WHERE id = ?", batch.folder_id) is None:
        return
    number = await store.take_generation(tx, batch.mailbox_id, batch.generation)
    if documents:
        await store.insert_segment(tx, batch.mailbox_id, number, segment)
        await store.insert_documents(tx, batch.mailbox_id, documents)
    await store.set_next_uid(tx, batch.folder_id, batch.next_uid)
