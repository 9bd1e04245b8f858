r"""QUIT: what is marked as deleted goes, what was retrieved becomes \Seen (RFC 1939 §6)."""

from dataclasses import dataclass

from freehold.kernel.log import get_logger
from freehold.modules.mail.events import FolderChanged, FolderListChanged
from freehold.modules.mail.folders.expunge import Expunged, expunge_messages
from freehold.modules.mail.folders.flags import FlagChange, FlagMode, change_flags
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.model import Flag
from freehold.modules.mail.pop3.context import Pop3Context
from freehold.modules.mail.pop3.conversation import Conversation
from freehold.modules.mail.pop3.maildrop import Maildrop, check_open
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Transaction

log = get_logger("freehold.mail.pop3")


@dataclass(frozen=True, slots=True)
class _Marks:
    """What changes in a folder: new flags by ranges of UIDs, and what is removed then."""

    place: tuple[int, int]  # mailbox, folder
    flags: list[tuple[Flag, list[UidRange]]]
    deleted: list[UidRange]


async def update(conversation: Conversation) -> None:
    r"""Remove what is marked and note what was read, all in one transaction or nothing.

    A message that somebody else has removed meanwhile is passed over. Where the mailbox asks for it,
    removed messages go to Trash (folders/expunge.py).

    Raises:
        AccessEndedError: the mailbox or its login was disabled or removed.
        FolderFullError: Trash cannot take the messages.
        StorageError: nothing was changed, or, if the connection to the database broke, perhaps all.
    """
    context, maildrop = conversation.context, conversation.maildrop
    marks = _marks_of(maildrop, maildrop.deleted)
    if marks.flags:
        await _commit(context, marks)
    log.info(
        "maildrop left",
        login=conversation.login,
        retrieved=len(maildrop.seen),
        removed=len(maildrop.deleted),
    )
    conversation.opened = None


async def note_seen(context: Pop3Context, maildrop: Maildrop) -> None:
    r"""Mark as \Seen what was retrieved in a session that has ended without QUIT; nothing is removed."""
    await _commit(context, _marks_of(maildrop, set()))


def _marks_of(maildrop: Maildrop, deleted: set[int]) -> _Marks:
    # IMAP's mark decides what goes, and whether it goes to Trash.
    groups = (
        (Flag.SEEN, maildrop.seen - deleted),
        (Flag.SEEN | Flag.DELETED, maildrop.seen & deleted),
        (Flag.DELETED, deleted - maildrop.seen),
    )
    return _Marks(
        (maildrop.mailbox_id, maildrop.folder_id),
        [(flag, maildrop.ranges(numbers)) for flag, numbers in groups if numbers],
        maildrop.ranges(deleted),
    )


async def _commit(context: Pop3Context, marks: _Marks) -> None:
    modseq, expunged = await context.database.write(
        _apply, context.blobs, marks, now_ms=context.clock.now_ms()
    )
    mailbox_id, folder_id = marks.place
    if modseq:
        context.bus.publish(FolderChanged(mailbox_id, folder_id, modseq))
    if expunged.trash_id:
        context.bus.publish(FolderChanged(mailbox_id, expunged.trash_id, expunged.modseq))
    if expunged.made_trash:
        context.bus.publish(FolderListChanged(mailbox_id))


async def _apply(tx: Transaction, blobs: BlobStore, marks: _Marks, *, now_ms: int) -> tuple[int, Expunged]:
    if marks.deleted:
        await check_open(tx, marks.place[0])
    modseq = 0
    for flags, ranges in marks.flags:
        changed = await change_flags(tx, *marks.place, ranges, FlagChange(FlagMode.ADD, int(flags)))
        modseq = max(modseq, changed.modseq)
    if not marks.deleted:
        return modseq, Expunged(0, [])
    expunged = await expunge_messages(tx, blobs, marks.place, marks.deleted, now_ms=now_ms)
    return max(modseq, expunged.modseq), expunged
