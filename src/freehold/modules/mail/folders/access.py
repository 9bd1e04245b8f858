"""Whose folder a name means, and what the one who asks may do with it (RFC 4314).

Every command of a protocol comes to a folder through `open_access`. Other people's folders are called
`Other Users/<address>/<folder>`. Their entries in `folder_right` name mailboxes; those for `anyone` name an
owner, so that no entry of one owner ever reaches the people of another.
"""

from dataclasses import dataclass, replace

from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.errors import FolderNotSelectableError, RightMissingError
from freehold.modules.mail.folders.names import (
    DELIMITER,
    OTHER_USERS,
    canonical_name,
    is_name_of_others,
    parents,
)
from freehold.modules.mail.folders.read import FOLDER_COLUMNS, Folder, find_folder
from freehold.modules.mail.folders.rights import ALL_RIGHTS, KEPT_BY_OWNER, NO_RIGHTS, Right
from freehold.storage.database import Row, Transaction

_HOLDERS = "(?, (SELECT -owner_id FROM mailbox WHERE id = ?))"
"""The mailbox that reads, and all people of its owner."""
READER_COLUMNS = f"r.seen_count, r.modseq, {FOLDER_COLUMNS}"
"""The columns of `folder_reader AS r` and `folder AS f` that `folder_as_read` takes."""
MAX_LISTED_ENTRIES = 10_000
"""Entries of access control lists that LIST looks at for one person."""
_FOLDER_ID = 7
"""The place of the folder's id in the rows of `list_shared`."""


@dataclass(frozen=True, slots=True)
class Access:
    r"""A folder as one person may use it.

    `mailbox_id` is whose folder it is: its counters, its quota, its events. `reader_id` is the person's own
    mailbox if that is another, whose \Seen is kept apart; else 0.
    """

    folder: Folder
    mailbox_id: int
    reader_id: int
    rights: Right

    def require(self, needed: Right) -> None:
        """Return if the person has all the rights.

        Raises:
            RightMissingError: not all of them.
            FolderNotFoundError: not all of them, and the person may not know that the folder exists.
        """
        check_rights(self.rights, needed)


def check_rights(rights: Right, needed: Right) -> None:
    """Return if `rights` have all that are needed; errors are those of `Access.require`."""
    if needed & ~rights:
        if Right.LOOKUP not in rights:
            raise FolderNotFoundError
        raise RightMissingError


@dataclass(frozen=True, slots=True)
class SharedName:
    """A name in the namespace of others, taken apart."""

    address: str
    folder: str


def split_shared_name(name: str) -> SharedName:
    """Return the address and the folder in a name of the namespace of others; either may be empty.

    A local part may hold the delimiter, a domain never does.
    """
    rest = name[len(OTHER_USERS) + 1 :]
    local, at, behind = rest.partition("@")
    domain, _, folder = behind.partition(DELIMITER)
    return SharedName(f"{local}@{domain}".lower() if at else "", canonical_name(folder))


def shared_name(address: str, folder: str) -> str:
    """Return what others call a folder of the person with this address."""
    return DELIMITER.join((OTHER_USERS, address, folder))


async def open_access(tx: Transaction, person_id: int, name: str, needed: Right = NO_RIGHTS) -> Access:
    r"""Return the folder that a name means to a person, which may be \NoSelect.

    Raises:
        FolderNotFoundError: no such folder; or the person has not all rights needed, `l` among the missing.
        RightMissingError: the person may know of the folder but has not all rights needed.
    """
    if is_name_of_others(name):
        access = await _open_shared(tx, person_id, split_shared_name(name))
    else:
        folder = await find_folder(tx, person_id, name)
        access = Access(folder, person_id, 0, ALL_RIGHTS)
        if folder.is_shared:
            access = Access(folder, person_id, 0, await rights_of(tx, folder.id, person_id, person_id))
    access.require(needed)
    return access


async def open_selectable(tx: Transaction, person_id: int, name: str, needed: Right) -> Access:
    """Return the folder that a name means to a person, one that holds messages.

    Raises:
        FolderNotFoundError, RightMissingError: as `open_access`.
        FolderNotSelectableError: it is only there for its children.
    """
    access = await open_access(tx, person_id, name, needed)
    if not access.folder.is_selectable:
        raise FolderNotSelectableError
    return access


@dataclass(frozen=True, slots=True)
class Place:
    """A folder's name in somebody's mailbox, whether or not there is one."""

    mailbox_id: int
    name: str


async def place_for_new(tx: Transaction, person_id: int, name: str) -> Place:
    """Return where a folder that a person names may be made: `k` on the nearest one above it is needed.

    Without one above it, only the person's own folders can be made.

    Raises:
        FolderNotFoundError: there is no such person, or nothing above that the one who asks may know of.
        RightMissingError: the right is missing.
    """
    place = Place(person_id, name.removesuffix(DELIMITER))
    if is_name_of_others(name):
        shared = split_shared_name(place.name)
        row = await tx.fetch_one(
            "SELECT id FROM mailbox WHERE address = ? AND NOT is_disabled AND id <> ?",
            shared.address,
            person_id,
        )
        if row is None:
            raise FolderNotFoundError
        place = Place(int(row[0]), shared.folder)
    is_own = place.mailbox_id == person_id
    for parent in reversed(parents(canonical_name(place.name))):
        row = await tx.fetch_one(
            "SELECT id, is_shared FROM folder WHERE mailbox_id = ? AND name = ?", place.mailbox_id, parent
        )
        if row is None:
            continue
        rights = ALL_RIGHTS
        if row[1] or not is_own:
            rights = await rights_of(tx, row[0], place.mailbox_id, person_id)
        check_rights(rights, Right.CREATE)
        return place
    if not is_own:
        raise FolderNotFoundError
    return place


async def rights_of(tx: Transaction, folder_id: int, mailbox_id: int, person_id: int) -> Right:
    """Return what a person may do with a folder of a mailbox."""
    rows = await tx.fetch(
        "SELECT holder_id, is_negative, rights FROM folder_right WHERE folder_id = ?"  # noqa: S608
        f" AND holder_id IN {_HOLDERS}",
        folder_id,
        person_id,
        person_id,
    )
    return combine_rights(rows, mailbox_id, person_id)


async def rights_now(tx: Transaction, folder_id: int, mailbox_id: int, person_id: int) -> Right:
    """Return what a person may do with a folder that is open; nothing in a mailbox that was disabled."""
    row = await tx.fetch_one("SELECT is_disabled FROM mailbox WHERE id = ?", mailbox_id)
    if row is None or row[0]:
        return NO_RIGHTS
    return await rights_of(tx, folder_id, mailbox_id, person_id)


def combine_rights(rows: list[Row], mailbox_id: int, person_id: int) -> Right:
    """Return what entries (holder, is negative, rights) come to for a person.

    An entry for the person stands in place of that for `anyone`, as Dovecot has it; what is taken away is
    gone in any case. `anyone` is everybody but the owner, who has all rights where no entry says otherwise.
    """
    is_owner = mailbox_id == person_id
    given = {row[0]: Right(row[2]) for row in rows if not row[1]}
    taken = NO_RIGHTS
    for holder_id, is_negative, rights in rows:
        if is_negative and (holder_id == person_id or not is_owner):
            taken |= Right(rights)
    if is_owner:
        return given.get(person_id, ALL_RIGHTS) & ~taken | KEPT_BY_OWNER
    if person_id not in given:
        return next(iter(given.values()), NO_RIGHTS) & ~taken
    return given[person_id] & ~taken


async def _open_shared(tx: Transaction, person_id: int, name: SharedName) -> Access:
    row = await tx.fetch_one(
        f"SELECT m.id, {READER_COLUMNS} FROM mailbox AS m JOIN folder AS f ON f.mailbox_id = m.id"  # noqa: S608
        " LEFT JOIN folder_reader AS r ON r.folder_id = f.id AND r.reader_id = ?"
        " WHERE m.address = ? AND f.name = ? AND f.is_shared AND NOT m.is_disabled AND m.id <> ?",
        person_id,
        name.address,
        name.folder,
        person_id,
    )
    if row is None:
        raise FolderNotFoundError
    mailbox_id, folder = int(row[0]), folder_as_read(row[1:])
    return Access(folder, mailbox_id, person_id, await rights_of(tx, folder.id, mailbox_id, person_id))


def folder_as_read(row: Row) -> Folder:
    r"""Return a folder as somebody sees it whose it is not.

    What is unseen is the reader's own, and nothing is \Recent. Its special use is the owner's alone.
    """
    folder = Folder.of(row[2:])
    return replace(
        folder,
        unseen_count=folder.message_count - (row[0] or 0),
        modseq=max(folder.modseq, row[1] or 0),
        recent_uid=folder.uid_next,
        special_use="",
        is_subscribed=False,
    )


async def list_shared(tx: Transaction, person_id: int) -> dict[str, Access]:
    """Return the folders of others that a person may know of, by what the person calls them.

    No more than `MAX_LISTED_ENTRIES` entries are looked at, since anybody may share with anybody; those of
    the same owner's people come first, and cannot be crowded out by strangers.
    """
    rows = await tx.fetch(
        f"SELECT m.address, m.id, g.holder_id, g.is_negative, g.rights, {READER_COLUMNS}"  # noqa: S608
        " FROM folder_right AS g JOIN folder AS f ON f.id = g.folder_id"
        " JOIN mailbox AS m ON m.id = f.mailbox_id"
        " LEFT JOIN folder_reader AS r ON r.folder_id = f.id AND r.reader_id = ?"
        f" WHERE g.holder_id IN {_HOLDERS} AND m.id <> ? AND NOT m.is_disabled"
        " ORDER BY CASE WHEN m.owner_id = (SELECT owner_id FROM mailbox WHERE id = ?) THEN 0 ELSE 1 END,"
        " g.folder_id LIMIT ?",
        *(person_id,) * 5,
        MAX_LISTED_ENTRIES,
    )
    entries: dict[int, list[Row]] = {}
    for row in rows:
        entries.setdefault(row[_FOLDER_ID], []).append(row)
    if len(rows) == MAX_LISTED_ENTRIES:
        entries.popitem()  # its last entries, which may take rights away, may not be among those read
    shared: dict[str, Access] = {}
    for of_folder in entries.values():
        address, mailbox_id = of_folder[0][:2]
        rights = combine_rights([row[2:5] for row in of_folder], mailbox_id, person_id)
        if Right.LOOKUP in rights:
            folder = folder_as_read(of_folder[0][5:])
            shared[shared_name(address, folder.name)] = Access(folder, mailbox_id, person_id, rights)
    return shared
