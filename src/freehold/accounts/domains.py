"""Domains: add, alias, list, disable, enable, remove.

What a domain's addresses are is the mail module's; it removes them before a domain goes.
"""

from freehold.accounts import store
from freehold.accounts.access import acting_owner, visible_domain
from freehold.accounts.domain_names import to_ascii
from freehold.accounts.errors import DomainExistsError, InUseError, LimitReachedError
from freehold.accounts.model import Actor, Domain, Owner
from freehold.errors import InvalidValueError
from freehold.storage.database import Transaction
from freehold.storage.open import next_number

SEPARATORS = ("+", "-", "")
"""What may stand between a user and a subaddress; '' is no subaddresses at all."""


async def add_domain(
    tx: Transaction,
    actor: Actor,
    name: str,
    *,
    owner: str | None = None,
    separator: str = "+",
    now_ms: int,
) -> Domain:
    """Add a domain of the named owner's, or of the actor's own.

    Raises:
        InvalidDomainNameError: it is no domain name.
        DomainExistsError: it is here already.
        OwnerNotFoundError: there is no such owner for this actor.
        LimitReachedError: the owner has as many domains as it may.
    """
    if separator not in SEPARATORS:
        raise InvalidValueError("the separator is +, - or nothing")
    return await _insert(tx, await acting_owner(tx, actor, owner), name, separator, now_ms=now_ms)


async def alias_domain(tx: Transaction, actor: Actor, alias: str, target: str, *, now_ms: int) -> Domain:
    """Make `alias` an alias of the whole of `target`; it is added if it is new, for the target's owner.

    Addresses of its own go first, all others mean the same local part at the target. An alias of an
    alias is refused, so there are neither chains nor loops.

    Raises:
        DomainNotFoundError: there is no such target for this actor.
        DomainExistsError: the alias is somebody else's domain.
        InvalidValueError: it would be a chain or a loop.
        LimitReachedError: the owner has as many domains as it may.
    """
    target_domain = await visible_domain(tx, actor, target)
    if target_domain.target is not None:
        raise InvalidValueError(
            f"{target_domain.name} is itself an alias of {target_domain.target}: name that one as the target"
        )
    alias_name = to_ascii(alias)
    if alias_name == target_domain.name:
        raise InvalidValueError("a domain cannot be an alias of itself")
    domain = await store.domain_by_name(tx, alias_name)
    if domain is None:
        owner = await acting_owner(tx, actor, target_domain.owner)
        domain = await _insert(tx, owner, alias_name, target_domain.separator, now_ms=now_ms)
    else:
        await _check_may_become_alias(tx, actor, domain)
    await store.update_domain_target(tx, domain.id, target_domain.id)
    return await visible_domain(tx, actor, alias_name)


async def list_domains(tx: Transaction, actor: Actor) -> list[Domain]:
    """Return the domains that the actor may see, by name."""
    if actor.is_administrator:
        return await store.all_domains(tx)
    return [] if actor.owner_id is None else await store.domains_of(tx, actor.owner_id)


async def set_domain_disabled(tx: Transaction, actor: Actor, name: str, *, is_disabled: bool) -> Domain:
    """Switch a domain off (its addresses refuse mail) or on again.

    Raises:
        DomainNotFoundError: there is none for this actor.
    """
    domain = await visible_domain(tx, actor, name)
    await store.update_domain_disabled(tx, domain.id, is_disabled=is_disabled)
    return await visible_domain(tx, actor, name)


async def remove_empty_domain(tx: Transaction, actor: Actor, name: str) -> Domain:
    """Remove a domain without addresses.

    Raises:
        DomainNotFoundError: there is none for this actor.
        InUseError: other domains are aliases of it.
    """
    domain = await visible_domain(tx, actor, name)
    aliases = await store.aliases_of_domain(tx, domain.id)
    if aliases:
        raise InUseError(
            f"{domain.name} has the alias domain {aliases[0]}: remove that first"
            f" (freehold domain remove {aliases[0]})"
        )
    await store.delete_domain(tx, domain.id)
    return domain


async def _insert(tx: Transaction, owner: Owner, name: str, separator: str, *, now_ms: int) -> Domain:
    stored_name = to_ascii(name)
    limit = owner.limits.max_domains
    if limit is not None and await store.count_domains(tx, owner.id) >= limit:
        raise LimitReachedError(f"owner {owner.name} may have {limit} domains and has them")
    domain_id = await next_number(tx, "domain")
    domain = Domain(
        domain_id, stored_name, owner.id, owner.name, None, separator, is_disabled=False, created_ms=now_ms
    )
    if not await store.insert_domain(tx, domain, None):
        raise DomainExistsError(f"domain {stored_name} already exists")
    return domain


async def _check_may_become_alias(tx: Transaction, actor: Actor, domain: Domain) -> None:
    if not actor.is_administrator and actor.owner_id != domain.owner_id:
        raise DomainExistsError(f"domain {domain.name} already exists")
    if await store.aliases_of_domain(tx, domain.id):
        raise InvalidValueError(f"{domain.name} has alias domains itself, so it cannot become one")
