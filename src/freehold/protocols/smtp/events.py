"""What a client said, as frozen values (server side).

Events marked *waits* must be answered through the connection before the next one is taken.
The others have been answered already and only inform.
"""

from enum import Enum, auto

import msgspec

from freehold.errors import FreeholdError
from freehold.protocols.smtp.address import ForwardPath, ReversePath
from freehold.protocols.smtp.parameters import MailParameters, RcptParameters
from freehold.protocols.smtp.reply import Reply


class NeedData(Enum):
    """Says that no whole event is buffered."""

    NEED_DATA = auto()


NEED_DATA = NeedData.NEED_DATA


class ProtocolError(FreeholdError):
    """The peer broke a bound or the framing; the connection must end.

    `reply` says why. A server connection has queued it for the client already.
    """

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class Hello(msgspec.Struct, frozen=True):
    """HELO, EHLO or LHLO with a well-formed name; any transaction is over. Waits."""

    name: str
    extended: bool


class Mail(msgspec.Struct, frozen=True):
    """MAIL opens a transaction. Waits."""

    reverse_path: ReversePath
    parameters: MailParameters


class Rcpt(msgspec.Struct, frozen=True):
    """RCPT names one recipient. Waits."""

    forward_path: ForwardPath
    parameters: RcptParameters


class DataStarted(msgspec.Struct, frozen=True):
    """DATA: the client waits for leave to send (354) or a refusal. Waits."""


class BdatStarted(msgspec.Struct, frozen=True):
    """BDAT: `octets` of content follow at once, asked for or not (RFC 3030)."""

    octets: int
    last: bool


class MessageChunk(msgspec.Struct, frozen=True):
    """Some content, dot-stuffing undone; its borders mean nothing."""

    content: bytes


class BdatEnd(msgspec.Struct, frozen=True):
    """All octets of a BDAT that was not the last are here. Waits; a refusal spoils the transaction."""

    octets: int


class MessageEnd(msgspec.Struct, frozen=True):
    """The content is whole and well formed, `octets` long. Waits; acceptance means responsibility."""

    octets: int


class MessageRefused(msgspec.Struct, frozen=True):
    """The content was consumed and refused, as `reply` told the client; what was stored of it is void."""

    reply: Reply


class StartTls(msgspec.Struct, frozen=True):
    """STARTTLS. Waits; after acceptance do the handshake, then call `tls_started`."""


class AuthStarted(msgspec.Struct, frozen=True):
    """AUTH with an offered mechanism and the decoded initial response, if any. Waits."""

    mechanism: str
    initial_response: bytes | None


class AuthResponse(msgspec.Struct, frozen=True):
    """The decoded answer to a challenge. Waits."""

    response: bytes


class AuthAborted(msgspec.Struct, frozen=True):
    """The exchange is over by `*`, a line that is not base64, or one too long."""

    reply: Reply


class Reset(msgspec.Struct, frozen=True):
    """RSET: any transaction is over."""


class Answered(msgspec.Struct, frozen=True):
    """NOOP, HELP or VRFY: nothing to decide, but a command to count."""

    verb: str


class Refused(msgspec.Struct, frozen=True):
    """A command that was malformed, unknown or out of order; an error to count."""

    reply: Reply


class Quit(msgspec.Struct, frozen=True):
    """QUIT: send what is queued, then close."""


Event = (
    Hello
    | Mail
    | Rcpt
    | DataStarted
    | BdatStarted
    | MessageChunk
    | BdatEnd
    | MessageEnd
    | MessageRefused
    | StartTls
    | AuthStarted
    | AuthResponse
    | AuthAborted
    | Reset
    | Answered
    | Refused
    | Quit
)
