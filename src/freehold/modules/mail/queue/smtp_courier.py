"""The courier of mail for other hosts: tries each in turn, and keeps a connection that works."""

import asyncio
import ssl
from contextlib import aclosing, suppress

from freehold.errors import FreeholdError
from freehold.kernel.dialer import ConnectionFailedError
from freehold.kernel.log import get_logger
from freehold.kernel.resolver import Resolver
from freehold.modules.mail.queue.outcome import Outcome, deferred, delivered, failed
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.queue.smtp_dialogue import (
    CLOSING_CODE,
    HostRefusedError,
    OwnHostError,
    SmtpDialogue,
    open_dialogue,
)
from freehold.modules.mail.queue.smtp_hosts import MailHost, NoHostError, leads_back, mail_hosts
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
            with suppress(_ElsewhereError):  # a kept connection may have ended meanwhile
                return await self._send(self._dialogue, claim, envelope, content)
        last: Outcome | None = None
        async with aclosing(mail_hosts(self._resolver, self._domain, self._hostname)) as hosts:
            async for host in hosts:
                try:
                    self._dialogue = await self._open(host)
                    return await self._send(self._dialogue, claim, envelope, content)
                except _ElsewhereError as error:
                    last = error.outcome
                    log.info("mail host not usable", host=host.name, address=host.address, reason=last.detail)
                except OwnHostError:
                    last = last or leads_back(self._domain)
                    break
        return _all(claim, last or deferred(f"no mail host of {self._domain} can be reached", "4.4.1"))

    async def _open(self, host: MailHost) -> SmtpDialogue:
        try:
            return await open_dialogue(host, self._hostname, self._settings, self._tls_context)
        except HostRefusedError as error:
            raise _ElsewhereError(deferred(str(error.reply), "4.4.0", host.name)) from error
        except (ConnectionFailedError, ProtocolError) as error:
            raise _ElsewhereError(deferred(error.public, "4.4.1", host.name)) from error

    async def _send(
        self, dialogue: SmtpDialogue, claim: Claim, envelope: Envelope, content: Buffer
    ) -> dict[int, Outcome]:
        """Return the outcomes.

        Raises:
            _ElsewhereError: the connection broke or was ended before anything was decided.
        """
        name = dialogue.host.name
        try:
            replies = await dialogue.send(envelope, content, claim.skip_bytes)
        except ExtensionMissingError as error:
            return _all(claim, failed(error.public, "5.6.7", name))
        except (ConnectionFailedError, ProtocolError) as error:
            log.info("connection lost", host=name, reason=error.public)
            is_in_doubt = dialogue.is_in_doubt
            await self.close()
            if is_in_doubt:
                detail = f"no answer after the whole message: {error.public}"
                return _all(claim, deferred(detail, "4.4.2", name))
            raise _ElsewhereError(deferred(error.public, "4.4.2", name)) from error
        if dialogue.is_over:
            await self.close()
            closing = next((reply for reply in replies if reply.code == CLOSING_CODE), None)
            if closing is not None and not any(reply.is_positive for reply in replies):
                raise _ElsewhereError(_outcome(closing, name))
        return {
            recipient.id: _outcome(reply, name)
            for recipient, reply in zip(claim.recipients, replies, strict=True)
        }


class _ElsewhereError(Exception):
    """This host is of no use now; `outcome` holds unless another one is."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


def _envelope(claim: Claim) -> Envelope:
    sender = _path(claim.reverse_path) if claim.reverse_path else None
    paths = [_path(each.recipient) for each in claim.recipients]
    parameters = MailParameters(
        size=claim.size_bytes,
        body=Body.EIGHT_BIT if claim.is_8bit else Body.SEVEN_BIT,
        smtputf8=claim.is_utf8 or any(path.needs_utf8 for path in (sender, *paths) if path is not None),
    )
    return Envelope(sender, tuple(Recipient(path) for path in paths), parameters)


def _path(text: str) -> EmailAddress:
    """Return an address with an ASCII domain, which every server understands."""
    address = EmailAddress.parse(text, utf8=True)
    return EmailAddress(address.local, address.ascii_domain)


def _all(claim: Claim, outcome: Outcome) -> dict[int, Outcome]:
    return {recipient.id: outcome for recipient in claim.recipients}


def _outcome(reply: Reply, remote: str) -> Outcome:
    if reply.is_positive:
        return delivered(str(reply), remote)
    status = reply.enhanced or ("4.0.0" if reply.is_temporary else "5.0.0")
    return (deferred if reply.is_temporary else failed)(str(reply), status, remote)
