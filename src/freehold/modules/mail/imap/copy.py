"""COPY and MOVE with their UID forms (RFC 9051 §6.4.7, §6.4.8)."""

from collections.abc import Iterator, Sequence

from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.folders.read import Folder, find_selectable
from freehold.modules.mail.folders.transfer import Route, Transferred, copy_messages, move_messages
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.errors import TargetMissingError
from freehold.modules.mail.imap.quota import warn_if_nearly_full
from freehold.modules.mail.imap.view import View
from freehold.protocols.imap import response, response_code
from freehold.protocols.imap.copy import Copy, Move, Transfer


async def copy(conversation: Conversation, command: Copy) -> Reply:
    """Answer COPY.

    Raises:
        TargetMissingError: no such folder.
        QuotaExceededError: the mailbox would hold more than it may; nothing was copied.
    """
    view = conversation.selected
    target = await find_target(conversation, command.mailbox)
    ranges = _ranges(view, command)
    if not ranges:
        return Reply("No messages found")
    context = conversation.context
    copied = await context.database.write(
        copy_messages,
        context.blobs,
        Route(conversation.mailbox_id, view.folder_id, target.id),
        ranges,
        now_ms=context.clock.now_ms(),
    )
    conversation.folder_changed(target.id, copied.modseq)
    if not copied.modseq:
        return Reply("No messages found")
    await warn_if_nearly_full(conversation)
    return Reply("Copy completed", _copy_uid(copied))


async def move(conversation: Conversation, command: Move) -> Reply:
    """Answer MOVE: COPYUID comes untagged, before the expunges (RFC 6851 §4.3).

    Raises:
        ReadOnlyError: the folder was opened by EXAMINE.
        TargetMissingError: no such folder.
    """
    view = conversation.writable
    target = await find_target(conversation, command.mailbox)
    ranges = _ranges(view, command)
    if not ranges:
        return Reply("No messages found")
    context = conversation.context
    moved = await context.database.write(
        move_messages,
        Route(conversation.mailbox_id, view.folder_id, target.id),
        ranges,
        now_ms=context.clock.now_ms(),
    )
    if not moved.modseq:
        return Reply("No messages found")
    conversation.folder_changed(target.id, moved.modseq)
    conversation.folder_changed(view.folder_id, moved.modseq)
    conversation.send(response.untagged_ok("Moved UIDs", _copy_uid(moved)))
    return Reply("Move completed")


async def find_target(conversation: Conversation, name: str) -> Folder:
    """Return the folder that messages should go to.

    Raises:
        TargetMissingError: no such folder: the client may make it and try again.
        FolderNotSelectableError: it is only there for its children.
    """
    try:
        return await conversation.context.database.read(find_selectable, conversation.mailbox_id, name)
    except FolderNotFoundError as error:
        raise TargetMissingError from error


def _ranges(view: View, command: Transfer) -> list[UidRange]:
    positions = view.uids.positions(command.messages, uid=command.uid)
    return [uids for each in positions for uids in view.uids.uid_ranges(each.start, each.stop)]


def _copy_uid(done: Transferred) -> bytes:
    return response_code.copy_uid(done.uid_validity, _each(done.source), _each(done.target))


def _each(ranges: Sequence[UidRange]) -> Iterator[int]:
    for first, last in ranges:
        yield from range(first, last + 1)
