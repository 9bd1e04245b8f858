"""NOTIFY: what is told unasked from now on (RFC 5465 §3.1)."""

from freehold.modules.mail.folders.read import list_folders, list_lone_subscriptions
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.idle import end_notify
from freehold.modules.mail.imap.notify_state import FolderTree, Registration
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
            tree = await conversation.context.database.read(read_tree, mailbox_id)
        except BaseException:
            watchers.unfollow(mailbox_id, registration.hear)
            raise
        if not registration.know(tree):
            watchers.unfollow(mailbox_id, registration.hear)
            return Reply("Too many folders to watch", NOTIFICATION_OVERFLOW, Status.NO)
    end_notify(conversation)
    conversation.notify = registration
    if command.status:
        await _send_status(conversation, registration, tree)
    return Reply("Notify completed")


async def read_tree(tx: Transaction, mailbox_id: int) -> FolderTree:
    """Return a mailbox's folders and lone subscriptions."""
    return FolderTree(
        await list_folders(tx, mailbox_id), frozenset(await list_lone_subscriptions(tx, mailbox_id))
    )


async def _send_status(conversation: Conversation, registration: Registration, tree: FolderTree) -> None:
    """Send the first STATUS of each folder whose messages are watched; the open one needs none."""
    groups = [registration.selected, *registration.groups]
    tells_flags = any(group is not None and NotifyEvent.FLAG_CHANGE in group.events for group in groups)
    open_id = 0 if conversation.view is None else conversation.view.folder_id
    lines: list[bytes] = []
    for folder in filter(registration.wants_messages_of, tree.folders):
        if folder.id == open_id:
            continue
        values: dict[StatusItem, int | None] = {
            StatusItem.MESSAGES: folder.message_count,
            StatusItem.UIDNEXT: folder.uid_next,
            StatusItem.UIDVALIDITY: folder.uid_validity,
            StatusItem.UNSEEN: folder.unseen_count,
        }
        if tells_flags:
            values[StatusItem.HIGHESTMODSEQ] = folder.modseq
        lines.append(data_response.status_line(folder.name, values, utf8=conversation.connection.utf8))
        if len(lines) >= FLUSH_LINES:
            conversation.send(b"".join(lines))
            lines.clear()
            await conversation.peer.flush()
    conversation.send(b"".join(lines))
