"""Client side of one SMTP connection, without I/O (RFC 5321, RFC 2920, RFC 3030, RFC 3207, RFC 4954).

Each method that sends a command returns its bytes; feed what comes back with `receive` and take the
answers, each matched to its command, with `next_event`. What to send to whom belongs to the queue.
"""

import binascii
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from freehold.protocols.smtp.address import ForwardPath, ReversePath, format_path
from freehold.protocols.smtp.capabilities import Capabilities
from freehold.protocols.smtp.events import NEED_DATA, NeedData, ProtocolError
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.lines import BadLineError, InputBuffer
from freehold.protocols.smtp.parameters import (
    NO_MAIL_PARAMETERS,
    NO_RCPT_PARAMETERS,
    MailParameters,
    RcptParameters,
    format_mail_parameters,
    format_rcpt_parameters,
)
from freehold.protocols.smtp.reply import MAX_RECEIVED_LINE_OCTETS, InvalidReplyError, Reply, ReplyParser
from freehold.protocols.smtp.stuffing import stuff

MAX_OUTSTANDING_COMMANDS = 1024
"""Most commands sent ahead of their answers."""

_CLOSING_CODE = 421
_TLS_READY_CODE = 220
_MISBEHAVED = (554, "5.5.0")


class Sent(Enum):
    """What an answer answers."""

    GREETING = auto()
    """Nothing was sent; the server speaks first."""
    HELLO = auto()
    STARTTLS = auto()
    AUTH = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    CONTENT = auto()
    """The content after DATA."""
    BDAT = auto()
    RSET = auto()
    NOOP = auto()
    QUIT = auto()
    NOTHING = auto()
    """A server about to close may send 421 at any time (RFC 5321 §3.8)."""


_LAST_IN_GROUP = frozenset(
    {Sent.GREETING, Sent.HELLO, Sent.STARTTLS, Sent.AUTH, Sent.DATA, Sent.NOOP, Sent.QUIT}
)
"""Commands whose answer must be awaited even with PIPELINING (RFC 2920 §3.1)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply and the command it belongs to."""

    sent: Sent
    reply: Reply


class ClientConnection:
    """Turns commands into bytes, and a server's bytes into answers."""

    __slots__ = (
        "_hostname",
        "_in_handshake",
        "_input",
        "_outstanding",
        "_parser",
        "_wants_extensions",
        "capabilities",
    )

    def __init__(self, hostname: str) -> None:
        self.capabilities = Capabilities()
        self._hostname = hostname
        self._input = InputBuffer()
        self._parser = ReplyParser()
        self._outstanding = deque([Sent.GREETING])
        self._wants_extensions = False
        self._in_handshake = False

    @property
    def awaits_answers(self) -> bool:
        """Whether a command is still unanswered."""
        return bool(self._outstanding)

    def receive(self, data: bytes) -> None:
        """Store bytes read from the server; what comes between STARTTLS and `tls_started` is dropped."""
        if not self._in_handshake:
            self._input.append(data)

    def next_event(self) -> Answer | NeedData:
        """Take the next answer.

        Raises:
            ProtocolError: the server sent what is no reply, too much, or a reply that nobody asked for.
        """
        try:
            while (line := self._input.take_line(MAX_RECEIVED_LINE_OCTETS)) is not None:
                reply = self._parser.feed_line(line)
                if reply is not None:
                    return self._match(reply)
        except (BadLineError, InvalidReplyError):
            self._input.clear()
            raise _misbehaved("The server sent a malformed reply") from None
        return NEED_DATA

    def hello(self, *, extended: bool = True) -> bytes:
        """Introduce us with EHLO, or with HELO to a server that refused EHLO with 5xx."""
        self._wants_extensions = extended
        return self._command(Sent.HELLO, f"{'EHLO' if extended else 'HELO'} {self._hostname}")

    def start_tls(self) -> bytes:
        """Ask for TLS; after 220 do the handshake, call `tls_started`, and introduce us again."""
        return self._command(Sent.STARTTLS, "STARTTLS")

    def tls_started(self) -> None:
        """Forget what the server said in plaintext (RFC 3207 §4.2)."""
        if not self._in_handshake:
            raise RuntimeError("STARTTLS was not accepted")
        self._in_handshake = False
        self._input.clear()
        self.capabilities = Capabilities()

    def authenticate(self, mechanism: str, initial_response: bytes | None = None) -> bytes:
        """Begin an exchange; an answer of 334 carries a challenge, see `decode_challenge`."""
        if initial_response is None:
            return self._command(Sent.AUTH, f"AUTH {mechanism}")
        return self._command(Sent.AUTH, f"AUTH {mechanism} {_base64(initial_response) or '='}")

    def respond(self, response: bytes | None) -> bytes:
        """Answer a challenge, or give up with None."""
        return self._command(Sent.AUTH, "*" if response is None else _base64(response))

    def mail(self, reverse_path: ReversePath, parameters: MailParameters = NO_MAIL_PARAMETERS) -> bytes:
        """Open a transaction."""
        line = f"MAIL FROM:{format_path(reverse_path)}{format_mail_parameters(parameters)}"
        return self._command(Sent.MAIL, line)

    def rcpt(self, forward_path: ForwardPath, parameters: RcptParameters = NO_RCPT_PARAMETERS) -> bytes:
        """Name one recipient."""
        line = f"RCPT TO:{format_path(forward_path)}{format_rcpt_parameters(parameters)}"
        return self._command(Sent.RCPT, line)

    def data(self) -> bytes:
        """Ask for leave to send the content."""
        return self._command(Sent.DATA, "DATA")

    def content(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the content as it goes over the wire after 354, dot-stuffed and ended."""
        self._expect(Sent.CONTENT)
        return stuff(pieces)

    def bdat(self, octets: int, *, last: bool) -> bytes:
        """Announce `octets` of content, which follow as they are (RFC 3030)."""
        return self._command(Sent.BDAT, f"BDAT {octets}{' LAST' if last else ''}")

    def reset(self) -> bytes:
        """Give up the transaction."""
        return self._command(Sent.RSET, "RSET")

    def noop(self) -> bytes:
        """Ask whether the server is still there."""
        return self._command(Sent.NOOP, "NOOP")

    def quit(self) -> bytes:
        """Say goodbye."""
        return self._command(Sent.QUIT, "QUIT")

    def _command(self, sent: Sent, line: str) -> bytes:
        encoded = line.encode()
        if b"\r" in encoded or b"\n" in encoded or b"\0" in encoded:
            raise ValueError("a command is one line")
        self._expect(sent)
        return encoded + b"\r\n"

    def _expect(self, sent: Sent) -> None:
        outstanding = self._outstanding
        if outstanding:
            if outstanding[-1] in _LAST_IN_GROUP or not self.capabilities.offers(Extension.PIPELINING):
                raise RuntimeError(f"the answer to {outstanding[-1].name} must come first")
            if len(outstanding) >= MAX_OUTSTANDING_COMMANDS:
                raise RuntimeError("too many commands are unanswered")
        outstanding.append(sent)

    def _match(self, reply: Reply) -> Answer:
        if not self._outstanding:
            if reply.code != _CLOSING_CODE:
                raise _misbehaved("The server sent a reply that nobody asked for")
            return Answer(Sent.NOTHING, reply)
        sent = self._outstanding.popleft()
        if sent is Sent.HELLO and reply.is_positive:
            self.capabilities = Capabilities.of_reply(reply) if self._wants_extensions else Capabilities()
        elif sent is Sent.STARTTLS and reply.code == _TLS_READY_CODE:
            self._input.clear()
            self._in_handshake = True
        return Answer(sent, reply)


def decode_challenge(reply: Reply) -> bytes:
    """Return the octets of a 334.

    Raises:
        ProtocolError: they are not base64.
    """
    try:
        return binascii.a2b_base64(reply.lines[0].encode(), strict_mode=True)
    except binascii.Error:
        raise _misbehaved("The server sent a malformed challenge") from None


def _misbehaved(text: str) -> ProtocolError:
    return ProtocolError(Reply.of(*_MISBEHAVED, text))


def _base64(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).decode("ascii")
