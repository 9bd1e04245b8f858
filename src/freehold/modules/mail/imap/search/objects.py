"""Finds what the object ids in a search stand for, before it is planned (RFC 8474 §6)."""

from dataclasses import replace

from freehold.modules.mail.folders.object_ids import EmailIds, read_email_ids
from freehold.modules.mail.imap.conversation import Conversation
from freehold.protocols.imap.search_keys import And, EmailId, Not, Or, SearchKey


async def find_objects(conversation: Conversation, folder_id: int, key: SearchKey) -> SearchKey:
    """Return the key with the content of each EMAILID in it; one that is no id of ours matches nothing.

    Raises:
        FolderNotFoundError: an id is looked for, and the folder is gone.
    """
    if not _has_email_id(key):
        return key
    return _found(key, await conversation.context.database.read(read_email_ids, folder_id))


def _has_email_id(key: SearchKey) -> bool:
    match key:
        case EmailId():
            return True
        case And(keys) | Or(keys):
            return any(map(_has_email_id, keys))
        case Not(inner):
            return _has_email_id(inner)
        case _:
            return False


def _found(key: SearchKey, ids: EmailIds) -> SearchKey:
    match key:
        case EmailId(object_id):
            return replace(key, number=ids.blob_of(object_id))
        case And(keys):
            return And(tuple(_found(each, ids) for each in keys))
        case Or(keys):
            return Or(tuple(_found(each, ids) for each in keys))
        case Not(inner):
            return Not(_found(inner, ids))
        case _:
            return key
