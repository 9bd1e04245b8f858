"""One connection to a mail host: greeting, TLS if offered, message after message, goodbye."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import suppress

from freehold.kernel.dialer import ConnectionFailedError, OutgoingStream, TlsFailedError, connect
from freehold.kernel.log import get_logger
from freehold.kernel.stream import TlsFacts
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.queue.smtp_hosts import MailHost
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.smtp.client import Answer, ClientConnection
from freehold.protocols.smtp.events import NEED_DATA, ProtocolError
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.reply import Reply
from freehold.protocols.smtp.transaction import Envelope, Progress, Transaction

log = get_logger("freehold.mail.queue")

PIECE_BYTES = 128 * 1024
QUIT_SECONDS = 2.0
"""How long the goodbye may take; a shutdown waits for it."""
CLOSING_CODE = 421
TLS_READY_CODE = 220


class HostRefusedError(Exception):
    """The host would not talk to us at all."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class OwnHostError(Exception):
    """The host greets with our own name: delivery there would go round in a circle."""


class SmtpDialogue:
    """A connection that is ready for messages; made by `open_dialogue`."""

    __slots__ = (
        "_connection",
        "_hostname",
        "_is_quiet",
        "_must_reset",
        "_settings",
        "_stream",
        "host",
        "is_in_doubt",
        "is_over",
        "tls",
    )

    def __init__(
        self, stream: OutgoingStream, host: MailHost, hostname: str, settings: QueueSettings
    ) -> None:
        self._stream = stream
        self._settings = settings
        self._hostname = hostname
        self._connection = ClientConnection(hostname)
        self._must_reset = False
        self._is_quiet = False
        self.host = host
        self.tls: TlsFacts | None = None
        self.is_in_doubt = False
        """Whether a whole message has been sent and not been answered."""
        self.is_over = False
        """Whether the host has said 421 or gone; only `close` is left to do."""

    async def begin(self, tls_context: ssl.SSLContext | None) -> None:
        """Take the greeting, introduce us, and encrypt if a context is given and the host offers it.

        Raises:
            HostRefusedError: the greeting or both hellos were refused.
            OwnHostError: the greeting has our own name.
            TlsFailedError: the host offers TLS and cannot do it.
            ConnectionFailedError, ProtocolError: the host cannot be talked to.
        """
        greeting = await self._ask(b"")
        if not greeting.reply.is_positive:
            raise HostRefusedError(greeting.reply)
        if greeting.reply.text.partition(" ")[0].lower() == self._hostname.lower():
            raise OwnHostError
        await self._hello()
        if tls_context is None or not self._connection.capabilities.offers(Extension.STARTTLS):
            return
        answer = await self._ask(self._connection.start_tls())
        if answer.reply.code != TLS_READY_CODE:
            return
        self._is_quiet = False
        name = self.host.name.strip("[]")
        self.tls = await self._stream.start_tls(tls_context, name, seconds=self._settings.connect_seconds)
        self._connection.tls_started()
        await self._hello()

    async def send(self, envelope: Envelope, content: Buffer, skip_bytes: int) -> list[Reply]:
        """Send one message; returns the deciding reply for each recipient, in order.

        Raises:
            ExtensionMissingError: the host cannot take such a message.
            ConnectionFailedError, ProtocolError: the connection is of no more use; whether the message
                was taken is unknown once all of it has been sent.
        """
        self.is_in_doubt = False
        if self._must_reset:
            await self._ask(self._connection.reset())
            self._must_reset = False
        transaction = Transaction(self._connection, envelope)
        first = transaction.start()
        self._is_quiet = False
        await self._write(first)
        while transaction.progress is not Progress.DONE:
            if transaction.progress is Progress.CONTENT:
                await self._send_content(transaction, content, skip_bytes)
                continue
            is_final = transaction.progress is Progress.FINAL
            answer = await self._answer(self._settings.data_seconds if is_final else None)
            await self._write(transaction.take(answer))
        while self._connection.awaits_answers and not self.is_over:
            await self._answer(None)
        self.is_in_doubt = False
        self._must_reset = transaction.needs_reset
        self._is_quiet = not self.is_over
        return [reply for reply in transaction.results if reply is not None]

    async def close(self) -> None:
        """Say goodbye between messages; end the connection at once otherwise, and when cancelled."""
        try:
            if self._is_quiet:
                with suppress(ConnectionFailedError, ProtocolError, TimeoutError):
                    async with asyncio.timeout(QUIT_SECONDS):
                        await self._ask(self._connection.quit())
                await self._stream.close()
        finally:
            self._stream.abort()

    async def _send_content(self, transaction: Transaction, content: Buffer, skip_bytes: int) -> None:
        octets = len(content) - skip_bytes
        try:
            for piece in transaction.content(_pieces(content, skip_bytes), octets):
                await self._write(piece)
        except ConnectionFailedError:
            refusal = self._refusal_so_far()
            if refusal is None:
                raise
            transaction.take(refusal)
        else:
            self.is_in_doubt = True

    def _refusal_so_far(self) -> Answer | None:
        """Return what a host said that hung up within the content (too large, say)."""
        self.is_over = True
        self._connection.receive(self._stream.received())
        event = self._connection.next_event()
        return None if event is NEED_DATA or event.reply.is_positive else event

    async def _hello(self) -> None:
        answer = await self._ask(self._connection.hello())
        if answer.reply.is_permanent:
            answer = await self._ask(self._connection.hello(extended=False))
        if not answer.reply.is_positive:
            raise HostRefusedError(answer.reply)

    async def _ask(self, command: bytes) -> Answer:
        self._is_quiet = False
        await self._write(command)
        answer = await self._answer(None)
        self._is_quiet = not self.is_over
        return answer

    async def _write(self, data: bytes) -> None:
        if data:
            await self._stream.send(data, seconds=self._settings.command_seconds)

    async def _answer(self, seconds: float | None) -> Answer:
        while True:
            event = self._connection.next_event()
            if event is not NEED_DATA:
                self.is_over = self.is_over or event.reply.code == CLOSING_CODE
                return event
            self._connection.receive(
                await self._stream.receive(seconds=seconds or self._settings.command_seconds)
            )


async def open_dialogue(
    host: MailHost, hostname: str, settings: QueueSettings, tls_context: ssl.SSLContext
) -> SmtpDialogue:
    """Connect to a host and begin, encrypted if it can; if its TLS is broken, once more without.

    Raises:
        HostRefusedError, OwnHostError, ConnectionFailedError, ProtocolError: as `SmtpDialogue.begin`.
    """
    try:
        return await _open(host, hostname, settings, tls_context)
    except TlsFailedError as error:
        log.info("TLS failed, going on without", host=host.name, address=host.address, reason=error.public)
        return await _open(host, hostname, settings, None)


async def _open(
    host: MailHost, hostname: str, settings: QueueSettings, tls_context: ssl.SSLContext | None
) -> SmtpDialogue:
    stream = await connect(host.address, settings.smtp_port, seconds=settings.connect_seconds)
    dialogue = SmtpDialogue(stream, host, hostname, settings)
    try:
        await dialogue.begin(tls_context)
    except BaseException:
        await dialogue.close()
        raise
    return dialogue


def _pieces(content: Buffer, start: int) -> Iterator[bytes]:
    for offset in range(start, len(content), PIECE_BYTES):
        yield bytes(content[offset : offset + PIECE_BYTES])
