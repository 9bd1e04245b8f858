"""Sharing as the one decides who owns the mailbox, or runs the host: no right on the folder is needed."""

from dataclasses import dataclass

from freehold.accounts.model import Actor
from freehold.modules.mail.addresses.mailboxes import visible_mailbox
from freehold.modules.mail.folders.access import Access, open_access
from freehold.modules.mail.folders.read import list_folders
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.folders.share import (
    Entry,
    Holder,
    RightsChange,
    change_rights,
    list_entries,
    remove_rights,
)
from freehold.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Share:
    """One entry of a folder's list."""

    folder: str
    entry: Entry


async def share_folder(
    tx: Transaction, actor: Actor, address: str, folder: str, entry: Entry
) -> tuple[Access, Holder]:
    """Let whom an entry names do with a person's folder what it says, and no more.

    Raises:
        MailboxNotFoundError: there is no such mailbox for this actor.
        FolderNotFoundError: it has no such folder.
        IdentifierError: the identifier is nobody's.
        TooManySharesError: the folder is shared with too many.
    """
    access = await _open(tx, actor, address, folder)
    return access, await change_rights(tx, access, entry.identifier, entry.rights, RightsChange.REPLACE)


async def unshare_folder(
    tx: Transaction, actor: Actor, address: str, folder: str, identifier: str
) -> tuple[Access, Holder]:
    """Remove an identifier's entry; it is no error if there is none.

    Raises:
        MailboxNotFoundError, FolderNotFoundError, IdentifierError: as `share_folder`.
    """
    access = await _open(tx, actor, address, folder)
    return access, await remove_rights(tx, access, identifier)


async def list_shares(tx: Transaction, actor: Actor, address: str) -> list[Share]:
    """Return the entries of all shared folders of a mailbox, the owner's own left out, by folder.

    Raises:
        MailboxNotFoundError: there is no such mailbox for this actor.
    """
    mailbox = await visible_mailbox(tx, actor, address)
    shares: list[Share] = []
    for folder in await list_folders(tx, mailbox.id):
        if folder.is_shared:
            access = Access(folder, mailbox.id, 0, Right.ADMINISTER)
            shares += [Share(folder.name, entry) for entry in (await list_entries(tx, access))[1:]]
    return shares


async def _open(tx: Transaction, actor: Actor, address: str, folder: str) -> Access:
    mailbox = await visible_mailbox(tx, actor, address)
    return await open_access(tx, mailbox.id, folder)
