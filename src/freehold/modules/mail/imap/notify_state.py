"""What a session asked for with NOTIFY, and what it has been told of other folders (RFC 5465 §3.1, §6)."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from freehold.modules.mail.folders.names import DELIMITER, canonical_name, is_name_of_others
from freehold.modules.mail.folders.read import Folder
from freehold.modules.mail.imap.watchers import ALL_NEWS, News
from freehold.protocols.imap.notify import (
    MESSAGE_EVENTS,
    EventGroup,
    MailboxFilter,
    Notify,
    NotifyEvent,
    SelectedGroup,
)

MAX_WATCHED_FOLDERS: Final = 2_000
"""Folders whose state one session's NOTIFY keeps, about 300 bytes each."""

NAME_EVENTS: Final = frozenset({NotifyEvent.MAILBOX_NAME, NotifyEvent.SUBSCRIPTION_CHANGE})
METADATA_EVENTS: Final = frozenset({NotifyEvent.MAILBOX_METADATA})
READ_EVENTS: Final = MESSAGE_EVENTS | METADATA_EVENTS
"""What only those are told of a folder who may read it."""


class KnownFolder(NamedTuple):
    """A folder as the client was told of it, or as it was when it asked."""

    name: str
    uid_validity: int
    uid_next: int
    messages: int
    unseen: int
    modseq: int
    is_subscribed: bool
    is_selectable: bool

    @classmethod
    def of(cls, folder: Folder) -> "KnownFolder":
        """Return what is kept of a folder."""
        return cls(
            folder.name,
            folder.uid_validity,
            folder.uid_next,
            folder.message_count,
            folder.unseen_count,
            folder.modseq,
            folder.is_subscribed,
            folder.is_selectable,
        )


class FolderTree(NamedTuple):
    """All folders that a person may read, and the names that are only subscribed to.

    `owners` has whose each folder of others is, by its id; `unreadable` are names of others' folders that
    the person may know of and not read.
    """

    folders: list[Folder]
    lone: frozenset[str]
    owners: Mapping[int, int] = {}
    unreadable: tuple[str, ...] = ()


class Registration:
    """One session's NOTIFY: its groups, its news, and the folders' state that news are compared with.

    `news` and `has_selected_news` say where to look. `modseq` is up to where the person's own folders were
    looked at, `server_modseq` up to where annotations of the server were, `owners` are others whose folders
    are watched, `watched_id` is the open folder or 0. `own_annotations` are changes (folder, modseq) that
    this session made since it last looked.
    """

    __slots__ = (
        "_wake",
        "folders",
        "groups",
        "has_selected_news",
        "lone",
        "modseq",
        "news",
        "own_annotations",
        "owners",
        "selected",
        "server_modseq",
        "watched_id",
    )

    def __init__(self, command: Notify, wake: Callable[[], None]) -> None:
        self._wake = wake
        self.selected: SelectedGroup | None = command.selected
        self.groups = tuple(map(_canonical, command.groups))
        self.folders: dict[int, KnownFolder] = {}
        self.lone: frozenset[str] = frozenset()
        self.modseq = 0
        self.owners: frozenset[int] = frozenset()
        self.server_modseq = 0
        self.own_annotations: frozenset[tuple[int, int]] = frozenset()
        self.news = News(0)
        self.has_selected_news = False
        self.watched_id = 0

    def hear(self, news: News) -> None:
        """Note news of other folders, and have the session look."""
        self.news |= news
        self._wake()

    def hear_selected(self, _news: News) -> None:
        """Note news of the selected folder, and have the session look."""
        self.has_selected_news = True
        self._wake()

    def look_again(self) -> None:
        """Have the next reply tell news of which no event came."""
        if self.groups:
            self.news = ALL_NEWS

    def annotated(self, folder_id: int, modseq: int) -> None:
        """Note that this session itself changed annotations, and have its reply tell those of others."""
        if self.wants_annotations:
            self.own_annotations |= {(folder_id, modseq)}
            self.news |= News.MESSAGES | News.SERVER

    @property
    def tells_messages(self) -> bool:
        """Whether messages that come and go in the selected folder are told."""
        return self.selected is not None and NotifyEvent.MESSAGE_NEW in self.selected.events

    @property
    def tells_flags(self) -> bool:
        """Whether changes of flags in the selected folder are told."""
        return self.selected is not None and NotifyEvent.FLAG_CHANGE in self.selected.events

    @property
    def tells_expunges_at_once(self) -> bool:
        """Whether the client does without stable message numbers (RFC 5465 §6.1.1)."""
        return self.tells_messages and self.selected is not None and not self.selected.delayed

    @property
    def wants_names(self) -> bool:
        """Whether any group asks for news of the list of folders."""
        return any(group.events & NAME_EVENTS for group in self.groups)

    @property
    def wants_server_metadata(self) -> bool:
        """Whether changed annotations of the server are told; of which mailboxes is all the same."""
        return any(NotifyEvent.SERVER_METADATA in group.events for group in self.groups)

    @property
    def wants_annotations(self) -> bool:
        """Whether any group asks for news of annotations."""
        return self.wants_server_metadata or any(group.events & METADATA_EVENTS for group in self.groups)

    @property
    def reaches_others(self) -> bool:
        """Whether any group may be about folders of others."""
        return any(
            group.filter is MailboxFilter.SUBSCRIBED or any(map(is_name_of_others, group.mailboxes))
            for group in self.groups
        )

    def events_of(self, name: str, *, is_subscribed: bool) -> frozenset[NotifyEvent]:
        """Return what all groups together want to know of a folder."""
        wanted = (group.events for group in self.groups if _matches(group, name, is_subscribed=is_subscribed))
        return frozenset().union(*wanted)

    def wants_messages_of(self, folder: Folder) -> bool:
        """Tell whether a folder's messages are watched."""
        return self._wants(folder, MESSAGE_EVENTS)

    def wants_annotations_of(self, folder: Folder) -> bool:
        """Tell whether a folder's annotations are watched."""
        return self._wants(folder, METADATA_EVENTS)

    def _wants(self, folder: Folder, events: frozenset[NotifyEvent]) -> bool:
        wanted = self.events_of(folder.name, is_subscribed=folder.is_subscribed)
        return folder.is_selectable and bool(wanted & events)

    def know(self, tree: FolderTree) -> bool:
        """Take folders as known; False, and nothing is taken, when there are too many to watch."""
        wanted = self._watched(tree.folders)
        if len(wanted) > MAX_WATCHED_FOLDERS:
            return False
        self.folders = {folder.id: KnownFolder.of(folder) for folder in wanted}
        self.lone = tree.lone if self.wants_names else frozenset()
        self.owners = frozenset(tree.owners[folder.id] for folder in wanted if folder.id in tree.owners)
        own = (folder.modseq for folder in tree.folders if folder.id not in tree.owners)
        self.modseq = max(own, default=0)
        return True

    def know_changed(self, changed: list[Folder]) -> bool:
        """Take the state of the person's folders that changed as known; False when too many are watched."""
        self.folders.update((folder.id, KnownFolder.of(folder)) for folder in self._watched(changed))
        self.modseq = max((folder.modseq for folder in changed), default=self.modseq)
        return len(self.folders) <= MAX_WATCHED_FOLDERS

    def know_annotations(self, server_modseq: int) -> None:
        """Take annotations as known: those of folders as far as the folders are, and the server's."""
        self.server_modseq, self.own_annotations = server_modseq, frozenset()

    def _watched(self, folders: list[Folder]) -> list[Folder]:
        """Return those of some folders whose state is kept."""
        if self.wants_names:
            return folders
        return [folder for folder in folders if self._wants(folder, READ_EVENTS)]

    def give_up(self) -> None:
        """Tell nothing any more, as after NOTIFY NONE (RFC 5465 §5.8)."""
        self.selected, self.groups = None, ()
        self.folders, self.lone, self.owners, self.news = {}, frozenset(), frozenset(), News(0)
        self.own_annotations = frozenset()


def _canonical(group: EventGroup) -> EventGroup:
    return EventGroup(group.filter, group.events, tuple(map(canonical_name, group.mailboxes)))


def _matches(group: EventGroup, name: str, *, is_subscribed: bool) -> bool:
    match group.filter:
        case MailboxFilter.PERSONAL | MailboxFilter.INBOXES:  # mail may be delivered to any (RFC 5465 §6.3)
            return not is_name_of_others(name)
        case MailboxFilter.SUBSCRIBED:
            return is_subscribed
        case MailboxFilter.MAILBOXES:
            return name in group.mailboxes
        case MailboxFilter.SUBTREE:
            return any(name == top or name.startswith(top + DELIMITER) for top in group.mailboxes)
