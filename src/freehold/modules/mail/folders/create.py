"""Make and remove folders."""

from freehold.modules.mail.errors import FolderExistsError, FolderFullError
from freehold.modules.mail.folders.errors import SpecialUseError
from freehold.modules.mail.folders.names import new_name, parents
from freehold.modules.mail.folders.share import end_sharing, forget_person, inherit_rights
from freehold.modules.mail.model import FolderId
from freehold.storage.blobs import BlobStore
from freehold.storage.database import SchemaError, Transaction
from freehold.storage.open import next_number

MAX_FOLDERS = 10_000
"""Folders of one mailbox at the most."""

FIRST_FOLDERS = (
    ("INBOX", ""),
    ("Drafts", "\\Drafts"),
    ("Sent", "\\Sent"),
    ("Junk", "\\Junk"),
    ("Trash", "\\Trash"),
    ("Archive", "\\Archive"),
)
"""What a new mailbox has: name and special use (RFC 6154)."""


async def create_mailbox_folders(tx: Transaction, *, mailbox_id: int, now_ms: int) -> FolderId:
    """Give a new mailbox its first folders; returns the id of INBOX."""
    made = [
        await insert_folder(tx, mailbox_id, name, special_use=special_use, now_ms=now_ms)
        for name, special_use in FIRST_FOLDERS
    ]
    return made[0]


SPECIAL_USES = frozenset({"\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"})
"""Special uses that a folder may have (RFC 6154 §2); the others would be views over all folders."""


async def create_folder(
    tx: Transaction, mailbox_id: int, name: str, *, special_use: str = "", now_ms: int
) -> FolderId:
    r"""Make a folder and, as \NoSelect, those above it that are missing; subscribed to if its name is.

    Raises:
        FolderNameError: the name cannot be a folder's.
        FolderExistsError: the name is taken.
        FolderFullError: the mailbox has `MAX_FOLDERS` already.
        SpecialUseError: the special use is unknown, or another folder has it.
    """
    name = new_name(name)
    await _check_special_use(tx, mailbox_id, special_use)
    row = await tx.fetch_one(
        "DELETE FROM folder WHERE mailbox_id = ? AND name = ? AND NOT is_selectable RETURNING is_subscribed",
        mailbox_id,
        name,
    )
    was_subscribed = row is not None and bool(row[0])
    await insert_parents(tx, mailbox_id, name, now_ms=now_ms)
    folder_id = await insert_folder(tx, mailbox_id, name, special_use=special_use, now_ms=now_ms)
    row = await tx.fetch_one(
        "DELETE FROM subscription WHERE mailbox_id = ? AND name = ? RETURNING name", mailbox_id, name
    )
    await tx.execute(
        "UPDATE folder SET is_subscribed = ? WHERE id = ?", was_subscribed or row is not None, folder_id
    )
    return folder_id


async def insert_parents(tx: Transaction, mailbox_id: int, name: str, *, now_ms: int) -> None:
    r"""Add the folders above `name` that do not exist, as \NoSelect."""
    for parent in parents(name):
        row = await tx.fetch_one(
            "SELECT id FROM folder WHERE mailbox_id = ? AND name = ?", mailbox_id, parent
        )
        if row is None:
            await insert_folder(tx, mailbox_id, parent, special_use="", now_ms=now_ms, is_selectable=False)


async def insert_folder(
    tx: Transaction, mailbox_id: int, name: str, *, special_use: str, now_ms: int, is_selectable: bool = True
) -> FolderId:
    """Add one folder, subscribed to; its UIDVALIDITY is the time in seconds and never comes again.

    Raises:
        FolderExistsError: the name is taken.
        FolderFullError: the mailbox has `MAX_FOLDERS` already.
    """
    count = await tx.fetch_one("SELECT COUNT(*) FROM folder WHERE mailbox_id = ?", mailbox_id)
    if count is not None and count[0] >= MAX_FOLDERS:
        raise FolderFullError
    folder_id = await next_number(tx, "folder")
    row = await tx.fetch_one(
        "INSERT INTO folder (id, mailbox_id, name, uid_validity, uid_next, recent_uid, modseq, message_count,"
        " unseen_count, size_bytes, special_use, is_subscribed, is_selectable, is_shared)"
        " VALUES (?, ?, ?, ?, 1, 1, 1, 0, 0, 0, ?, ?, ?, FALSE) ON CONFLICT (mailbox_id, name) DO NOTHING"
        " RETURNING id",
        folder_id,
        mailbox_id,
        name,
        await _next_uid_validity(tx, now_ms),
        special_use,
        is_selectable,
        is_selectable,
    )
    if row is None:
        raise FolderExistsError
    await inherit_rights(tx, mailbox_id, name, folder_id)
    return FolderId(folder_id)


async def _check_special_use(tx: Transaction, mailbox_id: int, special_use: str) -> None:
    if not special_use:
        return
    if special_use not in SPECIAL_USES:
        raise SpecialUseError
    row = await tx.fetch_one(
        "SELECT id FROM folder WHERE mailbox_id = ? AND special_use = ?", mailbox_id, special_use
    )
    if row is not None:
        raise SpecialUseError("another folder has this special use")


async def _next_uid_validity(tx: Transaction, now_ms: int) -> int:
    """Return a UIDVALIDITY greater than any given before (RFC 9051 §2.3.1.1)."""
    now_seconds = now_ms // 1000
    row = await tx.fetch_one(
        "UPDATE folder_validity SET uid_validity = CASE WHEN uid_validity < ? THEN ? ELSE uid_validity"
        " + 1 END"
        " RETURNING uid_validity",
        now_seconds,
        now_seconds,
    )
    if row is None:
        raise SchemaError("table folder_validity has lost its row: restore the database from a backup")
    return int(row[0])


async def remove_folder_messages(tx: Transaction, blobs: BlobStore, *, folder_id: int) -> None:
    """Remove every message of a folder and what is kept with it; counters are the caller's."""
    first, last = folder_id << 32, (folder_id + 1 << 32) - 1
    rows = await tx.fetch(
        "SELECT blob_id, COUNT(*) FROM message WHERE id BETWEEN ? AND ? GROUP BY blob_id", first, last
    )
    await blobs.release_many(tx, {row[0]: row[1] for row in rows})
    await tx.execute("DELETE FROM message WHERE id BETWEEN ? AND ?", first, last)
    await tx.execute("DELETE FROM change WHERE folder_id = ?", folder_id)
    await end_sharing(tx, folder_id)


async def remove_mailbox_folders(tx: Transaction, blobs: BlobStore, *, mailbox_id: int) -> None:
    """Remove every folder and message of a mailbox that is being removed."""
    for (folder_id,) in await tx.fetch("SELECT id FROM folder WHERE mailbox_id = ?", mailbox_id):
        await remove_folder_messages(tx, blobs, folder_id=folder_id)
    await forget_person(tx, mailbox_id)
    await tx.execute("DELETE FROM folder WHERE mailbox_id = ?", mailbox_id)
    await tx.execute("DELETE FROM subscription WHERE mailbox_id = ?", mailbox_id)
