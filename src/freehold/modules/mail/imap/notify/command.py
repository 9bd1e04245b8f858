"""NOTIFY: what is told unasked from now on (RFC 5465 §3.1)."""

from dataclasses import replace

from freehold.modules.mail.folders.access import list_shared
from freehold.modules.mail.folders.metadata import newest_server_change
from freehold.modules.mail.folders.read import Folder, list_folders, list_lone_subscriptions
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.notify.idle import end_notify
from freehold.modules.mail.imap.notify_state import READ_EVENTS, FolderTree, Registration
from freehold.modules.mail.imap.watchers import News
from freehold.protocols.imap import data_response
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.notify import NOTIFICATION_OVERFLOW, Notify, NotifyEvent
from freehold.protocols.imap.status import StatusItem
from freehold.storage.database import Transaction

FLUSH_LINES = 200
"""Lines that are written at once."""


async def notify(conversation: Conversation, command: Notify) -> Reply:
    """Answer NOTIFY; what was asked for before is forgotten.

    More than `MAX_WATCHED_FOLDERS` folders are refused with NO [NOTIFICATIONOVERFLOW], and what was asked
    for before stays. What happened in the open folder is told with the tagged reply.
    """
    registration = Registration(command, conversation.peer.wake)
    tree = FolderTree([], frozenset())
    if registration.groups:
        watchers, mailbox_id = conversation.context.watchers, conversation.mailbox_id
        watchers.follow(mailbox_id, registration.hear)  # before looking: nothing falls between
        try:
            tree, server_modseq = await conversation.context.database.read(
                _read_all, mailbox_id, registration
            )
        except BaseException:
            watchers.unfollow(mailbox_id, registration.hear)
            raise
        if not registration.know(tree):
            watchers.unfollow(mailbox_id, registration.hear)
            return Reply("Too many folders to watch", NOTIFICATION_OVERFLOW, Status.NO)
        registration.server_modseq = server_modseq
    end_notify(conversation)
    conversation.notify = registration
    follow_owners(conversation, registration, frozenset())
    _tell_unreadable(conversation, registration, tree)
    if command.status:
        await _send_status(conversation, registration, tree)
    return Reply("Notify completed")


async def _read_all(tx: Transaction, mailbox_id: int, registration: Registration) -> tuple[FolderTree, int]:
    tree = await read_tree(tx, mailbox_id, with_others=registration.reaches_others)
    return tree, await newest_server_change(tx, mailbox_id)


async def read_tree(tx: Transaction, mailbox_id: int, *, with_others: bool) -> FolderTree:
    """Return a person's folders and lone subscriptions, and the folders of others that may be read."""
    folders = await list_folders(tx, mailbox_id)
    lone = frozenset(await list_lone_subscriptions(tx, mailbox_id))
    if not with_others:
        return FolderTree(folders, lone)
    owners: dict[int, int] = {}
    unreadable = []
    for name, access in (await list_shared(tx, mailbox_id)).items():
        if Right.READ in access.rights:
            folders.append(replace(access.folder, name=name, is_subscribed=name in lone))
            owners[access.folder.id] = access.mailbox_id
        else:
            unreadable.append(name)
    return FolderTree(folders, lone, owners, tuple(unreadable))


def follow_owners(conversation: Conversation, registration: Registration, before: frozenset[int]) -> None:
    """Follow the mailboxes of those whose folders are watched now, and `before` no longer."""
    watchers = conversation.context.watchers
    for owner_id in before - registration.owners:
        watchers.unfollow(owner_id, registration.hear)
    for owner_id in registration.owners - before:
        watchers.follow(owner_id, registration.hear)
        registration.news |= News.MESSAGES  # what fell between reading and following


def _tell_unreadable(conversation: Conversation, registration: Registration, tree: FolderTree) -> None:
    r"""Tell by \NoAccess which folders cannot be watched for want of a right (RFC 5465 §3.1)."""
    for name in tree.unreadable:
        if registration.events_of(name, is_subscribed=name in tree.lone) & READ_EVENTS:
            conversation.send(
                data_response.list_line(["\\NoAccess"], name, utf8=conversation.connection.utf8)
            )


def whole_status(folder: Folder, *, with_modseq: bool) -> dict[StatusItem, int | None]:
    """Return the status items of a folder of which the client knows nothing yet."""
    values: dict[StatusItem, int | None] = {
        StatusItem.MESSAGES: folder.message_count,
        StatusItem.UIDNEXT: folder.uid_next,
        StatusItem.UIDVALIDITY: folder.uid_validity,
        StatusItem.UNSEEN: folder.unseen_count,
    }
    if with_modseq:
        values[StatusItem.HIGHESTMODSEQ] = folder.modseq
    return values


async def _send_status(conversation: Conversation, registration: Registration, tree: FolderTree) -> None:
    """Send the first STATUS of each folder whose messages are watched; the open one needs none."""
    groups = [registration.selected, *registration.groups]
    tells_flags = any(group is not None and NotifyEvent.FLAG_CHANGE in group.events for group in groups)
    open_id = 0 if conversation.view is None else conversation.view.folder_id
    lines: list[bytes] = []
    for folder in filter(registration.wants_messages_of, tree.folders):
        if folder.id == open_id:
            continue
        values = whole_status(folder, with_modseq=tells_flags)
        lines.append(data_response.status_line(folder.name, values, utf8=conversation.connection.utf8))
        if len(lines) >= FLUSH_LINES:
            conversation.send(b"".join(lines))
            lines.clear()
            await conversation.peer.flush()
    conversation.send(b"".join(lines))
