"""The states of a connection and the sets in which commands are allowed (RFC 9051 §3)."""

from enum import Enum, auto


class State(Enum):
    """Where a connection stands."""

    NOT_AUTHENTICATED = auto()
    AUTHENTICATED = auto()
    SELECTED = auto()
    LOGOUT = auto()


ANY_STATE = frozenset({State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED})
BEFORE_LOGIN = frozenset({State.NOT_AUTHENTICATED})
AFTER_LOGIN = frozenset({State.AUTHENTICATED, State.SELECTED})
MAILBOX_OPEN = frozenset({State.SELECTED})
