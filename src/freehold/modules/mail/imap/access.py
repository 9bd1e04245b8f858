"""The way of every command to a folder: whose it is, and what the person may do with it (RFC 4314 §4)."""

from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.access import Access, open_selectable
from freehold.modules.mail.folders.errors import RightMissingError
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.errors import TargetMissingError
from freehold.modules.mail.imap.selected.view import View


async def open_target(conversation: Conversation, name: str) -> Access:
    """Return the folder that messages should go to, into which the person may put them.

    Raises:
        TargetMissingError: no such folder, or one that the person may not know of; the client may make it.
        RightMissingError: the person may not insert messages.
        FolderNotSelectableError: it is only there for its children.
    """
    try:
        return await conversation.context.database.read(
            open_selectable, conversation.mailbox_id, name, Right.INSERT
        )
    except FolderNotFoundError as error:
        raise TargetMissingError from error


def require_rights(view: View, needed: Right) -> None:
    """Return if the person may do this in the open folder.

    Raises:
        RightMissingError: a right is missing.
    """
    if needed & ~view.rights:
        raise RightMissingError
