"""FETCH and UID FETCH (RFC 9051 §6.4.5, RFC 7162 §3.1.4)."""

from collections.abc import Sequence

from freehold.modules.mail.folders.flags import FlagChange, FlagMode, change_flags
from freehold.modules.mail.folders.lost_changes import known_modseq
from freehold.modules.mail.folders.messages import MESSAGES
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.folders.seen import mark_seen
from freehold.modules.mail.imap.condstore import enable_condstore
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.fetch.bodies import BODY_COLUMNS, send_bodies
from freehold.modules.mail.imap.fetch.body_items import marks_seen
from freehold.modules.mail.imap.fetch.resynchronise import tell_vanished
from freehold.modules.mail.imap.fetch.rows import send_rows
from freehold.modules.mail.imap.messages.content import BodyItem
from freehold.modules.mail.imap.messages.rows import plan_rows, read_messages, select_page, split_positions
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.imap.sync import flag_items
from freehold.modules.mail.model import MAX_UID, Flag
from freehold.protocols.imap import response_code
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.fetch import Fetch, FetchAttribute

_UNSEEN = (
    f"SELECT m.id FROM {MESSAGES} WHERE m.id BETWEEN ? AND ?"  # noqa: S608 - this program's own words
    " AND m.mailbox_id = ? AND m.flags & ? = 0 ORDER BY m.id"
)


async def fetch(conversation: Conversation, command: Fetch) -> Reply:
    """Answer FETCH."""
    view = conversation.selected
    if command.vanished and not conversation.qresync:
        return Reply("ENABLE QRESYNC first", status=Status.BAD)
    if command.changed_since is not None or FetchAttribute.MODSEQ in command.items:
        enable_condstore(conversation)
    rows, bodies = _split(command, uid_only=view.uid_only)
    positions = view.uids.positions(command.messages, uid=command.uid)
    if command.partial is not None:
        positions = select_page(positions, command.partial)
    if command.vanished and command.changed_since is not None:
        asked = command.messages.resolve(view.uids.last_uid or view.uid_next - 1)
        await tell_vanished(conversation, view, asked, command.changed_since)
    since = command.changed_since
    if since is not None:
        since = await conversation.context.database.read(known_modseq, view.mailbox_id, since)
    if not bodies:
        changed = () if since is None else (since,)
        plan = plan_rows(rows, changed_only=bool(changed))
        return _reply(await send_rows(conversation, view, plan, positions, *changed))
    if since is not None:
        positions = await _changed_positions(conversation, view, positions, since)
    own: tuple[int, ...] = ()
    if not view.read_only and Right.SEEN in view.rights and any(map(marks_seen, bodies)):
        own = await _mark_seen(conversation, view, positions)
    plan = plan_rows(rows, BODY_COLUMNS)
    sent = await send_bodies(conversation, view, plan, bodies, positions)
    own = own if _tells_flags(conversation, rows) else ()
    if sent.undecodable:
        return Reply("Unknown Content-Transfer-Encoding", response_code.UNKNOWN_CTE, Status.NO, own)
    return _reply(sent.missing, own)


def _split(command: Fetch, *, uid_only: bool) -> tuple[tuple[FetchAttribute, ...], list[BodyItem]]:
    """Return what comes from rows, and what needs the message itself."""
    rows: list[FetchAttribute] = []
    bodies: list[BodyItem] = []
    for item in command.items:
        if isinstance(item, FetchAttribute) and item is not FetchAttribute.BODY:
            rows.append(item)
        else:
            bodies.append(item)
    if command.uid and not uid_only and FetchAttribute.UID not in rows:
        rows.insert(0, FetchAttribute.UID)
    if command.changed_since is not None and FetchAttribute.MODSEQ not in rows:
        rows.append(FetchAttribute.MODSEQ)
    return tuple(rows), bodies


def _tells_flags(conversation: Conversation, rows: Sequence[FetchAttribute]) -> bool:
    r"""Tell whether what is sent anyway says all about a \Seen that was set (RFC 7162 §3.2.4)."""
    if not conversation.condstore:
        return FetchAttribute.FLAGS in rows
    return set(flag_items(conversation, uid=False)) <= set(rows)


def _reply(missing: int, own: tuple[int, ...] = ()) -> Reply:
    if missing:
        return Reply("Some messages were already expunged", response_code.EXPUNGEISSUED, own=own)
    return Reply("Fetch completed", own=own)


async def _mark_seen(conversation: Conversation, view: View, positions: Sequence[range]) -> tuple[int, ...]:
    r"""Set \Seen on what is not, in one write; without any there is none."""
    unseen: list[UidRange] = []
    database = conversation.context.database
    for group in split_positions(positions):
        rows = await read_messages(database, view, _UNSEEN, group, int(Flag.SEEN))
        unseen += [(row[0] & MAX_UID, row[0] & MAX_UID) for row in rows]
    if not unseen:
        return ()
    if view.reader_id:
        changed = await database.write(mark_seen, view.reading, unseen, seen=True)
    else:
        change = FlagChange(FlagMode.ADD, Flag.SEEN)
        changed = await database.write_relaxed(change_flags, view.mailbox_id, view.folder_id, unseen, change)
    conversation.folder_changed(view.folder_id, changed.modseq, mailbox_id=view.mailbox_id)
    return (changed.modseq,)


async def _changed_positions(
    conversation: Conversation, view: View, positions: Sequence[range], changed_since: int
) -> list[range]:
    """Return the positions of the messages whose modseq is greater."""
    plan = plan_rows((), changed_only=True)
    found: list[range] = []
    for group in split_positions(positions):
        rows = await read_messages(conversation.context.database, view, plan.sql, group, changed_since)
        uids = [(row[0] & MAX_UID, row[0] & MAX_UID) for row in rows]
        found += view.uids.positions_of(uids)
    return found
