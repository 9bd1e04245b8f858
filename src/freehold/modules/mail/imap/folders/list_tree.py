"""All names that LIST can tell of: a person's folders, what they subscribe to, and what others share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from freehold.modules.mail.folders.access import Access, list_shared, rights_of
from freehold.modules.mail.folders.names import parents
from freehold.modules.mail.folders.read import Folder, list_folders, list_lone_subscriptions
from freehold.modules.mail.folders.rights import ALL_RIGHTS, Right
from freehold.modules.mail.imap.folders.status import StatusValues, status_values
from freehold.protocols.imap.list_pattern import ListPattern
from freehold.protocols.imap.status import StatusItem
from freehold.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Entry:
    """A name of the tree; `access` is None for one that does not exist.

    `is_level` says that it is only there for the folders of others below it, whether or not there is a
    folder of that name that the person may not know of (RFC 4314 §4, LIST).
    """

    name: str
    access: Access | None
    is_level: bool
    is_subscribed: bool
    has_children: bool

    @property
    def folder(self) -> Folder | None:
        """The folder of this name."""
        return None if self.access is None else self.access.folder


@dataclass(frozen=True, slots=True)
class Tree:
    """All names, in order, and the status of those it was asked for (by name)."""

    entries: list[Entry]
    status: dict[str, StatusValues]


async def read_tree(
    tx: Transaction, person_id: int, patterns: Sequence[ListPattern], items: Sequence[StatusItem]
) -> Tree:
    """Return all names, with the status of folders that match a pattern and that the person may read."""
    shared = await list_shared(tx, person_id)
    found = {**await _own(tx, person_id), **shared}
    levels = {parent for name in shared for parent in parents(name)} - found.keys()
    lone = set(await list_lone_subscriptions(tx, person_id))
    names = sorted({*found, *levels, *lone, *(parent for name in lone for parent in parents(name))})
    with_children = {parent for name in found for parent in parents(name)}
    entries = []
    for name in names:
        access = found.get(name)
        is_subscribed = name in lone or (access is not None and access.folder.is_subscribed)
        entries.append(Entry(name, access, name in levels, is_subscribed, name in with_children))
    status: dict[str, StatusValues] = {}
    if items:
        for name, access in found.items():
            is_readable = access.folder.is_selectable and Right.READ in access.rights
            if is_readable and matches_any(name, patterns):
                status[name] = await status_values(tx, access.mailbox_id, access.folder, items)
    return Tree(entries, status)


def matches_any(name: str, patterns: Iterable[ListPattern]) -> bool:
    """Tell whether a name matches one of several patterns."""
    return any(pattern.matches(name) for pattern in patterns)


async def _own(tx: Transaction, person_id: int) -> dict[str, Access]:
    own: dict[str, Access] = {}
    for folder in await list_folders(tx, person_id):
        rights = ALL_RIGHTS
        if folder.is_shared:
            rights = await rights_of(tx, folder.id, person_id, person_id)
        own[folder.name] = Access(folder, person_id, 0, rights)
    return own
