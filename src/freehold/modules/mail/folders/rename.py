"""Rename folders with what lies under them."""

from freehold.modules.mail.errors import FolderExistsError, FolderNotFoundError
from freehold.modules.mail.folders.create import create_folder, insert_parents
from freehold.modules.mail.folders.delete import prune_parents
from freehold.modules.mail.folders.errors import FolderNameError
from freehold.modules.mail.folders.expunge import ALL_UIDS
from freehold.modules.mail.folders.names import INBOX, canonical_name, new_name, subtree
from freehold.modules.mail.folders.transfer import Route, move_messages
from freehold.storage.database import Transaction


async def rename_folder(tx: Transaction, mailbox_id: int, name: str, to_name: str, *, now_ms: int) -> int:
    """Give a folder and its children a new path; UIDs stay. Returns the id of the folder that was renamed.

    RENAME of INBOX moves its messages into a new folder and leaves it empty, its children where they
    are (RFC 9051 §6.3.6).

    Raises:
        FolderNotFoundError: no such folder.
        FolderExistsError: the new name is taken.
        FolderNameError: the new name cannot be a folder's, or lies under the old one.
    """
    name, to_name = canonical_name(name), new_name(to_name)
    row = await tx.fetch_one("SELECT id FROM folder WHERE mailbox_id = ? AND name = ?", mailbox_id, name)
    if row is None:
        raise FolderNotFoundError
    if name == INBOX:
        target_id = await create_folder(tx, mailbox_id, to_name, now_ms=now_ms)
        await move_messages(tx, Route(mailbox_id, row[0], target_id), ALL_UIDS, now_ms=now_ms)
        return int(row[0])
    await _check_free(tx, mailbox_id, name, to_name)
    await insert_parents(tx, mailbox_id, to_name, now_ms=now_ms)
    first, below = subtree(name)
    rows = await tx.fetch(
        "SELECT id, name FROM folder WHERE mailbox_id = ? AND (name = ? OR (name >= ? AND name < ?))",
        mailbox_id,
        name,
        first,
        below,
    )
    await tx.execute_many(
        "UPDATE folder SET name = ? WHERE id = ?",
        [(new_name(to_name + old[len(name) :]), folder_id) for folder_id, old in rows],
    )
    await prune_parents(tx, mailbox_id, name)
    return int(row[0])


async def _check_free(tx: Transaction, mailbox_id: int, name: str, to_name: str) -> None:
    if to_name.startswith(subtree(name)[0]):
        raise FolderNameError("a folder cannot be moved into itself")
    row = await tx.fetch_one("SELECT id FROM folder WHERE mailbox_id = ? AND name = ?", mailbox_id, to_name)
    if row is not None:
        raise FolderExistsError
