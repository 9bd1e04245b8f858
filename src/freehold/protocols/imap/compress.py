"""COMPRESS (RFC 4978)."""

from dataclasses import dataclass

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.states import AFTER_LOGIN


@dataclass(frozen=True, slots=True)
class Compress(Command):
    """COMPRESS DEFLATE; what follows the command is deflated already (`take_unused`)."""


def parse_compress(tag: bytes, cursor: Cursor) -> Compress:
    """Read the mechanism, of which there is one (RFC 4978 §3)."""
    cursor.space()
    mechanism = cursor.atom("a compression mechanism")
    cursor.end()
    if mechanism.upper() != b"DEFLATE":
        raise CommandError("unknown compression mechanism")
    return Compress(tag)


COMMANDS = (CommandSpec(b"COMPRESS", Compress, parse_compress, AFTER_LOGIN),)
