"""What a login may put into the message itself: its From addresses must be its own."""

from freehold.modules.mail.addresses.access import may_send_as
from freehold.modules.mail.smtp import replies
from freehold.modules.mail.smtp.envelope import Submitter
from freehold.modules.mail.smtp.service import SmtpService
from freehold.protocols.mime.addresses import mailboxes
from freehold.protocols.mime.header import addresses
from freehold.protocols.mime.structure import scan
from freehold.protocols.smtp.address import EmailAddress, InvalidAddressError
from freehold.protocols.smtp.reply import Reply
from freehold.storage.blobs import PreparedBlob
from freehold.storage.database import Transaction


async def from_refusal(service: SmtpService, submitter: Submitter, blob: PreparedBlob) -> Reply | None:
    """Return why a submitted message's From field is refused, or None (M11: only as addresses it owns)."""
    try:
        authors = _authors(blob)
    except InvalidAddressError:
        return replies.FROM_NOT_OWNED
    if not authors:
        return replies.FROM_MISSING
    owned = await service.runtime.database.read(_owns_all, submitter.mailbox_id, authors)
    return None if owned else replies.FROM_NOT_OWNED


def _authors(blob: PreparedBlob) -> list[EmailAddress]:
    with blob.view() as buffer:
        header_end = scan(buffer).header_end
        items = mailboxes(addresses(buffer, 0, header_end, b"from"))
    return [
        EmailAddress.parse(b"%b@%b" % (item.local or b"", item.domain or b""), utf8=True) for item in items
    ]


async def _owns_all(tx: Transaction, mailbox_id: int, authors: list[EmailAddress]) -> bool:
    for author in authors:
        if not await may_send_as(tx, mailbox_id, author.local, author.ascii_domain):
            return False
    return True
