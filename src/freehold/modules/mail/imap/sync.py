"""Brings a session's view of its folder up to date and tells the client (RFC 9051 §5.2, §7.4, §7.5)."""

import asyncio
from collections.abc import Collection

from freehold.modules.mail.folders.access import rights_now
from freehold.modules.mail.folders.ranges import UidRange, subtract_ranges
from freehold.modules.mail.folders.read import (
    FolderChanges,
    changes_since,
    folder_modseq,
    read_uids,
)
from freehold.modules.mail.folders.rights import ALL_RIGHTS, Right, permitted_flags
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.errors import FolderClosedError
from freehold.modules.mail.imap.messages.flag_bytes import SYSTEM_BITS
from freehold.modules.mail.imap.messages.rows import (
    Chunk,
    make_chunk,
    plan_rows,
    read_messages,
    split_positions,
    write_chunk,
)
from freehold.modules.mail.imap.recent import take_recent
from freehold.modules.mail.imap.search.context import tell_changed_results, tell_expunged_results
from freehold.modules.mail.imap.selected.view import View
from freehold.protocols.imap import data_response, response, response_code
from freehold.protocols.imap.fetch import FetchAttribute

LONG_READ_MESSAGES = 20_000
"""A folder with more is read through off the loop's thread."""


async def tell_changes(
    conversation: Conversation, *, expunges: bool, own: Collection[int] = (), uid: bool = False
) -> list[UidRange]:
    """Tell what happened in the open folder since it was last told; returns which messages are new.

    Without `expunges` those wait for a later command. Flags changed at the modseqs in `own` are not
    told: the command that changed them does that. With `uid` flags are told along with the UID.
    What NOTIFY does not ask for stays untold, and is told when it does (RFC 5465 §3.1).

    Raises:
        FolderClosedError: the folder is gone, or may no longer be read.
    """
    view = conversation.view
    if view is None:
        return []
    await refresh_rights(conversation)
    wish = conversation.notify
    expunges = expunges or (wish is not None and wish.tells_expunges_at_once)
    tells_flags = wish is None or wish.tells_flags
    if own and wish is None and view.known_modseq == view.expunged_modseq == max(own):
        return []  # nothing had happened before the command's own change; what did since can wait
    database = conversation.context.database
    newest = await database.read(folder_modseq, view.mailbox_id, view.folder_id, view.reader_id)
    if newest is None:
        raise FolderClosedError
    if wish is not None and not wish.tells_messages:
        return []
    told = view.known_modseq if tells_flags else view.expunged_modseq
    if newest == told and (not expunges or newest == view.expunged_modseq):
        return []
    changes = await _read_changes(conversation, view)
    recent = len(view.recent)
    if expunges:
        await tell_expunged_results(conversation, view, changes.expunged)
        _tell_expunged(conversation, view, changes.expunged)
    await _tell_added(conversation, view, changes)
    if not changes.added and len(view.recent) < recent:
        conversation.send(data_response.recent(len(view.recent)))  # RFC 3501 §7.3.2, and as Dovecot does
    if expunges or not changes.expunged:
        view.expunged_modseq = changes.modseq
    if tells_flags:
        known, view.known_modseq = view.known_modseq, changes.modseq
        await _tell_flags(conversation, view, changes.flags, known, own, uid=uid or wish is not None)
    await tell_changed_results(conversation, view, [*changes.flags, *changes.added])
    return changes.added


def has_untold_expunges(view: View) -> bool:
    """Tell whether messages are gone that the client, as far as it was told, still has."""
    return view.expunged_modseq < view.known_modseq


async def _read_changes(conversation: Conversation, view: View) -> FolderChanges:
    """Read what happened since flags or expunges were last told, whichever is longer ago."""
    changes = await conversation.context.database.read(
        changes_since,
        view.mailbox_id,
        view.folder_id,
        min(view.expunged_modseq, view.known_modseq),
        from_uid=view.uid_next,
        reader_id=view.reader_id,
    )
    if changes is None:
        raise FolderClosedError
    return changes if changes.is_complete else await _compare(conversation, view, changes)


async def refresh_rights(conversation: Conversation, *, is_shared: bool = False) -> None:
    """Bring the rights on the open folder up to date; tells what flags may be set if that changed.

    Nothing is read for a folder of the person's own, unless it has been restricted or `is_shared` says that
    it may have been.

    Raises:
        FolderClosedError: it may no longer be read (RFC 4314 §5.1.1).
    """
    view = conversation.view
    if view is None or not (is_shared or view.reader_id or view.rights != ALL_RIGHTS):
        return
    rights = await conversation.context.database.read(
        rights_now, view.folder_id, view.mailbox_id, conversation.mailbox_id
    )
    if rights == view.rights:
        return
    if Right.READ not in rights:
        raise FolderClosedError
    view.rights = rights
    conversation.send(flags_and_permanent_flags(view))


def tell_keywords(conversation: Conversation, view: View, chunk: Chunk) -> None:
    """Tell FLAGS anew when a message of the chunk has a keyword that the client does not know yet."""
    lists = set(chunk.columns["m.keywords"])
    if lists == {""}:
        return
    fresh = {name for each in lists for name in str(each).split(" ") if name} - view.keywords
    if fresh:
        view.keywords |= fresh
        conversation.send(flags_and_permanent_flags(view))


def flags_and_permanent_flags(view: View) -> bytes:
    """Write the untagged FLAGS and PERMANENTFLAGS of a view."""
    names = [*SYSTEM_BITS, *sorted(view.keywords)]
    permanent: list[str] = []
    keywords = not view.read_only and Right.WRITE in view.rights
    if not view.read_only:
        permitted = permitted_flags(view.rights)
        permanent = [name for name, bit in SYSTEM_BITS.items() if bit & permitted]
    if keywords:
        permanent += sorted(view.keywords)
    return data_response.flags_line(names) + response.untagged_ok(
        "Flags permitted" if permanent else "Read-only",
        response_code.permanent_flags(permanent, keywords=keywords),
    )


async def _compare(conversation: Conversation, view: View, changes: FolderChanges) -> FolderChanges:
    """Find out by comparison what the change log no longer tells."""
    database = conversation.context.database
    now = await database.read_long(read_uids, view.mailbox_id, view.folder_id)
    before = list(view.uids.uid_ranges(0, len(view.uids)))
    return FolderChanges(
        changes.modseq,
        changes.uid_next,
        changes.recent_uid,
        is_complete=True,
        expunged=subtract_ranges(before, now),
        flags=before,
        added=subtract_ranges(now, before),
    )


def _tell_expunged(conversation: Conversation, view: View, expunged: list[UidRange]) -> None:
    if not expunged:
        return
    if conversation.qresync or view.uid_only:
        known = view.uids.positions_of(expunged)
        gone = [uids for each in known for uids in view.uids.uid_ranges(each.start, each.stop)]
        conversation.send(data_response.vanished(gone))
        view.remove(expunged)
        return
    numbers = view.remove(expunged)
    conversation.send(
        b"".join(data_response.expunge(index + 1) for each in reversed(numbers) for index in reversed(each))
    )


async def _tell_added(conversation: Conversation, view: View, changes: FolderChanges) -> None:
    """Tell EXISTS and, before IMAP4rev2, RECENT; a session that may write takes the messages' recency."""
    added = changes.added
    if added:
        view.add(added, await take_recent(conversation, view, changes.recent_uid, added[-1][1] + 1))
        told = data_response.exists(len(view.uids))
        conversation.send(told if conversation.rev2 else told + data_response.recent(len(view.recent)))
    view.uid_next = max(view.uid_next, changes.uid_next)


async def _tell_flags(
    conversation: Conversation,
    view: View,
    changed: list[UidRange],
    known: int,
    own: Collection[int],
    *,
    uid: bool,
) -> None:
    """Tell the flags of messages that changed after `known`, at modseqs that are not `own`."""
    if not changed:
        return
    positions = view.uids.positions_of(changed)
    plan = plan_rows(flag_items(conversation, uid=uid), ("m.modseq",), changed_only=True)
    modseq_column = 1 + plan.columns.index("m.modseq")
    for group in split_positions(positions):
        rows = await read_messages(conversation.context.database, view, plan.sql, group, known)
        chunk = make_chunk(view, plan, group, [row for row in rows if row[modseq_column] not in own])
        if chunk.numbers:
            tell_keywords(conversation, view, chunk)
            conversation.send(write_chunk(view, plan, chunk))
            await conversation.peer.flush()
            await asyncio.sleep(0)


def flag_items(conversation: Conversation, *, uid: bool) -> tuple[FetchAttribute, ...]:
    """Return the items by which changes of flags are told.

    The UID is always among them with IMAP4rev2 (RFC 9051 §7.5.2) and with CONDSTORE (RFC 7162 §3.2.4).
    """
    items: tuple[FetchAttribute, ...] = (FetchAttribute.FLAGS,)
    if (uid or conversation.condstore or conversation.rev2) and not conversation.uid_only:
        items = (FetchAttribute.UID, *items)
    if conversation.condstore:
        items += (FetchAttribute.MODSEQ,)
    return items
