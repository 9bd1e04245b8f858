"""What SELECT must know of a folder's messages; of a folder opened before, only what changed is read."""

from dataclasses import dataclass

from freehold.modules.mail.folders.access import Access
from freehold.modules.mail.folders.ranges import UidRange, fetch_in, merge_ranges
from freehold.modules.mail.folders.read import (
    Folder,
    FolderChanges,
    changes_since,
    first_unseen_uid,
    folder_keywords,
    read_uids,
)
from freehold.modules.mail.imap.selected.uid_map import UidMap
from freehold.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class FolderState:
    r"""A folder's messages as of a modseq, as its owner sees them.

    `uids` is never changed: each view takes a copy. `first_unseen` is None when all are \Seen. `keywords`
    are those that messages carry, and perhaps some that none carries any more.
    """

    uid_validity: int
    modseq: int
    uid_next: int
    uids: UidMap
    first_unseen: int | None
    keywords: frozenset[str]

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        return self.uids.size_bytes + sum(map(len, self.keywords))

    def is_current(self, folder: Folder) -> bool:
        """Tell whether nothing has happened in the folder since; each change takes a new modseq."""
        return self.uid_validity == folder.uid_validity and self.modseq == folder.modseq


async def read_state(tx: Transaction, access: Access, known: FolderState | None) -> FolderState:
    """Return the state of a folder; `known` is an earlier one that its owner was given, of any folder."""
    folder, mailbox_id = access.folder, access.mailbox_id
    if known is not None and not access.reader_id and known.uid_validity == folder.uid_validity:
        changes = await changes_since(tx, mailbox_id, folder.id, known.modseq, from_uid=known.uid_next)
        if changes is not None and changes.is_complete:
            return await _go_on(tx, access, known, changes)
    unseen = None
    if folder.unseen_count:
        unseen = await first_unseen_uid(tx, mailbox_id, folder.id, access.reader_id)
    return FolderState(
        folder.uid_validity,
        folder.modseq,
        folder.uid_next,
        UidMap(await read_uids(tx, mailbox_id, folder.id)),
        unseen,
        frozenset(await folder_keywords(tx, mailbox_id, folder.id)),
    )


async def _go_on(tx: Transaction, access: Access, known: FolderState, changes: FolderChanges) -> FolderState:
    folder = access.folder
    uids = known.uids.copy()
    uids.remove(changes.expunged)
    uids.extend(changes.added)
    looked_at = merge_ranges([*changes.flags, *changes.added])
    unseen = None
    if folder.unseen_count:
        from_uid = min([known.first_unseen or known.uid_next, *(first for first, _ in looked_at[:1])])
        unseen = await first_unseen_uid(tx, access.mailbox_id, folder.id, from_uid=from_uid)
    keywords = known.keywords | await _keywords_of(tx, access, looked_at)
    return FolderState(folder.uid_validity, folder.modseq, folder.uid_next, uids, unseen, keywords)


async def _keywords_of(tx: Transaction, access: Access, ranges: list[UidRange]) -> frozenset[str]:
    rows = await fetch_in(
        tx,
        "SELECT id, keywords FROM message"
        " WHERE id BETWEEN ? AND ? AND mailbox_id = ? AND keywords <> '' ORDER BY id",
        access.folder.id,
        ranges,
        access.mailbox_id,
    )
    return frozenset(keyword for words in {row[1] for row in rows} for keyword in words.split(" "))
