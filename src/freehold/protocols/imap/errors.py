"""Errors of the IMAP grammar: one that costs a command its reply, one that costs the connection.

`CommandError` never leaves this package: the connection turns it into a `BadCommand` event.
"""

from enum import Enum

from freehold.errors import FreeholdError, InvalidValueError


class Status(Enum):
    """The condition of a status response (RFC 9051 §7.1)."""

    OK = b"OK"
    NO = b"NO"
    BAD = b"BAD"


class ProtocolError(FreeholdError):
    """The peer went beyond what a reply can mend; say BYE with `public` and close."""

    public = "protocol error"


class CommandError(InvalidValueError):
    """One command cannot be parsed or accepted; `status` and `code` belong into its tagged reply.

    `forgets_result`: the command would have saved its result, so that the one saved before is lost.
    """

    public = "syntax error"

    def __init__(self, public: str, status: Status = Status.BAD, code: bytes | None = None) -> None:
        super().__init__(public)
        self.status = status
        self.code = code
        self.forgets_result = False
