"""One message on its way in: from the first byte to the answer that takes responsibility."""

from freehold.errors import FreeholdError
from freehold.kernel.log import get_logger
from freehold.kernel.stream import Peer
from freehold.modules.mail.delivery.accept import Delivered, Received, accept_message
from freehold.modules.mail.delivery.arrival import Arrival, describe, examine
from freehold.modules.mail.delivery.plan import plan_delivery
from freehold.modules.mail.events import FolderChanged, QueueChanged
from freehold.modules.mail.metrics import ACCEPTED, ACCEPTED_BYTES
from freehold.modules.mail.smtp import replies
from freehold.modules.mail.smtp.content import IncomingContent
from freehold.modules.mail.smtp.envelope import Client, Envelope
from freehold.modules.mail.smtp.prefix import PrefixMaker
from freehold.modules.mail.smtp.service import SmtpService
from freehold.modules.mail.smtp.submission import from_refusal
from freehold.protocols.smtp.reply import Reply
from freehold.storage.blobs import PreparedBlob

log = get_logger("freehold.mail.smtp")


class Reception:
    """Takes a message's bytes, then stores and answers for it.

    A failure while bytes come (a full disk, say) is kept until the client has sent everything and
    can read the answer.
    """

    __slots__ = ("_client", "_content", "_envelope", "_prefix", "_service", "failure")

    def __init__(self, service: SmtpService, peer: Peer, client: Client, envelope: Envelope) -> None:
        runtime = service.runtime
        self._service = service
        self._client = client
        self._envelope = envelope
        self._prefix = PrefixMaker(service, peer, client, envelope, runtime.ids.next())
        self._content = IncomingContent(runtime.blobs.writer(), self._prefix.make)
        self.failure: FreeholdError | None = None

    async def write(self, chunk: bytes) -> None:
        """Add bytes of the message."""
        if self.failure is not None:
            return
        try:
            await self._content.write(chunk)
        except FreeholdError as error:
            self._fail(error)

    def abort(self) -> None:
        """Forget the message; nothing happens if it was accepted."""
        self._content.abort()

    async def complete(self) -> Reply:
        """Store the message durably and return the answer; a refusal leaves nothing behind."""
        if self.failure is not None:
            return replies.reply_for(self.failure)
        try:
            blob = await self._content.finish()
        except FreeholdError as error:
            self._fail(error)
            return replies.reply_for(error)
        try:
            return await self._store(blob)
        except FreeholdError as error:
            self._fail(error)
            return replies.reply_for(error)
        finally:
            blob.discard()

    def _fail(self, error: FreeholdError) -> None:
        self.failure = error
        log.error("message not stored", client=self._client.address, error=str(error), cause=error.__cause__)

    async def _store(self, blob: PreparedBlob) -> Reply:
        found = await examine(blob)
        if found.received_count > self._service.settings.max_received_headers:
            return replies.LOOP_DETECTED
        if self._client.submitter is not None:
            refusal = await from_refusal(self._service, self._client.submitter, blob)
            if refusal is not None:
                return refusal
        runtime = self._service.runtime
        received = describe(self._arrival(), blob, found)
        plan = plan_delivery(self._envelope.recipients)
        delivered = await runtime.database.write(accept_message, runtime.blobs, runtime.ids, received, plan)
        self._tell(received, delivered)
        return Reply.of(250, "2.0.0", f"Accepted as {self._prefix.trace_text}")

    def _arrival(self) -> Arrival:
        runtime, client, envelope = self._service.runtime, self._client, self._envelope
        now_ms = runtime.clock.now_ms()
        who = client.submitter.login if client.submitter else f"{client.address} ({client.hello})"
        return Arrival(
            trace_id=self._prefix.trace_id,
            blob_id=runtime.ids.next(),
            now_ms=now_ms,
            expires_ms=now_ms + self._service.settings.message_lifetime_seconds * 1000,
            reverse_path=self._prefix.reverse_path,
            client=who,
            skip_bytes=self._prefix.return_path_bytes,
            mailbox_id=client.submitter.mailbox_id if client.submitter else None,
            is_utf8=envelope.is_utf8,
            is_8bit=envelope.is_8bit,
        )

    def _tell(self, received: Received, delivered: Delivered) -> None:
        bus, trace = self._service.runtime.bus, received.trace
        for mailbox_id, place in delivered.places:
            bus.publish(FolderChanged(mailbox_id=mailbox_id, folder_id=place.folder_id, modseq=place.modseq))
        ACCEPTED.labels(self._service.door.value).inc()
        ACCEPTED_BYTES.labels(self._service.door.value).inc(trace.size_bytes)
        if delivered.queue_id is not None:
            bus.publish(QueueChanged(due_ms=trace.received_ms))
        log.info(
            "message accepted",
            trace=self._prefix.trace_text,
            client=trace.client,
            sender=trace.reverse_path,
            recipients=len(self._envelope.recipients),
            size_bytes=trace.size_bytes,
            message_id=trace.message_id,
        )
