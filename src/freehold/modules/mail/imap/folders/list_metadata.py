"""What LIST tells of folders' annotations along with their names (RFC 9590)."""

from collections.abc import Sequence

from freehold.modules.mail.folders.metadata import read_all
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.folders.list_tree import Entry
from freehold.protocols.imap.metadata import metadata_line
from freehold.storage.database import Transaction


async def metadata_lines(
    conversation: Conversation, entries: Sequence[Entry], wanted: Sequence[str]
) -> list[bytes]:
    """Return a METADATA response for each folder that the person may read; without entries wanted, none.

    An entry without a value is NIL (RFC 9590 §3).
    """
    if not wanted:
        return []
    found = await conversation.context.database.read(_read, conversation.mailbox_id, entries)
    utf8 = conversation.connection.utf8
    return [
        metadata_line(name, [(entry, values.get(entry.lower())) for entry in wanted], utf8=utf8)
        for name, values in found.items()
    ]


async def _read(tx: Transaction, person_id: int, entries: Sequence[Entry]) -> dict[str, dict[str, bytes]]:
    found = {}
    for entry in entries:
        access = entry.access
        if access is not None and access.folder.is_selectable and Right.READ in access.rights:
            found[entry.name] = await read_all(tx, access.mailbox_id, access.folder.id, person_id)
    return found
