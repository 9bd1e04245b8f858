"""Read folders: their rows and counters, their UIDs, and what changed in them."""

from dataclasses import dataclass

from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.change import ChangeKind, uid_ranges
from freehold.modules.mail.folders.errors import FolderNotSelectableError
from freehold.modules.mail.folders.messages import messages_of
from freehold.modules.mail.folders.names import canonical_name
from freehold.modules.mail.folders.ranges import UidRange, merge_ranges
from freehold.modules.mail.model import MAX_UID, UID_BITS, Flag
from freehold.storage.database import Row, Transaction

FOLDER_COLUMNS = (
    "f.id, f.name, f.uid_validity, f.uid_next, f.recent_uid, f.modseq, f.message_count, f.unseen_count,"
    " f.size_bytes, f.special_use, f.is_subscribed, f.is_selectable, f.is_shared"
)
"""The columns of `folder AS f` that `Folder.of` takes."""
_SELECT = f"SELECT {FOLDER_COLUMNS} FROM folder AS f"  # noqa: S608 - this program's own words


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as it was when it was read."""

    id: int
    name: str
    uid_validity: int
    uid_next: int
    recent_uid: int
    modseq: int
    message_count: int
    unseen_count: int
    size_bytes: int
    special_use: str
    is_subscribed: bool
    is_selectable: bool
    is_shared: bool

    @classmethod
    def of(cls, row: Row) -> "Folder":
        """Return the folder in a row of its columns, in order."""
        return cls(*row[:10], *map(bool, row[10:]))


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """What happened in a folder after some modseq, up to `modseq`; ranges of UIDs are ascending and disjoint.

    `added` are messages that are there. `flags` may cover messages that did not change.
    `is_complete` is false when the log does not reach back so far: compare the whole folder then.
    """

    modseq: int
    uid_next: int
    recent_uid: int
    is_complete: bool
    expunged: list[UidRange]
    flags: list[UidRange]
    added: list[UidRange]


async def list_folders(tx: Transaction, mailbox_id: int) -> list[Folder]:
    """Return all folders of a mailbox, by name."""
    rows = await tx.fetch(f"{_SELECT} WHERE mailbox_id = ? ORDER BY name", mailbox_id)
    return [Folder.of(row) for row in rows]


async def list_changed_folders(tx: Transaction, mailbox_id: int, modseq: int) -> list[Folder]:
    """Return the folders of a mailbox in whose messages something changed after `modseq`."""
    rows = await tx.fetch(f"{_SELECT} WHERE mailbox_id = ? AND modseq > ? ORDER BY name", mailbox_id, modseq)
    return [Folder.of(row) for row in rows]


async def list_lone_subscriptions(tx: Transaction, mailbox_id: int) -> list[str]:
    """Return the names subscribed to that are no folders, in order."""
    rows = await tx.fetch("SELECT name FROM subscription WHERE mailbox_id = ? ORDER BY name", mailbox_id)
    return [row[0] for row in rows]


async def find_folder(tx: Transaction, mailbox_id: int, name: str) -> Folder:
    r"""Return the folder of a name, which may be \NoSelect.

    Raises:
        FolderNotFoundError: no such folder.
    """
    row = await tx.fetch_one(f"{_SELECT} WHERE mailbox_id = ? AND name = ?", mailbox_id, canonical_name(name))
    if row is None:
        raise FolderNotFoundError
    return Folder.of(row)


async def find_selectable(tx: Transaction, mailbox_id: int, name: str) -> Folder:
    """Return the folder of a name that holds messages.

    Raises:
        FolderNotFoundError: no such folder.
        FolderNotSelectableError: it is only there for its children.
    """
    folder = await find_folder(tx, mailbox_id, name)
    if not folder.is_selectable:
        raise FolderNotSelectableError
    return folder


async def read_uids(tx: Transaction, mailbox_id: int, folder_id: int) -> list[UidRange]:
    """Return the UIDs of a folder as ranges; a folder without gaps is not read through."""
    base = folder_id << UID_BITS
    bounds = (base, base + MAX_UID, mailbox_id)
    row = await tx.fetch_one(
        "SELECT f.message_count, (SELECT MIN(id) FROM message WHERE id BETWEEN ? AND ?),"
        " (SELECT MAX(id) FROM message WHERE id BETWEEN ? AND ?) FROM folder AS f"
        " WHERE f.id = ? AND f.mailbox_id = ?",
        *bounds[:2],
        *bounds[:2],
        folder_id,
        mailbox_id,
    )
    if row is None or row[1] is None:
        return []
    if row[2] - row[1] + 1 == row[0]:
        return [(row[1] - base, row[2] - base)]
    rows = await tx.fetch(
        "SELECT id FROM message WHERE id BETWEEN ? AND ? AND mailbox_id = ? ORDER BY id", *bounds
    )
    return uid_ranges([row[0] - base for row in rows])


async def first_unseen_uid(
    tx: Transaction, mailbox_id: int, folder_id: int, reader_id: int = 0, *, from_uid: int = 0
) -> int | None:
    r"""Return the first UID from `from_uid` on without \Seen, or None; a `reader_id` not 0: for a reader."""
    base = folder_id << UID_BITS
    source, before = messages_of(reader_id)
    row = await tx.fetch_one(
        f"SELECT m.id FROM {source} WHERE m.id BETWEEN ? AND ? AND m.mailbox_id = ?"  # noqa: S608
        " AND m.flags & ? = 0 ORDER BY m.id LIMIT 1",
        *before,
        base + from_uid,
        base + MAX_UID,
        mailbox_id,
        int(Flag.SEEN),
    )
    return None if row is None else int(row[0]) - base


async def folder_keywords(tx: Transaction, mailbox_id: int, folder_id: int) -> list[str]:
    """Return the keywords that messages of a folder carry, sorted."""
    base = folder_id << UID_BITS
    rows = await tx.fetch(
        "SELECT DISTINCT keywords FROM message"
        " WHERE id BETWEEN ? AND ? AND mailbox_id = ? AND keywords <> ''",
        base,
        base + MAX_UID,
        mailbox_id,
    )
    return sorted({keyword for row in rows for keyword in row[0].split(" ")})


async def count_deleted(tx: Transaction, mailbox_id: int, folder_id: int) -> int:
    r"""Return how many messages are marked \Deleted."""
    base = folder_id << UID_BITS
    row = await tx.fetch_one(
        "SELECT COUNT(*) FROM message WHERE id BETWEEN ? AND ? AND mailbox_id = ? AND flags & ? <> 0",
        base,
        base + MAX_UID,
        mailbox_id,
        int(Flag.DELETED),
    )
    return 0 if row is None else int(row[0])


async def deleted_bytes(tx: Transaction, mailbox_id: int, folder_id: int) -> int:
    r"""Return how many bytes the messages marked \Deleted have together."""
    base = folder_id << UID_BITS
    row = await tx.fetch_one(
        "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM message"
        " WHERE id BETWEEN ? AND ? AND mailbox_id = ? AND flags & ? <> 0",
        base,
        base + MAX_UID,
        mailbox_id,
        int(Flag.DELETED),
    )
    return 0 if row is None else int(row[0])


async def count_recent(tx: Transaction, mailbox_id: int, folder: Folder) -> int:
    r"""Return how many messages no session has had as \Recent."""
    if folder.recent_uid >= folder.uid_next:
        return 0
    base = folder.id << UID_BITS
    row = await tx.fetch_one(
        "SELECT COUNT(*) FROM message WHERE id BETWEEN ? AND ? AND mailbox_id = ?",
        base + folder.recent_uid,
        base + MAX_UID,
        mailbox_id,
    )
    return 0 if row is None else int(row[0])


async def folder_modseq(tx: Transaction, mailbox_id: int, folder_id: int, reader_id: int = 0) -> int | None:
    r"""Return the modseq of a folder's latest change, a reader's own if `reader_id` is not 0.

    None says that it is gone or \NoSelect, or its mailbox is disabled.
    """
    row = await tx.fetch_one(
        "SELECT f.modseq FROM folder AS f JOIN mailbox AS m ON m.id = f.mailbox_id"
        " WHERE f.id = ? AND f.mailbox_id = ? AND f.is_selectable AND NOT m.is_disabled",
        folder_id,
        mailbox_id,
    )
    if row is None or not reader_id:
        return None if row is None else int(row[0])
    return max(int(row[0]), await _reader_modseq(tx, folder_id, reader_id))


async def changes_since(
    tx: Transaction, mailbox_id: int, folder_id: int, modseq: int, *, from_uid: int, reader_id: int = 0
) -> FolderChanges | None:
    r"""Return what happened in a folder after `modseq`, or None when it is gone or \NoSelect.

    New messages need no log: they are the ones from `from_uid` on, the UIDNEXT that the asker knows.
    A `reader_id` that is not 0 is told its own changes of \Seen too.
    """
    row = await tx.fetch_one(
        "SELECT f.modseq, f.uid_next, f.recent_uid, m.change_floor FROM folder AS f"
        " JOIN mailbox AS m ON m.id = f.mailbox_id WHERE f.id = ? AND f.mailbox_id = ? AND f.is_selectable",
        folder_id,
        mailbox_id,
    )
    if row is None:
        return None
    newest, uid_next, recent_uid, floor = row
    if reader_id:
        newest = max(newest, await _reader_modseq(tx, folder_id, reader_id))
        recent_uid = uid_next
    ranges: dict[str, list[UidRange]] = {kind.value: [] for kind in ChangeKind}
    for first, last, kind in await tx.fetch(
        "SELECT first_uid, last_uid, kind FROM change"
        " WHERE folder_id = ? AND modseq > ? AND reader_id IN (0, ?)",
        folder_id,
        modseq,
        reader_id,
    ):
        ranges[kind].append((first, last))
    return FolderChanges(
        newest,
        uid_next,
        recent_uid,
        is_complete=modseq >= floor,
        expunged=merge_ranges(ranges[ChangeKind.EXPUNGED.value]),
        flags=merge_ranges(ranges[ChangeKind.FLAGS.value]),
        added=await _uids_from(tx, folder_id, from_uid) if from_uid < uid_next else [],
    )


async def _reader_modseq(tx: Transaction, folder_id: int, reader_id: int) -> int:
    row = await tx.fetch_one(
        "SELECT modseq FROM folder_reader WHERE folder_id = ? AND reader_id = ?", folder_id, reader_id
    )
    return 0 if row is None else int(row[0])


async def _uids_from(tx: Transaction, folder_id: int, from_uid: int) -> list[UidRange]:
    base = folder_id << UID_BITS
    rows = await tx.fetch(
        "SELECT id FROM message WHERE id BETWEEN ? AND ? ORDER BY id", base + from_uid, base + MAX_UID
    )
    return uid_ranges([row[0] - base for row in rows])


async def claim_recent(
    tx: Transaction, mailbox_id: int, folder_id: int, *, below_uid: int
) -> tuple[int, int]:
    r"""Make the session that asks the one to which unclaimed messages below a UID are \Recent.

    Returns the range of UIDs that it gets: the first, and the one behind the last.
    """
    row = await tx.fetch_one(
        "UPDATE folder SET recent_uid = recent_uid WHERE id = ? AND mailbox_id = ? RETURNING recent_uid",
        folder_id,
        mailbox_id,
    )
    if row is None:
        raise FolderNotFoundError
    first = int(row[0])
    if first < below_uid:
        await tx.execute("UPDATE folder SET recent_uid = ? WHERE id = ?", below_uid, folder_id)
    return first, max(first, below_uid)
