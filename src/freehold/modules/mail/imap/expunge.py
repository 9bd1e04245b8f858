"""EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, RFC 4315 §2.1)."""

from freehold.modules.mail.folders.expunge import Expunged, expunge_messages
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.protocols.imap import response_code
from freehold.protocols.imap.expunge import Expunge


async def expunge(conversation: Conversation, command: Expunge) -> Reply:
    """Answer EXPUNGE; what is gone is told with all other changes before the tagged reply.

    Raises:
        ReadOnlyError: the folder was opened by EXAMINE.
    """
    view = conversation.writable
    positions = [range(len(view.uids))]
    if command.uids is not None:
        positions = view.uids.positions(command.uids, uid=True)
    ranges = [uids for each in positions for uids in view.uids.uid_ranges(each.start, each.stop)]
    context = conversation.context
    expunged = await context.database.write(
        expunge_messages,
        context.blobs,
        (conversation.mailbox_id, view.folder_id),
        ranges,
        now_ms=context.clock.now_ms(),
    )
    tell_expunged(conversation, view.folder_id, expunged)
    if conversation.condstore and expunged.modseq:
        return Reply("Expunge completed", response_code.highest_mod_sequence(expunged.modseq))
    return Reply("Expunge completed")


def tell_expunged(conversation: Conversation, folder_id: int, expunged: Expunged) -> None:
    """Tell other sessions what was removed, and of Trash if it went there."""
    conversation.folder_changed(folder_id, expunged.modseq)
    if expunged.trash_id:
        conversation.folder_changed(expunged.trash_id, expunged.modseq)
    if expunged.made_trash:
        conversation.folders_changed()
