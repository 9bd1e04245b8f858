"""As whom a mailbox may send (RFC 6409 §6.1).

A mailbox may send as every address that leads to it: its main address, aliases that it is a destination
of (whoever made the alias decided so), subaddresses of those, the same under alias domains, and the role
addresses that fall back to it. What only a catch-all leads to it is left out: a catch-all collects what
others wrote, and would let its mailbox speak for every name of the domain.
"""

from freehold.modules.mail.addresses.names import to_mail_address
from freehold.modules.mail.addresses.resolve import leads_to
from freehold.modules.mail.errors import AddressLoopError, MailboxDisabledError, UnknownAddressError
from freehold.storage.database import Transaction


async def may_send_as(tx: Transaction, mailbox_id: int, local: str, domain: str) -> bool:
    """Tell whether a mailbox may send as an address; a disabled one may not send at all."""
    try:
        return await leads_to(tx, to_mail_address(local, domain), mailbox_id)
    except (UnknownAddressError, MailboxDisabledError, AddressLoopError):
        return False
