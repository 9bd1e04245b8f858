r"""Which messages are \Recent in a session: those that no session before it was told of (RFC 3501 §2.3.2)."""

from freehold.kernel.log import get_logger
from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.read import claim_recent
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.selected.view import View
from freehold.storage.database import StorageError

log = get_logger("freehold.mail.imap")


async def take_recent(conversation: Conversation, view: View, first: int, behind: int) -> tuple[int, int]:
    r"""Return which UIDs of first…behind-1, which nobody had claimed, are \Recent here; IMAP4rev2 has none.

    A session that may change the folder claims them; another of the same moment may have been quicker.
    Where storage does not take the claim, for it is full, they are \Recent and unclaimed: mail can be read.
    """
    if conversation.rev2:
        return behind, behind
    if view.read_only or view.reader_id or first >= behind:
        return first, behind
    database = conversation.context.database
    try:
        return await database.write(claim_recent, view.mailbox_id, view.folder_id, below_uid=behind)
    except (FolderNotFoundError, StorageError) as error:
        log.warning("recent messages not claimed", folder_id=view.folder_id, reason=error.public)
        return first, behind
