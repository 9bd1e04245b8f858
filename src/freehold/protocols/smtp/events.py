"""What a client said, as frozen values (server side).

Events marked *waits* must be answered through the connection before the next one is taken.
The others have been answered already and only inform.
"""

from dataclasses import dataclass
from enum import Enum, auto

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


@dataclass(frozen=True, slots=True)
class Hello:
    """HELO, EHLO or LHLO with a well-formed name; any transaction is over. Waits."""

    name: str
    extended: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL opens a transaction. Waits."""

    reverse_path: ReversePath
    parameters: MailParameters


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT names one recipient. Waits."""

    forward_path: ForwardPath
    parameters: RcptParameters


@dataclass(frozen=True, slots=True)
class DataStarted:
    """DATA: the client waits for leave to send (354) or a refusal. Waits."""


@dataclass(frozen=True, slots=True)
class BdatStarted:
    """BDAT: `octets` of content follow at once, asked for or not (RFC 3030)."""

    octets: int
    last: bool


@dataclass(frozen=True, slots=True)
class MessageChunk:
    """Some content, dot-stuffing undone; its borders mean nothing."""

    content: bytes


@dataclass(frozen=True, slots=True)
class BdatEnd:
    """All octets of a BDAT that was not the last are here. Waits; a refusal spoils the transaction."""

    octets: int


@dataclass(frozen=True, slots=True)
class MessageEnd:
    """The content is whole and well formed, `octets` long. Waits; acceptance means responsibility."""

    octets: int


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """The content was consumed and refused, as `reply` told the client; what was stored of it is void."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS. Waits; after acceptance do the handshake, then call `tls_started`."""


@dataclass(frozen=True, slots=True)
class AuthStarted:
    """AUTH with an offered mechanism and the decoded initial response, if any. Waits."""

    mechanism: str
    initial_response: bytes | None


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """The decoded answer to a challenge. Waits."""

    response: bytes


@dataclass(frozen=True, slots=True)
class AuthAborted:
    """The exchange is over by `*`, a line that is not base64, or one too long."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET: any transaction is over."""


@dataclass(frozen=True, slots=True)
class Answered:
    """NOOP, HELP or VRFY: nothing to decide, but a command to count."""

    verb: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that was malformed, unknown or out of order; an error to count."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Quit:
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
