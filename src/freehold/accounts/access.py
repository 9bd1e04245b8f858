"""Who may see and change what: an owner their own, an administrator everything.

What is somebody else's is answered exactly as what does not exist, so that owners learn nothing of
each other.
"""

from freehold.accounts import store
from freehold.accounts.domain_names import to_ascii
from freehold.accounts.errors import DomainNotFoundError, OwnerNotFoundError
from freehold.accounts.model import Actor, Domain, Owner
from freehold.errors import NotAllowedError
from freehold.storage.database import Transaction


def may_see(actor: Actor, owner_id: int) -> bool:
    """Tell whether an owner's things are the actor's to see and change."""
    return actor.is_administrator or actor.owner_id == owner_id


def require_administrator(actor: Actor) -> None:
    """Return if the actor is an administrator.

    Raises:
        NotAllowedError: it is not.
    """
    if not actor.is_administrator:
        raise NotAllowedError("only an administrator may do this")


async def visible_domain(tx: Transaction, actor: Actor, name: str) -> Domain:
    """Return a domain that the actor may see and change, by its name as typed.

    Raises:
        DomainNotFoundError: there is none, or it is another owner's.
        InvalidDomainNameError: it is no domain name.
    """
    stored_name = to_ascii(name)
    domain = await store.domain_by_name(tx, stored_name)
    if domain is None or not may_see(actor, domain.owner_id):
        raise DomainNotFoundError(f"domain {stored_name} does not exist: freehold domain add {stored_name}")
    return domain


async def visible_owner(tx: Transaction, actor: Actor, name: str) -> Owner:
    """Return an owner that the actor may act for.

    Raises:
        OwnerNotFoundError: there is none, or it is another one.
    """
    owner = await store.owner_by_name(tx, name.strip().lower())
    if owner is None or not may_see(actor, owner.id):
        raise OwnerNotFoundError(f"owner {name.strip()!r} does not exist: see freehold owner list")
    return owner


async def acting_owner(tx: Transaction, actor: Actor, name: str | None) -> Owner:
    """Return the owner that something new is for: the named one, or the actor itself.

    For the host's administrator without a name it is the first administrator.

    Raises:
        OwnerNotFoundError: there is none, or it is another one.
    """
    if name is not None:
        return await visible_owner(tx, actor, name)
    if actor.owner_id is not None:
        owner = await store.owner_by_id(tx, actor.owner_id)
    else:
        owner = await store.first_administrator(tx)
    if owner is None:
        raise OwnerNotFoundError("there is no owner yet: freehold owner add NAME --administrator")
    return owner
