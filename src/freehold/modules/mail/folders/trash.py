r"""Trash instead of the end: where a mailbox asks for it, what is marked \Deleted moves to Trash."""

from dataclasses import dataclass

from freehold.modules.mail.folders.create import create_folder
from freehold.modules.mail.folders.names import subtree
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.folders.transfer import Route, move_messages
from freehold.modules.mail.model import UID_BITS, Flag
from freehold.storage.database import Transaction

TRASH = "Trash"
"""The name under which the folder is made if it is missing."""
TRASH_USE = "\\Trash"


@dataclass(frozen=True, slots=True)
class Trash:
    """The folder that expunged messages go to; `is_new` says that it was made just now."""

    id: int
    is_new: bool


async def wanted_trash(tx: Transaction, mailbox_id: int, folder_id: int, *, now_ms: int) -> Trash | None:
    r"""Return where messages expunged from a folder go, or None when they are to be gone.

    They are gone where the mailbox does not ask for more, and in Trash and the folders below it. Trash is
    the folder with the special use \Trash (RFC 6154); without one, that of the name, made if missing.
    """
    row = await tx.fetch_one(
        "SELECT f.name FROM folder AS f JOIN mailbox AS m ON m.id = f.mailbox_id"
        " WHERE f.id = ? AND f.mailbox_id = ? AND m.keeps_trash",
        folder_id,
        mailbox_id,
    )
    if row is None:
        return None
    trash = await tx.fetch_one(
        "SELECT id, name FROM folder WHERE mailbox_id = ? AND special_use = ? AND is_selectable",
        mailbox_id,
        TRASH_USE,
    )
    if trash is None:
        trash = await _by_name(tx, mailbox_id)
    if trash is None:
        made = await create_folder(tx, mailbox_id, TRASH, special_use=TRASH_USE, now_ms=now_ms)
        return Trash(made, is_new=True)
    trash_id, name = trash
    if trash_id == folder_id or row[0].startswith(subtree(name)[0]):
        return None
    return Trash(trash_id, is_new=False)


async def move_to_trash(
    tx: Transaction, mailbox_id: int, folder_id: int, trash_id: int, ranges: list[UidRange], *, now_ms: int
) -> int:
    r"""Move messages (ascending, disjoint ranges of UIDs) to Trash without \Deleted; returns the modseq."""
    moved = await move_messages(tx, Route(mailbox_id, folder_id, trash_id), ranges, now_ms=now_ms)
    base = trash_id << UID_BITS
    await tx.execute_many(
        "UPDATE message SET flags = flags & ? WHERE id BETWEEN ? AND ?",
        [(sum(Flag) & ~Flag.DELETED, base + first, base + last) for first, last in moved.target],
    )
    return moved.modseq


async def _by_name(tx: Transaction, mailbox_id: int) -> tuple[int, str] | None:
    row = await tx.fetch_one(
        "UPDATE folder SET special_use = CASE WHEN special_use = '' THEN ? ELSE special_use END"
        " WHERE mailbox_id = ? AND name = ? AND is_selectable RETURNING id",
        TRASH_USE,
        mailbox_id,
        TRASH,
    )
    return None if row is None else (int(row[0]), TRASH)
