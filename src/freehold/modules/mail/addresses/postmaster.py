"""The postmaster of this server, who is reached without a domain (RFC 5321 §4.5.1)."""

from freehold.modules.mail.addresses.model import ForeignDomain, Resolution
from freehold.modules.mail.addresses.resolve import resolve
from freehold.modules.mail.errors import UnknownAddressError
from freehold.storage.database import Transaction


async def resolve_postmaster(tx: Transaction) -> Resolution | ForeignDomain:
    """Return what mail for the bare `postmaster` leads to: that of the first domain of this server.

    Raises:
        UnknownAddressError: there is no domain yet, or nobody is behind its postmaster.
        MailboxDisabledError, AddressLoopError: as `resolve`.
    """
    row = await tx.fetch_one(
        "SELECT name FROM domain WHERE target_id IS NULL AND NOT is_disabled ORDER BY id LIMIT 1"
    )
    if row is None:
        raise UnknownAddressError
    return await resolve(tx, "postmaster", row[0])
