"""One connection to a mail host: greeting, TLS if offered, message after message, goodbye."""

import ssl
from collections.abc import Iterator
from contextlib import suppress

from freehold.kernel.dialer import ConnectionFailedError, OutgoingStream, connect
from freehold.kernel.stream import TlsFacts
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.queue.smtp_hosts import MailHost
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.smtp.client import Answer, ClientConnection
from freehold.protocols.smtp.events import NEED_DATA, ProtocolError
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.reply import Reply
from freehold.protocols.smtp.transaction import Envelope, Progress, Transaction

PIECE_BYTES = 128 * 1024
QUIT_SECONDS = 5.0


class HostRefusedError(Exception):
    """The host would not talk to us at all."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class SmtpDialogue:
    """A connection that is ready for messages; made by `open_dialogue`."""

    def __init__(
        self, stream: OutgoingStream, host: MailHost, hostname: str, settings: QueueSettings
    ) -> None:
        self._stream = stream
        self._settings = settings
        self._connection = ClientConnection(hostname)
        self._must_reset = False
        self.host = host
        self.tls: TlsFacts | None = None
        self.is_in_doubt = False
        """Whether a whole message has been sent and not been answered."""

    async def begin(self, tls_context: ssl.SSLContext | None) -> None:
        """Take the greeting, introduce us, and encrypt if a context is given and the host offers it.

        Raises:
            HostRefusedError: the greeting or both hellos were refused.
            ConnectionFailedError, ProtocolError: the host cannot be talked to.
        """
        await self._expect_positive(b"")
        await self._hello()
        if tls_context is None or not self._connection.capabilities.offers(Extension.STARTTLS):
            return
        answer = await self._ask(self._connection.start_tls())
        if not answer.reply.is_positive:
            return
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
        if self._must_reset:
            await self._ask(self._connection.reset())
        transaction = Transaction(self._connection, envelope)
        self._must_reset = True
        await self._write(transaction.start())
        while transaction.progress is not Progress.DONE:
            if transaction.progress is Progress.CONTENT:
                octets = len(content) - skip_bytes
                for piece in transaction.content(_pieces(content, skip_bytes), octets):
                    await self._write(piece)
                self.is_in_doubt = True
            is_final = transaction.progress is Progress.FINAL
            answer = await self._answer(self._settings.data_seconds if is_final else None)
            await self._write(transaction.take(answer))
        while self._connection.awaits_answers:
            await self._answer(None)
        self.is_in_doubt = False
        self._must_reset = transaction.needs_reset
        return [reply for reply in transaction.results if reply is not None]

    async def close(self) -> None:
        """Say goodbye if the connection still works."""
        with suppress(ConnectionFailedError, ProtocolError, RuntimeError):
            await self._stream.send(self._connection.quit(), seconds=QUIT_SECONDS)
            await self._answer(QUIT_SECONDS)
        await self._stream.close()

    async def _hello(self) -> None:
        answer = await self._ask(self._connection.hello())
        if answer.reply.is_permanent:
            answer = await self._ask(self._connection.hello(extended=False))
        if not answer.reply.is_positive:
            raise HostRefusedError(answer.reply)

    async def _expect_positive(self, command: bytes) -> None:
        answer = await self._ask(command)
        if not answer.reply.is_positive:
            raise HostRefusedError(answer.reply)

    async def _ask(self, command: bytes) -> Answer:
        await self._write(command)
        return await self._answer(None)

    async def _write(self, data: bytes) -> None:
        if data:
            await self._stream.send(data, seconds=self._settings.command_seconds)

    async def _answer(self, seconds: float | None) -> Answer:
        while True:
            event = self._connection.next_event()
            if event is not NEED_DATA:
                return event
            self._connection.receive(
                await self._stream.receive(seconds=seconds or self._settings.command_seconds)
            )


async def open_dialogue(
    host: MailHost, hostname: str, settings: QueueSettings, tls_context: ssl.SSLContext
) -> SmtpDialogue:
    """Connect to a host and begin, encrypted if it can; if its TLS is broken, once more without.

    Raises:
        HostRefusedError, ConnectionFailedError, ProtocolError: as `SmtpDialogue.begin`.
    """
    dialogue = await _open(host, hostname, settings)
    try:
        await dialogue.begin(tls_context)
    except ConnectionFailedError as error:
        await dialogue.close()
        if not isinstance(error.__cause__, ssl.SSLError):
            raise
        dialogue = await _open(host, hostname, settings)
        await _begin_or_close(dialogue, None)
    except BaseException:
        await dialogue.close()
        raise
    return dialogue


async def _begin_or_close(dialogue: SmtpDialogue, tls_context: ssl.SSLContext | None) -> None:
    try:
        await dialogue.begin(tls_context)
    except BaseException:
        await dialogue.close()
        raise


async def _open(host: MailHost, hostname: str, settings: QueueSettings) -> SmtpDialogue:
    stream = await connect(host.address, settings.smtp_port, seconds=settings.connect_seconds)
    return SmtpDialogue(stream, host, hostname, settings)


def _pieces(content: Buffer, start: int) -> Iterator[bytes]:
    for offset in range(start, len(content), PIECE_BYTES):
        yield bytes(content[offset : offset + PIECE_BYTES])
