"""What happened to a mailbox's list of folders: two states of it compared (RFC 5465 §5.4, §5.5)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from freehold.modules.mail.folders.names import is_name_of_others, parents
from freehold.modules.mail.folders.read import Folder
from freehold.modules.mail.imap.notify_state import FolderTree, KnownFolder, Registration
from freehold.protocols.imap.notify import NotifyEvent

SUBSCRIPTION: Final = NotifyEvent.SUBSCRIPTION_CHANGE


class NameNews(NamedTuple):
    """One name to be told by LIST; `folder` is None when it is gone, `old_name` is set after a rename."""

    name: str
    folder: Folder | None
    is_subscribed: bool
    has_children: bool
    old_name: str = ""

    @property
    def attributes(self) -> list[str]:
        """The mailbox attributes of the LIST response."""
        found = ["\\NonExistent"] if self.folder is None else []
        if self.folder is not None:
            if not self.folder.is_selectable:
                found.append("\\Noselect")
            found.append("\\HasChildren" if self.has_children else "\\HasNoChildren")
        if self.is_subscribed:
            found.append("\\Subscribed")
        return found


def compare_names(registration: Registration, tree: FolderTree) -> list[NameNews]:
    """Return what the groups want to be told of the difference between what is known and what is."""
    now = {folder.id: folder for folder in tree.folders}
    known = registration.folders
    renamed = dict(_renamed(known, now))
    events: dict[str, NotifyEvent] = dict.fromkeys(_resubscribed(registration, tree, renamed), SUBSCRIPTION)
    events |= dict.fromkeys(_come_or_gone(known, now, renamed), NotifyEvent.MAILBOX_NAME)
    events |= dict.fromkeys(_topmost(renamed), NotifyEvent.MAILBOX_NAME)
    by_name = {folder.name: folder for folder in tree.folders}
    with_children = {parent for name in by_name for parent in parents(name)}
    old_subscribed = _subscribed(known.values(), registration.lone)
    news = []
    for name in sorted(events):
        folder = by_name.get(name)
        is_subscribed = name in tree.lone or (folder is not None and folder.is_subscribed)
        was_subscribed = renamed.get(name, name) in old_subscribed
        wanted = registration.events_of(name, is_subscribed=is_subscribed or was_subscribed)
        if name in renamed:
            wanted |= registration.events_of(renamed[name], is_subscribed=was_subscribed)
        if events[name] in wanted or (SUBSCRIPTION in wanted and is_subscribed != was_subscribed):
            news.append(NameNews(name, folder, is_subscribed, name in with_children, renamed.get(name, "")))
    return news


def _renamed(known: Mapping[int, KnownFolder], now: Mapping[int, Folder]) -> Iterator[tuple[str, str]]:
    """Yield the new and the old name of each folder that has another name."""
    for folder_id, before in known.items():
        after = now.get(folder_id)
        if after is not None and after.name != before.name:
            yield after.name, before.name


def _topmost(renamed: Mapping[str, str]) -> Iterator[str]:
    """Yield the new names without those that only followed a folder above them."""
    for name, old in renamed.items():
        pairs = zip(reversed(parents(name)), reversed(parents(old)), strict=False)
        if not any(renamed.get(above) == old_above for above, old_above in pairs):
            yield name


def _come_or_gone(
    known: Mapping[int, KnownFolder], now: Mapping[int, Folder], renamed: Mapping[str, str]
) -> Iterator[str]:
    r"""Yield names that were made, removed, or became or ceased to be \Noselect, and those right above."""
    before = {folder.name: folder.is_selectable for folder in known.values()}
    after = {folder.name: folder.is_selectable for folder in now.values()}
    moved = {*renamed, *renamed.values()}
    for name in before.keys() | after.keys():
        if name not in moved and before.get(name) != after.get(name):
            yield name
            if (name in before) != (name in after) and not is_name_of_others(name):
                yield from parents(name)[-1:]


def _resubscribed(registration: Registration, tree: FolderTree, renamed: Mapping[str, str]) -> frozenset[str]:
    before = _subscribed(registration.folders.values(), registration.lone)
    after = _subscribed(tree.folders, tree.lone)
    return (before ^ after) - {*renamed, *renamed.values()}


def _subscribed(folders: Iterable[KnownFolder | Folder], lone: frozenset[str]) -> frozenset[str]:
    return lone.union(folder.name for folder in folders if folder.is_subscribed)
