"""Annotations of folders and of the server (RFC 5464): small values under names that clients choose.

Names do not depend on letter case and are kept in lower case. What is /private is seen by one person
only, whosever folder it is about; what is /shared, by all who may read the folder. They go with the folder
and stay when it is renamed. They do not count towards quotas: their number and size are bounded instead.
What is removed leaves its name for a while, for those who are told of changes (RFC 5464 §4.4.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from freehold.errors import FreeholdError
from freehold.modules.mail.folders.change import next_modseq
from freehold.modules.mail.folders.read import Folder
from freehold.modules.mail.folders.seen import Reading, touch_as_reader
from freehold.storage.database import Transaction

SHARED = 0
"""The reader of what everybody sees."""
SERVER = 0
"""The folder of what is said of the server as a whole."""
PRIVATE_PREFIX = "/private"
REMOVED_KEPT = 500
"""The latest names of removed entries that are remembered of each person in a mailbox, and of `SHARED`."""


class ValueTooLongError(FreeholdError):
    """A value is longer than allowed."""

    public = "value is too long"


class TooManyEntriesError(FreeholdError):
    """There are as many entries as allowed."""

    public = "too many entries"


@dataclass(frozen=True, slots=True)
class MetadataPlace:
    """Whose mailbox, which of its folders (or `SERVER`), and the mailbox of the person who asks."""

    mailbox_id: int
    folder_id: int
    person_id: int

    def reader_of(self, entry: str) -> int:
        """Return who may see an entry (in lower case): the person, or `SHARED`."""
        return self.person_id if is_private(entry) else SHARED


@dataclass(frozen=True, slots=True)
class MetadataLimits:
    """Longest value in bytes; entries of one person, and shared ones of one mailbox, in all."""

    value_bytes: int
    entries: int


class ChangedEntry(NamedTuple):
    """An entry, in lower case, that was set or removed, and the modseq at which that was done last."""

    folder_id: int
    entry: str
    modseq: int
    is_removed: bool


def is_private(entry: str) -> bool:
    """Tell whether an entry (in lower case) is one person's own."""
    return entry == PRIVATE_PREFIX or entry.startswith(PRIVATE_PREFIX + "/")


async def read_entry(tx: Transaction, place: MetadataPlace, entry: str) -> bytes | None:
    """Return the value of an entry, given in lower case."""
    row = await tx.fetch_one(
        "SELECT value FROM metadata WHERE mailbox_id = ? AND folder_id = ? AND reader_id = ? AND entry = ?"
        " AND value IS NOT NULL",
        place.mailbox_id,
        place.folder_id,
        place.reader_of(entry),
        entry,
    )
    return None if row is None else bytes(row[0])


async def read_below(
    tx: Transaction, place: MetadataPlace, entry: str, *, deep: bool
) -> list[tuple[str, bytes]]:
    """Return entries below one given in lower case, by name: with `deep` all of them, else the next level."""
    rows = await tx.fetch(
        "SELECT entry, value FROM metadata WHERE mailbox_id = ? AND folder_id = ? AND reader_id = ?"
        " AND entry > ? AND entry < ? AND value IS NOT NULL ORDER BY entry",
        place.mailbox_id,
        place.folder_id,
        place.reader_of(entry),
        entry + "/",
        entry + chr(ord("/") + 1),
    )
    behind = len(entry) + 1
    return [(name, bytes(value)) for name, value in rows if deep or "/" not in name[behind:]]


async def read_all(tx: Transaction, mailbox_id: int, folder_id: int, person_id: int) -> dict[str, bytes]:
    """Return all values of a folder that a person may see, by entry in lower case."""
    rows = await tx.fetch(
        "SELECT entry, value FROM metadata WHERE mailbox_id = ? AND folder_id = ? AND reader_id IN (?, ?)"
        " AND value IS NOT NULL",
        mailbox_id,
        folder_id,
        SHARED,
        person_id,
    )
    return {entry: bytes(value) for entry, value in rows}


async def list_changed_entries(
    tx: Transaction, mailbox_id: int, person_id: int, modseq: int
) -> list[ChangedEntry]:
    """Return what changed after `modseq` in a mailbox's folders, and of the server, that a person may see.

    Rights on the folders are not looked at. Of removed entries no more than `REMOVED_KEPT` are known.
    """
    rows = await tx.fetch(
        "SELECT folder_id, entry, modseq, value IS NULL FROM metadata"
        " WHERE mailbox_id = ? AND reader_id IN (?, ?) AND modseq > ? ORDER BY folder_id, entry",
        mailbox_id,
        SHARED,
        person_id,
        modseq,
    )
    return [ChangedEntry(row[0], row[1], row[2], bool(row[3])) for row in rows]


async def newest_server_change(tx: Transaction, person_id: int) -> int:
    """Return the modseq of the latest change of a person's entries of the server, 0 without one."""
    row = await tx.fetch_one(
        "SELECT MAX(modseq) FROM metadata WHERE mailbox_id = ? AND folder_id = ? AND reader_id = ?",
        person_id,
        SERVER,
        person_id,
    )
    return 0 if row is None else int(row[0] or 0)


async def write_entries(
    tx: Transaction, place: MetadataPlace, values: Mapping[str, bytes | None], limits: MetadataLimits
) -> int:
    """Set entries (in lower case), all or none; None removes.

    Returns the modseq of the change, which the folder has from now on (RFC 7162 §3.2); only the reader's is
    that where all entries are those of somebody who reads another's folder. To set what is set already is
    no change of the entry.

    Raises:
        FolderNotFoundError: the mailbox has been removed.
        ValueTooLongError: a value is longer than allowed.
        TooManyEntriesError: there would be more entries than allowed.
    """
    if any(value is not None and len(value) > limits.value_bytes for value in values.values()):
        raise ValueTooLongError
    modseq = await _touch(tx, place, is_private_only=all(map(is_private, values)))
    for entry, value in values.items():
        await _write(tx, (place.mailbox_id, place.folder_id, place.reader_of(entry), entry), value, modseq)
    for reader_id in {place.reader_of(entry) for entry, value in values.items() if value is not None}:
        if await _count(tx, place.mailbox_id, reader_id) > limits.entries:
            raise TooManyEntriesError
    for reader_id in {place.reader_of(entry) for entry, value in values.items() if value is None}:
        await _forget_removed(tx, place.mailbox_id, reader_id)
    return modseq


async def copy_entries(
    tx: Transaction, mailbox_id: int, source_id: int, target: Folder, *, max_entries: int
) -> None:
    """Say of a new folder what is said of another one of its owner, as RENAME of INBOX does (RFC 5464 §4.1).

    That is what all see, and what the owner does; each of the two only if there are no more than
    `max_entries` then. What others keep to themselves is not copied, for it would count towards what they
    may have.
    """
    for reader_id in (SHARED, mailbox_id):
        key = mailbox_id, source_id, reader_id
        row = await tx.fetch_one(
            "SELECT COUNT(*) FROM metadata WHERE mailbox_id = ? AND folder_id = ? AND reader_id = ?"
            " AND value IS NOT NULL",
            *key,
        )
        count = 0 if row is None else int(row[0])
        if not count or count + await _count(tx, mailbox_id, reader_id) > max_entries:
            continue
        await tx.execute(
            "INSERT INTO metadata (mailbox_id, folder_id, reader_id, entry, value, modseq)"
            " SELECT mailbox_id, ?, reader_id, entry, value, ? FROM metadata"
            " WHERE mailbox_id = ? AND folder_id = ? AND reader_id = ? AND value IS NOT NULL",
            target.id,
            target.modseq,
            *key,
        )


async def remove_metadata(tx: Transaction, mailbox_id: int, folder_id: int) -> None:
    """Remove what is said of a folder that goes."""
    await tx.execute("DELETE FROM metadata WHERE mailbox_id = ? AND folder_id = ?", mailbox_id, folder_id)


async def _write(tx: Transaction, key: tuple[int, int, int, str], value: bytes | None, modseq: int) -> None:
    if value is None:
        await tx.execute(
            "UPDATE metadata SET value = NULL, modseq = ? WHERE mailbox_id = ? AND folder_id = ?"
            " AND reader_id = ? AND entry = ? AND value IS NOT NULL",
            modseq,
            *key,
        )
        return
    await tx.execute(
        "INSERT INTO metadata (mailbox_id, folder_id, reader_id, entry, value, modseq)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (mailbox_id, folder_id, reader_id, entry) DO UPDATE SET"
        " value = excluded.value, modseq = excluded.modseq"
        " WHERE metadata.value IS DISTINCT FROM excluded.value",
        *key,
        value,
        modseq,
    )


async def _forget_removed(tx: Transaction, mailbox_id: int, reader_id: int) -> None:
    """Drop the oldest names of removed entries beyond `REMOVED_KEPT`."""
    await tx.execute(
        "DELETE FROM metadata WHERE reader_id = ? AND mailbox_id = ? AND value IS NULL AND modseq <="
        " (SELECT modseq FROM metadata WHERE reader_id = ? AND mailbox_id = ? AND value IS NULL"
        " ORDER BY modseq DESC LIMIT 1 OFFSET ?)",
        reader_id,
        mailbox_id,
        reader_id,
        mailbox_id,
        REMOVED_KEPT,
    )


async def _touch(tx: Transaction, place: MetadataPlace, *, is_private_only: bool) -> int:
    modseq = await next_modseq(tx, place.mailbox_id)
    if place.folder_id == SERVER:
        return modseq
    if is_private_only and place.person_id != place.mailbox_id:
        await touch_as_reader(tx, Reading(place.person_id, place.mailbox_id, place.folder_id), modseq)
    else:
        await tx.execute(
            "UPDATE folder SET modseq = ? WHERE id = ? AND mailbox_id = ?",
            modseq,
            place.folder_id,
            place.mailbox_id,
        )
    return modseq


async def _count(tx: Transaction, mailbox_id: int, reader_id: int) -> int:
    if reader_id == SHARED:
        row = await tx.fetch_one(
            "SELECT COUNT(*) FROM metadata WHERE reader_id = ? AND mailbox_id = ? AND value IS NOT NULL",
            SHARED,
            mailbox_id,
        )
    else:
        row = await tx.fetch_one(
            "SELECT COUNT(*) FROM metadata WHERE reader_id = ? AND value IS NOT NULL", reader_id
        )
    return 0 if row is None else int(row[0])
