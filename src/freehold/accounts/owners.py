"""Owners: add, list, show, limit, remove. Only administrators change them."""

import re
import unicodedata
from dataclasses import replace

from freehold.accounts import store
from freehold.accounts.access import require_administrator, visible_owner
from freehold.accounts.errors import InUseError, OwnerExistsError
from freehold.accounts.model import UNLIMITED, Actor, Owner, OwnerLimits
from freehold.errors import InvalidValueError
from freehold.storage.database import Transaction
from freehold.storage.open import next_number

MAX_OWNER_NAME_CHARS = 64
"""An owner's name at most; it appears in commands and pages."""
MAX_LIMIT = 2**53
"""A limit at most: what JSON can carry exactly (RFC 8259 §6)."""

_OWNER_NAME = re.compile(r"\w[\w.@+-]*")


async def add_owner(
    tx: Transaction,
    actor: Actor,
    name: str,
    *,
    is_administrator: bool = False,
    limits: OwnerLimits = UNLIMITED,
    now_ms: int,
) -> Owner:
    """Add an owner.

    Raises:
        NotAllowedError: the actor is no administrator.
        OwnerExistsError: the name is taken.
        InvalidValueError: the name or a limit is malformed.
    """
    require_administrator(actor)
    owner_name = _checked_name(name)
    _check_limits(limits)
    owner = Owner(await next_number(tx, "owner"), owner_name, is_administrator, limits, now_ms)
    if not await store.insert_owner(tx, owner):
        raise OwnerExistsError(f"owner {owner_name} already exists")
    return owner


async def list_owners(tx: Transaction, actor: Actor) -> list[Owner]:
    """Return the owners that the actor may see, by name."""
    if actor.is_administrator:
        return await store.all_owners(tx)
    owner = None if actor.owner_id is None else await store.owner_by_id(tx, actor.owner_id)
    return [] if owner is None else [owner]


async def set_storage(tx: Transaction, actor: Actor, name: str, max_storage_bytes: int | None) -> Owner:
    """Set how much the mailboxes of an owner may hold together; what is there stays, also if it is more.

    Raises:
        NotAllowedError: the actor is no administrator.
        OwnerNotFoundError: there is no such owner.
        InvalidValueError: the limit is malformed.
    """
    require_administrator(actor)
    owner = await visible_owner(tx, actor, name)
    changed = replace(owner, limits=replace(owner.limits, max_storage_bytes=max_storage_bytes))
    _check_limits(changed.limits)
    await store.update_storage(tx, owner.id, max_storage_bytes)
    return changed


async def remove_owner(tx: Transaction, actor: Actor, name: str) -> Owner:
    """Remove an owner that has neither domains nor logins, and is not the last administrator.

    Raises:
        NotAllowedError: the actor is no administrator.
        OwnerNotFoundError: there is no such owner.
        InUseError: it still has something, or nobody would be left to administer.
    """
    require_administrator(actor)
    owner = await visible_owner(tx, actor, name)
    if await store.count_domains(tx, owner.id):
        raise InUseError(f"owner {owner.name} still has domains: remove them first (freehold domain list)")
    if await store.count_logins(tx, owner.id):
        raise InUseError(f"owner {owner.name} still has mailboxes: remove them first (freehold mailbox list)")
    if owner.is_administrator and await store.count_administrators(tx) == 1:
        raise InUseError(f"owner {owner.name} is the only administrator")
    await store.delete_owner(tx, owner.id)
    return owner


def _checked_name(name: str) -> str:
    folded = unicodedata.normalize("NFC", name.strip().lower())
    if len(folded) > MAX_OWNER_NAME_CHARS or _OWNER_NAME.fullmatch(folded) is None:
        raise InvalidValueError(
            f"an owner's name is 1 to {MAX_OWNER_NAME_CHARS} letters, digits and . _ @ + -, such as anna"
        )
    return folded


def _check_limits(limits: OwnerLimits) -> None:
    for limit in (
        limits.max_domains,
        limits.max_mailboxes,
        limits.max_storage_bytes,
        limits.max_messages_per_day,
    ):
        if limit is not None and not 0 <= limit <= MAX_LIMIT:
            raise InvalidValueError("a limit is a number from 0")
