"""Tells news: of the open folder, and to a client with NOTIFY of others (RFC 9051 §7.4, RFC 5465 §5).

However much happened in other folders, a round costs one look at those that changed; the pace is the
register's.
"""

from collections.abc import Collection

from freehold.kernel.log import get_logger
from freehold.modules.mail.folders.read import Folder, list_changed_folders
from freehold.modules.mail.imap.authenticate import check_access
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.fetch.command import fetch
from freehold.modules.mail.imap.notify.command import follow_owners, read_tree, whole_status
from freehold.modules.mail.imap.notify.metadata import (
    NO_ANNOTATIONS,
    AnnotationNews,
    annotation_lines,
    read_annotation_news,
)
from freehold.modules.mail.imap.notify.names import compare_names
from freehold.modules.mail.imap.notify_state import FolderTree, KnownFolder, Registration
from freehold.modules.mail.imap.sync import tell_changes
from freehold.modules.mail.imap.watchers import News
from freehold.protocols.imap import data_response, response
from freehold.protocols.imap.events import NO_TAG
from freehold.protocols.imap.fetch import Fetch
from freehold.protocols.imap.notify import NOTIFICATION_OVERFLOW, NotifyEvent
from freehold.protocols.imap.sequence_set import SequenceSet
from freehold.protocols.imap.status import StatusItem
from freehold.storage.database import StorageError, Transaction

FLUSH_LINES = 200
"""Lines that are written at once."""

log = get_logger("freehold.mail.imap")


async def tell_at_once(conversation: Conversation, *, is_idling: bool) -> None:
    """Tell what happened while no command was under way, or IDLE.

    Raises:
        FolderClosedError: the open folder is gone.
        AccessEndedError: the mailbox or the login was disabled or removed.
    """
    registration = conversation.notify
    if is_idling or (registration is not None and registration.has_selected_news):
        await check_access(conversation)
        await tell_open_folder(conversation, expunges=is_idling)
    await tell_others(conversation)


async def tell_open_folder(
    conversation: Conversation, *, expunges: bool, own: Collection[int] = (), uid: bool = False
) -> None:
    """Tell what happened in the open folder, new messages with what NOTIFY asks of them (RFC 5465 §5.2).

    What UPDATE asks of messages that came into a result follows (RFC 5465 §7).

    Raises:
        FolderClosedError: it is gone.
    """
    registration = conversation.notify
    if registration is not None:
        registration.has_selected_news = False
    added = await tell_changes(conversation, expunges=expunges, own=own, uid=uid)
    if not added or conversation.view is None:
        return
    if registration is not None and registration.selected is not None and registration.selected.fetch:
        messages = SequenceSet(tuple(added))
        await fetch(conversation, Fetch(NO_TAG, messages, uid=True, items=registration.selected.fetch))
    for context in filter(lambda each: each.items, conversation.view.contexts):
        if found := context.among(added):
            messages = SequenceSet(tuple(found))
            await fetch(conversation, Fetch(NO_TAG, messages, uid=True, items=context.items))


async def tell_others(conversation: Conversation) -> None:
    """Tell what the client has not been told of other folders; without news it costs nothing.

    A fault of storage costs the client its news and not its connection: it is told so, as Dovecot does, and
    the next round tells all.

    Raises:
        AccessEndedError: the mailbox or the login was disabled or removed.
    """
    registration = conversation.notify
    if registration is None or not registration.news:
        return
    news, registration.news = registration.news, News(0)
    try:
        await check_access(conversation)
        database, mailbox_id = conversation.context.database, conversation.mailbox_id
        if news & News.NAMES or registration.reaches_others:
            tree, annotations = await database.read(_read_all, mailbox_id, registration, news)
            await _tell_tree(conversation, registration, tree, annotations)
        else:
            if registration.wants_annotations:
                changed, annotations = await database.read(_read_changed, mailbox_id, registration, news)
            else:  # one statement, which is one round trip to PostgreSQL
                changed = await database.read(list_changed_folders, mailbox_id, registration.modseq)
                annotations = NO_ANNOTATIONS
            await _tell_changed(conversation, registration, changed, annotations)
        registration.know_annotations(annotations.server_modseq)
    except StorageError:
        registration.news |= news
        log.exception("news not told")
        conversation.send(response.untagged_no("NOTIFY error, some events may have got lost"))


async def _read_all(
    tx: Transaction, person_id: int, registration: Registration, news: News
) -> tuple[FolderTree, AnnotationNews]:
    tree = await read_tree(tx, person_id, with_others=registration.reaches_others)
    return tree, await read_annotation_news(tx, person_id, registration, news, tree.folders, tree.owners)


async def _read_changed(
    tx: Transaction, person_id: int, registration: Registration, news: News
) -> tuple[list[Folder], AnnotationNews]:
    changed = await list_changed_folders(tx, person_id, registration.modseq)
    return changed, await read_annotation_news(tx, person_id, registration, news, changed, {})


async def _tell_tree(
    conversation: Conversation, registration: Registration, tree: FolderTree, annotations: AnnotationNews
) -> None:
    """Tell names by LIST, then messages by STATUS, then annotations by METADATA."""
    lines: list[bytes] = []
    if registration.wants_names:
        lines += (
            data_response.list_line(
                each.attributes, each.name, old_name=each.old_name, utf8=conversation.connection.utf8
            )
            for each in compare_names(registration, tree)
        )
    known = registration.folders
    names = {folder.name: folder.uid_validity for folder in known.values()}
    lines += _status_lines(conversation, registration, tree.folders, names)
    lines += annotation_lines(annotations, utf8=conversation.connection.utf8)
    owners = registration.owners
    if not registration.know(tree):
        _overflow(conversation, registration)
        return
    follow_owners(conversation, registration, owners)
    await _send(conversation, lines)


async def _tell_changed(
    conversation: Conversation,
    registration: Registration,
    changed: list[Folder],
    annotations: AnnotationNews,
) -> None:
    lines = _status_lines(conversation, registration, changed, {})
    lines += annotation_lines(annotations, utf8=conversation.connection.utf8)
    if not registration.know_changed(changed):
        _overflow(conversation, registration)
        return
    await _send(conversation, lines)


def _status_lines(
    conversation: Conversation, registration: Registration, folders: list[Folder], validities: dict[str, int]
) -> list[bytes]:
    """Write STATUS of each watched folder in which something happened that the client wants to know.

    `validities` are the UIDVALIDITY values known by name: one that is no longer right is told.
    """
    open_id = 0 if conversation.view is None else conversation.view.folder_id
    lines = []
    for folder in filter(registration.wants_messages_of, folders):
        if folder.id == open_id:
            continue
        known = registration.folders.get(folder.id)
        is_replaced = (
            known is None and validities.get(folder.name, folder.uid_validity) != folder.uid_validity
        )
        events = registration.events_of(folder.name, is_subscribed=folder.is_subscribed)
        tells_flags = NotifyEvent.FLAG_CHANGE in events
        values = _difference(known, folder, tells_flags=tells_flags, condstore=conversation.condstore)
        if is_replaced:
            values = whole_status(folder, with_modseq=conversation.condstore)
        if values:
            lines.append(data_response.status_line(folder.name, values, utf8=conversation.connection.utf8))
    return lines


def _difference(
    known: KnownFolder | None, folder: Folder, *, tells_flags: bool, condstore: bool
) -> dict[StatusItem, int | None]:
    """Return the status items that tell what changed; none if it is nothing the client wants to know.

    Without CONDSTORE a change of flags shows only in the number of unseen messages (RFC 5465 §5.1).
    """
    uid_next, messages, unseen, modseq = (1, 0, 0, folder.modseq)
    if known is not None:
        uid_next, messages, unseen, modseq = known.uid_next, known.messages, known.unseen, known.modseq
    values: dict[StatusItem, int | None] = {}
    if (uid_next, messages) != (folder.uid_next, folder.message_count):
        values[StatusItem.MESSAGES] = folder.message_count
        values[StatusItem.UIDNEXT] = folder.uid_next
        values[StatusItem.UNSEEN] = folder.unseen_count
    elif not tells_flags or modseq == folder.modseq:
        return values
    elif unseen != folder.unseen_count:
        values[StatusItem.UNSEEN] = folder.unseen_count
    if condstore:
        if tells_flags:
            values[StatusItem.UIDVALIDITY] = folder.uid_validity
        values[StatusItem.HIGHESTMODSEQ] = folder.modseq
    return values


def _overflow(conversation: Conversation, registration: Registration) -> None:
    """End the notifications of a mailbox that has grown too large to watch (RFC 5465 §5.8)."""
    watchers = conversation.context.watchers
    for mailbox_id in (conversation.mailbox_id, *registration.owners):
        watchers.unfollow(mailbox_id, registration.hear)
    registration.give_up()
    conversation.send(response.untagged_ok("Too many folders to watch", NOTIFICATION_OVERFLOW))


async def _send(conversation: Conversation, lines: list[bytes]) -> None:
    for start in range(0, len(lines), FLUSH_LINES):
        conversation.send(b"".join(lines[start : start + FLUSH_LINES]))
        await conversation.peer.flush()
