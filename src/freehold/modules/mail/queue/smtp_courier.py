"""The courier of mail for other hosts: tries each in turn, and keeps a connection that works."""

import asyncio
import ssl
from contextlib import aclosing

from freehold.errors import FreeholdError
from freehold.kernel.dialer import ConnectionFailedError
from freehold.kernel.log import get_logger
from freehold.kernel.resolver import Resolver
from freehold.modules.mail.queue.outcome import Outcome, deferred, delivered, failed
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.queue.smtp_dialogue import HostRefusedError, SmtpDialogue, open_dialogue
from freehold.modules.mail.queue.smtp_hosts import MailHost, NoHostError, mail_hosts
from freehold.modules.mail.queue.states import DELIVERY_SECONDS
from freehold.modules.mail.queue.store import Claim
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.smtp.address import EmailAddress, InvalidAddressError
from freehold.protocols.smtp.capabilities import ExtensionMissingError
from freehold.protocols.smtp.events import ProtocolError
from freehold.protocols.smtp.parameters import Body, MailParameters
from freehold.protocols.smtp.reply import Reply
from freehold.protocols.smtp.transaction import Envelope, Recipient
from freehold.storage.blobs import BlobStore

log = get_logger("freehold.mail.queue")


class SmtpCourier:
    """Delivers one lane's messages, over one connection as long as it works."""

    def __init__(
        self,
        domain: str,
        blobs: BlobStore,
        resolver: Resolver,
        settings: QueueSettings,
        *,
        hostname: str,
        tls_context: ssl.SSLContext,
    ) -> None:
        self._domain = domain
        self._blobs = blobs
        self._resolver = resolver
        self._settings = settings
        self._hostname = hostname
        self._tls_context = tls_context
        self._dialogue: SmtpDialogue | None = None
        self._count = 0

    @property
    def is_spent(self) -> bool:
        """Whether the connection has carried as many messages as it may."""
        return self._count >= self._settings.max_messages_per_connection

    async def close(self) -> None:
        """Say goodbye to the host."""
        if self._dialogue is not None:
            dialogue, self._dialogue = self._dialogue, None
            await dialogue.close()

    async def deliver(self, claim: Claim) -> dict[int, Outcome]:
        """Try every mail host once, within `DELIVERY_SECONDS`."""
        self._count += 1
        try:
            async with asyncio.timeout(DELIVERY_SECONDS), self._blobs.open_view(claim.blob_id) as content:
                return await self._deliver(claim, content)
        except TimeoutError:
            await self.close()
            return _all(claim, deferred("delivery took too long", "4.4.7"))
        except NoHostError as error:
            return _all(claim, error.outcome)
        except InvalidAddressError as error:
            return _all(claim, failed(error.public, "5.1.3"))
        except FreeholdError as error:
            return _all(claim, deferred(error.public, "4.3.0"))

    async def _deliver(self, claim: Claim, content: Buffer) -> dict[int, Outcome]:
        envelope = _envelope(claim)
        if self._dialogue is not None:
            outcomes = await self._send(self._dialogue, claim, envelope, content)
            if outcomes is not None:
                return outcomes
        last = deferred(f"no mail host of {self._domain} can be reached", "4.4.1")
        async with aclosing(mail_hosts(self._resolver, self._domain, self._hostname)) as hosts:
            async for host in hosts:
                try:
                    dialogue = await open_dialogue(host, self._hostname, self._settings, self._tls_context)
                except (HostRefusedError, ConnectionFailedError, ProtocolError) as error:
                    last = _connection_outcome(host, error)
                    log.info("mail host not usable", host=host.name, address=host.address, reason=last.detail)
                    continue
                self._dialogue = dialogue
                outcomes = await self._send(dialogue, claim, envelope, content)
                if outcomes is not None:
                    return outcomes
                last = deferred("the connection broke off", "4.4.2", host.name)
        return _all(claim, last)

    async def _send(
        self, dialogue: SmtpDialogue, claim: Claim, envelope: Envelope, content: Buffer
    ) -> dict[int, Outcome] | None:
        """Return the outcomes, or None when the connection broke and another host may be tried."""
        try:
            replies = await dialogue.send(envelope, content, claim.skip_bytes)
        except ExtensionMissingError as error:
            return _all(claim, failed(error.public, "5.6.7", dialogue.host.name))
        except (ConnectionFailedError, ProtocolError) as error:
            log.info("connection lost", host=dialogue.host.name, reason=error.public)
            outcome = deferred(
                "the connection broke off after the whole message", "4.4.2", dialogue.host.name
            )
            is_in_doubt = dialogue.is_in_doubt
            await self.close()
            return _all(claim, outcome) if is_in_doubt else None
        name = dialogue.host.name
        return {
            recipient.id: _outcome(reply, name)
            for recipient, reply in zip(claim.recipients, replies, strict=True)
        }


def _envelope(claim: Claim) -> Envelope:
    sender = _path(claim.reverse_path) if claim.reverse_path else None
    parameters = MailParameters(
        size=claim.size_bytes,
        body=Body.EIGHT_BIT if claim.is_8bit else Body.SEVEN_BIT,
        smtputf8=claim.is_utf8,
    )
    recipients = tuple(Recipient(_path(each.recipient)) for each in claim.recipients)
    return Envelope(sender, recipients, parameters)


def _path(text: str) -> EmailAddress:
    """Return an address with an ASCII domain, which every server understands."""
    address = EmailAddress.parse(text, utf8=True)
    return EmailAddress(address.local, address.ascii_domain)


def _all(claim: Claim, outcome: Outcome) -> dict[int, Outcome]:
    return {recipient.id: outcome for recipient in claim.recipients}


def _outcome(reply: Reply, remote: str) -> Outcome:
    detail = f"{reply.code} {reply.enhanced + ' ' if reply.enhanced else ''}{reply.text}"
    if reply.is_positive:
        return delivered(detail, remote)
    status = reply.enhanced or ("4.0.0" if reply.is_temporary else "5.0.0")
    return (deferred if reply.is_temporary else failed)(detail, status, remote)


def _connection_outcome(
    host: MailHost, error: HostRefusedError | ConnectionFailedError | ProtocolError
) -> Outcome:
    """Return why a host could not be used; another attempt, later or elsewhere, may always succeed."""
    if isinstance(error, HostRefusedError):
        return deferred(f"{error.reply.code} {error.reply.text}", "4.4.0", host.name)
    return deferred(error.public, "4.4.1", host.name)
