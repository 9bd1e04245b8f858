"""Forget old changes, so that the log does not grow with the age of a mailbox."""

from freehold.storage.database import Transaction

KEPT_CHANGES = 100_000
"""How many of a mailbox's latest modseqs keep their rows; who was away longer compares whole folders."""


async def sweep_changes(tx: Transaction, mailbox_id: int, *, kept: int = KEPT_CHANGES) -> int:
    """Forget the changes of a mailbox up to `kept` before its newest; returns the new floor."""
    row = await tx.fetch_one(
        "UPDATE mailbox SET change_floor = modseq - ? WHERE id = ? AND change_floor < modseq - ?"
        " RETURNING change_floor",
        kept,
        mailbox_id,
        kept,
    )
    if row is None:
        row = await tx.fetch_one("SELECT change_floor FROM mailbox WHERE id = ?", mailbox_id)
        return 0 if row is None else int(row[0])
    await tx.execute(
        "DELETE FROM change WHERE folder_id IN (SELECT id FROM folder WHERE mailbox_id = ?) AND modseq <= ?",
        mailbox_id,
        row[0],
    )
    return int(row[0])


async def mailboxes_to_sweep(tx: Transaction, *, kept: int = KEPT_CHANGES, most: int = 100) -> list[int]:
    """Return mailboxes whose log has outgrown `kept` by a tenth or more."""
    rows = await tx.fetch(
        "SELECT id FROM mailbox WHERE modseq - change_floor > ? ORDER BY id LIMIT ?", kept + kept // 10, most
    )
    return [int(row[0]) for row in rows]
