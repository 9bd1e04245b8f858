"""ENABLE (RFC 9051 §6.3.1, RFC 5161)."""

from dataclasses import dataclass

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_ARGUMENTS
from freehold.protocols.imap.states import AFTER_LOGIN


@dataclass(frozen=True, slots=True)
class Enable(Command):
    """ENABLE: capability names in upper case; unknown ones are to be ignored."""

    capabilities: tuple[str, ...]


def parse_enable(tag: bytes, cursor: Cursor) -> Enable:
    """Read one or more capability names."""
    cursor.space()
    names = [cursor.atom("a capability")]
    while cursor.more():
        if len(names) >= MAX_ARGUMENTS:
            raise CommandError("too many capabilities")
        names.append(cursor.atom("a capability"))
    return Enable(tag, tuple(dict.fromkeys(name.upper().decode("ascii") for name in names)))


COMMANDS = (CommandSpec(b"ENABLE", Enable, parse_enable, AFTER_LOGIN),)
