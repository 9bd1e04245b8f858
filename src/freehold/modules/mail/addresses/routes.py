"""The SQL of resolving an address: written for the hot path, one point read for a plain mailbox."""

from collections.abc import Sequence

import msgspec

from freehold.modules.mail.addresses.model import MailboxTarget
from freehold.modules.mail.model import FolderId, MailboxId, TargetKind
from freehold.storage.database import Row, Transaction

_LOCAL_PARTS_AT_ONCE = 8
"""Local parts of one statement, so that it is always the same; 64 octets make 8 rounds at the most."""

_EXACT = (
    "SELECT t.id, t.kind, t.value, m.id, m.inbox_id, m.address, m.is_exact, m.is_disabled,"
    " a.id, d.id, d.owner_id, d.separator, d.is_disabled, d.target_id"
    " FROM domain d LEFT JOIN address a ON a.domain_id = d.id AND a.local_part = ?"
    " LEFT JOIN target t ON t.address_id = a.id LEFT JOIN mailbox m ON m.id = t.mailbox_id"
    " WHERE d.name = ?"
)
_BY_LOCAL_PARTS = (
    "SELECT t.id, t.kind, t.value, m.id, m.inbox_id, m.address, m.is_exact, m.is_disabled,"
    " a.id, a.local_part"
    " FROM address a LEFT JOIN target t ON t.address_id = a.id LEFT JOIN mailbox m ON m.id = t.mailbox_id"
    " WHERE a.domain_id = ? AND a.local_part IN (?, ?, ?, ?, ?, ?, ?, ?)"
)
_FIRST_MAILBOX = (
    "SELECT m.id, m.inbox_id, m.address FROM mailbox m JOIN owner o ON o.id = m.owner_id"
    " WHERE (m.owner_id = ? OR o.is_administrator) AND NOT m.is_disabled"
    " ORDER BY CASE WHEN m.owner_id = ? THEN 0 ELSE 1 END, m.id LIMIT 1"
)


class Route(msgspec.Struct, frozen=True):
    """One target of an address; kind MAILBOX has `mailbox`, of which `is_exact` and `is_disabled` tell."""

    kind: TargetKind
    value: str
    mailbox: MailboxTarget | None = None
    is_exact: bool = False
    is_disabled: bool = False


class AddressRoutes(msgspec.Struct, frozen=True):
    """An address and its targets in the order in which they were made."""

    address_id: int
    routes: tuple[Route, ...]


class DomainRoute(msgspec.Struct, frozen=True):
    """A domain of ours and, where the very address exists, its id and targets."""

    id: int
    owner_id: int
    separator: str
    is_disabled: bool
    target: str | None
    address_id: int | None
    routes: tuple[Route, ...]


async def exact(tx: Transaction, domain: str, local: str) -> DomainRoute | None:
    """Return a domain of ours with the targets of one of its addresses; None if it is not ours."""
    rows = await tx.fetch(_EXACT, local, domain)
    if not rows:
        return None
    address_id, domain_id, owner_id, separator, is_disabled, target_id = rows[0][8:14]
    target = None if target_id is None or address_id is not None else await _domain_name(tx, target_id)
    return DomainRoute(domain_id, owner_id, separator, bool(is_disabled), target, address_id, _routes(rows))


async def by_local_parts(
    tx: Transaction, domain_id: int, local_parts: Sequence[str]
) -> dict[str, AddressRoutes]:
    """Return those of a domain's addresses that exist, by local part."""
    found: dict[str, list[Row]] = {}
    for at in range(0, len(local_parts), _LOCAL_PARTS_AT_ONCE):
        wanted = local_parts[at : at + _LOCAL_PARTS_AT_ONCE]
        padding = (wanted[0],) * (_LOCAL_PARTS_AT_ONCE - len(wanted))
        for row in await tx.fetch(_BY_LOCAL_PARTS, domain_id, *wanted, *padding):
            found.setdefault(row[9], []).append(row)
    return {local: AddressRoutes(rows[0][8], _routes(rows)) for local, rows in found.items()}


async def first_mailbox(tx: Transaction, owner_id: int) -> MailboxTarget | None:
    """Return an owner's first mailbox, or else the first one of the administrators'."""
    row = await tx.fetch_one(_FIRST_MAILBOX, owner_id, owner_id)
    return None if row is None else MailboxTarget(MailboxId(row[0]), FolderId(row[1]), row[2])


async def _domain_name(tx: Transaction, domain_id: int) -> str | None:
    row = await tx.fetch_one("SELECT name FROM domain WHERE id = ?", domain_id)
    return None if row is None else str(row[0])


def _routes(rows: list[Row]) -> tuple[Route, ...]:
    if len(rows) > 1:
        rows.sort(key=_target_id)
    return tuple(_route(row) for row in rows if row[0] is not None)


def _target_id(row: Row) -> int:
    return int(row[0])


def _route(row: Row) -> Route:
    kind = TargetKind(row[1])
    if row[3] is None:
        return Route(kind, row[2])
    mailbox = MailboxTarget(row[3], row[4], row[5])
    return Route(kind, row[2], mailbox, bool(row[6]), bool(row[7]))
