"""CANCELUPDATE: no further news of some search results (RFC 5267 §4.3.5)."""

from dataclasses import dataclass

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_ARGUMENTS
from freehold.protocols.imap.states import MAILBOX_OPEN


@dataclass(frozen=True, slots=True)
class CancelUpdate(Command):
    """CANCELUPDATE with the tags of the commands that asked for updates."""

    tags: tuple[bytes, ...]


def parse_cancel_update(tag: bytes, cursor: Cursor) -> CancelUpdate:
    """Read one or more quoted tags."""
    cursor.space()
    tags = [cursor.string("a quoted tag")]
    while cursor.more():
        if len(tags) >= MAX_ARGUMENTS:
            raise CommandError("too many tags")
        tags.append(cursor.string("a quoted tag"))
    cursor.end()
    return CancelUpdate(tag, tuple(dict.fromkeys(tags)))


COMMANDS = (CommandSpec(b"CANCELUPDATE", CancelUpdate, parse_cancel_update, MAILBOX_OPEN),)
