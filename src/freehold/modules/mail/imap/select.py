"""SELECT, EXAMINE, CLOSE, UNSELECT, CHECK (RFC 9051 §6.3, §6.4, RFC 7162 §3)."""

from dataclasses import dataclass

from freehold.modules.mail.folders.access import Access, open_selectable
from freehold.modules.mail.folders.expunge import expunge_messages
from freehold.modules.mail.folders.object_ids import folder_object_id
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.expunge import tell_expunged
from freehold.modules.mail.imap.fetch.resynchronise import resynchronise
from freehold.modules.mail.imap.folders.spelling import tell_selected
from freehold.modules.mail.imap.recent import take_recent
from freehold.modules.mail.imap.selected.folder_state import FolderState, read_state
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.imap.sync import LONG_READ_MESSAGES, flags_and_permanent_flags
from freehold.modules.mail.imap.uid_only import refuse_numbers
from freehold.protocols.imap import data_response, response, response_code
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.select import Check, Close, Select, Unselect
from freehold.protocols.imap.states import State
from freehold.storage.database import Transaction

_CHANGES = Right.INSERT | Right.EXPUNGE | Right.WRITE | Right.DELETE | Right.SEEN
r"""Without any of these SELECT says READ-ONLY (RFC 4314 §5.2, which leaves out a \Seen of one's own: Dovecot
and we do not, since programs keep no \Seen where they read READ-ONLY)."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A folder as one snapshot shows it."""

    access: Access
    state: FolderState


async def select(conversation: Conversation, command: Select) -> Reply:
    """Answer SELECT and EXAMINE.

    Raises:
        FolderNotFoundError: no such folder, or none that the person may know of; no folder is open then.
        RightMissingError: the person may not read it.
        FolderNotSelectableError: it is only there for its children.
    """
    close_previous(conversation)
    if command.qresync is not None and not conversation.qresync:
        return Reply("ENABLE QRESYNC first", status=Status.BAD)
    if conversation.uid_only and command.qresync is not None and command.qresync.known_numbers is not None:
        return refuse_numbers()
    conversation.condstore = conversation.condstore or command.condstore
    opened = await _read(conversation, command.mailbox)
    folder = opened.access.folder
    view = View(opened.access, read_only=command.read_only)
    view.uid_only = conversation.uid_only
    view.open(opened.state.uids, await take_recent(conversation, view, folder.recent_uid, folder.uid_next))
    view.uid_next = folder.uid_next
    view.known_modseq = view.expunged_modseq = folder.modseq
    view.keywords = opened.state.keywords
    _describe(conversation, view, opened)
    if conversation.rev2:
        is_special = bool(folder.special_use) and not view.reader_id
        tell_selected(conversation, command.mailbox, [folder.special_use] if is_special else [])
    else:
        _describe_unseen(conversation, view, opened)
    if command.qresync is not None and command.qresync.uid_validity == view.uid_validity:
        await resynchronise(conversation, view, command.qresync)
    conversation.view = view
    if command.read_only:
        return Reply("Examine completed", response_code.READ_ONLY)
    if not view.rights & _CHANGES:
        return Reply("Select completed", response_code.READ_ONLY)
    return Reply("Select completed", response_code.READ_WRITE)


def close_previous(conversation: Conversation) -> None:
    """Leave the open folder for another one, or for none where SELECT fails (RFC 9051 §6.3.2)."""
    if conversation.view is not None:
        conversation.view = None
        conversation.connection.state = State.AUTHENTICATED
        conversation.send(response.untagged_ok("Previous mailbox closed", response_code.CLOSED))


async def close(conversation: Conversation, _command: Close) -> Reply:
    """Answer CLOSE: expunge without telling, unless by EXAMINE or rights this session may not."""
    view = conversation.selected
    if not view.read_only and Right.EXPUNGE in view.rights:
        context = conversation.context
        expunged = await context.database.write(
            expunge_messages,
            context.blobs,
            (view.mailbox_id, view.folder_id),
            now_ms=context.clock.now_ms(),
        )
        tell_expunged(conversation, view, expunged)
    conversation.view = None
    return Reply("Close completed")


async def unselect(conversation: Conversation, _command: Unselect) -> Reply:
    """Answer UNSELECT."""
    conversation.view = None
    return Reply("Unselect completed")


async def check(_conversation: Conversation, _command: Check) -> Reply:
    """Answer CHECK: all that was answered OK is on disk already."""
    return Reply("Check completed")


async def _read(conversation: Conversation, name: str) -> _Opened:
    """Return a folder that may be read; nothing but its row is read where nothing has happened in it."""
    database, known = conversation.context.database, conversation.context.known.folders
    access = await database.read(open_selectable, conversation.mailbox_id, name, Right.READ)
    before = None if access.reader_id else known.find(access.folder.id)
    if before is not None and before.is_current(access.folder):
        return _Opened(access, before)
    read = database.read_long if access.folder.message_count > LONG_READ_MESSAGES else database.read
    opened = await read(_open, conversation.mailbox_id, name, before)
    if not opened.access.reader_id:
        known.keep(opened.access.folder.id, opened.state, opened.state.size_bytes)
    return opened


async def _open(tx: Transaction, person_id: int, name: str, before: FolderState | None) -> _Opened:
    access = await open_selectable(tx, person_id, name, Right.READ)
    return _Opened(access, await read_state(tx, access, before))


def _describe(conversation: Conversation, view: View, opened: _Opened) -> None:
    folder = opened.access.folder
    lines = (
        flags_and_permanent_flags(view),
        data_response.exists(len(view.uids)),
        response.untagged_ok("UIDs valid", response_code.uid_validity(folder.uid_validity)),
        response.untagged_ok("Predicted next UID", response_code.uid_next(folder.uid_next)),
        response.untagged_ok("Highest", response_code.highest_mod_sequence(folder.modseq)),
        response.untagged_ok("Lasting name", response_code.mailbox_id(folder_object_id(folder.id))),
    )
    conversation.send(b"".join(lines))


def _describe_unseen(conversation: Conversation, view: View, opened: _Opened) -> None:
    """Tell what only clients of IMAP4rev1 are told (RFC 3501 §6.3.1)."""
    conversation.send(data_response.recent(len(view.recent)))
    if opened.state.first_unseen is not None and not view.uid_only:
        number = view.uids.index_of(opened.state.first_unseen) + 1
        conversation.send(response.untagged_ok("First unseen", response_code.unseen(number)))
