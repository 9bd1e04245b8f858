"""Subscriptions: which folders a person wants to see (RFC 9051 §6.3.7)."""

from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.names import DELIMITER, canonical_name
from freehold.storage.database import Transaction

MAX_LONE_SUBSCRIPTIONS = 10_000
"""Names one person is subscribed to that are none of their folders: folders of others, and deleted ones."""


async def subscribe(tx: Transaction, mailbox_id: int, name: str) -> None:
    """Subscribe to a folder that exists.

    Raises:
        FolderNotFoundError: no such folder.
    """
    row = await tx.fetch_one(
        "UPDATE folder SET is_subscribed = TRUE WHERE mailbox_id = ? AND name = ? RETURNING id",
        mailbox_id,
        canonical_name(name.removesuffix(DELIMITER)),
    )
    if row is None:
        raise FolderNotFoundError


async def subscribe_to_name(tx: Transaction, mailbox_id: int, name: str) -> bool:
    """Subscribe to a name that is no folder of the mailbox; False: there are `MAX_LONE_SUBSCRIPTIONS`."""
    row = await tx.fetch_one("SELECT COUNT(*) FROM subscription WHERE mailbox_id = ?", mailbox_id)
    if row is not None and row[0] >= MAX_LONE_SUBSCRIPTIONS:
        return False
    await tx.execute(
        "INSERT INTO subscription (mailbox_id, name) VALUES (?, ?) ON CONFLICT (mailbox_id, name) DO NOTHING",
        mailbox_id,
        name,
    )
    return True


async def unsubscribe(tx: Transaction, mailbox_id: int, name: str) -> None:
    """End a subscription; it is no error if there was none."""
    name = canonical_name(name.removesuffix(DELIMITER))
    await tx.execute(
        "UPDATE folder SET is_subscribed = FALSE WHERE mailbox_id = ? AND name = ?", mailbox_id, name
    )
    await tx.execute("DELETE FROM subscription WHERE mailbox_id = ? AND name = ?", mailbox_id, name)
