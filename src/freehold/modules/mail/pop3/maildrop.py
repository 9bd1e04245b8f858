"""The maildrop: INBOX as it was at login, and what the client has marked since (RFC 1939 §4).

Numbers, sizes and unique ids stay as they were, whatever others do to INBOX meanwhile: that is what
RFC 1939's exclusive lock is for, and here a snapshot of UIDs does it (docs/decisions/0012).
"""

from array import array
from collections.abc import Iterable, Iterator

from freehold.modules.mail.errors import MailboxDisabledError
from freehold.modules.mail.folders.change import uid_ranges
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.folders.read import find_selectable
from freehold.modules.mail.model import MAX_UID, UID_BITS
from freehold.modules.mail.pop3.errors import AccessEndedError, NoMailboxError, NoSuchMessageError
from freehold.storage.database import Database, Row, Transaction

MAX_MESSAGES = 1_000_000
"""Messages that a session sees; of more, the oldest. One costs 12 bytes."""
FIRST_PAGE_MESSAGES = 500
"""Messages that are read in the loop's own thread."""
PAGE_MESSAGES = 10_000
"""Messages that are read at once beside it."""


class Maildrop:
    """One session's view; messages are numbered from 1."""

    __slots__ = ("_sizes", "_uids", "deleted", "folder_id", "mailbox_id", "octets", "seen", "uid_validity")

    def __init__(self, mailbox_id: int, folder_id: int, uid_validity: int) -> None:
        self.mailbox_id = mailbox_id
        self.folder_id = folder_id
        self.uid_validity = uid_validity
        self._uids = array("I")
        self._sizes = array("Q")
        self.octets = 0
        self.deleted: set[int] = set()
        self.seen: set[int] = set()

    def __len__(self) -> int:
        """Return how many messages there are, those that are marked as deleted included."""
        return len(self._uids)

    @property
    def count(self) -> int:
        """How many messages are not marked as deleted; `octets` is their size."""
        return len(self._uids) - len(self.deleted)

    def add(self, rows: Iterable[Row]) -> None:
        """Add messages: row id, and size as RETR sends it."""
        for row_id, size in rows:
            self._uids.append(row_id & MAX_UID)
            self._sizes.append(size)
            self.octets += size

    def size(self, number: int) -> int:
        """Return how many octets RETR sends, before dot-stuffing. Raises NoSuchMessageError."""
        return self._sizes[self._index(number)]

    def uid(self, number: int) -> int:
        """Return a message's UID. Raises NoSuchMessageError."""
        return self._uids[self._index(number)]

    def row_id(self, number: int) -> int:
        """Return a message's row id. Raises NoSuchMessageError."""
        return self.folder_id << UID_BITS | self.uid(number)

    def listed(self) -> Iterator[int]:
        """Yield the numbers that are not marked as deleted."""
        return (number for number in range(1, len(self) + 1) if number not in self.deleted)

    def delete(self, number: int) -> None:
        """Mark a message as deleted. Raises NoSuchMessageError."""
        self.octets -= self.size(number)
        self.deleted.add(number)

    def reset(self) -> None:
        """Take back all marks of deletion."""
        self.octets += sum(self._sizes[number - 1] for number in self.deleted)
        self.deleted.clear()

    def ranges(self, numbers: Iterable[int]) -> list[UidRange]:
        """Return the UIDs of messages as ascending, disjoint ranges."""
        return uid_ranges(self._uids[number - 1] for number in sorted(numbers))

    def _index(self, number: int) -> int:
        if not 0 < number <= len(self._uids) or number in self.deleted:
            raise NoSuchMessageError
        return number - 1


async def open_maildrop(database: Database, login_id: int) -> Maildrop:
    """Return the maildrop of a login.

    It is read in pages: what comes later than the first is not in it, what goes meanwhile may be.

    Raises:
        NoMailboxError: the login has no mailbox.
        MailboxDisabledError: it is switched off.
    """
    maildrop, last_id = await database.read(_open, login_id)
    is_whole = len(maildrop) < FIRST_PAGE_MESSAGES
    while not is_whole and len(maildrop) < MAX_MESSAGES:
        first_id = maildrop.row_id(len(maildrop)) + 1
        rows = await database.read_long(_page, maildrop.mailbox_id, first_id, last_id, PAGE_MESSAGES)
        maildrop.add(rows)
        is_whole = len(rows) < PAGE_MESSAGES
    return maildrop


async def check_open(tx: Transaction, mailbox_id: int) -> None:
    """Raise AccessEndedError if the mailbox or its login was disabled or removed."""
    row = await tx.fetch_one(
        "SELECT m.is_disabled, l.is_disabled FROM mailbox AS m JOIN login AS l ON l.id = m.login_id"
        " WHERE m.id = ?",
        mailbox_id,
    )
    if row is None or row[0] or row[1]:
        raise AccessEndedError


async def _open(tx: Transaction, login_id: int) -> tuple[Maildrop, int]:
    row = await tx.fetch_one("SELECT id, is_disabled FROM mailbox WHERE login_id = ?", login_id)
    if row is None:
        raise NoMailboxError
    mailbox_id, is_disabled = row
    if is_disabled:
        raise MailboxDisabledError
    folder = await find_selectable(tx, mailbox_id, "INBOX")
    first_id = folder.id << UID_BITS
    last_id = first_id + folder.uid_next - 1
    maildrop = Maildrop(mailbox_id, folder.id, folder.uid_validity)
    maildrop.add(await _page(tx, mailbox_id, first_id, last_id, FIRST_PAGE_MESSAGES))
    return maildrop, last_id


async def _page(tx: Transaction, mailbox_id: int, first_id: int, last_id: int, most: int) -> list[Row]:
    return await tx.fetch(
        "SELECT m.id, m.size_bytes + COALESCE(g.added_octets, 0) FROM message AS m"
        " LEFT JOIN message_growth AS g ON g.blob_id = m.blob_id"
        " WHERE m.id BETWEEN ? AND ? AND m.mailbox_id = ? ORDER BY m.id LIMIT ?",
        first_id,
        last_id,
        mailbox_id,
        most,
    )
