"""Forget old changes, so that the log does not grow with the age of a mailbox."""

from freehold.storage.database import Transaction

KEPT_CHANGES = 100_000
"""How many of a mailbox's latest modseqs keep their rows; who was away longer compares whole folders."""


async def sweep_changes(tx: Transaction, mailbox_id: int, *, kept: int = KEPT_CHANGES) -> int:
    """Forget the changes of a mailbox up to `kept` before its newest; returns the new floor."""
    row = await tx.fetch_one("SELECT modseq, change_floor FROM mailbox WHERE id = ?", mailbox_id)
    if row is None:
        return 0
    newest, floor = row
    found = await _find_floor(tx, mailbox_id, newest, floor, kept)
    if found <= floor:
        return int(floor)
    await tx.execute("UPDATE mailbox SET change_floor = ? WHERE id = ?", found, mailbox_id)
    await tx.execute(
        "DELETE FROM change WHERE folder_id IN (SELECT id FROM folder WHERE mailbox_id = ?) AND modseq <= ?",
        mailbox_id,
        found,
    )
    return found


async def mailboxes_to_sweep(tx: Transaction, *, kept: int = KEPT_CHANGES, most: int = 100) -> list[int]:
    """Return mailboxes whose log has outgrown `kept` by a tenth or more; gaps are no changes."""
    outgrown = kept + kept // 10
    rows = await tx.fetch(
        "SELECT m.id FROM mailbox AS m WHERE m.modseq - m.change_floor > ? AND m.modseq - m.change_floor > ?"
        " + (SELECT CAST(COALESCE(SUM(g.last - g.kept), 0) AS BIGINT) FROM modseq_gap AS g"
        " WHERE g.mailbox_id = m.id AND g.kept >= m.change_floor) ORDER BY m.id LIMIT ?",
        outgrown,
        outgrown,
        most,
    )
    return [int(row[0]) for row in rows]


async def _find_floor(tx: Transaction, mailbox_id: int, newest: int, floor: int, kept: int) -> int:
    """Return the modseq that `kept` changes come after, the numbers of gaps not counted."""
    for before, last in await tx.fetch(
        "SELECT kept, last FROM modseq_gap WHERE mailbox_id = ? AND kept >= ? ORDER BY kept DESC",
        mailbox_id,
        floor,
    ):
        if newest - last >= kept:
            break
        kept -= newest - last
        newest = before
    return newest - kept
