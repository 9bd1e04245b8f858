"""Remove messages from a folder: the one door, for IMAP and POP3.

Who has asked for it (`mailbox.keeps_trash`) finds them in Trash, from where they are removed for good.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.change import ChangeKind, log_changes, next_modseq, uid_ranges
from freehold.modules.mail.folders.ranges import UidRange, fetch_in
from freehold.modules.mail.folders.seen import forget_messages
from freehold.modules.mail.folders.trash import move_to_trash, wanted_trash
from freehold.modules.mail.model import MAX_UID, UID_BITS, Flag
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Row, Transaction

ALL_UIDS: tuple[UidRange, ...] = ((1, MAX_UID),)

_WANTED = (
    "SELECT id, blob_id, size_bytes, flags FROM message"
    " WHERE id BETWEEN ? AND ? AND mailbox_id = ? AND flags & ? = ? ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Expunged:
    """What was removed: ranges of UIDs, at `modseq` (0 when nothing was).

    `trash_id` is the folder that they went to, or 0; `made_trash` says that it was made for them.
    """

    modseq: int
    uids: list[UidRange]
    trash_id: int = 0
    made_trash: bool = False


async def expunge_messages(
    tx: Transaction,
    blobs: BlobStore,
    place: tuple[int, int],
    ranges: Sequence[UidRange] = ALL_UIDS,
    *,
    now_ms: int,
    only_deleted: bool = True,
) -> Expunged:
    r"""Remove messages of `place` (mailbox and folder): those of `ranges` that are marked \Deleted, or all.

    The ranges are ascending and disjoint. Where the mailbox asks for it, and the folder is neither Trash
    nor below it, messages marked \Deleted move to Trash instead, without that mark. What is removed with
    `only_deleted` false is always gone: something else has taken its place.

    Raises:
        FolderNotFoundError: the folder is not this mailbox's, or was removed.
        FolderFullError: Trash has used up its UIDs, or cannot be made.
    """
    mailbox_id, folder_id = place
    modseq = await next_modseq(tx, mailbox_id)
    mark = int(Flag.DELETED) if only_deleted else 0
    rows = await fetch_in(tx, _WANTED, folder_id, ranges, mailbox_id, mark, mark)
    if not rows:
        return Expunged(0, [])
    gone = uid_ranges([row[0] & MAX_UID for row in rows])
    trash = await wanted_trash(tx, mailbox_id, folder_id, now_ms=now_ms) if only_deleted else None
    if trash is not None:
        moved = await move_to_trash(tx, mailbox_id, folder_id, trash.id, gone, now_ms=now_ms)
        return Expunged(moved, gone, trash.id, trash.is_new)
    await _remove(tx, blobs, folder_id, rows, gone)
    await log_changes(tx, mailbox_id, folder_id, modseq, ChangeKind.EXPUNGED, gone)
    is_shared = await _discount(
        tx,
        mailbox_id,
        folder_id,
        (modseq, len(rows), sum(not row[3] & Flag.SEEN for row in rows), sum(row[2] for row in rows)),
    )
    if is_shared:
        await forget_messages(tx, folder_id, gone)
    return Expunged(modseq, gone)


async def _remove(
    tx: Transaction, blobs: BlobStore, folder_id: int, rows: list[Row], gone: list[UidRange]
) -> None:
    base = folder_id << UID_BITS
    bounds = [(base + first, base + last) for first, last in gone]
    await tx.execute_many("DELETE FROM message WHERE id BETWEEN ? AND ?", bounds)
    await blobs.release_many(tx, Counter(row[1] for row in rows))


async def _discount(
    tx: Transaction, mailbox_id: int, folder_id: int, gone: tuple[int, int, int, int]
) -> bool:
    """Take (modseq, messages, unseen, bytes) off all counters; returns whether the folder is shared."""
    modseq, messages, unseen, size_bytes = gone
    row = await tx.fetch_one(
        "UPDATE folder SET modseq = ?, message_count = message_count - ?, unseen_count = unseen_count - ?,"
        " size_bytes = size_bytes - ? WHERE id = ? AND mailbox_id = ? RETURNING is_shared",
        modseq,
        messages,
        unseen,
        size_bytes,
        folder_id,
        mailbox_id,
    )
    if row is None:
        raise FolderNotFoundError
    await tx.execute(
        "UPDATE mailbox SET used_bytes = used_bytes - ?, message_count = message_count - ? WHERE id = ?",
        size_bytes,
        messages,
        mailbox_id,
    )
    return bool(row[0])
