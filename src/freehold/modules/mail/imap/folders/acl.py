"""SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS: who may do what with a folder (RFC 4314)."""

from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.access import Access, open_access
from freehold.modules.mail.folders.rights import (
    KEPT_BY_OWNER,
    LETTERS,
    NO_RIGHTS,
    OBSOLETE_LETTERS,
    Right,
    parse_rights,
    rights_text,
)
from freehold.modules.mail.folders.share import (
    Entry,
    Holder,
    RightsChange,
    change_rights,
    find_holder,
    list_entries,
    remove_rights,
)
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.protocols.imap import acl
from freehold.protocols.imap.acl import DeleteAcl, GetAcl, ListRights, MyRights, RightsAction, SetAcl
from freehold.storage.database import Transaction

_CHANGES = {
    RightsAction.REPLACE: RightsChange.REPLACE,
    RightsAction.ADD: RightsChange.ADD,
    RightsAction.REMOVE: RightsChange.REMOVE,
}
_KNOWN_BY = Right.LOOKUP | Right.READ | Right.INSERT | Right.CREATE | Right.REMOVE | Right.ADMINISTER
"""Who has one of these may ask for their rights (RFC 4314 §4)."""


async def set_acl(conversation: Conversation, command: SetAcl) -> Reply:
    """Answer SETACL.

    Raises:
        FolderNotFoundError: no such folder, or none that the person may know of.
        RightMissingError: the person may not administer it.
        IdentifierError: the identifier is nobody's.
        TooManySharesError: the folder is shared with too many.
    """
    access, holder = await conversation.context.database.write(
        _set, conversation.mailbox_id, command, parse_rights(command.rights)
    )
    _tell(conversation, access, holder)
    return Reply("Setacl completed")


async def delete_acl(conversation: Conversation, command: DeleteAcl) -> Reply:
    """Answer DELETEACL; it is no error if there was no such entry.

    Raises:
        FolderNotFoundError, RightMissingError, IdentifierError: as `set_acl`.
    """
    access, holder = await conversation.context.database.write(_delete, conversation.mailbox_id, command)
    _tell(conversation, access, holder)
    return Reply("Deleteacl completed")


async def get_acl(conversation: Conversation, command: GetAcl) -> Reply:
    """Answer GETACL.

    Raises:
        FolderNotFoundError, RightMissingError: as `set_acl`.
    """
    entries = await conversation.context.database.read(_get, conversation.mailbox_id, command)
    pairs = [(entry.identifier, rights_text(entry.rights)) for entry in entries]
    conversation.send(acl.acl_line(command.mailbox, pairs, utf8=conversation.connection.utf8))
    return Reply("Getacl completed")


async def list_rights(conversation: Conversation, command: ListRights) -> Reply:
    """Answer LISTRIGHTS: each right can be given alone, but the owner keeps some.

    Raises:
        FolderNotFoundError, RightMissingError, IdentifierError: as `set_acl`.
    """
    access, holder = await conversation.context.database.read(_find, conversation.mailbox_id, command)
    is_owner = holder.id == access.mailbox_id and not holder.is_negative
    required = KEPT_BY_OWNER if is_owner else NO_RIGHTS
    optional = [letter for letter, right in LETTERS.items() if not right & required]
    line = acl.list_rights_line(
        command.mailbox,
        command.identifier,
        rights_text(required),
        [*optional, *OBSOLETE_LETTERS],
        utf8=conversation.connection.utf8,
    )
    conversation.send(line)
    return Reply("Listrights completed")


async def my_rights(conversation: Conversation, command: MyRights) -> Reply:
    """Answer MYRIGHTS.

    Raises:
        FolderNotFoundError: no such folder, or one with which the person may do nothing.
    """
    access = await conversation.context.database.read(open_access, conversation.mailbox_id, command.mailbox)
    if not access.rights & _KNOWN_BY:
        raise FolderNotFoundError
    rights = rights_text(access.rights)
    conversation.send(acl.my_rights_line(command.mailbox, rights, utf8=conversation.connection.utf8))
    return Reply("Myrights completed")


def _tell(conversation: Conversation, access: Access, holder: Holder) -> None:
    """Have idling sessions look at their rights, and those of the people concerned at their folders."""
    conversation.folder_closed(access.folder.id, mailbox_id=access.mailbox_id)
    conversation.folders_changed(mailbox_id=access.mailbox_id)
    if holder.id > 0 and holder.id != access.mailbox_id:
        conversation.folders_changed(mailbox_id=holder.id)


async def _set(tx: Transaction, person_id: int, command: SetAcl, rights: Right) -> tuple[Access, Holder]:
    access = await open_access(tx, person_id, command.mailbox, Right.ADMINISTER)
    change = _CHANGES[command.action]
    return access, await change_rights(tx, access, command.identifier, rights, change)


async def _delete(tx: Transaction, person_id: int, command: DeleteAcl) -> tuple[Access, Holder]:
    access = await open_access(tx, person_id, command.mailbox, Right.ADMINISTER)
    return access, await remove_rights(tx, access, command.identifier)


async def _get(tx: Transaction, person_id: int, command: GetAcl) -> list[Entry]:
    return await list_entries(tx, await open_access(tx, person_id, command.mailbox, Right.ADMINISTER))


async def _find(tx: Transaction, person_id: int, command: ListRights) -> tuple[Access, Holder]:
    access = await open_access(tx, person_id, command.mailbox, Right.ADMINISTER)
    return access, await find_holder(tx, access, command.identifier)
