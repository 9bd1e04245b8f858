"""The change log: every change of a mailbox takes the next modseq.

Changed flags and expunged UIDs leave a row; new messages need none, for their UIDs tell what is new.

One modseq counter per mailbox serves all its folders (RFC 7162 §3.1 asks only that values rise
within each folder), so the log read in order of modseq is also what JMAP calls the account's state.
"""

from collections.abc import Iterable
from enum import Enum

from freehold.modules.mail.errors import FolderNotFoundError
from freehold.storage.database import Transaction


class ChangeKind(Enum):
    """What happened to a range of UIDs (the words of `change.kind`)."""

    FLAGS = "flags"
    EXPUNGED = "expunged"


async def next_modseq(tx: Transaction, mailbox_id: int) -> int:
    """Return the modseq of a change that this transaction is about to make.

    Taking it locks the mailbox against other writers until the transaction ends.

    Raises:
        FolderNotFoundError: the mailbox has been removed.
    """
    row = await tx.fetch_one(
        "UPDATE mailbox SET modseq = modseq + 1 WHERE id = ? RETURNING modseq", mailbox_id
    )
    if row is None:
        raise FolderNotFoundError
    return int(row[0])


async def next_folder_modseq(tx: Transaction, mailbox_id: int, folder_id: int) -> tuple[int, int]:
    """Return what `next_modseq` does, and the modseq of the folder's latest change so far, 0 without one.

    Raises:
        FolderNotFoundError: the mailbox has been removed.
    """
    row = await tx.fetch_one(
        "UPDATE mailbox SET modseq = modseq + 1 WHERE id = ? RETURNING modseq,"
        " (SELECT f.modseq FROM folder AS f WHERE f.id = ? AND f.mailbox_id = mailbox.id)",
        mailbox_id,
        folder_id,
    )
    if row is None:
        raise FolderNotFoundError
    return int(row[0]), int(row[1] or 0)


async def log_changes(
    tx: Transaction,
    mailbox_id: int,
    folder_id: int,
    modseq: int,
    kind: ChangeKind,
    ranges: Iterable[tuple[int, int]],
) -> None:
    """Record that the UIDs of `ranges` (first, last; inclusive) changed at `modseq`, for all to be told."""
    await tx.execute_many(
        "INSERT INTO change (mailbox_id, modseq, folder_id, first_uid, last_uid, kind, reader_id)"
        " VALUES (?, ?, ?, ?, ?, ?, 0)",
        [(mailbox_id, modseq, folder_id, first, last, kind.value) for first, last in ranges],
    )


def uid_ranges(uids: Iterable[int]) -> list[tuple[int, int]]:
    """Fold ascending UIDs into inclusive ranges."""
    ranges: list[tuple[int, int]] = []
    first = last = -1
    for uid in uids:
        if uid == last + 1 and first >= 0:
            last = uid
            continue
        if first >= 0:
            ranges.append((first, last))
        first = last = uid
    if first >= 0:
        ranges.append((first, last))
    return ranges
