"""EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, RFC 4315 §2.1)."""

from freehold.modules.mail.folders.expunge import Expunged, expunge_messages
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.imap.access import require_rights
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.selected.view import View
from freehold.protocols.imap import response_code
from freehold.protocols.imap.expunge import Expunge


async def expunge(conversation: Conversation, command: Expunge) -> Reply:
    """Answer EXPUNGE; what is gone is told with all other changes before the tagged reply.

    Raises:
        ReadOnlyError: the folder was opened by EXAMINE.
        RightMissingError: the person may not expunge.
    """
    view = conversation.writable
    require_rights(view, Right.EXPUNGE)
    positions = [range(len(view.uids))]
    if command.uids is not None:
        positions = view.uids.positions(command.uids, uid=True)
    ranges = [uids for each in positions for uids in view.uids.uid_ranges(each.start, each.stop)]
    context = conversation.context
    expunged = await context.database.write(
        expunge_messages,
        context.blobs,
        (view.mailbox_id, view.folder_id),
        ranges,
        now_ms=context.clock.now_ms(),
    )
    tell_expunged(conversation, view, expunged)
    if conversation.condstore and expunged.modseq:
        return Reply("Expunge completed", response_code.highest_mod_sequence(expunged.modseq))
    return Reply("Expunge completed")


def tell_expunged(conversation: Conversation, view: View, expunged: Expunged) -> None:
    """Tell other sessions what was removed, and of Trash if it went there."""
    mailbox_id = view.mailbox_id
    conversation.folder_changed(view.folder_id, expunged.modseq, mailbox_id=mailbox_id)
    if expunged.trash_id:
        conversation.folder_changed(expunged.trash_id, expunged.modseq, mailbox_id=mailbox_id)
    if expunged.made_trash:
        conversation.folders_changed(mailbox_id=mailbox_id)
