"""Mailboxes: add, list, show, change, remove; an owner does so in its own domains, to its own mailboxes."""

from dataclasses import dataclass, replace

from freehold.accounts import login_store
from freehold.accounts.access import may_see, visible_domain, visible_owner
from freehold.accounts.errors import LimitReachedError
from freehold.accounts.logins import add_login
from freehold.accounts.model import Actor, Credentials, Domain, Owner
from freehold.accounts.store import owner_by_id
from freehold.errors import InvalidValueError
from freehold.modules.mail.addresses import store
from freehold.modules.mail.addresses.errors import AddressExistsError, MailboxNotFoundError
from freehold.modules.mail.addresses.model import Destination, Mailbox
from freehold.modules.mail.addresses.names import parse_mail_address
from freehold.modules.mail.folders.create import create_mailbox_folders, remove_mailbox_folders
from freehold.modules.mail.model import MailboxId, TargetKind
from freehold.protocols.smtp.address import EmailAddress, InvalidAddressError
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Transaction
from freehold.storage.open import next_number

MAX_QUOTA_BYTES = 2**53
"""A quota at most: what JSON can carry exactly (RFC 8259 §6)."""


@dataclass(frozen=True, slots=True)
class NewMailbox:
    """What a new mailbox is to be. `owner` None: the domain's; `login` None: only the address."""

    address: str
    credentials: Credentials | None
    login: str | None = None
    owner: str | None = None
    quota_bytes: int | None = None
    is_exact: bool = False


async def add_mailbox(tx: Transaction, actor: Actor, new: NewMailbox, *, now_ms: int) -> Mailbox:
    """Add a mailbox with its login, its address and its first folders.

    Raises:
        DomainNotFoundError: the domain is not the actor's.
        AddressExistsError, LoginExistsError: a name is taken.
        LimitReachedError: the owner has as much as it may.
        InvalidValueError: a name or the quota is malformed.
    """
    address = parse_mail_address(new.address)
    if str(EmailAddress(address.local, address.domain)) != str(address):
        raise InvalidAddressError(f"{address} would need quotes: choose letters, digits and . _ + -")
    domain = await visible_domain(tx, actor, address.domain)
    owner = await _mailbox_owner(tx, actor, domain, new.owner)
    if await store.address_id_of(tx, domain.id, address.local) is not None:
        raise AddressExistsError(f"{address} already exists (freehold alias list, freehold mailbox list)")
    await _check_limits(tx, owner, new.quota_bytes)
    login_id = await add_login(
        tx,
        owner_id=owner.id,
        address=str(address),
        own_name=new.login,
        credentials=new.credentials,
        now_ms=now_ms,
    )
    mailbox = Mailbox(
        id=MailboxId(await next_number(tx, "mailbox")),
        address=str(address),
        login_id=login_id,
        login=str(address),
        owner_id=owner.id,
        owner=owner.name,
        quota_bytes=new.quota_bytes,
        used_bytes=0,
        message_count=0,
        is_exact=new.is_exact,
        is_disabled=False,
        created_ms=now_ms,
    )
    await _insert(tx, mailbox, domain.id, address.local)
    return await visible_mailbox(tx, actor, str(address))


async def list_mailboxes(tx: Transaction, actor: Actor) -> list[Mailbox]:
    """Return the mailboxes that the actor may see, by address."""
    if actor.is_administrator:
        return await store.all_mailboxes(tx)
    return [] if actor.owner_id is None else await store.mailboxes_of(tx, actor.owner_id)


async def visible_mailbox(tx: Transaction, actor: Actor, address: str) -> Mailbox:
    """Return a mailbox that the actor may see and change, by its main address.

    Raises:
        MailboxNotFoundError: there is none, or it is another owner's.
        InvalidValueError: it is no address.
    """
    wanted = str(parse_mail_address(address))
    mailbox = await store.mailbox_by_address(tx, wanted)
    if mailbox is None or not may_see(actor, mailbox.owner_id):
        raise MailboxNotFoundError(f"mailbox {wanted} does not exist: freehold mailbox add {wanted}")
    return mailbox


async def set_password(
    tx: Transaction, actor: Actor, address: str, credentials: Credentials, *, now_ms: int
) -> Mailbox:
    """Set the password of a mailbox's login, made by `Passwords.make`; the old one fails at once.

    Raises:
        MailboxNotFoundError: there is none for this actor.
    """
    mailbox = await visible_mailbox(tx, actor, address)
    await login_store.update_credentials(tx, mailbox.login_id, credentials, now_ms=now_ms)
    return mailbox


async def set_quota(tx: Transaction, actor: Actor, address: str, quota_bytes: int | None) -> Mailbox:
    """Set how much a mailbox may hold; None is no limit. What is there stays, also if it is more.

    Raises:
        MailboxNotFoundError: there is none for this actor.
        LimitReachedError: the owner may not grant that much.
    """
    mailbox = await visible_mailbox(tx, actor, address)
    owner = await owner_by_id(tx, mailbox.owner_id)
    if owner is not None:
        await _check_storage(tx, owner, quota_bytes, except_mailbox=mailbox.id)
    await store.update_quota(tx, mailbox.id, quota_bytes)
    return replace(mailbox, quota_bytes=quota_bytes)


async def set_exact(tx: Transaction, actor: Actor, address: str, *, is_exact: bool) -> Mailbox:
    """Set whether a mailbox is reached by its exact addresses only, without subaddresses.

    Raises:
        MailboxNotFoundError: there is none for this actor.
    """
    mailbox = await visible_mailbox(tx, actor, address)
    await store.update_exact(tx, mailbox.id, is_exact=is_exact)
    return replace(mailbox, is_exact=is_exact)


async def set_keeps_trash(tx: Transaction, actor: Actor, address: str, *, keeps_trash: bool) -> Mailbox:
    """Set whether what is expunged moves to Trash, where it is expunged for good.

    Raises:
        MailboxNotFoundError: there is none for this actor.
    """
    mailbox = await visible_mailbox(tx, actor, address)
    await store.update_keeps_trash(tx, mailbox.id, keeps_trash=keeps_trash)
    return replace(mailbox, keeps_trash=keeps_trash)


async def set_mailbox_disabled(
    tx: Transaction, actor: Actor, address: str, *, is_disabled: bool, now_ms: int
) -> Mailbox:
    """Switch a mailbox off, for mail and for its login, or on again.

    Raises:
        MailboxNotFoundError: there is none for this actor.
    """
    mailbox = await visible_mailbox(tx, actor, address)
    await store.update_disabled(tx, mailbox.id, is_disabled=is_disabled)
    await login_store.update_login_disabled(tx, mailbox.login_id, is_disabled=is_disabled, now_ms=now_ms)
    return replace(mailbox, is_disabled=is_disabled)


async def remove_mailbox(tx: Transaction, blobs: BlobStore, actor: Actor, address: str) -> Mailbox:
    """Remove a mailbox with all its mail, its login and its address; returns what was removed.

    Aliases that name the address stay, and lead nowhere until it exists again.

    Raises:
        MailboxNotFoundError: there is none for this actor.
    """
    mailbox = await visible_mailbox(tx, actor, address)
    await remove_mailbox_rows(tx, blobs, mailbox)
    return mailbox


async def remove_mailbox_rows(tx: Transaction, blobs: BlobStore, mailbox: Mailbox) -> None:
    """Remove all that belongs to a mailbox; who may is checked already."""
    await remove_mailbox_folders(tx, blobs, mailbox_id=mailbox.id)
    await store.delete_mailbox(tx, mailbox.id)
    await login_store.delete_login(tx, mailbox.login_id)


async def _mailbox_owner(tx: Transaction, actor: Actor, domain: Domain, name: str | None) -> Owner:
    return await visible_owner(tx, actor, domain.owner if name is None else name)


async def _insert(tx: Transaction, mailbox: Mailbox, domain_id: int, local_part: str) -> None:
    await store.insert_mailbox(tx, mailbox)
    inbox_id = await create_mailbox_folders(tx, mailbox_id=mailbox.id, now_ms=mailbox.created_ms)
    await store.update_inbox(tx, mailbox.id, inbox_id)
    address_id = await store.insert_address(tx, domain_id, local_part, now_ms=mailbox.created_ms)
    await store.insert_target(tx, address_id, Destination(TargetKind.MAILBOX, ""), mailbox.id)


async def _check_limits(tx: Transaction, owner: Owner, quota_bytes: int | None) -> None:
    limit = owner.limits.max_mailboxes
    if limit is not None and await store.count_mailboxes(tx, owner.id) >= limit:
        raise LimitReachedError(f"owner {owner.name} may have {limit} mailboxes and has them")
    await _check_storage(tx, owner, quota_bytes, except_mailbox=0)


async def _check_storage(
    tx: Transaction, owner: Owner, quota_bytes: int | None, *, except_mailbox: int
) -> None:
    """Require that the owner's quotas together stay within its storage."""
    if quota_bytes is not None and not 0 < quota_bytes <= MAX_QUOTA_BYTES:
        raise InvalidValueError("a quota is a size such as 5GiB")
    limit = owner.limits.max_storage_bytes
    if limit is None:
        return
    left = limit - await store.granted_bytes(tx, owner.id, except_mailbox=except_mailbox)
    if quota_bytes is None:
        raise LimitReachedError(
            f"owner {owner.name} has {limit} bytes in all, so a mailbox needs a quota: at most {max(left, 0)}"
        )
    if quota_bytes > left:
        raise LimitReachedError(f"owner {owner.name} has only {max(left, 0)} of {limit} bytes left to grant")
