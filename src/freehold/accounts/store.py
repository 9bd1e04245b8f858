"""The SQL of owners and domains."""

from freehold.accounts.model import Domain, Owner, OwnerLimits
from freehold.storage.database import Row, Transaction

_OWNER = (
    "SELECT id, name, is_administrator, max_domains, max_mailboxes, max_storage_bytes, max_messages_per_day,"
    " created_ms FROM owner"
)
_DOMAIN = (
    "SELECT d.id, d.name, d.owner_id, o.name, t.name, d.separator, d.is_disabled, d.created_ms"
    " FROM domain d JOIN owner o ON o.id = d.owner_id LEFT JOIN domain t ON t.id = d.target_id"
)


async def insert_owner(tx: Transaction, owner: Owner) -> bool:
    """Add an owner; returns whether the name was free."""
    row = await tx.fetch_one(
        "INSERT INTO owner (id, name, is_administrator, max_domains, max_mailboxes, max_storage_bytes,"
        " max_messages_per_day, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (name) DO NOTHING RETURNING id",
        owner.id,
        owner.name,
        owner.is_administrator,
        owner.limits.max_domains,
        owner.limits.max_mailboxes,
        owner.limits.max_storage_bytes,
        owner.limits.max_messages_per_day,
        owner.created_ms,
    )
    return row is not None


async def owner_by_name(tx: Transaction, name: str) -> Owner | None:
    """Return an owner."""
    row = await tx.fetch_one(f"{_OWNER} WHERE name = ?", name)
    return _owner(row) if row else None


async def owner_by_id(tx: Transaction, owner_id: int) -> Owner | None:
    """Return an owner."""
    row = await tx.fetch_one(f"{_OWNER} WHERE id = ?", owner_id)
    return _owner(row) if row else None


async def first_administrator(tx: Transaction) -> Owner | None:
    """Return the administrator that was added first."""
    row = await tx.fetch_one(f"{_OWNER} WHERE is_administrator ORDER BY id LIMIT 1")
    return _owner(row) if row else None


async def count_administrators(tx: Transaction) -> int:
    """Return how many administrators there are."""
    row = await tx.fetch_one("SELECT COUNT(*) FROM owner WHERE is_administrator")
    return int(row[0]) if row else 0


async def all_owners(tx: Transaction) -> list[Owner]:
    """Return all owners by name."""
    return [_owner(row) for row in await tx.fetch(f"{_OWNER} ORDER BY name")]


async def update_storage(tx: Transaction, owner_id: int, max_storage_bytes: int | None) -> None:
    """Set how much an owner's mailboxes may hold together."""
    await tx.execute("UPDATE owner SET max_storage_bytes = ? WHERE id = ?", max_storage_bytes, owner_id)


async def delete_owner(tx: Transaction, owner_id: int) -> None:
    """Remove an owner that has nothing."""
    await tx.execute("DELETE FROM owner WHERE id = ?", owner_id)


async def count_domains(tx: Transaction, owner_id: int) -> int:
    """Return how many domains an owner has, aliases included."""
    return await _count(tx, "SELECT COUNT(*) FROM domain WHERE owner_id = ?", owner_id)


async def count_logins(tx: Transaction, owner_id: int) -> int:
    """Return how many logins an owner has."""
    return await _count(tx, "SELECT COUNT(*) FROM login WHERE owner_id = ?", owner_id)


async def insert_domain(tx: Transaction, domain: Domain, target_id: int | None) -> bool:
    """Add a domain; returns whether the name was free."""
    row = await tx.fetch_one(
        "INSERT INTO domain (id, name, owner_id, target_id, separator, is_disabled, created_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING RETURNING id",
        domain.id,
        domain.name,
        domain.owner_id,
        target_id,
        domain.separator,
        domain.is_disabled,
        domain.created_ms,
    )
    return row is not None


async def domain_by_name(tx: Transaction, name: str) -> Domain | None:
    """Return a domain by its stored name."""
    row = await tx.fetch_one(f"{_DOMAIN} WHERE d.name = ?", name)
    return _domain(row) if row else None


async def all_domains(tx: Transaction) -> list[Domain]:
    """Return all domains by name."""
    return [_domain(row) for row in await tx.fetch(f"{_DOMAIN} ORDER BY d.name")]


async def domains_of(tx: Transaction, owner_id: int) -> list[Domain]:
    """Return an owner's domains by name."""
    return [
        _domain(row) for row in await tx.fetch(f"{_DOMAIN} WHERE d.owner_id = ? ORDER BY d.name", owner_id)
    ]


async def aliases_of_domain(tx: Transaction, domain_id: int) -> list[str]:
    """Return the names of the domains that are aliases of one."""
    rows = await tx.fetch("SELECT name FROM domain WHERE target_id = ? ORDER BY name", domain_id)
    return [row[0] for row in rows]


async def update_domain_disabled(tx: Transaction, domain_id: int, *, is_disabled: bool) -> None:
    """Switch a domain off or on."""
    await tx.execute("UPDATE domain SET is_disabled = ? WHERE id = ?", is_disabled, domain_id)


async def update_domain_target(tx: Transaction, domain_id: int, target_id: int) -> None:
    """Make a domain an alias of another."""
    await tx.execute("UPDATE domain SET target_id = ? WHERE id = ?", target_id, domain_id)


async def delete_domain(tx: Transaction, domain_id: int) -> None:
    """Remove a domain that nothing refers to."""
    await tx.execute("DELETE FROM domain WHERE id = ?", domain_id)


async def insert_secret(tx: Transaction, name: str, value: bytes) -> None:
    """Keep a secret unless there is one of that name."""
    await tx.execute(
        "INSERT INTO installation_secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
        name,
        value,
    )


async def secret(tx: Transaction, name: str) -> bytes | None:
    """Return a secret of the installation."""
    row = await tx.fetch_one("SELECT value FROM installation_secret WHERE name = ?", name)
    return bytes(row[0]) if row else None


async def _count(tx: Transaction, sql: str, owner_id: int) -> int:
    row = await tx.fetch_one(sql, owner_id)
    return int(row[0]) if row else 0


def _owner(row: Row) -> Owner:
    return Owner(row[0], row[1], bool(row[2]), OwnerLimits(*row[3:7]), row[7])


def _domain(row: Row) -> Domain:
    domain_id, name, owner_id, owner, target, separator, is_disabled, created_ms = row
    return Domain(domain_id, name, owner_id, owner, target, separator, bool(is_disabled), created_ms)
