"""Aliases and catch-alls: which addresses lead to which destinations."""

from collections.abc import Sequence
from itertools import groupby

from freehold.accounts.access import may_see, visible_domain
from freehold.accounts.errors import DomainNotFoundError, LimitReachedError
from freehold.accounts.model import Actor
from freehold.accounts.store import domain_by_name
from freehold.errors import InvalidValueError, NotAllowedError
from freehold.modules.mail.addresses import store
from freehold.modules.mail.addresses.destinations import parse_destination
from freehold.modules.mail.addresses.errors import AliasNotFoundError
from freehold.modules.mail.addresses.model import Alias, Destination, MailAddress
from freehold.modules.mail.addresses.names import parse_alias_address, to_mail_address
from freehold.modules.mail.addresses.resolve import MAX_DEPTH, resolve
from freehold.modules.mail.errors import AddressLoopError, MailboxDisabledError, UnknownAddressError
from freehold.modules.mail.model import TargetKind
from freehold.protocols.smtp.address import EmailAddress, InvalidAddressError
from freehold.storage.database import Transaction

MAX_DESTINATIONS = 500
"""Destinations of one address at most; for more there are mailing lists."""
MAX_CHECKED = 1_000
"""Addresses that lead to an alias, and are looked at when it is changed, at the most."""


async def add_alias(
    tx: Transaction, actor: Actor, address: str, destinations: Sequence[str], *, now_ms: int
) -> Alias:
    """Let an address (or a catch-all, `@domain`) lead to destinations, beside those that it has.

    An address with a mailbox keeps it, and the destinations get copies.

    Raises:
        DomainNotFoundError: the domain is not the actor's.
        InvalidValueError: an address or destination is malformed.
        NotAllowedError: a path or program by no administrator, or another owner's mailbox.
        UnknownAddressError: a destination in a domain of ours does not exist.
        AddressLoopError: it would lead in a circle, or too deep.
        LimitReachedError: too many destinations.
    """
    alias = parse_alias_address(address)
    if alias.local and str(EmailAddress(alias.local, alias.domain)) != str(alias):
        raise InvalidAddressError(f"{alias} would need quotes: choose letters, digits and . _ + -")
    domain = await visible_domain(tx, actor, alias.domain)
    if not destinations:
        raise InvalidValueError(f"name at least one destination for {alias}")
    mailbox = await store.mailbox_by_address(tx, str(alias))
    if mailbox is not None and not may_see(actor, mailbox.owner_id):
        raise NotAllowedError(f"{alias} is the mailbox of another owner")
    wanted = [await _destination(tx, actor, text) for text in destinations]
    address_id = await store.address_id_of(tx, domain.id, alias.local)
    if address_id is None:
        address_id = await store.insert_address(tx, domain.id, alias.local, now_ms=now_ms)
    present = await store.targets_of(tx, address_id)
    new = [destination for destination in dict.fromkeys(wanted) if destination not in present]
    if len(present) + len(new) > MAX_DESTINATIONS:
        raise LimitReachedError(f"an address has at most {MAX_DESTINATIONS} destinations")
    for destination in new:
        await store.insert_target(tx, address_id, destination)
    await _check_ways(tx, alias, new)
    return await visible_alias(tx, actor, str(alias))


async def list_aliases(tx: Transaction, actor: Actor) -> list[Alias]:
    """Return the aliases in the domains that the actor may see, by domain and local part."""
    if actor.is_administrator:
        owner_id = None
    elif actor.owner_id is None:
        return []
    else:
        owner_id = actor.owner_id
    rows = await store.alias_rows(tx, owner_id)
    return [
        Alias(
            f"{local}@{domain}",
            owner_id,
            owner,
            tuple(Destination(TargetKind(row[4]), row[5]) for row in group),
        )
        for (local, domain, owner_id, owner), group in groupby(rows, key=lambda row: row[:4])
    ]


async def visible_alias(tx: Transaction, actor: Actor, address: str) -> Alias:
    """Return an alias in a domain that the actor may see.

    Raises:
        AliasNotFoundError: there is none, or it is another owner's.
        InvalidValueError: it is no address.
    """
    alias = parse_alias_address(address)
    try:
        domain = await visible_domain(tx, actor, alias.domain)
    except DomainNotFoundError:
        raise _not_found(alias) from None
    address_id = await store.address_id_of(tx, domain.id, alias.local)
    targets = [] if address_id is None else await store.targets_of(tx, address_id)
    destinations = tuple(target for target in targets if target.kind is not TargetKind.MAILBOX)
    if not destinations:
        raise _not_found(alias)
    return Alias(str(alias), domain.owner_id, domain.owner, destinations)


async def remove_alias(
    tx: Transaction, actor: Actor, address: str, destinations: Sequence[str] = ()
) -> Alias:
    """Remove the named destinations of an address, or all; returns the alias as it was.

    A mailbox of the address stays. An address that leads nowhere any longer is removed.

    Raises:
        AliasNotFoundError: there is no such alias for this actor, or it has no such destination.
    """
    alias = await visible_alias(tx, actor, address)
    removed = [_destination_of(alias, text) for text in destinations] or alias.destinations
    local, _, domain_name = alias.address.rpartition("@")
    domain = await visible_domain(tx, actor, domain_name)
    address_id = await store.address_id_of(tx, domain.id, local)
    if address_id is not None:
        for destination in removed:
            await store.delete_target(tx, address_id, destination)
        await store.delete_address_without_targets(tx, address_id)
    return alias


async def _destination(tx: Transaction, actor: Actor, text: str) -> Destination:
    """Return a destination; the letter case of a local part is folded where the domain is ours."""
    destination = parse_destination(text, may_use_host=actor.is_administrator)
    if destination.kind is not TargetKind.ADDRESS:
        return destination
    local, _, domain = destination.value.rpartition("@")
    if await domain_by_name(tx, domain) is None:
        return destination
    return Destination(TargetKind.ADDRESS, str(to_mail_address(local, domain)))


def _destination_of(alias: Alias, text: str) -> Destination:
    """Return that destination of an alias that somebody typed."""
    typed = parse_destination(text, may_use_host=True)
    for destination in alias.destinations:
        if destination.kind is typed.kind and destination.value.lower() == typed.value.lower():
            return destination
    raise AliasNotFoundError(f"{alias.address} does not lead to {typed}")


async def _check_ways(tx: Transaction, alias: MailAddress, new: Sequence[Destination]) -> None:
    """Require that the new destinations exist, and that no way through the alias is a loop or too deep."""
    for destination in new:
        if destination.kind is TargetKind.ADDRESS:
            local, _, domain = destination.value.rpartition("@")
            await _check_way(tx, MailAddress(local, domain), must_exist=True)
    await _check_way(tx, alias, must_exist=True)
    farthest = [alias]
    checked = 1
    for _ in range(MAX_DEPTH):
        behind = {source: None for way in farthest for source in await store.addresses_leading_to(tx, way)}
        for way in farthest:
            behind.pop(way, None)
        checked += len(behind)
        if not behind or checked > MAX_CHECKED:
            break
        farthest = list(behind)
    for way in farthest:
        await _check_way(tx, way, must_exist=False)


async def _check_way(tx: Transaction, address: MailAddress, *, must_exist: bool) -> None:
    try:
        await resolve(tx, address.local, address.domain)
    except MailboxDisabledError:
        return
    except UnknownAddressError:
        if must_exist:
            raise UnknownAddressError(
                f"{address} does not exist or leads nowhere: freehold mailbox add {address}"
            ) from None
    except AddressLoopError:
        raise AddressLoopError(
            f"that would lead in a circle, or over more than {MAX_DEPTH} addresses, by way of {address}"
        ) from None


def _not_found(alias: MailAddress) -> AliasNotFoundError:
    return AliasNotFoundError(f"alias {alias} does not exist: see freehold alias list")
