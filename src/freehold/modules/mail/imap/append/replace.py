"""What REPLACE adds to APPEND: the message that goes, and how both are told (RFC 8508)."""

from freehold.modules.mail.imap.access import require_rights
from freehold.modules.mail.imap.append.store import REPLACES, Outgoing, ReplacedMissingError, Stored
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.errors import UidRequiredError
from freehold.modules.mail.imap.expunge import tell_expunged
from freehold.modules.mail.imap.sync import tell_changes
from freehold.modules.mail.model import message_id
from freehold.protocols.imap import response, response_code
from freehold.protocols.imap.events import Replaced
from freehold.storage.database import Transaction


async def find_outgoing(conversation: Conversation, replaced: Replaced) -> Outgoing:
    r"""Return the message that a REPLACE names.

    Raises:
        ReadOnlyError: the folder was opened by EXAMINE.
        RightMissingError: the person may not mark messages \Deleted and expunge them.
        ReplacedMissingError: there is no such message.
        UidRequiredError: it is named by a number, and those are off.
    """
    if conversation.uid_only and not replaced.uid:
        raise UidRequiredError
    view = conversation.writable
    require_rights(view, REPLACES)
    positions = view.uids.positions(replaced.message, uid=replaced.uid)
    if not positions:
        raise ReplacedMissingError
    uid = view.uids.uid_at(positions[0].start)
    size = await conversation.context.database.read(_read_size, message_id(view.folder_id, uid))
    return Outgoing(view.mailbox_id, view.folder_id, view.reader_id, uid, size)


async def tell_replaced(conversation: Conversation, stored: Stored, uids: bytes | None) -> Reply:
    """Tell of the new message (`uids` is its APPENDUID) before the expunge, as RFC 8508 §4.3 has it.

    Others are told of the expunge. The reply is that of UID EXPUNGE (RFC 8508 §4.5).
    """
    view = conversation.selected
    if uids is not None:
        conversation.send(response.untagged_ok("Replacement message ready", uids))
    expunged = stored.expunged
    if expunged is not None:
        tell_expunged(conversation, view, expunged)
    await tell_changes(conversation, expunges=False)
    if expunged is not None and conversation.condstore:
        return Reply("Replace completed", response_code.highest_mod_sequence(expunged.modseq))
    return Reply("Replace completed")


async def _read_size(tx: Transaction, row_id: int) -> int:
    row = await tx.fetch_one("SELECT size_bytes FROM message WHERE id = ?", row_id)
    if row is None:
        raise ReplacedMissingError
    return int(row[0])
