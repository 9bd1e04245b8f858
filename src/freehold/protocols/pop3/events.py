"""What a client said, as frozen values. The session answers each of them, in order (RFC 2449 §6.6)."""

from dataclasses import dataclass, field
from enum import Enum, auto


class NeedData(Enum):
    """Says that no whole line is buffered."""

    NEED_DATA = auto()


NEED_DATA = NeedData.NEED_DATA


@dataclass(frozen=True, slots=True)
class Capa:
    """CAPA (RFC 2449 §5)."""


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT: before login it only ends the connection, after it the marked messages go (RFC 1939 §6)."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """STLS (RFC 2595 §4). After the answer comes the handshake, then `ServerConnection.tls_started`."""


@dataclass(frozen=True, slots=True)
class User:
    """USER: whom a PASS is for (RFC 1939 §7)."""

    name: bytes


@dataclass(frozen=True, slots=True)
class Login:
    """PASS after USER (RFC 1939 §7); both as sent."""

    name: bytes
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH with the decoded initial response, None where none came (RFC 5034 §4)."""

    mechanism: str
    initial_response: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthList:
    """AUTH without a mechanism: old clients ask for the list of them that way."""


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """The decoded answer to a challenge."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthAborted:
    """The exchange is over: by `*` (RFC 5034 §4), or by a line that is too long or not base64."""

    text: str


@dataclass(frozen=True, slots=True)
class Stat:
    """STAT."""


@dataclass(frozen=True, slots=True)
class List:
    """LIST, of one message or (None) of all."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Uidl:
    """UIDL, of one message or (None) of all."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Retr:
    """RETR."""

    number: int


@dataclass(frozen=True, slots=True)
class Top:
    """TOP: the header and so many lines of the body."""

    number: int
    lines: int


@dataclass(frozen=True, slots=True)
class Dele:
    """DELE."""

    number: int


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET: no message is marked any longer."""


@dataclass(frozen=True, slots=True)
class BadCommand:
    """A line that is no command in this state; `text` quotes nothing of the client's."""

    text: str


Event = (
    Capa
    | Quit
    | StartTls
    | User
    | Login
    | Auth
    | AuthList
    | AuthResponse
    | AuthAborted
    | Stat
    | List
    | Uidl
    | Retr
    | Top
    | Dele
    | Noop
    | Reset
    | BadCommand
)
