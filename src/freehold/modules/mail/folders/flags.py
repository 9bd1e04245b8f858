"""Change the flags of messages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.change import ChangeKind, log_changes, next_folder_modseq, uid_ranges
from freehold.modules.mail.folders.errors import TooManyKeywordsError
from freehold.modules.mail.folders.ranges import UidRange, fetch_in
from freehold.modules.mail.model import MAX_UID, UID_BITS, Flag
from freehold.storage.database import Row, Transaction

MAX_KEYWORDS = 64
"""Keywords of one message at the most."""
MAX_CHANGE_RANGES = 32
"""A change of flags in more ranges is logged as one that covers them: readers look at `message.modseq`."""

_ALL_FLAGS = sum(Flag)


class FlagMode(Enum):
    """What happens with the flags a message has."""

    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class FlagChange:
    """System flags (bits of `Flag`) and keywords that replace, join or leave those of a message.

    Flags that are not among those `touched` stay as they are, and keywords unless `touches_keywords`.
    """

    mode: FlagMode
    flags: int = 0
    keywords: frozenset[str] = frozenset()
    touched: int = _ALL_FLAGS
    touches_keywords: bool = True

    @property
    def does_something(self) -> bool:
        """Tell whether there are flags that this may change."""
        if self.mode is FlagMode.REPLACE:
            return bool(self.touched) or self.touches_keywords
        return bool(self.flags or self.keywords)

    def limited(self, flags: int, *, keywords: bool) -> "FlagChange":
        """Return the change that leaves alone all but some system flags, and perhaps keywords."""
        return FlagChange(
            self.mode,
            self.flags & flags,
            self.keywords if keywords else frozenset(),
            self.touched & flags,
            self.touches_keywords and keywords,
        )

    def apply(self, flags: int, keywords: str) -> tuple[int, str]:
        """Return the flags and keywords that a message has afterwards.

        Raises:
            TooManyKeywordsError: more than `MAX_KEYWORDS`.
        """
        match self.mode:
            case FlagMode.REPLACE:
                flags = (flags & ~self.touched) | self.flags
                if self.touches_keywords:
                    keywords = join_keywords(self.keywords)
            case FlagMode.ADD:
                flags |= self.flags
                if self.keywords:
                    keywords = _add_keywords(keywords, self.keywords)
            case FlagMode.REMOVE:
                flags &= ~self.flags
                if self.keywords and keywords:
                    gone = {keyword.lower() for keyword in self.keywords}
                    keywords = " ".join(each for each in keywords.split(" ") if each.lower() not in gone)
        return flags, keywords


@dataclass(frozen=True, slots=True)
class FlagsChanged:
    """What a change of flags came to.

    `modseq` is 0 when no message changed, and nothing was written then; `previous` is that of the folder's
    latest change before. `changed` and `failed` (UNCHANGEDSINCE, RFC 7162 §3.1.3) are ranges of UIDs.
    `before` are all messages that were to change and did not fail, as they were (row id, flags, keywords,
    modseq), `after` those that did change (row id, flags, keywords).
    """

    modseq: int
    previous: int
    changed: list[UidRange]
    failed: list[UidRange]
    before: Sequence[Row] = ()
    after: Sequence[tuple[int, int, str]] = ()

    def states(self) -> list[Row]:
        """Return the messages that did not fail as they are now: row id, flags, keywords, modseq."""
        after = {each[0]: (*each, self.modseq) for each in self.after}
        return [after.get(row[0], row) for row in self.before]


def join_keywords(keywords: frozenset[str]) -> str:
    """Return keywords as rows keep them; of spellings that differ in case only, one is kept.

    Raises:
        TooManyKeywordsError: more than `MAX_KEYWORDS`.
    """
    if not keywords:
        return ""
    return _add_keywords("", keywords)


async def change_flags(
    tx: Transaction,
    mailbox_id: int,
    folder_id: int,
    ranges: Sequence[UidRange],
    change: FlagChange,
    *,
    unchanged_since: int | None = None,
) -> FlagsChanged:
    """Change the flags of the messages whose UIDs are in `ranges` (ascending, disjoint), at one modseq.

    Messages that have the flags already keep their modseq. A UID that is no message is passed over.

    Raises:
        FolderNotFoundError: the folder is not this mailbox's, or was removed.
        TooManyKeywordsError: a message would have more than `MAX_KEYWORDS`.
    """
    rows = await fetch_in(
        tx,
        "SELECT id, flags, keywords, modseq FROM message"
        " WHERE id BETWEEN ? AND ? AND mailbox_id = ? ORDER BY id",
        folder_id,
        ranges,
        mailbox_id,
    )
    failed: list[int] = []
    if unchanged_since is not None:
        failed = [row[0] & MAX_UID for row in rows if row[3] > unchanged_since]
        rows = [row for row in rows if row[3] <= unchanged_since]
    changes, unseen = _plan(rows, change)
    if not changes:
        return FlagsChanged(0, 0, [], uid_ranges(failed), rows)
    modseq, previous = await next_folder_modseq(tx, mailbox_id, folder_id)
    changed = uid_ranges([row_id & MAX_UID for row_id, _, _ in changes])
    await _write(tx, folder_id, modseq, change, changes)
    await log_changes(tx, mailbox_id, folder_id, modseq, ChangeKind.FLAGS, logged_ranges(changed))
    await _touch(tx, mailbox_id, folder_id, modseq, unseen)
    return FlagsChanged(modseq, previous, changed, uid_ranges(failed), rows, changes)


def logged_ranges(changed: list[UidRange]) -> list[UidRange]:
    """Return the ranges by which a change of flags is logged."""
    return changed if len(changed) <= MAX_CHANGE_RANGES else [(changed[0][0], changed[-1][1])]


def _plan(rows: list[Row], change: FlagChange) -> tuple[list[tuple[int, int, str]], int]:
    """Return what changes (row id, new flags, new keywords) and how the number of unseen changes."""
    known: dict[tuple[int, str], tuple[int, str]] = {}
    changes: list[tuple[int, int, str]] = []
    unseen = 0
    for row_id, flags, keywords, _ in rows:
        before = (flags, keywords)
        after = known.get(before)
        if after is None:
            after = known[before] = change.apply(flags, keywords)
        if after != before:
            changes.append((row_id, after[0], after[1]))
            unseen += (flags & Flag.SEEN) - (after[0] & Flag.SEEN)
    return changes, unseen


async def _write(
    tx: Transaction, folder_id: int, modseq: int, change: FlagChange, changes: list[tuple[int, int, str]]
) -> None:
    """Write by ranges: of all where one expression serves them, else of neighbours that become alike."""
    if change.mode is not FlagMode.REPLACE and not change.keywords:
        base = folder_id << UID_BITS
        kept = _ALL_FLAGS if change.mode is FlagMode.ADD else _ALL_FLAGS & ~change.flags
        added = change.flags if change.mode is FlagMode.ADD else 0
        await tx.execute_many(
            "UPDATE message SET flags = (flags & ?) | ?, modseq = ? WHERE id BETWEEN ? AND ?",
            [
                (kept, added, modseq, base + first, base + last)
                for first, last in uid_ranges([each[0] & MAX_UID for each in changes])
            ],
        )
        return
    await tx.execute_many(
        "UPDATE message SET flags = ?, keywords = ?, modseq = ? WHERE id BETWEEN ? AND ?",
        [(flags, keywords, modseq, first, last) for first, last, flags, keywords in _alike(changes)],
    )


def _alike(changes: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, int, str]]:
    """Fold changes of neighbours that become alike: first and last row id, flags, keywords."""
    first, flags, keywords = changes[0]
    last = first
    for row_id, new_flags, new_keywords in changes[1:]:
        if row_id != last + 1 or new_flags != flags or new_keywords != keywords:
            yield first, last, flags, keywords
            first, flags, keywords = row_id, new_flags, new_keywords
        last = row_id
    yield first, last, flags, keywords


async def _touch(tx: Transaction, mailbox_id: int, folder_id: int, modseq: int, unseen: int) -> None:
    row = await tx.fetch_one(
        "UPDATE folder SET modseq = ?, unseen_count = unseen_count + ?"
        " WHERE id = ? AND mailbox_id = ? RETURNING id",
        modseq,
        unseen,
        folder_id,
        mailbox_id,
    )
    if row is None:
        raise FolderNotFoundError


def _add_keywords(keywords: str, added: frozenset[str]) -> str:
    spellings = {each.lower(): each for each in sorted(added)}
    spellings.update({each.lower(): each for each in keywords.split(" ") if each})
    if len(spellings) > MAX_KEYWORDS:
        raise TooManyKeywordsError
    return " ".join(sorted(spellings.values()))
