"""States of a connection (RFC 1939 §3)."""

from enum import Enum, auto


class State(Enum):
    """Where the dialogue stands."""

    AUTHORIZATION = auto()
    """Nobody has logged in."""
    TRANSACTION = auto()
    """Somebody has, and works on a maildrop."""
