"""How much mailboxes and owners hold and may hold (RFC 9208 §3): checked before mail is taken.

A mailbox's use is a counter in its row. An owner's is the sum over the rows of its mailboxes, which are read
only where the owner has a limit.
"""

from dataclasses import dataclass

from freehold.modules.mail.errors import (
    FolderNotFoundError,
    LargerThanQuotaError,
    OwnerQuotaExceededError,
    QuotaExceededError,
)
from freehold.storage.database import Transaction

WARNING_PERCENTS = (80, 95)
"""From these shares of a quota on, its holder is warned, ascending."""


@dataclass(frozen=True, slots=True)
class Use:
    """What is held and what may be, in bytes; `limit_bytes` None is no limit."""

    used_bytes: int
    limit_bytes: int | None

    @property
    def percent(self) -> int:
        """How much of the limit is used, rounded down; 0 without a limit."""
        if self.limit_bytes is None:
            return 0
        return 100 * self.used_bytes // self.limit_bytes if self.limit_bytes else 100

    @property
    def warning_percent(self) -> int:
        """The highest of `WARNING_PERCENTS` that is reached, or 0."""
        return max((each for each in WARNING_PERCENTS if self.percent >= each), default=0)


async def mailbox_use(tx: Transaction, mailbox_id: int) -> Use:
    """Return what a mailbox holds and may hold.

    Raises:
        FolderNotFoundError: the mailbox has been removed.
    """
    row = await tx.fetch_one("SELECT used_bytes, quota_bytes FROM mailbox WHERE id = ?", mailbox_id)
    if row is None:
        raise FolderNotFoundError
    return Use(*row)


async def check_room(tx: Transaction, mailbox_id: int, size_bytes: int) -> None:
    """Check that a mailbox and its owner have room for a message that is on its way.

    A mailbox that was removed has room: what comes finds that out itself.

    Raises:
        LargerThanQuotaError: the message alone is more than the mailbox may hold.
        QuotaExceededError: the mailbox is too full for it.
        OwnerQuotaExceededError: the owner's mailboxes together are.
    """
    row = await tx.fetch_one(
        "SELECT m.used_bytes, m.quota_bytes, m.owner_id, o.max_storage_bytes FROM mailbox AS m"
        " JOIN owner AS o ON o.id = m.owner_id"
        " WHERE m.id = ? AND (m.quota_bytes < m.used_bytes + ? OR o.max_storage_bytes IS NOT NULL)",
        mailbox_id,
        size_bytes,
    )
    if row is None:
        return
    used_bytes, quota_bytes, owner_id, owner_bytes = row
    if quota_bytes is not None and used_bytes + size_bytes > quota_bytes:
        raise LargerThanQuotaError if size_bytes > quota_bytes else QuotaExceededError
    if owner_bytes is not None and await _owner_bytes(tx, owner_id) + size_bytes > owner_bytes:
        raise OwnerQuotaExceededError


async def check_owner(tx: Transaction, mailbox_id: int) -> None:
    """Check, behind what a transaction has added to a mailbox, that its owner may hold all that.

    Raises:
        OwnerQuotaExceededError: it may not.
    """
    row = await tx.fetch_one(
        "SELECT m.owner_id, o.max_storage_bytes FROM mailbox AS m JOIN owner AS o ON o.id = m.owner_id"
        " WHERE m.id = ? AND o.max_storage_bytes IS NOT NULL",
        mailbox_id,
    )
    if row is not None and await _owner_bytes(tx, row[0]) > row[1]:
        raise OwnerQuotaExceededError


async def _owner_bytes(tx: Transaction, owner_id: int) -> int:
    row = await tx.fetch_one(
        "SELECT CAST(COALESCE(SUM(used_bytes), 0) AS BIGINT) FROM mailbox WHERE owner_id = ?", owner_id
    )
    return 0 if row is None else int(row[0])
