"""Errors of SMTP: a command that is refused, and a peer that must be dropped."""

from typing import Self

from freehold.errors import FreeholdError
from freehold.protocols.smtp.reply import Reply


class ProtocolError(FreeholdError):
    """The peer broke a bound or the framing; the connection must end.

    `reply` says why. A server connection has queued it for the client already.
    """

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class CommandError(Exception):
    """A command is malformed or out of order; `reply` says so, and the dialogue goes on."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply

    @classmethod
    def of(cls, code: int, enhanced: str, text: str) -> Self:
        """Return the error with a reply of one line."""
        return cls(Reply.of(code, enhanced, text))
