r"""The \Seen of those who read somebody else's folder: theirs alone, where all other flags are shared.

The owner's \Seen is a bit of `message.flags`. A reader's are rows of `message_seen`, which exist only for
shared folders and only for messages that the reader has marked. Their modseqs come from the counter of the
folder's mailbox, and the change log tells them to nobody else. They go with the message.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from freehold.modules.mail.folders.change import ChangeKind, next_modseq, uid_ranges
from freehold.modules.mail.folders.flags import (
    FlagChange,
    FlagMode,
    FlagsChanged,
    change_flags,
    logged_ranges,
)
from freehold.modules.mail.folders.ranges import (
    RANGES_READ_ONE_BY_ONE,
    UidRange,
    fetch_in,
    merge_ranges,
    subtract_ranges,
)
from freehold.modules.mail.folders.read import folder_modseq
from freehold.modules.mail.model import MAX_UID, UID_BITS, Flag
from freehold.storage.database import Transaction

_SHARED_FLAGS = sum(Flag) & ~Flag.SEEN


@dataclass(frozen=True, slots=True)
class Reading:
    """A reader, and the folder of somebody else's mailbox."""

    reader_id: int
    mailbox_id: int
    folder_id: int


async def change_flags_as_reader(
    tx: Transaction,
    reading: Reading,
    ranges: Sequence[UidRange],
    change: FlagChange,
    *,
    unchanged_since: int | None = None,
) -> tuple[FlagsChanged, FlagsChanged]:
    r"""Change flags of the messages of `ranges` (ascending, disjoint): \Seen for the reader, others for all.

    Returns the change of the shared flags and that of \Seen, which have modseqs of their own; the messages
    that UNCHANGEDSINCE kept from being changed are in the former, and so is the modseq of the latest change
    before of which the reader is told.

    Raises:
        FolderNotFoundError, TooManyKeywordsError: as `change_flags`.
    """
    failed: list[UidRange] = []
    previous = await folder_modseq(tx, reading.mailbox_id, reading.folder_id, reading.reader_id) or 0
    if unchanged_since is not None:
        failed = await _changed_since(tx, reading, ranges, unchanged_since)
        ranges = subtract_ranges(merge_ranges(ranges), failed)
    shared = change.limited(_SHARED_FLAGS, keywords=True)
    told = FlagsChanged(0, previous, [], failed)
    if shared.does_something:
        done = await change_flags(tx, reading.mailbox_id, reading.folder_id, ranges, shared)
        told = FlagsChanged(done.modseq, previous, done.changed, failed)
    touched = change.touched if change.mode is FlagMode.REPLACE else change.flags
    if not touched & Flag.SEEN:
        return told, FlagsChanged(0, 0, [], [])
    seen = bool(change.flags & Flag.SEEN) and change.mode is not FlagMode.REMOVE
    return told, await mark_seen(tx, reading, ranges, seen=seen)


async def mark_seen(
    tx: Transaction, reading: Reading, ranges: Sequence[UidRange], *, seen: bool
) -> FlagsChanged:
    r"""Set or remove a reader's \Seen on the messages of `ranges` (ascending, disjoint), at one modseq.

    Raises:
        FolderNotFoundError: the mailbox has been removed.
    """
    rows = await fetch_in(
        tx,
        "SELECT t.id FROM message AS t WHERE t.id BETWEEN ? AND ? AND t.mailbox_id = ? AND COALESCE("
        "(SELECT r.seen FROM message_seen AS r WHERE r.reader_id = ? AND r.message_id = t.id), 0) <> ?"
        " ORDER BY t.id",
        reading.folder_id,
        ranges,
        reading.mailbox_id,
        reading.reader_id,
        int(seen),
    )
    if not rows:
        return FlagsChanged(0, 0, [], [])
    modseq = await next_modseq(tx, reading.mailbox_id)
    changed = uid_ranges([row[0] & MAX_UID for row in rows])
    base = reading.folder_id << UID_BITS
    await tx.execute_many(
        "INSERT INTO message_seen (reader_id, message_id, seen, modseq)"
        " SELECT ?, id, ?, ? FROM message WHERE id BETWEEN ? AND ?"
        " ON CONFLICT (reader_id, message_id) DO UPDATE SET seen = excluded.seen, modseq = excluded.modseq",
        [(reading.reader_id, int(seen), modseq, base + first, base + last) for first, last in changed],
    )
    await _log(tx, reading, modseq, changed, len(rows) if seen else -len(rows))
    return FlagsChanged(modseq, 0, changed, [])


async def touch_as_reader(tx: Transaction, reading: Reading, modseq: int) -> None:
    """Note that something changed at `modseq` for this reader only which is no flag."""
    await _log(tx, reading, modseq, [], 0)


async def forget_messages(tx: Transaction, folder_id: int, ranges: Sequence[UidRange]) -> None:
    r"""Drop what readers have marked of messages that have left a shared folder.

    Many ranges are looked through in one piece for rows whose message is gone.
    """
    if len(ranges) > RANGES_READ_ONE_BY_ONE:
        ranges = [(ranges[0][0], ranges[-1][1])]
    base = folder_id << UID_BITS
    gone: Counter[int] = Counter()
    for first, last in ranges:
        rows = await tx.fetch(
            "DELETE FROM message_seen WHERE message_id BETWEEN ? AND ?"
            " AND reader_id IN (SELECT reader_id FROM folder_reader WHERE folder_id = ?) AND NOT EXISTS"
            " (SELECT 1 FROM message AS m WHERE m.id = message_seen.message_id) RETURNING reader_id, seen",
            base + first,
            base + last,
            folder_id,
        )
        for reader_id, seen in rows:
            gone[reader_id] += seen
    await tx.execute_many(
        "UPDATE folder_reader SET seen_count = seen_count - ? WHERE folder_id = ? AND reader_id = ?",
        [(count, folder_id, reader_id) for reader_id, count in gone.items() if count],
    )


async def forget_folder(tx: Transaction, folder_id: int) -> None:
    """Drop all that readers have marked in a folder that is removed, or shared no longer."""
    base = folder_id << UID_BITS
    await tx.execute(
        "DELETE FROM message_seen WHERE message_id BETWEEN ? AND ?"
        " AND reader_id IN (SELECT reader_id FROM folder_reader WHERE folder_id = ?)",
        base,
        base + MAX_UID,
        folder_id,
    )
    await tx.execute("DELETE FROM folder_reader WHERE folder_id = ?", folder_id)


async def forget_reader(tx: Transaction, reader_id: int) -> None:
    """Drop all that a person whose mailbox is removed has marked in the folders of others."""
    await tx.execute("DELETE FROM message_seen WHERE reader_id = ?", reader_id)
    await tx.execute("DELETE FROM folder_reader WHERE reader_id = ?", reader_id)


async def _changed_since(
    tx: Transaction, reading: Reading, ranges: Sequence[UidRange], modseq: int
) -> list[UidRange]:
    rows = await fetch_in(
        tx,
        "SELECT t.id FROM message AS t WHERE t.id BETWEEN ? AND ? AND t.mailbox_id = ? AND (t.modseq > ? OR"
        " (SELECT r.modseq FROM message_seen AS r WHERE r.reader_id = ? AND r.message_id = t.id) > ?)"
        " ORDER BY t.id",
        reading.folder_id,
        ranges,
        reading.mailbox_id,
        modseq,
        reading.reader_id,
        modseq,
    )
    return uid_ranges([row[0] & MAX_UID for row in rows])


async def _log(
    tx: Transaction, reading: Reading, modseq: int, changed: list[UidRange], difference: int
) -> None:
    """Count the reader's change, and have the reader's other sessions told."""
    await tx.execute(
        "INSERT INTO folder_reader (folder_id, reader_id, seen_count, modseq) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (folder_id, reader_id) DO UPDATE SET"
        " seen_count = folder_reader.seen_count + excluded.seen_count, modseq = excluded.modseq",
        reading.folder_id,
        reading.reader_id,
        difference,
        modseq,
    )
    await tx.execute_many(
        "INSERT INTO change (mailbox_id, modseq, folder_id, first_uid, last_uid, kind, reader_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                reading.mailbox_id,
                modseq,
                reading.folder_id,
                first,
                last,
                ChangeKind.FLAGS.value,
                reading.reader_id,
            )
            for first, last in logged_ranges(changed)
        ],
    )
