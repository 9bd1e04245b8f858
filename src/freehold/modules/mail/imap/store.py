"""STORE and UID STORE (RFC 9051 §6.4.6, RFC 7162 §3.1.3)."""

from bisect import bisect_left
from collections.abc import Sequence

from freehold.modules.mail.folders.change import uid_ranges
from freehold.modules.mail.folders.errors import RightMissingError
from freehold.modules.mail.folders.flags import FlagChange, FlagMode, FlagsChanged, change_flags
from freehold.modules.mail.folders.ranges import UidRange, merge_ranges, subtract_ranges
from freehold.modules.mail.folders.rights import ALL_RIGHTS, Right, permitted_flags
from freehold.modules.mail.folders.seen import change_flags_as_reader
from freehold.modules.mail.imap.condstore import enable_condstore
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.errors import telling
from freehold.modules.mail.imap.fetch.rows import send_group, send_rows
from freehold.modules.mail.imap.messages.flag_bytes import split_flags
from freehold.modules.mail.imap.messages.rows import RowPlan, plan_rows, split_positions
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.imap.sync import flag_items
from freehold.modules.mail.model import MAX_UID, UID_BITS
from freehold.protocols.imap import response_code
from freehold.protocols.imap.fetch import FetchAttribute
from freehold.protocols.imap.store import Store, StoreAction
from freehold.storage.database import Row

_MODES = {
    StoreAction.REPLACE: FlagMode.REPLACE,
    StoreAction.ADD: FlagMode.ADD,
    StoreAction.REMOVE: FlagMode.REMOVE,
}


async def store(conversation: Conversation, command: Store) -> Reply:
    """Answer STORE.

    Raises:
        ReadOnlyError: the folder was opened by EXAMINE.
        RightMissingError: the person may change none of the flags.
        TooManyKeywordsError: a message would have too many keywords; nothing was changed.
    """
    view = conversation.writable
    if command.unchanged_since is not None:
        enable_condstore(conversation)
    positions = view.uids.positions(command.messages, uid=command.uid)
    if not positions:
        return Reply("No messages found")
    bits, keywords = split_flags(command.flags)
    asked = [uids for each in positions for uids in view.uids.uid_ranges(each.start, each.stop)]
    change = _permitted(view, FlagChange(_MODES[command.action], bits, keywords))
    changed, own = await _change(conversation, view, asked, change, command.unchanged_since)
    if command.silent and view.reader_id and changed.previous > view.known_modseq:
        own = ()  # what others did to these messages cannot be told from what this did: all is
    passed = subtract_ranges(merge_ranges(asked), changed.failed)
    missing = 0
    with telling():
        if command.silent:
            await _answer_silently(conversation, view, command, changed, passed)
        else:
            plan = plan_rows(flag_items(conversation, uid=command.uid))
            positions = view.uids.positions_of(passed)
            if view.reader_id:
                missing = await send_rows(conversation, view, plan, positions)
            else:
                missing = await _send_states(conversation, view, plan, positions, changed.states())
    if changed.failed:
        return Reply("Conditional store failed", _modified(view, changed.failed, uid=command.uid), own=own)
    if missing:
        return Reply("Some messages were already expunged", response_code.EXPUNGEISSUED, own=own)
    return Reply("Store completed", own=own)


def _permitted(view: View, change: FlagChange) -> FlagChange:
    """Return what the person may change; other flags are left alone (RFC 4314 §4).

    Raises:
        RightMissingError: that is none of those named.
    """
    if view.rights == ALL_RIGHTS:
        return change
    permitted = change.limited(permitted_flags(view.rights), keywords=Right.WRITE in view.rights)
    if change.does_something and not permitted.does_something:
        raise RightMissingError
    return permitted


async def _change(
    conversation: Conversation,
    view: View,
    asked: Sequence[UidRange],
    change: FlagChange,
    unchanged_since: int | None,
) -> tuple[FlagsChanged, tuple[int, ...]]:
    """Change flags; returns what became of it, and the modseqs of the changes."""
    database = conversation.context.database
    if not view.reader_id:
        changed = await database.write_relaxed(
            change_flags, view.mailbox_id, view.folder_id, asked, change, unchanged_since=unchanged_since
        )
        conversation.folder_changed(view.folder_id, changed.modseq)
        view.pass_over(changed.previous, changed.modseq)
        return changed, (changed.modseq,)
    shared, seen = await database.write(
        change_flags_as_reader, view.reading, asked, change, unchanged_since=unchanged_since
    )
    modseq = max(shared.modseq, seen.modseq)
    conversation.folder_changed(view.folder_id, modseq, mailbox_id=view.mailbox_id)
    uids = merge_ranges([*shared.changed, *seen.changed])
    return FlagsChanged(modseq, shared.previous, uids, shared.failed), (shared.modseq, seen.modseq)


async def _send_states(
    conversation: Conversation, view: View, plan: RowPlan, positions: Sequence[range], states: Sequence[Row]
) -> int:
    """Send what the change made of the messages at `positions`; returns how many of them are gone.

    The columns of a state are those of the plan, of which MODSEQ is the last and may be missing.
    """
    base = view.folder_id << UID_BITS
    width = 1 + len(plan.columns)
    missing = 0
    for group in split_positions(positions, plan.chunk_messages):
        first, last = view.uids.uid_at(group[0].start), view.uids.uid_at(group[-1].stop - 1)
        rows = states[bisect_left(states, (base + first,)) : bisect_left(states, (base + last + 1,))]
        missing += await send_group(conversation, view, plan, group, [row[:width] for row in rows])
    return missing


async def _answer_silently(
    conversation: Conversation, view: View, command: Store, changed: FlagsChanged, passed: Sequence[UidRange]
) -> None:
    """Tell what .SILENT does not silence: mod-sequences, and what others did (RFC 9051 §6.4.6).

    A message that others changed since the client was last told has this change's modseq now, as one that
    nobody else touched, and so is told here.
    """
    if conversation.condstore:
        told = changed.changed if command.unchanged_since is None else passed
        await _tell_modseq(conversation, view, told)
    if conversation.notify is not None and not conversation.notify.tells_flags:
        return
    before = {row[0] for row in changed.before if row[3] > view.known_modseq}
    uids = uid_ranges([row[0] & MAX_UID for row in changed.after if row[0] in before])
    if uids:
        plan = plan_rows(flag_items(conversation, uid=command.uid))
        await _send_states(conversation, view, plan, view.uids.positions_of(uids), changed.states())


async def _tell_modseq(conversation: Conversation, view: View, told: Sequence[UidRange]) -> None:
    """Tell mod-sequences, which .SILENT does not silence (RFC 7162 §3.1.3)."""
    items = (FetchAttribute.MODSEQ,) if view.uid_only else (FetchAttribute.UID, FetchAttribute.MODSEQ)
    await send_rows(conversation, view, plan_rows(items), view.uids.positions_of(told))


def _modified(view: View, failed: Sequence[UidRange], *, uid: bool) -> bytes:
    if uid:
        return response_code.modified(number for low, high in failed for number in range(low, high + 1))
    return response_code.modified(index + 1 for each in view.uids.positions_of(failed) for index in each)
