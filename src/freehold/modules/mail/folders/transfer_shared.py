r"""Copy and move messages where a folder is somebody else's, or the person has not all rights on the target.

What is copied are the flags that the person sees and may set on the target (RFC 4314 §4). A reader's \Seen
becomes a flag in a folder of its own, and stays the reader's alone in those of others.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from freehold.modules.mail.folders.access import Access
from freehold.modules.mail.folders.change import next_modseq, uid_ranges
from freehold.modules.mail.folders.expunge import expunge_messages
from freehold.modules.mail.folders.messages import messages_of
from freehold.modules.mail.folders.ranges import UidRange, fetch_in
from freehold.modules.mail.folders.rights import Right, permitted_flags
from freehold.modules.mail.folders.seen import Reading, mark_seen
from freehold.modules.mail.folders.transfer import (
    Load,
    Route,
    Transferred,
    charge,
    runs_of,
    take_uids,
    transferred,
)
from freehold.modules.mail.model import Flag
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class Passage:
    """From which folder, of which mailbox and as whom (0: its owner), to which folder."""

    mailbox_id: int
    folder_id: int
    reader_id: int
    target: Access


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved, and the modseq at which it left its folder (0 when nothing was)."""

    transferred: Transferred
    source_modseq: int


async def copy_shared(
    tx: Transaction, blobs: BlobStore, passage: Passage, ranges: Sequence[UidRange], *, now_ms: int
) -> Transferred:
    """Copy the messages of `ranges` (ascending, disjoint); the target's mailbox is charged.

    Raises:
        FolderNotFoundError: a folder was removed.
        QuotaExceededError: the target's mailbox, or its owner, would hold more than it may.
        FolderFullError: the target has used up its UIDs.
    """
    target = passage.target
    mailbox_id, folder_id = target.mailbox_id, target.folder.id
    modseq = await next_modseq(tx, mailbox_id)
    source, reader = messages_of(passage.reader_id)
    rows = await fetch_in(
        tx,
        f"SELECT m.id, m.blob_id, m.size_bytes, m.flags FROM {source}"  # noqa: S608
        " WHERE m.id BETWEEN ? AND ? AND m.mailbox_id = ? ORDER BY m.id",
        passage.folder_id,
        ranges,
        passage.mailbox_id,
        before=reader,
    )
    kept = permitted_flags(target.rights)
    if target.reader_id:
        kept &= ~Flag.SEEN
    load = Load.of([(*row[:3], row[3] & kept) for row in rows])
    first_uid, uid_validity = await take_uids(tx, Route(mailbox_id, 0, folder_id), load, modseq)
    if not rows:
        return Transferred(0, uid_validity, [], [])
    await charge(tx, mailbox_id, load)
    keeps_keywords = int(Right.WRITE in target.rights)
    await tx.execute_many(
        "INSERT INTO message"  # noqa: S608 - this program's own words
        " (id, mailbox_id, blob_id, modseq, flags, keywords, internal_ms, saved_ms, size_bytes)"
        " SELECT m.id + ?, ?, m.blob_id, ?, m.flags & ?, CASE WHEN ? = 1 THEN m.keywords ELSE '' END,"
        f" m.internal_ms, ?, m.size_bytes FROM {source} WHERE m.id BETWEEN ? AND ?",
        [
            (shift, mailbox_id, modseq, kept, keeps_keywords, now_ms, *reader, first, last)
            for shift, first, last in runs_of(load.ids, first_uid, folder_id)
        ],
    )
    await blobs.add_references(tx, Counter(row[1] for row in rows))
    copied = transferred(load, first_uid, uid_validity, modseq)
    return replace(copied, modseq=max(modseq, await _keep_seen(tx, target, rows, first_uid)))


async def move_shared(
    tx: Transaction, blobs: BlobStore, passage: Passage, ranges: Sequence[UidRange], *, now_ms: int
) -> Moved:
    """Move the messages of `ranges` (ascending, disjoint): copy them, and remove them where they were.

    Raises:
        FolderNotFoundError, QuotaExceededError, FolderFullError: as `copy_shared`.
    """
    copied = await copy_shared(tx, blobs, passage, ranges, now_ms=now_ms)
    if not copied.modseq:
        return Moved(copied, 0)
    place = (passage.mailbox_id, passage.folder_id)
    gone = await expunge_messages(tx, blobs, place, copied.source, now_ms=now_ms, only_deleted=False)
    return Moved(copied, gone.modseq)


async def _keep_seen(tx: Transaction, target: Access, rows: list[Row], first_uid: int) -> int:
    r"""Mark copies in somebody else's folder as \Seen for the reader; returns the modseq, or 0."""
    if not target.reader_id or Right.SEEN not in target.rights:
        return 0
    seen = uid_ranges([first_uid + index for index, row in enumerate(rows) if row[3] & Flag.SEEN])
    reading = Reading(target.reader_id, target.mailbox_id, target.folder.id)
    return (await mark_seen(tx, reading, seen, seen=True)).modseq
