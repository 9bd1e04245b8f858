"""How the grammar says that a command is refused."""

from typing import Self

from freehold.protocols.smtp.reply import Reply


class CommandError(Exception):
    """A command is malformed or out of order; `reply` says so, and the dialogue goes on."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply

    @classmethod
    def of(cls, code: int, enhanced: str, text: str) -> Self:
        """Return the error with a reply of one line."""
        return cls(Reply.of(code, enhanced, text))
