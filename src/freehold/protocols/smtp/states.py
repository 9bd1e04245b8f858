"""States of a server connection, and which command leads from which to which (RFC 5321 §4.1.4)."""

from enum import Enum, auto


class State(Enum):
    """Where the dialogue stands."""

    GREETING = auto()
    """Connected; the greeting is not queued yet."""
    TURNED_AWAY = auto()
    """Greeted with a refusal; only QUIT is useful (RFC 5321 §3.1)."""
    START = auto()
    """Greeted, or TLS has begun; HELO, EHLO or LHLO is due."""
    READY = auto()
    """Introduced; no transaction."""
    MAIL = auto()
    """The sender is known, no recipient yet."""
    RCPT = auto()
    """At least one recipient was accepted."""
    DATA = auto()
    """Content flows until the dot."""
    CHUNK = auto()
    """The octets of a BDAT flow."""
    BDAT = auto()
    """Between two BDAT of one message."""
    BDAT_FAILED = auto()
    """A BDAT was refused; only RSET and its like help (RFC 3030 §2)."""
    SKIP = auto()
    """The octets of a refused BDAT flow."""
    AUTH = auto()
    """A challenge waits for its response."""
    TLS = auto()
    """STARTTLS was accepted; the handshake is under way."""
    CLOSED = auto()
    """Nothing more is read."""


_START = {"HELO": State.READY, "EHLO": State.READY, "LHLO": State.READY, "RSET": State.START}
_INTRODUCED = {"HELO": State.READY, "EHLO": State.READY, "LHLO": State.READY, "RSET": State.READY}

TRANSITIONS: dict[State, dict[str, State]] = {
    State.TURNED_AWAY: {},
    State.START: _START,
    State.READY: _INTRODUCED | {"MAIL": State.MAIL, "STARTTLS": State.TLS, "AUTH": State.READY},
    State.MAIL: _INTRODUCED | {"RCPT": State.RCPT},
    State.RCPT: _INTRODUCED | {"RCPT": State.RCPT, "DATA": State.DATA, "BDAT": State.CHUNK},
    State.BDAT: _INTRODUCED | {"BDAT": State.CHUNK},
    State.BDAT_FAILED: _INTRODUCED,
}
"""For each state in which commands are read: the commands in order there, and the state after acceptance."""

STATELESS_COMMANDS = frozenset({"NOOP", "HELP", "VRFY", "EXPN", "QUIT"})
"""Commands in order at any time, which change no transaction."""

COMMANDS = STATELESS_COMMANDS.union(*TRANSITIONS.values())
"""All verbs that are known."""
