"""The SQL of mailboxes, addresses and their targets, for the verbs that change them."""

import secrets

from freehold.modules.mail.addresses.model import Destination, MailAddress, Mailbox
from freehold.modules.mail.model import FolderId, MailboxId, TargetKind
from freehold.storage.database import Row, Transaction
from freehold.storage.open import next_number

OBJECT_KEY_OCTETS = 16
"""A mailbox's secret behind its object ids (`folders/object_ids.py`)."""

_MAILBOX = (
    "SELECT m.id, m.address, m.login_id, l.name, m.owner_id, o.name, m.quota_bytes, m.used_bytes,"
    " m.message_count, m.is_exact, m.is_disabled, m.created_ms, m.keeps_trash"
    " FROM mailbox m JOIN login l ON l.id = m.login_id JOIN owner o ON o.id = m.owner_id"
)
_IN_DOMAIN = "(SELECT t.mailbox_id FROM address a JOIN target t ON t.address_id = a.id WHERE a.domain_id = ?)"


async def insert_mailbox(tx: Transaction, mailbox: Mailbox) -> None:
    """Add an empty mailbox; its INBOX is set afterwards."""
    await tx.execute(
        "INSERT INTO mailbox (id, login_id, owner_id, address, quota_bytes, used_bytes, message_count,"
        " modseq, change_floor, inbox_id, is_exact, is_disabled, created_ms, keeps_trash, object_key)"
        " VALUES (?, ?, ?, ?, ?, 0, 0, 1, 1, 0, ?, ?, ?, ?, ?)",
        mailbox.id,
        mailbox.login_id,
        mailbox.owner_id,
        mailbox.address,
        mailbox.quota_bytes,
        mailbox.is_exact,
        mailbox.is_disabled,
        mailbox.created_ms,
        mailbox.keeps_trash,
        secrets.token_bytes(OBJECT_KEY_OCTETS),
    )


async def update_inbox(tx: Transaction, mailbox_id: MailboxId, inbox_id: FolderId) -> None:
    """Tell a mailbox which folder is its INBOX."""
    await tx.execute("UPDATE mailbox SET inbox_id = ? WHERE id = ?", inbox_id, mailbox_id)


async def mailbox_by_address(tx: Transaction, address: str) -> Mailbox | None:
    """Return a mailbox by its main address."""
    row = await tx.fetch_one(f"{_MAILBOX} WHERE m.address = ?", address)
    return None if row is None else _mailbox(row)


async def all_mailboxes(tx: Transaction) -> list[Mailbox]:
    """Return all mailboxes by address."""
    return [_mailbox(row) for row in await tx.fetch(f"{_MAILBOX} ORDER BY m.address")]


async def mailboxes_of(tx: Transaction, owner_id: int) -> list[Mailbox]:
    """Return an owner's mailboxes by address."""
    rows = await tx.fetch(f"{_MAILBOX} WHERE m.owner_id = ? ORDER BY m.address", owner_id)
    return [_mailbox(row) for row in rows]


async def mailboxes_in_domain(tx: Transaction, domain_id: int) -> list[Mailbox]:
    """Return the mailboxes whose main address is in a domain."""
    rows = await tx.fetch(f"{_MAILBOX} WHERE m.id IN {_IN_DOMAIN} ORDER BY m.address", domain_id)
    return [_mailbox(row) for row in rows]


async def count_mailboxes(tx: Transaction, owner_id: int) -> int:
    """Return how many mailboxes an owner has."""
    row = await tx.fetch_one("SELECT COUNT(*) FROM mailbox WHERE owner_id = ?", owner_id)
    return int(row[0]) if row else 0


async def granted_bytes(tx: Transaction, owner_id: int, *, except_mailbox: int) -> int:
    """Return the sum of an owner's quotas, one mailbox left out."""
    row = await tx.fetch_one(
        "SELECT CAST(COALESCE(SUM(quota_bytes), 0) AS BIGINT) FROM mailbox WHERE owner_id = ? AND id <> ?",
        owner_id,
        except_mailbox,
    )
    return int(row[0]) if row else 0


async def update_quota(tx: Transaction, mailbox_id: MailboxId, quota_bytes: int | None) -> None:
    """Set a quota."""
    await tx.execute("UPDATE mailbox SET quota_bytes = ? WHERE id = ?", quota_bytes, mailbox_id)


async def update_exact(tx: Transaction, mailbox_id: MailboxId, *, is_exact: bool) -> None:
    """Set whether a mailbox has no subaddresses."""
    await tx.execute("UPDATE mailbox SET is_exact = ? WHERE id = ?", is_exact, mailbox_id)


async def update_keeps_trash(tx: Transaction, mailbox_id: MailboxId, *, keeps_trash: bool) -> None:
    """Set whether what is expunged moves to Trash."""
    await tx.execute("UPDATE mailbox SET keeps_trash = ? WHERE id = ?", keeps_trash, mailbox_id)


async def update_disabled(tx: Transaction, mailbox_id: MailboxId, *, is_disabled: bool) -> None:
    """Switch a mailbox off or on."""
    await tx.execute("UPDATE mailbox SET is_disabled = ? WHERE id = ?", is_disabled, mailbox_id)


async def delete_mailbox(tx: Transaction, mailbox_id: MailboxId) -> None:
    """Remove a mailbox without folders, and the addresses that led nowhere else."""
    addresses = await tx.fetch("SELECT address_id FROM target WHERE mailbox_id = ?", mailbox_id)
    await tx.execute("DELETE FROM target WHERE mailbox_id = ?", mailbox_id)
    for (address_id,) in addresses:
        await delete_address_without_targets(tx, address_id)
    await tx.execute("DELETE FROM metadata WHERE reader_id = ?", mailbox_id)
    await tx.execute("DELETE FROM quota_warning WHERE kind = 'mailbox' AND holder_id = ?", mailbox_id)
    await tx.execute("DELETE FROM mailbox WHERE id = ?", mailbox_id)


async def address_id_of(tx: Transaction, domain_id: int, local_part: str) -> int | None:
    """Return the id of an address that exists."""
    row = await tx.fetch_one(
        "SELECT id FROM address WHERE domain_id = ? AND local_part = ?", domain_id, local_part
    )
    return None if row is None else int(row[0])


async def insert_address(tx: Transaction, domain_id: int, local_part: str, *, now_ms: int) -> int:
    """Add an address that does not exist; returns its id."""
    address_id = await next_number(tx, "address")
    await tx.execute(
        "INSERT INTO address (id, domain_id, local_part, created_ms) VALUES (?, ?, ?, ?)",
        address_id,
        domain_id,
        local_part,
        now_ms,
    )
    return address_id


async def count_addresses(tx: Transaction, domain_id: int) -> int:
    """Return how many addresses a domain has."""
    row = await tx.fetch_one("SELECT COUNT(*) FROM address WHERE domain_id = ?", domain_id)
    return int(row[0]) if row else 0


async def delete_addresses(tx: Transaction, domain_id: int) -> None:
    """Remove every address of a domain."""
    await tx.execute(
        "DELETE FROM target WHERE address_id IN (SELECT id FROM address WHERE domain_id = ?)", domain_id
    )
    await tx.execute("DELETE FROM address WHERE domain_id = ?", domain_id)


async def delete_address_without_targets(tx: Transaction, address_id: int) -> None:
    """Remove an address if it leads nowhere any longer."""
    await tx.execute(
        "DELETE FROM address WHERE id = ?"
        " AND NOT EXISTS (SELECT 1 FROM target WHERE address_id = address.id)",
        address_id,
    )


async def insert_target(
    tx: Transaction, address_id: int, destination: Destination, mailbox_id: int | None = None
) -> None:
    """Let an address lead to one thing more."""
    await tx.execute(
        "INSERT INTO target (id, address_id, kind, mailbox_id, value) VALUES (?, ?, ?, ?, ?)",
        await next_number(tx, "target"),
        address_id,
        destination.kind.value,
        mailbox_id,
        destination.value,
    )


async def targets_of(tx: Transaction, address_id: int) -> list[Destination]:
    """Return what an address leads to, in order; a mailbox of its own has kind MAILBOX."""
    rows = await tx.fetch("SELECT kind, value FROM target WHERE address_id = ? ORDER BY id", address_id)
    return [Destination(TargetKind(kind), value) for kind, value in rows]


async def delete_target(tx: Transaction, address_id: int, destination: Destination) -> None:
    """Let an address lead to one thing less."""
    await tx.execute(
        "DELETE FROM target WHERE address_id = ? AND kind = ? AND value = ?",
        address_id,
        destination.kind.value,
        destination.value,
    )


async def addresses_leading_to(tx: Transaction, address: MailAddress) -> list[MailAddress]:
    """Return the addresses that name one as their destination; catch-alls have the local part ''."""
    rows = await tx.fetch(
        "SELECT DISTINCT a.local_part, d.name FROM target t JOIN address a ON a.id = t.address_id"
        " JOIN domain d ON d.id = a.domain_id WHERE t.value = ? AND t.kind = 'address'",
        str(address),
    )
    return [MailAddress(local, domain) for local, domain in rows]


async def alias_rows(tx: Transaction, owner_id: int | None) -> list[Row]:
    """Return (local part, domain, owner id, owner, kind, value) of all destinations beside mailboxes.

    In order of domain, local part and target; of one owner's domains, or all.
    """
    statement = (
        "SELECT a.local_part, d.name, d.owner_id, o.name, t.kind, t.value FROM target t"
        " JOIN address a ON a.id = t.address_id JOIN domain d ON d.id = a.domain_id"
        " JOIN owner o ON o.id = d.owner_id WHERE t.kind <> 'mailbox'"
    )
    order = " ORDER BY d.name, a.local_part, t.id"
    if owner_id is None:
        return await tx.fetch(statement + order)
    return await tx.fetch(f"{statement} AND d.owner_id = ?{order}", owner_id)


def _mailbox(row: Row) -> Mailbox:
    mailbox_id, address, login_id, login, owner_id, owner, quota, used, count, *flags = row
    exact, disabled, created, keeps_trash = flags
    return Mailbox(
        id=mailbox_id,
        address=address,
        login_id=login_id,
        login=login,
        owner_id=owner_id,
        owner=owner,
        quota_bytes=quota,
        used_bytes=used,
        message_count=count,
        is_exact=bool(exact),
        is_disabled=bool(disabled),
        created_ms=created,
        keeps_trash=bool(keeps_trash),
    )
