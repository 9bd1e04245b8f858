"""Keeps a mailbox's index in few segments, and without what the mailbox no longer has."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from freehold.modules.mail.model import MAX_UID, UID_BITS
from freehold.modules.mail.search import store
from freehold.modules.mail.search.segment import MAX_DOCUMENTS, Segment, merge_segments
from freehold.modules.mail.search.store import SegmentSize
from freehold.storage.database import Database, Transaction

TIERS = (16, 128)
"""Segments of fewer documents are merged when MERGED of them have come together; larger ones stay."""
MERGED = 8
MAX_SEGMENT_BYTES = 8 * 1024 * 1024
"""Words and postings of a segment that is merged into another at most, in sum."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Segments as they were at a generation."""

    generation: int
    numbers: tuple[int, ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class _Dead:
    """Contents in the index that the mailbox no longer had at `modseq`, and the segments that have them."""

    modseq: int
    generation: int
    contents: frozenset[int]
    numbers: tuple[int, ...]


async def merge_some(database: Database, mailbox_id: int) -> bool:
    """Merge small segments of a mailbox once, if there are many; tells whether it did.

    Raises:
        IndexChangedError: the index has changed meanwhile.
    """
    part = await database.read(_read_mergeable, mailbox_id)
    if part is None:
        return False
    merged = await asyncio.to_thread(merge_segments, part.segments)
    await database.write(_replace, mailbox_id, part, merged)
    return True


async def remove_dead(database: Database, mailbox_id: int) -> int:
    """Take out of a mailbox's index the contents that none of its messages has; returns how many.

    Raises:
        IndexChangedError: the index has changed meanwhile.
    """
    found = await database.read_long(_find_dead, mailbox_id)
    generation = found.generation
    for number in found.numbers:
        part = await database.read(_read_part, mailbox_id, (number,))
        if part.generation != generation:
            raise store.IndexChangedError
        merged = await asyncio.to_thread(merge_segments, part.segments, found.contents)
        generation = await database.write(_replace, mailbox_id, part, merged)
    await database.write(_note_swept, mailbox_id, found.modseq)
    return len(found.contents)


async def mailboxes_changed(tx: Transaction, *, above_id: int, most: int) -> list[int]:
    """Return the next mailboxes, by id, that have changed since what is gone was last taken out.

    Modseqs that were skipped (`folders.lost_changes`) are no changes.
    """
    rows = await tx.fetch(
        "SELECT m.id FROM mailbox AS m JOIN search_mailbox AS s ON s.mailbox_id = m.id"
        " WHERE m.id > ? AND s.swept_modseq < m.modseq AND NOT EXISTS (SELECT 1 FROM modseq_gap AS g"
        " WHERE g.mailbox_id = m.id AND g.kept <= s.swept_modseq AND g.last = m.modseq)"
        " ORDER BY m.id LIMIT ?",
        above_id,
        most,
    )
    return [int(row[0]) for row in rows]


def choose(sizes: Sequence[SegmentSize]) -> list[SegmentSize]:
    """Return segments to be merged into one; none if there are few."""
    lowest = 0
    for below in TIERS:
        tier = [size for size in sizes if lowest <= size.document_count < below]
        lowest = below
        chosen: list[SegmentSize] = []
        for size in tier[:MERGED] if len(tier) >= MERGED else []:
            if sum(each.size_bytes for each in chosen) + size.size_bytes <= MAX_SEGMENT_BYTES:
                chosen.append(size)
        if len(chosen) > 1:
            assert sum(each.document_count for each in chosen) <= MAX_DOCUMENTS
            return chosen
    return []


async def _read_mergeable(tx: Transaction, mailbox_id: int) -> _Part | None:
    chosen = choose(await store.segment_sizes(tx, mailbox_id))
    return await _read_part(tx, mailbox_id, tuple(each.number for each in chosen)) if chosen else None


async def _read_part(tx: Transaction, mailbox_id: int, numbers: tuple[int, ...]) -> _Part:
    generation = await store.read_generation(tx, mailbox_id)
    segments = [await store.read_segment(tx, mailbox_id, number) for number in numbers]
    return _Part(generation, numbers, tuple(segments))


async def _replace(tx: Transaction, mailbox_id: int, part: _Part, merged: Segment) -> int:
    """Put one segment in the place of others, and contents that are no longer in it out of the index."""
    number = await store.take_generation(tx, mailbox_id, part.generation)
    gone = {blob_id for segment in part.segments for blob_id in segment.documents}
    gone.difference_update(merged.documents)
    await tx.execute_many(
        "DELETE FROM search_document WHERE mailbox_id = ? AND blob_id = ?",
        [(mailbox_id, blob_id) for blob_id in sorted(gone)],
    )
    for each in part.numbers:
        await store.delete_segment(tx, mailbox_id, each)
    if merged.documents:
        await store.insert_segment(tx, mailbox_id, number, merged)
    return number


async def _find_dead(tx: Transaction, mailbox_id: int) -> _Dead:
    """Compare what the index has with what the mailbox has."""
    live: set[int] = set()
    for (folder_id,) in await tx.fetch("SELECT id FROM folder WHERE mailbox_id = ?", mailbox_id):
        base = folder_id << UID_BITS
        rows = await tx.fetch("SELECT blob_id FROM message WHERE id BETWEEN ? AND ?", base, base | MAX_UID)
        live.update(blob_id for (blob_id,) in rows)
    dead: set[int] = set()
    numbers: list[int] = []
    for size in await store.segment_sizes(tx, mailbox_id):
        gone = set(await store.read_documents(tx, mailbox_id, size.number)) - live
        if gone:
            dead |= gone
            numbers.append(size.number)
    row = await tx.fetch_one("SELECT modseq FROM mailbox WHERE id = ?", mailbox_id)
    generation = await store.read_generation(tx, mailbox_id)
    return _Dead(0 if row is None else int(row[0]), generation, frozenset(dead), tuple(numbers))


async def _note_swept(tx: Transaction, mailbox_id: int, modseq: int) -> None:
    await tx.execute("UPDATE search_mailbox SET swept_modseq = ? WHERE mailbox_id = ?", modseq, mailbox_id)
