"""STATUS: counters of a folder without opening it (RFC 9051 §6.3.11, RFC 8438, RFC 9208 §4.1.4)."""

from collections.abc import Callable, Iterable, Sequence

from freehold.modules.mail.folders.access import open_selectable
from freehold.modules.mail.folders.object_ids import folder_object_id
from freehold.modules.mail.folders.read import (
    Folder,
    count_deleted,
    count_recent,
    deleted_bytes,
)
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.imap.condstore import enable_condstore
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.protocols.imap import data_response
from freehold.protocols.imap.status import MailboxStatus, StatusItem
from freehold.storage.database import Transaction

_COUNTED = frozenset({StatusItem.DELETED, StatusItem.DELETED_STORAGE})
StatusValues = dict[StatusItem, int | str | None]


async def status(conversation: Conversation, command: MailboxStatus) -> Reply:
    """Answer STATUS.

    Raises:
        FolderNotFoundError: no such folder, or none that the person may know of.
        RightMissingError: the person may not read it.
        FolderNotSelectableError: it is only there for its children.
    """
    database = conversation.context.database
    read = database.read_long if look_at_messages(command.items) else database.read
    values = await read(_read_status, conversation.mailbox_id, command.mailbox, command.items)
    complete_status(conversation, values)
    conversation.send(data_response.status_line(command.mailbox, values, utf8=conversation.connection.utf8))
    return Reply("Status completed")


def look_at_messages(items: Iterable[StatusItem]) -> bool:
    """Tell whether messages are counted for an item: a large folder takes a while, beside the loop."""
    return not _COUNTED.isdisjoint(items)


async def status_values(
    tx: Transaction, mailbox_id: int, folder: Folder, items: Sequence[StatusItem]
) -> StatusValues:
    """Return what is asked of a folder; only DELETED, DELETED-STORAGE and RECENT look at messages."""
    values: StatusValues = {}
    for item in items:
        match item:
            case StatusItem.RECENT:
                values[item] = await count_recent(tx, mailbox_id, folder)
            case StatusItem.DELETED:
                values[item] = await count_deleted(tx, mailbox_id, folder.id)
            case StatusItem.DELETED_STORAGE:
                values[item] = await deleted_bytes(tx, mailbox_id, folder.id)
            case StatusItem.APPENDLIMIT:
                values[item] = None
            case _:
                values[item] = _COUNTERS[item](folder)
    return values


def complete_status(conversation: Conversation, values: StatusValues) -> None:
    """Fill in what is the server's and not the folder's, and turn on what was asked for."""
    if StatusItem.APPENDLIMIT in values:
        values[StatusItem.APPENDLIMIT] = conversation.context.settings.max_message_bytes
    if StatusItem.HIGHESTMODSEQ in values:
        enable_condstore(conversation)


_COUNTERS: dict[StatusItem, Callable[[Folder], int | str]] = {
    StatusItem.MESSAGES: lambda folder: folder.message_count,
    StatusItem.UIDNEXT: lambda folder: folder.uid_next,
    StatusItem.UIDVALIDITY: lambda folder: folder.uid_validity,
    StatusItem.UNSEEN: lambda folder: folder.unseen_count,
    StatusItem.SIZE: lambda folder: folder.size_bytes,
    StatusItem.HIGHESTMODSEQ: lambda folder: folder.modseq,
    StatusItem.MAILBOXID: lambda folder: folder_object_id(folder.id),
}


async def _read_status(
    tx: Transaction, person_id: int, name: str, items: Sequence[StatusItem]
) -> StatusValues:
    access = await open_selectable(tx, person_id, name, Right.READ)
    return await status_values(tx, access.mailbox_id, access.folder, items)
