"""What the command line does with the index: tell how far it is, and have it made anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from freehold.modules.mail.model import UID_BITS
from freehold.modules.mail.search import store
from freehold.storage.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """How far the index of a mailbox is.

    `behind` counts messages that are looked through until they are indexed; `size_bytes` is what words and
    postings take.
    """

    address: str
    messages: int
    behind: int
    contents: int
    segments: int
    size_bytes: int


async def index_status(tx: Transaction, mailbox_ids: Sequence[int]) -> list[IndexStatus]:
    """Return the state of some mailboxes' index, in their order; those that are gone are left out."""
    found = []
    for mailbox_id in mailbox_ids:
        mailbox = await tx.fetch_one("SELECT address, message_count FROM mailbox WHERE id = ?", mailbox_id)
        sizes = await store.segment_sizes(tx, mailbox_id)
        if mailbox is not None:
            found.append(
                IndexStatus(
                    address=mailbox[0],
                    messages=mailbox[1],
                    behind=await _count_behind(tx, mailbox_id),
                    contents=sum(size.document_count for size in sizes),
                    segments=len(sizes),
                    size_bytes=sum(size.size_bytes for size in sizes),
                )
            )
    return found


async def forget_index(database: Database, mailbox_id: int) -> None:
    """Remove the index of a mailbox, in short steps; the back process then makes it anew.

    Searches stay right meanwhile: they look through what is not indexed.
    """
    sizes = await database.read(store.segment_sizes, mailbox_id)
    await database.write(_forget_segment, mailbox_id, None)
    for size in sizes:
        await database.write(_forget_segment, mailbox_id, size.number)


async def _forget_segment(tx: Transaction, mailbox_id: int, number: int | None) -> None:
    """Remove a segment with its documents, and the marks, which the back process may have moved meanwhile."""
    await tx.execute("UPDATE search_mailbox SET generation = generation + 1 WHERE mailbox_id = ?", mailbox_id)
    await tx.execute(
        "DELETE FROM search_folder WHERE folder_id IN (SELECT id FROM folder WHERE mailbox_id = ?)",
        mailbox_id,
    )
    if number is None:
        return
    documents = await store.read_documents(tx, mailbox_id, number)
    await tx.execute_many("DELETE FROM message_index WHERE blob_id = ?", [(each,) for each in documents])
    await tx.execute_many(
        "DELETE FROM search_document WHERE mailbox_id = ? AND blob_id = ?",
        [(mailbox_id, each) for each in documents],
    )
    await store.delete_segment(tx, mailbox_id, number)


async def _count_behind(tx: Transaction, mailbox_id: int) -> int:
    behind = 0
    for folder_id, next_uid in await tx.fetch(
        "SELECT f.id, COALESCE(s.next_uid, 1) FROM folder AS f"
        " LEFT JOIN search_folder AS s ON s.folder_id = f.id"
        " WHERE f.mailbox_id = ? AND f.uid_next > COALESCE(s.next_uid, 1)",
        mailbox_id,
    ):
        base = folder_id << UID_BITS
        row = await tx.fetch_one(
            "SELECT COUNT(*) FROM message WHERE id BETWEEN ? AND ?",
            base | next_uid,
            base + (1 << UID_BITS) - 1,
        )
        behind += 0 if row is None else int(row[0])
    return behind
