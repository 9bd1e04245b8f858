"""FETCH and UID FETCH (RFC 9051 §6.4.5, RFC 7162 §3.1.4)."""

from collections.abc import Sequence

from freehold.modules.mail.folders.flags import FlagChange, FlagMode, change_flags
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.imap.condstore import enable_condstore
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.fetch_bodies import BODY_COLUMNS, BodyItem, marks_seen, send_bodies
from freehold.modules.mail.imap.fetch_rows import send_rows
from freehold.modules.mail.imap.message_rows import plan_rows, ranges_at, read_rows, split_positions
from freehold.modules.mail.imap.resynchronise import tell_vanished
from freehold.modules.mail.imap.view import View
from freehold.modules.mail.model import MAX_UID, Flag
from freehold.protocols.imap import response_code
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.fetch import Fetch, FetchAttribute
from freehold.storage.database import Transaction


async def fetch(conversation: Conversation, command: Fetch) -> Reply:
    """Answer FETCH."""
    view = conversation.selected
    if command.vanished and not conversation.qresync:
        return Reply("ENABLE QRESYNC first", status=Status.BAD)
    if command.changed_since is not None or FetchAttribute.MODSEQ in command.items:
        enable_condstore(conversation)
    rows, bodies = _split(command)
    positions = view.uids.positions(command.messages, uid=command.uid)
    if command.vanished and command.changed_since is not None:
        asked = command.messages.resolve(view.uids.last_uid or view.uid_next - 1)
        await tell_vanished(conversation, view, asked, command.changed_since)
    if not bodies:
        changed = () if command.changed_since is None else (command.changed_since,)
        plan = plan_rows(rows, changed_only=bool(changed))
        return _reply(await send_rows(conversation, view, plan, positions, *changed))
    if command.changed_since is not None:
        positions = await _changed_positions(conversation, view, positions, command.changed_since)
    own: tuple[int, ...] = ()
    if not view.read_only and any(map(marks_seen, bodies)):
        own = await _mark_seen(conversation, view, positions)
    plan = plan_rows(rows, BODY_COLUMNS)
    missing = await send_bodies(conversation, view, plan, bodies, positions)
    return _reply(missing, own if FetchAttribute.FLAGS in rows else ())


def _split(command: Fetch) -> tuple[tuple[FetchAttribute, ...], list[BodyItem]]:
    """Return what comes from rows, and what needs the message itself."""
    rows: list[FetchAttribute] = []
    bodies: list[BodyItem] = []
    for item in command.items:
        if isinstance(item, FetchAttribute) and item is not FetchAttribute.BODY:
            rows.append(item)
        else:
            bodies.append(item)
    if command.uid and FetchAttribute.UID not in rows:
        rows.insert(0, FetchAttribute.UID)
    if command.changed_since is not None and FetchAttribute.MODSEQ not in rows:
        rows.append(FetchAttribute.MODSEQ)
    return tuple(rows), bodies


def _reply(missing: int, own: tuple[int, ...] = ()) -> Reply:
    if missing:
        return Reply("Some messages were already expunged", response_code.EXPUNGEISSUED, own=own)
    return Reply("Fetch completed", own=own)


async def _mark_seen(conversation: Conversation, view: View, positions: Sequence[range]) -> tuple[int, ...]:
    r"""Set \Seen on what is not, in one write; without any there is none."""
    unseen: list[UidRange] = []
    database = conversation.context.database
    for group in split_positions(positions):
        unseen += await database.read(
            _read_unseen, view.folder_id, ranges_at(view, group), conversation.mailbox_id
        )
    if not unseen:
        return ()
    changed = await database.write(
        change_flags,
        conversation.mailbox_id,
        view.folder_id,
        unseen,
        FlagChange(FlagMode.ADD, Flag.SEEN),
    )
    conversation.folder_changed(view.folder_id, changed.modseq)
    return (changed.modseq,)


async def _read_unseen(
    tx: Transaction, folder_id: int, ranges: Sequence[UidRange], mailbox_id: int
) -> list[UidRange]:
    sql = "SELECT id FROM message WHERE id BETWEEN ? AND ? AND mailbox_id = ? AND flags & ? = 0 ORDER BY id"
    rows = await read_rows(tx, sql, folder_id, ranges, mailbox_id, int(Flag.SEEN))
    return [(row[0] & MAX_UID, row[0] & MAX_UID) for row in rows]


async def _changed_positions(
    conversation: Conversation, view: View, positions: Sequence[range], changed_since: int
) -> list[range]:
    """Return the positions of the messages whose modseq is greater."""
    plan = plan_rows((), changed_only=True)
    found: list[range] = []
    for group in split_positions(positions):
        rows = await conversation.context.database.read(
            read_rows,
            plan.sql,
            view.folder_id,
            ranges_at(view, group),
            conversation.mailbox_id,
            changed_since,
        )
        uids = [(row[0] & MAX_UID, row[0] & MAX_UID) for row in rows]
        found += view.uids.positions_of(uids)
    return found
