"""The courier of the transports that stay on this host: Maildir, mbox, program."""

import asyncio
import time

from freehold.errors import FreeholdError
from freehold.modules.mail.delivery.enqueue import Transport
from freehold.modules.mail.queue.local import MboxLockedError, deliver_to_maildir, deliver_to_mbox
from freehold.modules.mail.queue.outcome import Outcome, deferred
from freehold.modules.mail.queue.program import deliver_to_program
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.queue.store import Claim, ClaimedRecipient
from freehold.protocols.mime.buffer import Buffer
from freehold.storage.blobs import BlobStore
from freehold.storage.ids import id_text

SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"
LOCK_SECONDS = 10.0
"""How long another program may keep an mbox locked before the message is put off."""
LOCK_PAUSE_SECONDS = 0.1


class LocalCourier:
    """Writes one message at a time to a file, or pipes it to a program."""

    def __init__(
        self, transport: Transport, blobs: BlobStore, settings: QueueSettings, hostname: str
    ) -> None:
        self._transport = transport
        self._blobs = blobs
        self._settings = settings
        self._hostname = hostname

    @property
    def is_spent(self) -> bool:
        """Never: there is no connection to wear out."""
        return False

    async def close(self) -> None:
        """Do nothing: there is nobody to say goodbye to."""

    async def deliver(self, claim: Claim) -> dict[int, Outcome]:
        """Deliver to each recipient in turn; a storage failure defers."""
        outcomes: dict[int, Outcome] = {}
        for recipient in claim.recipients:
            try:
                async with self._blobs.open_view(claim.blob_id) as message:
                    outcomes[recipient.id] = await self._deliver_one(claim, recipient, message)
            except FreeholdError as error:
                outcomes[recipient.id] = deferred(error.public, "4.3.0")
        return outcomes

    async def _deliver_one(self, claim: Claim, recipient: ClaimedRecipient, message: Buffer) -> Outcome:
        match self._transport:
            case Transport.MAILDIR:
                name = f"{claim.created_ms // 1000}.F{id_text(recipient.id)}.{self._hostname}"
                return await asyncio.to_thread(deliver_to_maildir, recipient.recipient, message, name=name)
            case Transport.MBOX:
                return await self._append(claim, recipient.recipient, message)
            case Transport.PROGRAM:
                environment = {
                    "PATH": SEARCH_PATH,
                    "LANG": "C.UTF-8",
                    "SENDER": claim.reverse_path,
                    "RECIPIENT": recipient.original_recipient,
                    "MESSAGE_TRACE": id_text(claim.trace_id),
                }
                return await deliver_to_program(
                    recipient.recipient, message, settings=self._settings, environment=environment
                )
            case Transport.SMTP:
                raise AssertionError("SMTP has a courier of its own")

    async def _append(self, claim: Claim, path: str, message: Buffer) -> Outcome:
        """Append to an mbox, waiting for its lock without keeping a thread."""
        date = time.asctime(time.gmtime(claim.created_ms // 1000))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LOCK_SECONDS
        while True:
            try:
                return await asyncio.to_thread(
                    deliver_to_mbox, path, message, reverse_path=claim.reverse_path, date=date
                )
            except MboxLockedError:
                if loop.time() >= deadline:
                    return deferred(f"{path}: locked by another program", "4.2.0")
            await asyncio.sleep(LOCK_PAUSE_SECONDS)
