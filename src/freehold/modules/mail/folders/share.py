"""Share folders: who may do what with each (RFC 4314 §3)."""

from dataclasses import dataclass
from enum import Enum

from freehold.errors import InvalidValueError
from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.access import Access, combine_rights
from freehold.modules.mail.folders.errors import TooManySharesError
from freehold.modules.mail.folders.names import parents
from freehold.modules.mail.folders.rights import ALL_RIGHTS, KEPT_BY_OWNER, NO_RIGHTS, Right
from freehold.modules.mail.folders.seen import forget_folder, forget_reader
from freehold.storage.database import Row, Transaction

ANYONE = "anyone"
OWNER = "owner"
MAX_ENTRIES = 500
"""Entries of one folder at the most."""


class IdentifierError(InvalidValueError):
    """An identifier that is nobody's."""

    public = "no such person: give a mailbox's address, anyone or owner, with - before it to take rights away"


class RightsChange(Enum):
    """What becomes of the rights that an identifier has."""

    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an access control list, as a person reads it."""

    identifier: str
    rights: Right


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom an identifier means, as `folder_right` has it."""

    id: int
    is_negative: bool


async def find_holder(tx: Transaction, access: Access, identifier: str) -> Holder:
    """Return whom an identifier means for a folder.

    `anyone` is all people of the folder's owner, `owner` the person whose folder it is. An address is any
    mailbox's of the server, whoever owns it.

    Raises:
        IdentifierError: nobody.
    """
    name = identifier.strip().lower()
    is_negative = name.startswith("-")
    name = name.removeprefix("-")
    if name == OWNER:
        return Holder(access.mailbox_id, is_negative)
    if name == ANYONE:
        row = await tx.fetch_one("SELECT -owner_id FROM mailbox WHERE id = ?", access.mailbox_id)
    else:
        row = await tx.fetch_one("SELECT id FROM mailbox WHERE address = ?", name)
    if row is None:
        raise IdentifierError
    return Holder(int(row[0]), is_negative)


async def change_rights(
    tx: Transaction, access: Access, identifier: str, rights: Right, change: RightsChange
) -> Holder:
    """Change what an identifier may do with a folder; returns whom it means.

    An entry without rights is none. What the owner keeps is not taken from it.

    Raises:
        IdentifierError: the identifier is nobody's.
        TooManySharesError: the folder has `MAX_ENTRIES` already.
    """
    holder = await find_holder(tx, access, identifier)
    rows = await _rows(tx, access.folder.id)
    known = {Holder(row[0], bool(row[1])): Right(row[2]) for row in rows}
    is_owner = holder.id == access.mailbox_id
    default = ALL_RIGHTS if is_owner and not holder.is_negative else NO_RIGHTS
    now = known.get(holder, default)
    match change:
        case RightsChange.ADD:
            rights |= now
        case RightsChange.REMOVE:
            rights = now & ~rights
    if is_owner:
        rights = rights & ~KEPT_BY_OWNER if holder.is_negative else rights | KEPT_BY_OWNER
    if rights != default and holder not in known and len(known) >= MAX_ENTRIES:
        raise TooManySharesError
    await _write(tx, access, holder, rights, default)
    return holder


async def remove_rights(tx: Transaction, access: Access, identifier: str) -> Holder:
    """Remove an identifier's entry; it is no error if there is none.

    Raises:
        IdentifierError: the identifier is nobody's.
    """
    holder = await find_holder(tx, access, identifier)
    await _write(tx, access, holder, NO_RIGHTS, NO_RIGHTS)
    return holder


async def list_entries(tx: Transaction, access: Access) -> list[Entry]:
    """Return a folder's entries, the owner's first, then by identifier."""
    rows = await _rows(tx, access.folder.id)
    own = combine_rights([row[:3] for row in rows if not row[1]], access.mailbox_id, access.mailbox_id)
    owner = await tx.fetch_one("SELECT address FROM mailbox WHERE id = ?", access.mailbox_id)
    if owner is None:
        raise FolderNotFoundError
    entries = [
        Entry("-" * bool(is_negative) + (address or ANYONE), Right(rights))
        for holder_id, is_negative, rights, address in rows
        if is_negative or holder_id != access.mailbox_id
    ]
    return [Entry(owner[0], own), *sorted(entries, key=lambda entry: entry.identifier)]


async def inherit_rights(tx: Transaction, mailbox_id: int, name: str, folder_id: int) -> None:
    """Give a new folder the entries of the nearest folder above it (RFC 4314 §4, CREATE)."""
    for parent in reversed(parents(name)):
        row = await tx.fetch_one(
            "SELECT id, is_shared FROM folder WHERE mailbox_id = ? AND name = ?", mailbox_id, parent
        )
        if row is None:
            continue
        if row[1]:
            await tx.execute(
                "INSERT INTO folder_right (folder_id, holder_id, is_negative, rights)"
                " SELECT ?, holder_id, is_negative, rights FROM folder_right WHERE folder_id = ?",
                folder_id,
                row[0],
            )
            await tx.execute("UPDATE folder SET is_shared = TRUE WHERE id = ?", folder_id)
        return


async def end_sharing(tx: Transaction, folder_id: int) -> None:
    """Remove all entries of a folder, and what its readers have seen."""
    await tx.execute("DELETE FROM folder_right WHERE folder_id = ?", folder_id)
    await forget_folder(tx, folder_id)
    await tx.execute("UPDATE folder SET is_shared = FALSE WHERE id = ?", folder_id)


async def forget_person(tx: Transaction, mailbox_id: int) -> None:
    """Remove a person whose mailbox goes from the entries of all folders, and what they have seen there."""
    rows = await tx.fetch("DELETE FROM folder_right WHERE holder_id = ? RETURNING folder_id", mailbox_id)
    await forget_reader(tx, mailbox_id)
    for folder_id in sorted({row[0] for row in rows}):
        await _note_sharing(tx, folder_id)


async def _rows(tx: Transaction, folder_id: int) -> list[Row]:
    return await tx.fetch(
        "SELECT g.holder_id, g.is_negative, g.rights, m.address FROM folder_right AS g"
        " LEFT JOIN mailbox AS m ON m.id = g.holder_id WHERE g.folder_id = ?",
        folder_id,
    )


async def _write(tx: Transaction, access: Access, holder: Holder, rights: Right, default: Right) -> None:
    folder_id = access.folder.id
    if rights == default:
        await tx.execute(
            "DELETE FROM folder_right WHERE folder_id = ? AND holder_id = ? AND is_negative = ?",
            folder_id,
            holder.id,
            holder.is_negative,
        )
    else:
        await tx.execute(
            "INSERT INTO folder_right (folder_id, holder_id, is_negative, rights) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (folder_id, holder_id, is_negative) DO UPDATE SET rights = excluded.rights",
            folder_id,
            holder.id,
            holder.is_negative,
            int(rights),
        )
    await _note_sharing(tx, folder_id)


async def _note_sharing(tx: Transaction, folder_id: int) -> None:
    """Keep `folder.is_shared` in step with the entries."""
    row = await tx.fetch_one("SELECT folder_id FROM folder_right WHERE folder_id = ? LIMIT 1", folder_id)
    if row is None:
        await end_sharing(tx, folder_id)
    else:
        await tx.execute("UPDATE folder SET is_shared = TRUE WHERE id = ?", folder_id)
