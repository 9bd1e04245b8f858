"""The index's tables. Whoever changes a mailbox's index names the generation that it has read."""

from collections.abc import Sequence
from dataclasses import dataclass

from freehold.errors import FreeholdError
from freehold.modules.mail.search.document import Document
from freehold.modules.mail.search.index_row import COLUMNS
from freehold.modules.mail.search.segment import (
    FieldIndex,
    Segment,
    pack_documents,
    unpack_documents,
)
from freehold.modules.mail.search.terms import Field
from freehold.storage.database import Row, Transaction

_INSERT_ROW = (  # names of columns are this program's own
    f"INSERT INTO message_index (blob_id, {', '.join(COLUMNS)}) VALUES"  # noqa: S608
    f" (?{', ?' * len(COLUMNS)}) ON CONFLICT (blob_id) DO NOTHING"
)


class IndexChangedError(FreeholdError):
    """Somebody else has changed the mailbox's index meanwhile: read it again."""

    public = "the search index has changed"
    temporary = True


@dataclass(frozen=True, slots=True)
class SegmentSize:
    """What is known of a segment without reading it."""

    number: int
    document_count: int
    size_bytes: int


async def read_generation(tx: Transaction, mailbox_id: int) -> int:
    """Return the generation of a mailbox's index; 0 while it has none."""
    row = await tx.fetch_one("SELECT generation FROM search_mailbox WHERE mailbox_id = ?", mailbox_id)
    return 0 if row is None else int(row[0])


async def take_generation(tx: Transaction, mailbox_id: int, generation: int) -> int:
    """Begin to change a mailbox's index as it was at `generation`; returns the new one.

    Raises:
        IndexChangedError: it is at another generation now.
    """
    if generation == 0:
        row = await tx.fetch_one(
            "INSERT INTO search_mailbox (mailbox_id, generation, swept_modseq) VALUES (?, 1, 0)"
            " ON CONFLICT (mailbox_id) DO NOTHING RETURNING generation",
            mailbox_id,
        )
    else:
        row = await tx.fetch_one(
            "UPDATE search_mailbox SET generation = generation + 1"
            " WHERE mailbox_id = ? AND generation = ? RETURNING generation",
            mailbox_id,
            generation,
        )
    if row is None:
        raise IndexChangedError
    return int(row[0])


async def segment_sizes(tx: Transaction, mailbox_id: int) -> list[SegmentSize]:
    """Return the segments of a mailbox, oldest first."""
    rows = await tx.fetch(
        "SELECT number, document_count, size_bytes FROM search_segment WHERE mailbox_id = ? ORDER BY number",
        mailbox_id,
    )
    return [SegmentSize(*row) for row in rows]


async def read_documents(tx: Transaction, mailbox_id: int, number: int) -> Sequence[int]:
    """Return the contents of a segment in their order."""
    row = await tx.fetch_one(
        "SELECT documents FROM search_segment WHERE mailbox_id = ? AND number = ?", mailbox_id, number
    )
    return [] if row is None else unpack_documents(row[0])


async def read_segment(tx: Transaction, mailbox_id: int, number: int) -> Segment:
    """Return a whole segment."""
    rows = await tx.fetch(
        "SELECT field, words, postings FROM search_words"
        " WHERE mailbox_id = ? AND field BETWEEN ? AND ? AND number = ?",
        mailbox_id,
        int(min(Field)),
        int(max(Field)),
        number,
    )
    fields = {Field(field): FieldIndex(words, postings) for field, words, postings in rows}
    return Segment(await read_documents(tx, mailbox_id, number), fields)


async def insert_segment(tx: Transaction, mailbox_id: int, number: int, segment: Segment) -> None:
    """Add a segment, but not the rows of its documents."""
    await tx.execute(
        "INSERT INTO search_segment (mailbox_id, number, document_count, size_bytes, documents)"
        " VALUES (?, ?, ?, ?, ?)",
        mailbox_id,
        number,
        len(segment.documents),
        segment.size_bytes,
        pack_documents(segment.documents),
    )
    await tx.execute_many(
        "INSERT INTO search_words (mailbox_id, field, number, words, postings) VALUES (?, ?, ?, ?, ?)",
        [
            (mailbox_id, int(field), number, index.words, index.postings)
            for field, index in segment.fields.items()
        ],
    )


async def delete_segment(tx: Transaction, mailbox_id: int, number: int) -> None:
    """Remove a segment, but not the rows of its documents."""
    await tx.execute("DELETE FROM search_segment WHERE mailbox_id = ? AND number = ?", mailbox_id, number)
    await tx.execute_many(
        "DELETE FROM search_words WHERE mailbox_id = ? AND field = ? AND number = ?",
        [(mailbox_id, int(field), number) for field in Field],
    )


async def insert_documents(tx: Transaction, mailbox_id: int, documents: Sequence[Document]) -> None:
    """Note which contents the index has; a content that is gone meanwhile gets no row in `message_index`."""
    await tx.execute_many(
        "INSERT INTO search_document (mailbox_id, blob_id) VALUES (?, ?)",
        [(mailbox_id, document.blob_id) for document in documents],
    )
    rows: list[Row] = []
    for document in documents:
        blob_id = document.blob_id
        if await tx.fetch_one("SELECT id FROM blob WHERE id = ?", blob_id) is not None:
            rows.append((blob_id, *document.row.values))
    await tx.execute_many(_INSERT_ROW, rows)


async def set_next_uid(tx: Transaction, folder_id: int, next_uid: int) -> None:
    """Note how far a folder is indexed."""
    await tx.execute(
        "INSERT INTO search_folder (folder_id, next_uid) VALUES (?, ?)"
        " ON CONFLICT (folder_id) DO UPDATE SET next_uid = excluded.next_uid",
        folder_id,
        next_uid,
    )
