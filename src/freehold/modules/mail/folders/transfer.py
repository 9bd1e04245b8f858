"""Copy and move messages between folders of one mailbox (RFC 9051 §6.4.7, §6.4.8)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from freehold.modules.mail.errors import FolderFullError, FolderNotFoundError, QuotaExceededError
from freehold.modules.mail.folders.change import ChangeKind, log_changes, next_modseq, uid_ranges
from freehold.modules.mail.folders.quota import check_owner
from freehold.modules.mail.folders.ranges import UidRange, fetch_in
from freehold.modules.mail.folders.seen import forget_messages
from freehold.modules.mail.model import MAX_UID, UID_BITS, Flag
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Row, Transaction

_SOURCE = (
    "SELECT id, blob_id, size_bytes, flags FROM message"
    " WHERE id BETWEEN ? AND ? AND mailbox_id = ? ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Transferred:
    """Which UIDs became which: two lists of ranges of the same total length, in the same order.

    `modseq` is 0 and the lists are empty when no message was there.
    """

    modseq: int
    uid_validity: int
    source: list[UidRange]
    target: list[UidRange]


@dataclass(frozen=True, slots=True)
class Route:
    """From which folder to which, of which mailbox."""

    mailbox_id: int
    source_id: int
    target_id: int


@dataclass(frozen=True, slots=True)
class Load:
    """What goes: row ids in order, and what counters must know."""

    ids: list[int]
    size_bytes: int
    unseen: int

    @classmethod
    def of(cls, rows: list[Row]) -> "Load":
        """Return the load of rows of id, blob, size and flags."""
        return cls(
            [row[0] for row in rows],
            sum(row[2] for row in rows),
            sum(not row[3] & Flag.SEEN for row in rows),
        )


async def copy_messages(
    tx: Transaction, blobs: BlobStore, route: Route, ranges: Sequence[UidRange], *, now_ms: int
) -> Transferred:
    """Copy the messages of `ranges` (ascending, disjoint) with flags and internal date; bytes are shared.

    Raises:
        FolderNotFoundError: a folder is not this mailbox's, or was removed.
        QuotaExceededError: the mailbox, or its owner, would hold more than it may; nothing was copied.
        FolderFullError: the target has used up its UIDs.
    """
    modseq = await next_modseq(tx, route.mailbox_id)
    rows = await fetch_in(tx, _SOURCE, route.source_id, ranges, route.mailbox_id)
    load = Load.of(rows)
    first_uid, uid_validity = await take_uids(tx, route, load, modseq)
    if not rows:
        return Transferred(0, uid_validity, [], [])
    await charge(tx, route.mailbox_id, load)
    runs = runs_of(load.ids, first_uid, route.target_id)
    await tx.execute_many(
        "INSERT INTO message"
        " (id, mailbox_id, blob_id, modseq, flags, keywords, internal_ms, saved_ms, size_bytes)"
        " SELECT id + ?, mailbox_id, blob_id, ?, flags, keywords, internal_ms, ?, size_bytes FROM message"
        " WHERE id BETWEEN ? AND ?",
        [(shift, modseq, now_ms, first, last) for shift, first, last in runs],
    )
    await blobs.add_references(tx, Counter(row[1] for row in rows))
    return transferred(load, first_uid, uid_validity, modseq)


async def move_messages(
    tx: Transaction, route: Route, ranges: Sequence[UidRange], *, now_ms: int
) -> Transferred:
    """Move the messages of `ranges` (ascending, disjoint): they get new UIDs, also within one folder.

    Raises:
        FolderNotFoundError: a folder is not this mailbox's, or was removed.
        FolderFullError: the target has used up its UIDs.
    """
    modseq = await next_modseq(tx, route.mailbox_id)
    rows = await fetch_in(tx, _SOURCE, route.source_id, ranges, route.mailbox_id)
    load = Load.of(rows)
    first_uid, uid_validity = await take_uids(tx, route, load, modseq)
    if not rows:
        return Transferred(0, uid_validity, [], [])
    was_shared = await _leave(tx, route, load, modseq)
    runs = runs_of(load.ids, first_uid, route.target_id)
    await tx.execute_many(
        "UPDATE message SET id = id + ?, modseq = ?, saved_ms = ? WHERE id BETWEEN ? AND ?",
        [(shift, modseq, now_ms, first, last) for shift, first, last in runs],
    )
    moved = transferred(load, first_uid, uid_validity, modseq)
    await log_changes(tx, route.mailbox_id, route.source_id, modseq, ChangeKind.EXPUNGED, moved.source)
    if was_shared:
        await forget_messages(tx, route.source_id, moved.source)
    return moved


async def take_uids(tx: Transaction, route: Route, load: Load, modseq: int) -> tuple[int, int]:
    """Take UIDs in the target; returns the first of them and its UIDVALIDITY."""
    count = len(load.ids)
    row = await tx.fetch_one(
        "UPDATE folder SET uid_next = uid_next + ?, modseq = CASE WHEN ? > 0 THEN ? ELSE modseq END,"
        " message_count = message_count + ?, unseen_count = unseen_count + ?, size_bytes = size_bytes + ?"
        " WHERE id = ? AND mailbox_id = ? AND is_selectable RETURNING uid_next, uid_validity",
        count,
        count,
        modseq,
        count,
        load.unseen,
        load.size_bytes,
        route.target_id,
        route.mailbox_id,
    )
    if row is None:
        raise FolderNotFoundError
    if row[0] > MAX_UID:
        raise FolderFullError
    return row[0] - count, row[1]


async def _leave(tx: Transaction, route: Route, load: Load, modseq: int) -> bool:
    """Count the messages off the source; returns whether it is shared."""
    row = await tx.fetch_one(
        "UPDATE folder SET modseq = ?, message_count = message_count - ?, unseen_count = unseen_count - ?,"
        " size_bytes = size_bytes - ? WHERE id = ? AND mailbox_id = ? RETURNING is_shared",
        modseq,
        len(load.ids),
        load.unseen,
        load.size_bytes,
        route.source_id,
        route.mailbox_id,
    )
    if row is None:
        raise FolderNotFoundError
    return bool(row[0])


async def charge(tx: Transaction, mailbox_id: int, load: Load) -> None:
    """Count what is copied into a mailbox.

    Raises:
        QuotaExceededError: it, or its owner, would hold more than it may.
    """
    row = await tx.fetch_one(
        "UPDATE mailbox SET used_bytes = used_bytes + ?, message_count = message_count + ?"
        " WHERE id = ? RETURNING used_bytes, quota_bytes",
        load.size_bytes,
        len(load.ids),
        mailbox_id,
    )
    if row is not None and row[1] is not None and row[0] > row[1]:
        raise QuotaExceededError
    await check_owner(tx, mailbox_id)


def transferred(load: Load, first_uid: int, uid_validity: int, modseq: int) -> Transferred:
    """Return what a load became that got consecutive UIDs."""
    target = [(first_uid, first_uid + len(load.ids) - 1)]
    source = uid_ranges([row_id & MAX_UID for row_id in load.ids])
    return Transferred(modseq, uid_validity, source, target)


def runs_of(ids: list[int], first_uid: int, target_id: int) -> list[tuple[int, int, int]]:
    """Return (shift, first id, last id) of each run of consecutive UIDs."""
    runs = []
    next_id = target_id << UID_BITS | first_uid
    base = ids[0] & ~MAX_UID
    for first, last in uid_ranges([row_id & MAX_UID for row_id in ids]):
        runs.append((next_id - base - first, base + first, base + last))
        next_id += last - first + 1
    return runs
