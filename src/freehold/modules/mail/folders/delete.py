"""Delete folders."""

from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.change import next_modseq
from freehold.modules.mail.folders.create import remove_folder_messages
from freehold.modules.mail.folders.errors import FolderHasChildrenError, InboxError
from freehold.modules.mail.folders.metadata import remove_metadata
from freehold.modules.mail.folders.names import INBOX, canonical_name, parents, subtree
from freehold.modules.mail.folders.subscribe import subscribe_to_name
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Transaction


async def delete_folder(tx: Transaction, blobs: BlobStore, mailbox_id: int, name: str) -> int:
    r"""Delete a folder with messages and annotations; returns its id. One with children stays as \NoSelect.

    A subscription outlives it (RFC 9051 §6.3.7), if there is room for it. Parents that were kept for it
    alone go too.

    Raises:
        InboxError: INBOX cannot be deleted.
        FolderNotFoundError: no such folder.
        FolderHasChildrenError: it is \NoSelect already and has children.
    """
    name = canonical_name(name)
    if name == INBOX:
        raise InboxError
    modseq = await next_modseq(tx, mailbox_id)
    row = await tx.fetch_one(
        "SELECT id, is_selectable, is_subscribed, message_count, size_bytes FROM folder"
        " WHERE mailbox_id = ? AND name = ?",
        mailbox_id,
        name,
    )
    if row is None:
        raise FolderNotFoundError
    folder_id, is_selectable, is_subscribed, messages, size_bytes = row
    children = await has_children(tx, mailbox_id, name)
    if children and not is_selectable:
        raise FolderHasChildrenError
    await remove_folder_messages(tx, blobs, folder_id=folder_id)
    await remove_metadata(tx, mailbox_id, folder_id)
    await tx.execute(
        "UPDATE mailbox SET used_bytes = used_bytes - ?, message_count = message_count - ? WHERE id = ?",
        size_bytes,
        messages,
        mailbox_id,
    )
    if children:
        await _keep_for_children(tx, folder_id, modseq)
        return int(folder_id)
    await tx.execute("DELETE FROM folder WHERE id = ?", folder_id)
    if is_subscribed:
        await subscribe_to_name(tx, mailbox_id, name)
    await prune_parents(tx, mailbox_id, name)
    return int(folder_id)


async def prune_parents(tx: Transaction, mailbox_id: int, name: str) -> None:
    r"""Remove the \NoSelect folders above a name that was removed, as far as they have no other children."""
    for parent in reversed(parents(name)):
        if await has_children(tx, mailbox_id, parent):
            return
        row = await tx.fetch_one(
            "DELETE FROM folder WHERE mailbox_id = ? AND name = ? AND NOT is_selectable"
            " RETURNING is_subscribed",
            mailbox_id,
            parent,
        )
        if row is None:
            return
        if row[0]:
            await subscribe_to_name(tx, mailbox_id, parent)


async def has_children(tx: Transaction, mailbox_id: int, name: str) -> bool:
    """Tell whether a folder lies under this name."""
    first, below = subtree(name)
    row = await tx.fetch_one(
        "SELECT id FROM folder WHERE mailbox_id = ? AND name >= ? AND name < ? LIMIT 1",
        mailbox_id,
        first,
        below,
    )
    return row is not None


async def _keep_for_children(tx: Transaction, folder_id: int, modseq: int) -> None:
    await tx.execute(
        "UPDATE folder SET is_selectable = FALSE, special_use = '', message_count = 0, unseen_count = 0,"
        " size_bytes = 0, modseq = ? WHERE id = ?",
        modseq,
        folder_id,
    )
