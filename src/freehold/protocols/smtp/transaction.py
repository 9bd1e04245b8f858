"""One message through a client connection: envelope, content, and what became of each recipient.

With PIPELINING the whole envelope goes out at once (RFC 2920); with CHUNKING the content follows as BDAT.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from freehold.protocols.smtp.address import ForwardPath, ReversePath
from freehold.protocols.smtp.client import MAX_OUTSTANDING_COMMANDS, Answer, ClientConnection, Sent
from freehold.protocols.smtp.events import ProtocolError
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.parameters import (
    NO_MAIL_PARAMETERS,
    NO_RCPT_PARAMETERS,
    MailParameters,
    RcptParameters,
)
from freehold.protocols.smtp.reply import Reply

MAX_RECIPIENTS = MAX_OUTSTANDING_COMMANDS - 2
"""Most recipients of one transaction: MAIL, all of them and DATA may be unanswered at once."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient and what to ask the server for it."""

    forward_path: ForwardPath
    parameters: RcptParameters = NO_RCPT_PARAMETERS


@dataclass(frozen=True, slots=True)
class Envelope:
    """Sender and recipients of one message; parameters that the server does not offer are left out."""

    reverse_path: ReversePath
    recipients: tuple[Recipient, ...]
    parameters: MailParameters = NO_MAIL_PARAMETERS


class Progress(Enum):
    """Where a transaction stands."""

    ENVELOPE = auto()
    """Answers to MAIL, RCPT or DATA are due."""
    CONTENT = auto()
    """Send what `content` yields."""
    FINAL = auto()
    """The answer to the content is due."""
    DONE = auto()
    """Every recipient has its result."""


class Transaction:
    """Drives one message: send `start`, then whatever `take` returns for each answer.

    `results` holds, in order of the recipients, None or the reply that decided: positive means delivered.
    After DONE the connection is ready for another message, after `reset` if `needs_reset`.
    """

    __slots__ = (
        "_answered",
        "_chunking",
        "_connection",
        "_content_answered",
        "_envelope",
        "_pipelined",
        "progress",
        "results",
    )

    def __init__(self, connection: ClientConnection, envelope: Envelope) -> None:
        if not 0 < len(envelope.recipients) <= MAX_RECIPIENTS:
            raise ValueError(f"a transaction has 1 to {MAX_RECIPIENTS} recipients")
        capabilities = connection.capabilities
        self._connection = connection
        self._envelope = envelope
        self._pipelined = capabilities.offers(Extension.PIPELINING)
        self._chunking = capabilities.offers(Extension.CHUNKING)
        self._answered = 0
        self._content_answered = False
        self.progress = Progress.ENVELOPE
        self.results: list[Reply | None] = [None] * len(envelope.recipients)

    @property
    def is_accepted_by_any(self) -> bool:
        """Whether a recipient still has hope."""
        return None in self.results

    @property
    def needs_reset(self) -> bool:
        """Whether the server may still hold an envelope without content."""
        return self.progress is Progress.DONE and not self._content_answered

    def start(self) -> bytes:
        """Return MAIL and, with PIPELINING, all that can follow it unanswered.

        Raises:
            ExtensionMissingError: the server cannot take such a message.
        """
        wanted = self._connection.capabilities.fit_mail_parameters(self._envelope.parameters)
        commands = [self._connection.mail(self._envelope.reverse_path, wanted)]
        if self._pipelined:
            commands += [self._rcpt(recipient) for recipient in self._envelope.recipients]
            if not self._chunking:
                commands.append(self._connection.data())
        return b"".join(commands)

    def take(self, answer: Answer) -> bytes:
        """Note an answer and return what to send next, which may be nothing.

        Raises:
            ProtocolError: the answer makes no sense for its command.
        """
        reply = answer.reply
        if reply.is_positive and reply.is_intermediate != (answer.sent is Sent.DATA):
            text = f"The server answered {answer.sent.name} with {reply.code}"
            raise ProtocolError(Reply.of(554, "5.5.0", text))
        match answer.sent:
            case Sent.MAIL:
                return self._take_mail(reply)
            case Sent.RCPT:
                return self._take_rcpt(reply)
            case Sent.DATA:
                return self._take_data(reply)
            case _:
                self._content_answered = answer.sent in {Sent.CONTENT, Sent.BDAT}
                return self._finish(reply)

    def content(self, pieces: Iterable[bytes], octets: int) -> Iterator[bytes]:
        """Yield the content as it goes over the wire; `octets` is the sum of the pieces.

        Raises:
            ValueError: the sum was wrong; the connection cannot be used any more.
        """
        self.progress = Progress.FINAL
        if not self._chunking:
            return self._connection.content(pieces)
        return _counted(self._connection.bdat(octets, last=True), pieces, octets)

    def _rcpt(self, recipient: Recipient) -> bytes:
        parameters = self._connection.capabilities.fit_rcpt_parameters(recipient.parameters)
        return self._connection.rcpt(recipient.forward_path, parameters)

    def _take_mail(self, reply: Reply) -> bytes:
        if reply.is_positive:
            return b"" if self._pipelined else self._rcpt(self._envelope.recipients[0])
        self.results = [reply] * len(self.results)
        return b"" if self._pipelined else self._finish(reply)

    def _take_rcpt(self, reply: Reply) -> bytes:
        number = self._answered
        self._answered += 1
        if self.results[number] is None and not reply.is_positive:
            self.results[number] = reply
        if self._answered < len(self.results):
            return b"" if self._pipelined else self._rcpt(self._envelope.recipients[self._answered])
        if self._pipelined and not self._chunking:
            return b""
        if not self.is_accepted_by_any:
            return self._finish(reply)
        if self._chunking:
            self.progress = Progress.CONTENT
            return b""
        return self._connection.data()

    def _take_data(self, reply: Reply) -> bytes:
        if not reply.is_positive:
            return self._finish(reply)
        if self.is_accepted_by_any:
            self.progress = Progress.CONTENT
            return b""
        # The server waits for content that nobody will get: an empty message ends that (RFC 2920 §3.1).
        self.progress = Progress.FINAL
        return b"".join(self._connection.content(()))

    def _finish(self, reply: Reply) -> bytes:
        self.results = [reply if result is None else result for result in self.results]
        self.progress = Progress.DONE
        return b""


def _counted(header: bytes, pieces: Iterable[bytes], octets: int) -> Iterator[bytes]:
    yield header
    for piece in pieces:
        octets -= len(piece)
        yield piece
    if octets:
        raise ValueError("the content is not as long as announced")
