"""Removing a domain together with its addresses, which `accounts` knows nothing of."""

from dataclasses import dataclass

from freehold.accounts.access import may_see, visible_domain
from freehold.accounts.domains import remove_empty_domain
from freehold.accounts.errors import InUseError
from freehold.accounts.model import Actor, Domain
from freehold.modules.mail.addresses import store
from freehold.modules.mail.addresses.mailboxes import remove_mailbox_rows
from freehold.modules.mail.addresses.model import Mailbox
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class DomainContent:
    """A domain, the mailboxes whose main address is in it, and how many addresses it has in all."""

    domain: Domain
    mailboxes: tuple[Mailbox, ...]
    address_count: int


async def domain_content(tx: Transaction, actor: Actor, name: str) -> DomainContent:
    """Return what removing a domain would remove.

    Raises:
        DomainNotFoundError: there is none for this actor.
    """
    domain = await visible_domain(tx, actor, name)
    mailboxes = await store.mailboxes_in_domain(tx, domain.id)
    return DomainContent(domain, tuple(mailboxes), await store.count_addresses(tx, domain.id))


async def remove_domain(
    tx: Transaction, blobs: BlobStore, actor: Actor, name: str, *, with_addresses: bool = False
) -> DomainContent:
    """Remove a domain; `with_addresses` also its aliases and mailboxes with all their mail.

    Raises:
        DomainNotFoundError: there is none for this actor.
        InUseError: it has addresses, or mailboxes of another owner, or alias domains.
    """
    content = await domain_content(tx, actor, name)
    domain = content.domain
    if content.address_count and not with_addresses:
        raise InUseError(
            f"{domain.name} has {content.address_count} addresses ({len(content.mailboxes)} mailboxes):"
            f" remove them first, or all at once: freehold domain remove {domain.name} --with-addresses"
        )
    if not all(may_see(actor, mailbox.owner_id) for mailbox in content.mailboxes):
        raise InUseError(f"{domain.name} has mailboxes of another owner: ask an administrator")
    for mailbox in content.mailboxes:
        await remove_mailbox_rows(tx, blobs, mailbox)
    await store.delete_addresses(tx, domain.id)
    await remove_empty_domain(tx, actor, name)
    return content
