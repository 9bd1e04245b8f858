"""Who may send what to whom: the decisions at MAIL and RCPT."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

import msgspec

from freehold.kernel.limits import is_within
from freehold.kernel.log import get_logger
from freehold.kernel.resolver import ResolverUnavailableError
from freehold.modules.mail.addresses.access import may_send_as
from freehold.modules.mail.addresses.model import ForeignDomain, Resolution
from freehold.modules.mail.addresses.postmaster import resolve_postmaster
from freehold.modules.mail.addresses.resolve import resolve
from freehold.modules.mail.delivery.plan import AcceptedRecipient
from freehold.modules.mail.errors import RelayDeniedError
from freehold.modules.mail.folders.quota import check_room
from freehold.modules.mail.smtp import replies
from freehold.modules.mail.smtp.service import Door, SmtpService
from freehold.protocols.smtp.address import EmailAddress, Postmaster
from freehold.protocols.smtp.events import Mail, Rcpt
from freehold.protocols.smtp.parameters import Body
from freehold.protocols.smtp.reply import Reply
from freehold.storage.database import Transaction

log = get_logger("freehold.mail.smtp")


class Submitter(msgspec.Struct, frozen=True):
    """Who has logged in: a login and the mailbox it sends from."""

    login: str
    mailbox_id: int


class Client(msgspec.Struct, frozen=True):
    """What is known of the peer when it asks: its address, HELO name, and login if any."""

    address: IPv4Address | IPv6Address
    hello: str
    submitter: Submitter | None


@dataclass(slots=True)
class Envelope:
    """One transaction from MAIL on."""

    reverse_path: EmailAddress | None
    is_8bit: bool
    is_utf8: bool
    size_bytes: int
    recipients: list[AcceptedRecipient] = field(default_factory=list)


def new_envelope(mail: Mail) -> Envelope:
    """Return the envelope that an accepted MAIL opens."""
    parameters = mail.parameters
    return Envelope(
        reverse_path=mail.reverse_path,
        is_8bit=parameters.body is not Body.SEVEN_BIT,
        is_utf8=parameters.smtputf8,
        size_bytes=parameters.size or 0,
    )


async def sender_refusal(service: SmtpService, client: Client, mail: Mail) -> Reply | None:
    """Return why this client may not send from this address, or None.

    The null reverse-path is for everybody: bounces must get through (RFC 5321 §4.5.5).
    """
    sender = mail.reverse_path
    if service.door is Door.SUBMISSION and client.submitter is None:
        return replies.AUTHENTICATION_REQUIRED
    if sender is None:
        return None
    if client.submitter is not None:
        owned = await service.runtime.database.read(
            may_send_as, client.submitter.mailbox_id, sender.local, sender.ascii_domain
        )
        return None if owned else replies.SENDER_NOT_OWNED
    if "." not in sender.domain and not sender.is_address_literal:
        return replies.SENDER_NOT_QUALIFIED
    if service.door is Door.LMTP or is_within(client.address, service.trusted_networks):
        return None
    return await _domain_refusal(service, client, sender)


async def _domain_refusal(service: SmtpService, client: Client, sender: EmailAddress) -> Reply | None:
    mode = service.settings.check_sender_domain
    if mode == "off" or sender.is_address_literal:
        return None
    refusal = None
    if await service.runtime.database.read(_is_hosted, sender.ascii_domain):
        return None
    try:
        if not await service.runtime.resolver.has_mail_records(sender.ascii_domain):
            refusal = replies.SENDER_DOMAIN_UNKNOWN
    except ResolverUnavailableError:
        refusal = replies.SENDER_DOMAIN_UNRESOLVED
    if refusal is not None and mode == "warn":
        log.warning("sender domain not found", client=client.address, sender=sender)
        return None
    return refusal


async def _is_hosted(tx: Transaction, domain: str) -> bool:
    return await tx.fetch_one("SELECT 1 FROM domain WHERE name = ?", domain) is not None


async def accept_recipient(
    service: SmtpService, client: Client, envelope: Envelope, rcpt: Rcpt
) -> AcceptedRecipient | Reply:
    """Return the recipient as it will be delivered, or why it is refused.

    Raises:
        UnknownAddressError, MailboxDisabledError, AddressLoopError: as resolving finds it.
        RelayDeniedError: it is elsewhere and this client may not relay.
        QuotaExceededError: a mailbox it leads to is full, or its owner may hold no more.
    """
    if len(envelope.recipients) >= service.settings.max_recipients:
        return replies.TOO_MANY_RECIPIENTS
    path = rcpt.forward_path
    if isinstance(path, EmailAddress) and "." not in path.domain and not path.is_address_literal:
        return replies.RECIPIENT_NOT_QUALIFIED
    resolution = await service.runtime.database.read(_resolve_with_room, path, envelope.size_bytes)
    if isinstance(resolution, ForeignDomain) and not _may_relay(service, client):
        raise RelayDeniedError
    return AcceptedRecipient("postmaster" if isinstance(path, Postmaster) else str(path), resolution)


def _may_relay(service: SmtpService, client: Client) -> bool:
    if client.submitter is not None:
        return True
    return service.door is Door.EXCHANGE and is_within(client.address, service.relay_networks)


async def _resolve_with_room(
    tx: Transaction, path: EmailAddress | Postmaster, size_bytes: int
) -> Resolution | ForeignDomain:
    if isinstance(path, Postmaster):
        resolution = await resolve_postmaster(tx)
    else:
        resolution = await resolve(tx, path.local, path.ascii_domain)
    if isinstance(resolution, Resolution):
        for target in resolution.mailboxes:
            await check_room(tx, target.mailbox_id, size_bytes)
    return resolution
