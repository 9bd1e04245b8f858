"""COPY and MOVE with their UID forms (RFC 9051 §6.4.7, §6.4.8)."""

from collections.abc import Iterator, Sequence

from freehold.modules.mail.folders.access import Access
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.folders.rights import ALL_RIGHTS, Right
from freehold.modules.mail.folders.transfer import Route, Transferred, copy_messages, move_messages
from freehold.modules.mail.folders.transfer_shared import Passage, copy_shared, move_shared
from freehold.modules.mail.imap.access import open_target, require_rights
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.folders.quota import warn_if_nearly_full
from freehold.modules.mail.imap.selected.view import View
from freehold.protocols.imap import response, response_code
from freehold.protocols.imap.copy import Copy, Move, Transfer


async def copy(conversation: Conversation, command: Copy) -> Reply:
    """Answer COPY.

    Raises:
        TargetMissingError: no such folder, or none that the person may know of.
        RightMissingError: the person may not insert there.
        QuotaExceededError: the target's mailbox would hold more than it may; nothing was copied.
    """
    view = conversation.selected
    target = await open_target(conversation, command.mailbox)
    ranges = _ranges(view, command)
    if not ranges:
        return Reply("No messages found")
    context = conversation.context
    now_ms = context.clock.now_ms()
    if _is_plain(view, target):
        route = Route(view.mailbox_id, view.folder_id, target.folder.id)
        copied = await context.database.write(copy_messages, context.blobs, route, ranges, now_ms=now_ms)
    else:
        passage = _passage(view, target)
        copied = await context.database.write(copy_shared, context.blobs, passage, ranges, now_ms=now_ms)
    conversation.folder_changed(target.folder.id, copied.modseq, mailbox_id=target.mailbox_id)
    if not copied.modseq:
        return Reply("No messages found")
    if not target.reader_id:
        await warn_if_nearly_full(conversation)
    return Reply("Copy completed", _copy_uid(target, copied))


async def move(conversation: Conversation, command: Move) -> Reply:
    """Answer MOVE: COPYUID comes untagged, before the expunges (RFC 6851 §4.3), HIGHESTMODSEQ tagged (§4.4).

    Raises:
        ReadOnlyError: the folder was opened by EXAMINE.
        TargetMissingError: no such folder, or none that the person may know of.
        RightMissingError: the person may not delete and expunge here, or not insert there.
        QuotaExceededError: the target is another's, whose mailbox would hold more than it may.
    """
    view = conversation.writable
    require_rights(view, Right.DELETE | Right.EXPUNGE)
    target = await open_target(conversation, command.mailbox)
    ranges = _ranges(view, command)
    if not ranges:
        return Reply("No messages found")
    context = conversation.context
    now_ms = context.clock.now_ms()
    if _is_plain(view, target):
        route = Route(view.mailbox_id, view.folder_id, target.folder.id)
        moved = await context.database.write(move_messages, route, ranges, now_ms=now_ms)
        left = moved.modseq
    else:
        done = await context.database.write(
            move_shared, context.blobs, _passage(view, target), ranges, now_ms=now_ms
        )
        moved, left = done.transferred, done.source_modseq
    if not moved.modseq:
        return Reply("No messages found")
    conversation.folder_changed(target.folder.id, moved.modseq, mailbox_id=target.mailbox_id)
    conversation.folder_changed(view.folder_id, left, mailbox_id=view.mailbox_id)
    if (uids := _copy_uid(target, moved)) is not None:
        conversation.send(response.untagged_ok("Moved UIDs", uids))
    if conversation.condstore:
        return Reply("Move completed", response_code.highest_mod_sequence(left))
    return Reply("Move completed")


def _is_plain(view: View, target: Access) -> bool:
    """Tell whether both folders are the person's own and nothing is held back of the target's rights."""
    return not view.reader_id and not target.reader_id and target.rights == ALL_RIGHTS


def _passage(view: View, target: Access) -> Passage:
    return Passage(view.mailbox_id, view.folder_id, view.reader_id, target)


def _ranges(view: View, command: Transfer) -> list[UidRange]:
    positions = view.uids.positions(command.messages, uid=command.uid)
    return [uids for each in positions for uids in view.uids.uid_ranges(each.start, each.stop)]


def _copy_uid(target: Access, done: Transferred) -> bytes | None:
    """Name the UIDs, unless they are of a folder that the person may not read (RFC 4315 §3)."""
    if Right.READ not in target.rights:
        return None
    return response_code.copy_uid(done.uid_validity, _each(done.source), _each(done.target))


def _each(ranges: Sequence[UidRange]) -> Iterator[int]:
    for first, last in ranges:
        yield from range(first, last + 1)
