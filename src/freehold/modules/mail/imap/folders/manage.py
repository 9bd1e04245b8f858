"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, NAMESPACE (RFC 9051 §6.3, RFC 6154)."""

from freehold.modules.mail.folders.errors import SpecialUseError
from freehold.modules.mail.folders.manage import (
    create_for,
    delete_for,
    rename_for,
    subscribe_for,
    unsubscribe_for,
)
from freehold.modules.mail.folders.names import DELIMITER, OTHER_USERS
from freehold.modules.mail.folders.object_ids import folder_object_id
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.folders.spelling import tell_renamed, tell_spelling
from freehold.protocols.imap import data_response, response, response_code
from freehold.protocols.imap.mailbox import Create, Delete, Namespace, Rename, Subscribe, Unsubscribe
from freehold.protocols.imap.states import State


async def create(conversation: Conversation, command: Create) -> Reply:
    """Answer CREATE, perhaps with a special use.

    Raises:
        FolderExistsError: the name is taken.
        FolderNameError: it cannot be a folder's.
        FolderNotFoundError, RightMissingError: the person may not make it there.
        SpecialUseError: the special use is unknown or taken, or more than one was asked for.
    """
    if len(command.special_uses) > 1:
        raise SpecialUseError("a folder has one special use at the most")
    context = conversation.context
    folder_id, mailbox_id = await context.database.write(
        create_for,
        conversation.mailbox_id,
        command.mailbox,
        special_use="".join(command.special_uses),
        now_ms=context.clock.now_ms(),
    )
    conversation.folders_changed(mailbox_id=mailbox_id)
    tell_spelling(conversation, command.mailbox)
    return Reply("Create completed", response_code.mailbox_id(folder_object_id(folder_id)))


async def delete(conversation: Conversation, command: Delete) -> Reply:
    """Answer DELETE.

    Raises:
        InboxError: INBOX cannot be deleted.
        FolderNotFoundError: no such folder, or none that the person may know of.
        RightMissingError: the person may not delete it.
        FolderHasChildrenError: it is only there for its children.
    """
    context = conversation.context
    folder_id, mailbox_id = await context.database.write(
        delete_for, context.blobs, conversation.mailbox_id, command.mailbox
    )
    conversation.folders_changed(mailbox_id=mailbox_id)
    conversation.folder_closed(folder_id, mailbox_id=mailbox_id)
    if conversation.view is not None and conversation.view.folder_id == folder_id:
        conversation.view = None
        conversation.connection.state = State.AUTHENTICATED
        conversation.send(response.untagged_ok("The selected mailbox was deleted", response_code.CLOSED))
    tell_spelling(conversation, command.mailbox, ("\\NonExistent",))
    return Reply("Delete completed")


async def rename(conversation: Conversation, command: Rename) -> Reply:
    """Answer RENAME.

    Raises:
        FolderNotFoundError: no such folder, or none that the person may know of.
        RightMissingError: the person may not move it away, or not to there.
        FolderExistsError: the new name is taken.
        FolderNameError: it cannot be a folder's, lies under the old one, or with another person.
    """
    context = conversation.context
    folder_id, mailbox_id = await context.database.write(
        rename_for,
        conversation.mailbox_id,
        command.mailbox,
        command.new_name,
        now_ms=context.clock.now_ms(),
        max_annotations=context.settings.max_metadata_entries,
    )
    conversation.folders_changed(mailbox_id=mailbox_id)
    conversation.folder_closed(folder_id, mailbox_id=mailbox_id)
    tell_renamed(conversation, command.mailbox, command.new_name)
    return Reply("Rename completed")


async def subscribe(conversation: Conversation, command: Subscribe) -> Reply:
    """Answer SUBSCRIBE.

    Raises:
        FolderNotFoundError: no such folder, or none that the person may know of.
    """
    await conversation.context.database.write(subscribe_for, conversation.mailbox_id, command.mailbox)
    conversation.folders_changed()
    return Reply("Subscribe completed")


async def unsubscribe(conversation: Conversation, command: Unsubscribe) -> Reply:
    """Answer UNSUBSCRIBE; it is no error if there was no subscription."""
    await conversation.context.database.write(unsubscribe_for, conversation.mailbox_id, command.mailbox)
    conversation.folders_changed()
    return Reply("Unsubscribe completed")


async def namespace(conversation: Conversation, _command: Namespace) -> Reply:
    """Answer NAMESPACE: the person's own folders, and those of others (RFC 2342 §5)."""
    conversation.send(data_response.namespace([""], [OTHER_USERS + DELIMITER]))
    return Reply("Namespace completed")
